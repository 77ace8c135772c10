//! Files of tasks against the size that the pipeline allows them.

use crate::config::Pipeline;
use crate::task::{Folder, Task};
use crate::util::units::Size;
use crate::yaml::{Log, Problem};

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

fn too_large(task: &Task, folder: &Folder, most: u64) -> Vec<Problem> {
    let log = Log::new(&task.path);
    let (size, most) = (Size(folder.size()), Size(most));
    log.add(folder.at, "files", format!("holds {size}, and sandbox.files allows {most}"));
    log.into_problems()
}
