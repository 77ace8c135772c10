//! `tasks`: what miners are asked for.

use std::path::Path;

use anyhow::bail;

use crate::cli::Exit;
use crate::task::Task;
use crate::workspace::Workspace;

/// Lists all tasks, or prints one with its public tests.
///
/// # Errors
/// Mistakes in the configuration, or no such task.
pub fn tasks(dir: &Path, id: Option<&str>) -> anyhow::Result<Exit> {
    let tasks = Workspace::open(dir)?.tasks;
    let Some(id) = id else {
        let width = tasks.iter().map(|task| task.id.len()).max().unwrap_or(0);
        for task in &tasks {
            let first = task.prompt.lines().next().unwrap_or_default();
            println!("{:width$}  {:>2} tests  {first}", task.id, task.tests.len());
        }
        return Ok(Exit::Done);
    };
    match tasks.iter().find(|task| task.id == id) {
        Some(task) => print!("{}", whole(task)),
        None => bail!("there is no task {id:?}; the tasks are {}", names(&tasks)),
    }
    Ok(Exit::Done)
}

fn whole(task: &Task) -> String {
    let mut text = format!("{}\n\n{}\n", task.id, task.prompt.trim_end());
    for test in task.tests.iter().filter(|test| test.public) {
        text += &format!("\n# {}\n{}\n", test.name, test.assertion.text.trim_end());
    }
    let hidden = task.tests.iter().filter(|test| !test.public).count();
    text + &format!("\n{hidden} more tests are not public.\n")
}

fn names(tasks: &[Task]) -> String {
    tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>().join(", ")
}
