//! Stages against the tasks that there are.

use std::collections::HashMap;
use std::path::Path;

use crate::config::{Pipeline, Stage};
use crate::task::Task;
use crate::yaml::{self, Log, Place, Position, Problem};

/// Every stage needs a task, and no task may be in two stages. `file` is where the pipeline was loaded from.
#[must_use]
pub fn check_stages(file: &Path, pipeline: &Pipeline, tasks: &[Task]) -> Vec<Problem> {
    let log = Log::new(file);
    let places = places(file);
    let mut first: HashMap<&str, &Stage> = HashMap::new();
    for (index, stage) in pipeline.stages.iter().enumerate() {
        let at = places.get(index).copied().unwrap_or_default();
        let field = format!("stages[{index}].tasks");
        let ids = tasks.iter().map(|task| task.id.as_str());
        let mine: Vec<&str> = ids.filter(|id| stage.tasks.is_match(id)).collect();
        if mine.is_empty() {
            log.add(at, &field, format!("no task belongs to stage {:?}", stage.name));
        }
        for message in overlaps(&mine, &first) {
            log.add(at, &field, message);
        }
        for id in mine {
            first.entry(id).or_insert(stage);
        }
    }
    log.into_problems()
}

/// One message per earlier stage that has some of `ids`.
fn overlaps(ids: &[&str], first: &HashMap<&str, &Stage>) -> Vec<String> {
    let mut shared: Vec<(&str, &str, usize)> = Vec::new();
    for id in ids {
        let Some(stage) = first.get(id) else { continue };
        match shared.iter_mut().find(|(name, ..)| *name == stage.name) {
            Some((_, _, count)) => *count += 1,
            None => shared.push((&stage.name, id, 1)),
        }
    }
    let message = |(name, id, count)| match count {
        1 => format!("task {id:?} is already in stage {name:?}; a task may be in only one"),
        _ => {
            format!("{count} tasks are already in stage {name:?}, such as {id:?}; a task may be in only one")
        }
    };
    shared.into_iter().map(message).collect()
}

/// Where each stage's `tasks` stand, or else the stage.
fn places(file: &Path) -> Vec<Position> {
    let log = Log::new(file);
    let root = yaml::read_file(&log).and_then(|bytes| yaml::parse(&log, &bytes));
    let stages = root.as_ref().and_then(|root| {
        let mut fields = Place::root(&log, root).fields()?;
        fields.get("stages")?.items()
    });
    let position = |stage: Place<'_>| match stage.fields().and_then(|mut stage| stage.get("tasks")) {
        Some(tasks) => tasks.node.at,
        None => stage.node.at,
    };
    stages.into_iter().flatten().map(position).collect()
}
