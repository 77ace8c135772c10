//! Samples in a report: its runs by their tasks, and how those of a task differ.

use std::collections::HashMap;

use crate::model::report::{Outcome, Report, Run};
use crate::model::spread::{Spread, TaskSpread};
use crate::model::verdict::Verdict;

/// Runs by stage and task, in the order of the first ones.
#[must_use]
pub fn by_task(runs: &[Run]) -> Vec<Vec<&Run>> {
    let (mut places, mut tasks): (HashMap<_, usize>, Vec<Vec<&Run>>) = Default::default();
    for run in runs {
        let place = *places.entry((&run.stage, &run.task)).or_insert(tasks.len());
        match tasks.get_mut(place) {
            Some(samples) => samples.push(run),
            None => tasks.push(vec![run]),
        }
    }
    tasks
}

/// The spreads of a report's runs, of each task that has several samples.
#[must_use]
pub fn spreads(runs: &[Run]) -> Vec<TaskSpread> {
    let several = by_task(runs).into_iter().filter(|samples| samples.len() > 1);
    let of_task = |samples: Vec<&Run>| {
        let judged: Vec<(f64, bool)> = samples.iter().filter_map(|run| judged(run)).collect();
        let spread = Spread::of(&judged)?;
        Some(TaskSpread { stage: samples[0].stage.clone(), task: samples[0].task.clone(), spread })
    };
    several.filter_map(of_task).collect()
}

/// A report without runs that count no more: samples of tasks that have fewer now, tasks that their stage has no more; given
/// how many samples a stage has of a task.
#[must_use]
pub fn of_now(mut report: Report, samples_of: impl Fn(&str, &str) -> u32) -> Report {
    report.runs.retain(|run| run.sample <= samples_of(&run.stage, &run.task));
    report.spreads = spreads(&report.runs);
    report
}

fn judged(run: &Run) -> Option<(f64, bool)> {
    match &run.outcome {
        Outcome::Scored(scored) => Some((scored.score, scored.verdict == Verdict::Passed)),
        Outcome::TaskFault { .. } | Outcome::Unscored { .. } => None,
    }
}
