//! Results of a model task by task: they tell on which tasks models differ.

use std::io::{self, Write};

use serde::Serialize;

use crate::client::bench::judging::Tried;
use crate::client::bench::memory::Judged;
use crate::pipeline::publish::csv::{or_empty, table, text};
use crate::pipeline::score::hundredths;
use crate::util::pass_at::pass_at;

const HEADER: &str = "model,task,samples,passed,pass_at_1,pass_at_k,score,first_failure";

/// A model's result on one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskRow {
    /// The task's id.
    pub task: String,
    /// Samples that were judged.
    pub samples: u32,
    /// Those of them that pass all tests.
    pub passed: u32,
    /// The chance, in percent, that one sample passes all tests; None without samples.
    pub pass_at_1: Option<f64>,
    /// The chance that one of `k` does; None with fewer samples.
    pub pass_at_k: Option<f64>,
    /// Mean score of the samples, 0 to 100; None without samples.
    pub score: Option<f64>,
    /// Why the first sample that did not pass did not: its first failing test, or what else it lacks.
    pub first_failure: Option<String>,
}

impl TaskRow {
    /// The result of these samples.
    #[must_use]
    pub fn new(task: &str, known: &[Tried], k: u32) -> Self {
        let count = Count::of(known);
        let failed = known.iter().filter_map(|tried| tried.judged.as_ref()).find(|judged| !is_passed(judged));
        Self {
            task: task.to_owned(),
            samples: count.judged,
            passed: count.passed,
            pass_at_1: count.pass_at(1).map(|share| hundredths(100.0 * share)),
            pass_at_k: count.pass_at(k).map(|share| hundredths(100.0 * share)),
            score: count.score().map(hundredths),
            first_failure: failed.map(|judged| judged.message.as_ref().unwrap_or(&judged.verdict).clone()),
        }
    }
}

/// Samples of one task, counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) judged: u32,
    passed: u32,
    sum: f64,
}

impl Count {
    pub(super) fn of(known: &[Tried]) -> Self {
        let judged: Vec<&Judged> = known.iter().filter_map(|tried| tried.judged.as_ref()).collect();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            judged: number(judged.len()),
            passed: number(judged.iter().filter(|judged| is_passed(judged)).count()),
            sum: judged.iter().map(|judged| judged.score).sum(),
        }
    }

    /// The chance that one of `k` samples passes; None with fewer samples.
    pub(super) fn pass_at(self, k: u32) -> Option<f64> {
        (self.judged >= k).then(|| pass_at(k, self.judged, self.passed))
    }

    /// The mean; None without samples.
    pub(super) fn score(self) -> Option<f64> {
        (self.judged > 0).then(|| self.sum / f64::from(self.judged))
    }
}

fn is_passed(judged: &Judged) -> bool {
    judged.score == 100.0
}

/// Writes the results of all models on all tasks as CSV.
///
/// # Errors
/// Those of `out`.
pub fn csv<'a>(
    out: &mut dyn Write,
    models: impl Iterator<Item = (&'a str, &'a [TaskRow])>,
) -> io::Result<()> {
    table(out, HEADER, models.flat_map(|(model, tasks)| tasks.iter().map(move |task| line(model, task))))
}

fn line(model: &str, row: &TaskRow) -> Vec<String> {
    vec![
        text(model),
        text(&row.task),
        row.samples.to_string(),
        row.passed.to_string(),
        or_empty(row.pass_at_1),
        or_empty(row.pass_at_k),
        or_empty(row.score),
        text(row.first_failure.as_deref().unwrap_or_default()),
    ]
}
