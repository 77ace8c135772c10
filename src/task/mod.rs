//! `tasks/**/*.yaml` -> [`Task`].

mod find;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Limits, check};
use crate::yaml::{self, Kind, Log, Place, Problem, Problems, excerpt};

/// A prompt and its tests.
#[derive(Debug, Clone)]
pub struct Task {
    /// The file's path below the tasks folder without its ending, such as `strings/reverse`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// What miners are asked for.
    pub prompt: String,
    /// Trusted Python that the tests may use.
    pub setup: Option<Code>,
    /// In file order; never empty; names are unique.
    pub tests: Vec<Test>,
    /// Weight of the task in an agent's score; above 0.
    pub weight: f64,
    /// Overrides the pipeline's limit.
    pub timeout: Option<Duration>,
    /// Overrides the pipeline's limit, in bytes.
    pub memory: Option<u64>,
    /// A reference agent that must score 100; an existing file.
    pub solution: Option<PathBuf>,
}

/// One assertion.
#[derive(Debug, Clone)]
pub struct Test {
    /// Given, or `test 1`, `test 2`... by place.
    pub name: String,
    /// The Python text as it stands in the file; what it means depends on `form`.
    pub assertion: Code,
    /// How it was written.
    pub form: Form,
    /// Weight in the run's score; above 0.
    pub weight: f64,
    /// Whether miners may see it.
    pub public: bool,
}

/// Python text and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The text.
    pub text: String,
    /// 1-based line of the text's first line in the task file.
    pub line: usize,
}

/// Whether a test was written as statements or as an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `- assert f(1) == 2`: statements that assert by themselves.
    Statement,
    /// `- assert: f(1) == 2`: an expression that must be true; statements are possible here, too.
    AssertField,
}

/// Largest prompt: it goes to `agent.py` as one argument.
const MAX_PROMPT: usize = 64 << 10;

/// Reads every `*.yaml` and `*.yml` below `dir`, sorted by id.
///
/// # Errors
/// Every mistake in every file at once.
pub fn load(dir: &Path) -> Result<Vec<Task>, Problems> {
    let (tasks, problems) = load_good(dir);
    Problems::check(problems)?;
    Ok(tasks)
}

/// Like [`load`], but gives the good tasks beside the mistakes in the others.
#[must_use]
pub fn load_good(dir: &Path) -> (Vec<Task>, Vec<Problem>) {
    let (files, mut problems) = find::files(dir);
    let mut tasks: Vec<Task> = Vec::new();
    for (id, path) in files {
        let log = Log::new(&path);
        let source = Source { dir, path: &path, id };
        let task = yaml::read_file(&log).and_then(|bytes| read(&log, &source, &bytes));
        let mistakes = log.into_problems();
        tasks.extend(task.filter(|_| mistakes.is_empty()));
        problems.extend(mistakes);
    }
    (tasks, problems)
}

impl Task {
    /// The limits of a run on this task, given those of its stage.
    #[must_use]
    pub fn limits(&self, stage: &Limits) -> Limits {
        Limits {
            timeout: self.timeout.unwrap_or(stage.timeout),
            memory: self.memory.unwrap_or(stage.memory),
            ..*stage
        }
    }
}

/// What is known of a task before its file is read.
struct Source<'a> {
    dir: &'a Path,
    path: &'a Path,
    id: String,
}

/// The task of these bytes, if they stood in `file`.
///
/// # Errors
/// Every mistake in them at once.
#[cfg(any(test, fuzzing))]
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Task, Problems> {
    let log = Log::new(file);
    let source = Source { dir: file.parent().unwrap_or(file), path: file, id: "t".to_owned() };
    let task = read(&log, &source, bytes);
    log.finish(task)
}

/// Checked only in so far as the log stays empty.
fn read(log: &Log, source: &Source<'_>, bytes: &[u8]) -> Option<Task> {
    let root = yaml::parse(log, bytes)?;
    let mut fields = Place::root(log, &root).fields()?;
    let prompt = fields.required("prompt").and_then(|place| place.value(prompt));
    let setup = fields.get("setup").filter(|place| !place.is_null()).and_then(|place| code(&place));
    let tests = fields.required("tests").and_then(|place| tests(&place));
    let weight = fields.checked("weight", 1.0, check::weight);
    let timeout = fields.optional("timeout", check::timeout);
    let memory = fields.optional("memory", check::memory);
    let solution = fields.optional("solution", |path| solution(source, path));
    fields.finish();
    let (id, path) = (source.id.clone(), source.path.to_owned());
    Some(Task { id, path, prompt: prompt?, setup, tests: tests?, weight, timeout, memory, solution })
}

