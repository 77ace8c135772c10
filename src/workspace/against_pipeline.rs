//! Tasks against pipeline.yaml: files larger than it allows, and models that it does not name.

use crate::config::Pipeline;
use crate::task::{Folder, Task};
use crate::util::units::Size;
use crate::yaml::{Log, Position, Problem};

/// Mistakes of tasks that give their agents more than `sandbox.files` allows.
#[must_use]
pub fn check_files(pipeline: &Pipeline, tasks: &[Task]) -> Vec<Problem> {
    let most = pipeline.sandbox.files;
    let folders = tasks.iter().filter_map(|task| Some((task, task.files.as_deref()?)));
    folders
        .filter(|(_, folder)| folder.size() > most)
        .flat_map(|(task, folder)| too_large(task, folder, most))
        .collect()
}

/// Mistakes of tasks whose tests ask a model where the judge has none.
#[must_use]
pub fn check_models(pipeline: &Pipeline, tasks: &[Task]) -> Vec<Problem> {
    let has_none = |task: &&Task| pipeline.judge_model.is_none() && task.asks_model();
    tasks.iter().filter(has_none).flat_map(asks_nobody).collect()
}

fn asks_nobody(task: &Task) -> Vec<Problem> {
    let log = Log::new(&task.path);
    log.add(
        Position::default(),
        "tests",
        "a test calls ask_model, and judge.model in pipeline.yaml names no model",
    );
    log.into_problems()
}

fn too_large(task: &Task, folder: &Folder, most: u64) -> Vec<Problem> {
    let log = Log::new(&task.path);
    let (size, most) = (Size(folder.size()), Size(most));
    log.add(folder.at, "files", format!("holds {size}, and sandbox.files allows {most}"));
    log.into_problems()
}
