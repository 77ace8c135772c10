//! Agents of samples: a sample of each task, of which only that of the task at hand is run.

use crate::util::digest;

/// A task's sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSample {
    /// The task's id.
    pub task: String,
    /// The beginning of the sha256, in hex, of what a run tells of the task: the prompt, or the id of a task with cases.
    key: String,
    /// The whole program.
    pub source: String,
}

impl TaskSample {
    /// A sample of the task with this id, which agents know by this text.
    #[must_use]
    pub fn new(task: &str, known_by: &str, source: &str) -> Self {
        let key = digest::sha256(known_by.as_bytes())[..KEY].to_owned();
        Self { task: task.to_owned(), key, source: source.to_owned() }
    }
}

/// Length of a key.
const KEY: usize = 16;

/// The beginning of the file, behind which the number of its samples stands.
const BEGIN: &str = "\"\"\"Sample ";

const HEAD: &str = " of each task. Only that of the task at hand is run.\"\"\"
import hashlib
import sys

SAMPLES = {
";

const FOOT: &str = r#"}


def asked():
    import os

    if "AGENTMILL_TASK" in os.environ:
        return os.environ["AGENTMILL_TASK"]
    return sys.argv[2] if sys.argv[1:2] == ["--task"] else ""


key = hashlib.sha256(asked().encode()).hexdigest()[:16]
try:
    code = compile(SAMPLES.get(key, ""), "agent.py", "exec")
except SyntaxError as error:
    raise SyntaxError(f"{error.msg}, in line {error.lineno} of the sample") from None
exec(code)
"#;

/// The file of these samples, which are the tasks' first, second or so on by `number`.
#[must_use]
pub fn agent(number: usize, samples: &[TaskSample]) -> String {
    let line = |TaskSample { task, key, source }: &TaskSample| {
        // JSON's escapes are Python's as well, and what is beyond them stands as it is.
        format!("    # {task}\n    \"{key}\": {},\n", serde_json::Value::from(source.as_str()))
    };
    let lines: String = samples.iter().map(line).collect();
    format!("{BEGIN}{number}{HEAD}{lines}{FOOT}")
}

/// True if a file begins as such ones do.
#[must_use]
pub fn is_agent(source: &[u8]) -> bool {
    let Some(rest) = source.strip_prefix(BEGIN.as_bytes()) else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest[digits..].starts_with(HEAD.as_bytes())
}

/// Number and samples of such a file; None if it is none.
#[must_use]
pub fn read(file: &str) -> Option<(usize, Vec<TaskSample>)> {
    let (number, rest) = file.strip_prefix(BEGIN)?.split_once(HEAD)?;
    let mut lines = rest.strip_suffix(FOOT)?.lines();
    let mut samples = Vec::new();
    while let Some(comment) = lines.next() {
        let task = comment.strip_prefix("    # ")?.to_owned();
        let (key, text) = lines.next()?.strip_prefix("    \"")?.split_once("\": ")?;
        if key.len() != KEY || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let source = serde_json::from_str(text.strip_suffix(',')?).ok()?;
        samples.push(TaskSample { task, key: key.to_owned(), source });
    }
    Some((number.parse().ok()?, samples))
}