fn prompt(text: String) -> Result<String, String> {
    match text.len() {
        _ if text.trim().is_empty() => Err("expected what miners are asked for, found no text".to_owned()),
        _ if text.contains('\0') => Err("must not contain a NUL character".to_owned()),
        0..=MAX_PROMPT => Ok(text),
        size => Err(format!("expected at most 64KiB of text, found {size} bytes")),
    }
}

fn code(place: &Place<'_>) -> Option<Code> {
    let line = place.node.text_line;
    place.value(|text: String| match text.contains('\0') {
        true => Err("must not contain a NUL character".to_owned()),
        false => Ok(Code { text, line }),
    })
}

/// All tests, in file order; names must differ.
fn tests(place: &Place<'_>) -> Option<Vec<Test>> {
    let items = place.items()?;
    if items.is_empty() {
        place.complain("expected at least one test");
    }
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut tests = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let default = format!("test {}", index + 1);
        let Some((test, name)) = test(item, default) else {
            continue;
        };
        match names.insert(test.name.clone(), index + 1) {
            Some(first) => name.complain(format!("test {first} is called {:?}, too", test.name)),
            None => tests.push(test),
        }
    }
    Some(tests)
}

/// A test and the place of its name.
fn test<'a>(place: &Place<'a>, default: String) -> Option<(Test, Place<'a>)> {
    match place.node.kind {
        Kind::Mapping(_) => mapping(place, default),
        Kind::Sequence(_) => {
            place.complain("expected an assertion or a mapping with assert, found a list");
            None
        }
        Kind::Scalar(_) | Kind::Bad => {
            let (name, form, assertion) = (default, Form::Statement, assertion(place)?);
            let test = Test { name, assertion, form, weight: 1.0, public: false };
            Some((test, place.clone()))
        }
    }
}

fn mapping<'a>(place: &Place<'a>, default: String) -> Option<(Test, Place<'a>)> {
    let mut fields = place.fields()?;
    if fields.names().any(|name| name.starts_with("assert ")) {
        place.complain("\": \" makes this a mapping; quote the assertion or put it below \"- |\"");
        return None;
    }
    let named = fields.get("name");
    let name = match &named {
        Some(place) => place.value(test_name),
        None => Some(default),
    };
    let assertion = fields.required("assert").and_then(|place| assertion(&place));
    let weight = fields.checked("weight", 1.0, check::weight);
    let public = fields.field("public", false);
    fields.finish();
    let test = Test { name: name?, assertion: assertion?, form: Form::AssertField, weight, public };
    Some((test, named.unwrap_or_else(|| place.clone())))
}

fn test_name(name: String) -> Result<String, String> {
    let printable = !name.contains(char::is_control) && name.trim() == name;
    match printable && (1..=100).contains(&name.chars().count()) {
        true => Ok(name),
        false => Err(format!("expected a line of 1 to 100 characters, found {}", excerpt(&name))),
    }
}

fn assertion(place: &Place<'_>) -> Option<Code> {
    let code = code(place)?;
    let idle = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
    if code.text.lines().all(idle) {
        place.complain("expected an assertion, found no code");
        return None;
    }
    Some(code)
}

/// The file that `path` names, seen from the task's file; it must lie in the tasks folder.
fn solution(source: &Source<'_>, path: String) -> Result<PathBuf, String> {
    if path.is_empty() || path.contains('\0') || Path::new(&path).is_absolute() {
        return Err("expected a path relative to this file, such as \"solutions/reverse.py\"".to_owned());
    }
    let file = source.path.parent().unwrap_or(source.dir).join(&path);
    let real = file.canonicalize().map_err(|_| format!("no such file: {path:?}"))?;
    if !real.is_file() {
        return Err(format!("not a regular file: {path:?}"));
    }
    match source.dir.canonicalize() {
        Ok(dir) if real.starts_with(&dir) => Ok(file),
        _ => Err("must lie in the tasks folder".to_owned()),
    }
}
