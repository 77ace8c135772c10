//! Stages against the tasks that there are.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_yaml::Value;

use crate::config::{Pipeline, Stage};
use crate::task::Task;
use crate::util::first_few::first_few;
use crate::util::similar::did_you_mean;
use crate::workspace::named::meant;
use crate::yaml::{self, Kind, Log, Place, Position, Problem};

/// Place of a stage's list of tasks, or else of the stage.
#[derive(Default)]
struct Written {
    at: Position,
    /// The patterns of the list, in its order.
    patterns: Vec<Pattern>,
}

struct Pattern {
    at: Position,
    text: String,
}

/// Every stage needs a task, each of its patterns needs one, and no task may be in two stages. `file` is where the pipeline was
/// loaded from.
#[must_use]
pub fn check_stages(file: &Path, pipeline: &Pipeline, tasks: &[Task]) -> Vec<Problem> {
    let log = Log::new(file);
    let written = written(file);
    let nothing = Written::default();
    let mut first: HashMap<&str, &Stage> = HashMap::new();
    for (index, stage) in pipeline.stages.iter().enumerate() {
        let Written { at, patterns } = written.get(index).unwrap_or(&nothing);
        let at = *at;
        let field = format!("stages[{index}].tasks");
        let ids = tasks.iter().map(|task| task.id.as_str());
        let mine: Vec<&str> = ids.filter(|id| stage.tasks.is_match(id)).collect();
        if mine.is_empty() && patterns.is_empty() {
            log.add(at, &field, format!("no task belongs to stage {:?}", stage.name));
        }
        for (item, pattern) in idle(stage, patterns, tasks) {
            log.add(pattern.at, &format!("{field}[{item}]"), pattern.idle(tasks));
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

/// Says which tasks no stage runs; None if there are none. They may be parked.
#[must_use]
pub fn parked<'t>(pipeline: &Pipeline, tasks: impl IntoIterator<Item = &'t Task>) -> Option<String> {
    let parked = tasks.into_iter().filter(|task| pipeline.stage_of(&task.id).is_none());
    let ids: Vec<String> = parked.map(|task| format!("{:?}", task.id)).collect();
    match ids.as_slice() {
        [] => None,
        [one] => Some(format!("task {one} is in no stage, and so not run")),
        many => Some(format!("{} tasks are in no stage, and so not run: {}", many.len(), first_few(many))),
    }
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

/// The patterns of a stage that match no task, by their places in its list.
fn idle<'p>(
    stage: &Stage,
    patterns: &'p [Pattern],
    tasks: &[Task],
) -> impl Iterator<Item = (usize, &'p Pattern)> {
    let at_work: HashSet<usize> = tasks.iter().flat_map(|task| stage.tasks.matches(&task.id)).collect();
    patterns.iter().enumerate().filter(move |(item, _)| !at_work.contains(item))
}

impl Pattern {
    /// Says that it matches no task.
    fn idle(&self, tasks: &[Task]) -> String {
        let text = &self.text;
        if text.contains(['*', '?', '[', '{', '\\']) {
            return format!("no task matches the pattern {text:?}");
        }
        format!("no task {text:?}{}", did_you_mean(meant(text, tasks)))
    }
}

/// Lists of tasks as they stand in the file, by stage.
fn written(file: &Path) -> Vec<Written> {
    let log = Log::new(file);
    let root = yaml::read_file(&log).and_then(|bytes| yaml::parse(&log, &bytes));
    let stages = root.as_ref().and_then(|root| {
        let mut fields = Place::root(&log, root).fields()?;
        fields.get("stages")?.items()
    });
    let list = |stage: Place<'_>| match stage.fields().and_then(|mut stage| stage.get("tasks")) {
        Some(tasks) => Written { at: tasks.node.at, patterns: patterns(&tasks) },
        None => Written { at: stage.node.at, patterns: Vec::new() },
    };
    stages.into_iter().flatten().map(list).collect()
}

fn patterns(list: &Place<'_>) -> Vec<Pattern> {
    let pattern = |item: Place<'_>| match &item.node.kind {
        Kind::Scalar(Value::String(text)) => Some(Pattern { at: item.node.at, text: text.clone() }),
        _ => None,
    };
    list.items().into_iter().flatten().filter_map(pattern).collect()
}
