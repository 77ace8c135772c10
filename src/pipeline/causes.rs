//! Causes of runs: why a run is due that a report does not hold, or no longer under the right key.

use serde::Serialize;

use crate::model::report::first_sample;
use crate::pipeline::report_summary::Remembered;
use crate::pipeline::run_keys::{MadeOf, PlannedRun};
use crate::pipeline::run_memory::RunMemory;

/// A reason to make a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The miner has submitted nothing before, or the task was not run in this stage.
    New,
    /// The miner has submitted other bytes.
    Submission,
    /// The task has changed.
    Task,
    /// The limits have changed, by the task or by the pipeline.
    Limits,
    /// The budget or the endpoint for questions to a model has changed.
    Model,
    /// The image has another id.
    Image,
    /// The grader or the judge's limits have changed.
    Grader,
    /// The stage has more samples than before.
    Samples,
    /// It could not be judged before.
    Unscored,
    /// It is to be made again, changed or not.
    Forced,
    /// Nothing tells any more by what it was made.
    Unknown,
}

impl Cause {
    /// The cause in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Submission => "submission changed",
            Self::Task => "task changed",
            Self::Limits => "limits changed",
            Self::Model => "model changed",
            Self::Image => "image changed",
            Self::Grader => "grader changed",
            Self::Samples => "more samples",
            Self::Unscored => "unscored before",
            Self::Forced => "forced",
            Self::Unknown => "made by an older agentmill",
        }
    }
}

/// Why a planned run of a submission is due, by the report of that submission.
pub fn of(planned: &PlannedRun<'_>, stage: &str, report: &Remembered, memory: &RunMemory) -> Vec<Cause> {
    if report.syntax.is_some() {
        return vec![Cause::Image, Cause::Grader];
    }
    let task = &planned.task.id;
    let Some((key, is_judged)) = report.key_of(stage, task, planned.sample) else {
        let has_others = report.key_of(stage, task, first_sample()).is_some();
        return vec![if has_others { Cause::Samples } else { Cause::New }];
    };
    if key == planned.key(&report.sha256) {
        return vec![if is_judged { Cause::Forced } else { Cause::Unscored }];
    }
    let made_of = memory.of(task, (&report.sha256, planned.sample), key);
    let changed = made_of.map_or_else(Vec::new, |before| differences(before, &planned.made_of));
    let unscored = (!is_judged).then_some(Cause::Unscored);
    let causes: Vec<Cause> = changed.into_iter().chain(unscored).collect();
    if causes.is_empty() { vec![Cause::Unknown] } else { causes }
}

fn differences(before: &MadeOf, after: &MadeOf) -> Vec<Cause> {
    let parts = [
        (Cause::Task, before.task != after.task),
        (Cause::Limits, before.limits != after.limits),
        (Cause::Model, before.model != after.model),
        (Cause::Image, before.image != after.image),
        (Cause::Grader, before.grader != after.grader),
    ];
    parts.into_iter().filter_map(|(cause, differs)| differs.then_some(cause)).collect()
}
