//! Choice of tasks by their ids, or patterns of them.

use anyhow::{anyhow, ensure};

use crate::config::check;
use crate::task::Task;

/// The tasks that the patterns name, in the patterns' order, each once.
///
/// # Errors
/// A pattern that is none, or one that matches no task; the message names it.
pub fn named<'a>(tasks: &'a [Task], patterns: &[String]) -> anyhow::Result<Vec<&'a Task>> {
    let mut chosen: Vec<&Task> = Vec::new();
    for pattern in patterns {
        let glob = check::glob(pattern.clone()).map_err(|why| anyhow!("{pattern:?}: {why}"))?;
        let matcher = glob.compile_matcher();
        let mut matched = tasks.iter().filter(|task| matcher.is_match(&task.id)).peekable();
        ensure!(matched.peek().is_some(), "no task is called {pattern:?}; `agentmill tasks` lists them");
        for task in matched {
            if !chosen.iter().any(|other| other.id == task.id) {
                chosen.push(task);
            }
        }
    }
    Ok(chosen)
}
