//! Samples of a model, a line each, as HumanEval and EvalPlus publish them: `task_id` with `completion` or `solution`.
//!
//! The first sample of each task makes one agent, the second another. Nothing in an agent is joined: each sample stands in
//! it as a text, and only that of the task at hand is run, alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::import::draft::Note;
use crate::import::entries::{self, Name, fields};
use crate::import::python::quoted;
use crate::task::Task;
use crate::util::digest;

/// Fields of a line; others are passed over.
#[derive(Debug, Deserialize)]
struct Published {
    task_id: Name,
    completion: Option<String>,
    solution: Option<String>,
}

/// The agents of a file.
#[derive(Debug, Default)]
pub struct Samples {
    /// Python of each, in order.
    pub agents: Vec<String>,
    /// Samples that are in them.
    pub taken: usize,
    /// How many there are of a task, by its id.
    pub of_task: BTreeMap<String, usize>,
    /// Lines that can't be taken.
    pub refused: Vec<Note>,
}

/// The samples of a file, as whole programs.
#[derive(Debug, Default)]
pub struct Programs {
    /// Those of each task, by its place, in the order of the file.
    pub by_task: BTreeMap<usize, Vec<String>>,
    /// Lines that can't be taken.
    pub refused: Vec<Note>,
    /// Hex sha256 of the file.
    pub sha256: String,
}

/// Reads a file of samples for these tasks.
///
/// # Errors
/// The file can't be read, is too large, or holds no line.
pub fn programs(path: &Path, tasks: &[Task]) -> anyhow::Result<Programs> {
    let cant = || format!("can't read {}", path.display());
    let bytes = entries::read(path, entries::MAX_FILE).with_context(cant)?;
    let mut programs = Programs { sha256: digest::sha256(&bytes), ..Programs::default() };
    for entry in entries::split(&bytes).with_context(cant)? {
        match entry.bytes(entries::MAX_ENTRY).and_then(|line| sample(line, tasks)) {
            Ok((task, source)) => programs.by_task.entry(task).or_default().push(source),
            Err(text) => programs.refused.push(Note { place: entry.place.clone(), text }),
        }
    }
    Ok(programs)
}

/// Makes agents of a file of samples for these tasks.
///
/// # Errors
/// Those of [`programs`].
pub fn read(path: &Path, tasks: &[Task]) -> anyhow::Result<Samples> {
    let Programs { by_task, refused, sha256: _ } = programs(path, tasks)?;
    let most = by_task.values().map(Vec::len).max().unwrap_or_default();
    Ok(Samples {
        agents: (0..most).map(|number| agent(number, &by_task, tasks)).collect(),
        taken: by_task.values().map(Vec::len).sum(),
        of_task: by_task.iter().map(|(at, sources)| (tasks[*at].id.clone(), sources.len())).collect(),
        refused,
    })
}

/// The place of its task, and the sample as a whole program.
fn sample(line: &[u8], tasks: &[Task]) -> Result<(usize, String), String> {
    let line: Published = fields(line)?;
    let at = tasks
        .iter()
        .position(|task| is_of(&line.task_id, task))
        .ok_or_else(|| format!("no task is made of {}; import its benchmark first", said(&line.task_id)))?;
    let source = match (line.solution, line.completion) {
        (Some(whole), _) => whole,
        (None, Some(rest)) => completed(&tasks[at].prompt, &rest),
        (None, None) => return Err("it has neither completion nor solution".to_owned()),
    };
    Ok((at, source))
}

fn said(name: &Name) -> String {
    match name {
        Name::Number(number) => number.to_string(),
        Name::Text(text) => format!("{text:?}"),
    }
}

/// True if `import` makes this task of an entry of that name.
fn is_of(name: &Name, task: &Task) -> bool {
    let Ok(id) = name.id() else { return false };
    let set = match name {
        Name::Text(text) if text.to_lowercase().starts_with("humaneval/") => "humaneval",
        _ => "mbpp",
    };
    task.id.rsplit_once('/').is_some_and(|(folder, last)| {
        let (folder, id) = (folder.rsplit('/').next().unwrap_or(folder), id.as_str());
        last == id && folder == set || folder == "evalplus" && last == format!("{set}-{id}")
    })
}

/// A completion goes on where the published prompt ends; a whole program, fenced or not, stands for itself.
fn completed(prompt: &str, completion: &str) -> String {
    let begins = |word: &str| completion.lines().any(|line| line.starts_with(word));
    let published = prompt.split_once(":\n\n").map_or(prompt, |(_, rest)| rest);
    match begins("def ") || begins("class ") && !completion.starts_with([' ', '\t']) {
        true if !completion.starts_with([' ', '\t', '\n']) => completion.to_owned(),
        _ => format!("{published}\n{completion}"),
    }
}

/// An agent of the samples with this number.
fn agent(number: usize, by_task: &BTreeMap<usize, Vec<String>>, tasks: &[Task]) -> String {
    let mut text = format!(
        "\"\"\"Sample {} of each task. Only that of the task at hand is run.\"\"\"\nimport hashlib\nimport sys\n\nSAMPLES = {{\n",
        number + 1
    );
    for (task, sources) in by_task {
        let Some(source) = sources.get(number) else { continue };
        let prompt = digest::sha256(tasks[*task].prompt.as_bytes());
        text += &format!("    # {}\n    \"{}\": {},\n", tasks[*task].id, &prompt[..16], quoted(source));
    }
    text + "}\n\nkey = hashlib.sha256(sys.argv[2].encode()).hexdigest()[:16] if sys.argv[1:2] == [\"--task\"] else \"\"\n\
            exec(compile(SAMPLES.get(key, \"\"), \"agent.py\", \"exec\"))\n"
}
