//! Choice of tasks by their ids, or patterns of them.

use anyhow::{anyhow, ensure};

use crate::config::check;
use crate::task::Task;
use crate::util::similar::{did_you_mean, nearest};

/// The task that may be meant: one of this name in a folder, or of nearly this name.
pub(super) fn meant<'a>(name: &str, tasks: &'a [Task]) -> Option<&'a str> {
    let ids = || tasks.iter().map(|task| task.id.as_str());
    let in_folder = ids().find(|id| id.rsplit('/').next() == Some(name));
    in_folder.or_else(|| nearest(name, ids()))
}

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
        ensure!(
            matched.peek().is_some(),
            "no task is called {pattern:?}{} `agentmill tasks` lists them",
            match meant(pattern, tasks) {
                None => ";".to_owned(),
                near => did_you_mean(near),
            }
        );
        for task in matched {
            if !chosen.iter().any(|other| other.id == task.id) {
                chosen.push(task);
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    #[test]
    fn a_task_that_may_be_meant_is_named() {
        let yaml = b"prompt: p\ntests: [f() == 1]\n";
        let task = |id: &str| Task { id: id.to_owned(), ..task::parse(Path::new("t.yaml"), yaml).unwrap() };
        let tasks = ["humaneval/my-0", "own/roman"].map(task);
        let told = |name: &str| named(&tasks, &[name.to_owned()]).unwrap_err().to_string();
        for (name, id) in [("my-0", "humaneval/my-0"), ("own/romam", "own/roman")] {
            let expected =
                format!("no task is called {name:?}; did you mean {id:?}? `agentmill tasks` lists them");
            assert_eq!(told(name), expected);
        }
        assert_eq!(told("sudoku"), "no task is called \"sudoku\"; `agentmill tasks` lists them");
        assert_eq!(named(&tasks, &["own/*".to_owned()]).unwrap().len(), 1);
    }
}
