//! Memory of planned runs, `results/.planned`: the parts that every run's key was made of. A key is one digest and tells only
//! that something changed; by this file `run --dry-run` says what did.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::pipeline::run_keys::{EvaluationPlan, MadeOf, run_key};
use crate::util::{atomic_file, json, regular};

/// Name of the file.
pub const FILE: &str = ".planned";

/// One task in one stage, as it was once planned.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    task: String,
    /// All that decides the run but the agent, digested.
    digest: String,
    made_of: MadeOf,
}

/// All planned runs that are remembered, by task.
#[derive(Debug, Default)]
pub struct RunMemory(BTreeMap<String, Vec<(String, MadeOf)>>);

impl RunMemory {
    /// Reads the memory of a results folder. A line that can't be read is one that is not remembered.
    pub fn read(results: &Path) -> Self {
        let text = regular::read_to_string(results.join(FILE)).unwrap_or_default();
        let mut by_task: BTreeMap<String, Vec<(String, MadeOf)>> = BTreeMap::new();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            by_task.entry(line.task).or_default().push((line.digest, line.made_of));
        }
        Self(by_task)
    }

    /// The parts of what an agent's run on a task was made by, given the agent's digest, the sample, and the run's key.
    pub fn of(&self, task: &str, agent: (&str, u32), key: &str) -> Option<&MadeOf> {
        let known = self.0.get(task)?.iter();
        known.rev().find(|(planned, _)| run_key(agent.0, planned, agent.1) == key).map(|(_, made_of)| made_of)
    }
}

/// Adds the runs of a plan that are not remembered yet.
///
/// # Errors
/// The file can't be written; the message names it.
pub fn remember(results: &Path, plan: &EvaluationPlan<'_>) -> io::Result<()> {
    let memory = RunMemory::read(results);
    let known: HashSet<&str> = memory.0.values().flatten().map(|(digest, _)| digest.as_str()).collect();
    // Samples are all made of the same.
    let planned = plan.parts().flat_map(|(_, runs)| runs).filter(|planned| planned.sample == 1);
    let new: Vec<Line> = planned
        .filter(|planned| !known.contains(planned.digest()))
        .map(|planned| Line {
            task: planned.task.id.clone(),
            digest: planned.digest().to_owned(),
            made_of: planned.made_of.clone(),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let path = results.join(FILE);
    let mut text = regular::read_to_string(&path).unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in &new {
        text += &json::line(line)?;
        text.push('\n');
    }
    atomic_file::replace(&path, text.as_bytes()).map(drop)
}
