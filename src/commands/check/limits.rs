//! Limits of a task's runs, as the pipeline would run it.

use crate::config::{Limits, Pipeline};
use crate::task::Task;

/// The limits of the stage that the task is in, and its own.
pub(super) fn limits(pipeline: &Pipeline, task: &Task) -> Limits {
    let stage = pipeline.stage_of(&task.id);
    let limits = stage.map_or(pipeline.sandbox.limits, |stage| stage.limits);
    task.limits(&limits)
}
