//! Scope of a `check`: the tasks that are checked, and which mistakes are theirs.

use std::collections::HashSet;
use std::path::Path;

use anyhow::anyhow;
use serde::Serialize;
use serde_json::json;

use crate::config::{Pipeline, check};
use crate::task::Task;
use crate::term;
use crate::workspace::named::named;
use crate::yaml::Problem;

/// The part of a folder that is checked, and how.
#[derive(Debug, Default)]
pub struct Scope {
    /// Patterns of task ids; all tasks when there are none.
    pub tasks: Vec<String>,
    /// Mutants of the solutions are tried as well.
    pub mutants: bool,
    /// A line of JSON is printed for each task, as soon as its outcome is known.
    pub lines: bool,
}

impl Scope {
    /// Says what was found out of a task, once and for all, where that is asked for.
    pub(super) fn tell<P: Serialize>(&self, task: &Task, problems: &[P]) -> anyhow::Result<()> {
        if self.lines {
            let ok = problems.is_empty();
            term::print_json_line(&json!({ "task": task.id, "ok": ok, "problems": problems }))?;
        }
        Ok(())
    }

    /// Tells whether a mistake is in the file of a task that it names.
    pub(super) fn asks_for(&self, problem: &Problem, pipeline: &Pipeline) -> bool {
        self.tasks.is_empty() || self.tasks.iter().any(|named| is_in(named, problem, pipeline))
    }

    /// The tasks that it names, by ids, patterns of them, or their files. Those with a mistake are none of them.
    pub(super) fn of(
        &self,
        mut tasks: Vec<Task>,
        problems: &[Problem],
        pipeline: &Pipeline,
    ) -> anyhow::Result<Vec<Task>> {
        if self.tasks.is_empty() {
            return Ok(tasks);
        }
        let is_wrong = |named: &&String| problems.iter().any(|problem| is_in(named, problem, pipeline));
        let pattern = |named: &String| id_of(named, &tasks).unwrap_or(named).to_owned();
        let mut chosen: HashSet<String> = HashSet::new();
        for written in &self.tasks {
            match named(&tasks, &[pattern(written)]) {
                Ok(some) => chosen.extend(some.into_iter().map(|task| task.id.clone())),
                Err(_) if is_wrong(&written) => {}
                Err(error) => return Err(anyhow!("{error}{}", agent_of(written, pipeline))),
            }
        }
        tasks.retain(|task| chosen.contains(&task.id));
        Ok(tasks)
    }
}

/// The end of a message on a task that is not there, where an agent has that name.
fn agent_of(name: &str, pipeline: &Pipeline) -> String {
    let file = pipeline.inbox.join(format!("{name}.py"));
    if !file.is_file() {
        return String::new();
    }
    format!("; an agent is given as a file: agentmill check {}", file.display())
}

/// Tells whether a mistake is in the file of the task, or of one of the tasks, that is named so.
fn is_in(named: &str, problem: &Problem, pipeline: &Pipeline) -> bool {
    let glob = check::glob(named.to_owned()).map(|glob| glob.compile_matcher());
    let id = problem.file.strip_prefix(&pipeline.tasks).ok().map(|path| path.with_extension(""));
    let (path, place) = (Path::new(named), Path::new(named).canonicalize().ok());
    let is_named = matches!((glob, id), (Ok(glob), Some(id)) if glob.is_match(&id));
    let is_file = path.extension().is_some() && problem.file.ends_with(path);
    is_named || is_file || place.is_some() && problem.file.canonicalize().ok() == place
}

/// The id of the task that lies in this file, as seen from here or from the folder.
fn id_of<'a>(file: &str, tasks: &'a [Task]) -> Option<&'a str> {
    let path = Path::new(file);
    let place = path.canonicalize().ok();
    let is_it =
        |task: &&Task| task.path.ends_with(path) || place.is_some() && task.path.canonicalize().ok() == place;
    path.extension().and_then(|_| tasks.iter().find(is_it)).map(|task| task.id.as_str())
}
