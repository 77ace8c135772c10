//! Tasks: `tasks/**/*.yaml`, read and checked.

mod beside;
mod case_names;
mod cases;
mod data_file;
mod digest;
mod find;
mod folder;
mod line_ends;
mod public_cases;
mod secrets;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::config::{Limits, Pipeline, check};
use crate::task::beside::Source;
use crate::yaml::{self, Kind, Log, Place, Problem, Problems, excerpt};

pub use crate::task::cases::{Case, Judging, Program};
pub use crate::task::data_file::DataFile;
pub use crate::task::folder::{Folder, FolderFile};
pub use crate::task::line_ends::LineEnds;

/// A prompt and its tests.
#[derive(Debug, Clone)]
pub struct Task {
    /// The file's path below the tasks folder without its ending, such as `strings/reverse`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Text that says what an agent must do.
    pub prompt: String,
    /// Trusted Python that the tests may use.
    pub setup: Option<Code>,
    /// Public tests, then hidden ones, each in file order: an agent remembers what it was asked, so nothing hidden is
    /// asked before the last answer that its miner sees. Never empty; names are unique.
    pub tests: Vec<Test>,
    /// Weight of the task in an agent's score; above 0.
    pub weight: f64,
    /// Time for a run instead of the pipeline's.
    pub timeout: Option<Duration>,
    /// Memory of the cell in bytes instead of the pipeline's.
    pub memory: Option<u64>,
    /// Bytes that a run may print instead of the pipeline's.
    pub output: Option<u64>,
    /// Bytes that a value may have as JSON, an argument or an answer, instead of the pipeline's.
    pub value: Option<u64>,
    /// True if an agent whose import ends by SystemExit, as a script without a main guard does, may still be called.
    pub may_exit: bool,
    /// A reference agent that must score 100; an existing file.
    pub solution: Option<PathBuf>,
    /// Files that agents find as their working directory, read-only.
    pub files: Option<Arc<Folder>>,
    /// For [`Task::digest`], which each run asks for several times; empty at first. A task that was read does not change.
    pub known_digest: OnceLock<String>,
}

/// One assertion, one score, or one case.
#[derive(Debug, Clone)]
pub struct Test {
    /// Name as given, or `test 1`, `test 2`... by place; of a case, such as `secret/1`.
    pub name: String,
    /// Python text as it stands in the file, or a case in words; `form` decides what it means.
    pub assertion: Code,
    /// Statements, an expression, a score, or a case.
    pub form: Form,
    /// Weight in the run's score; above 0.
    pub weight: f64,
    /// True if miners may see it.
    pub public: bool,
    /// Most of the run's time that it may take.
    pub timeout: Option<Duration>,
    /// Its place in the file's list of tests, from 0; none for a case. Public ones come first, so it is not that in the task.
    pub place: Option<usize>,
}

impl Test {
    /// Its field in the file, such as `tests[2]`.
    pub fn field(&self) -> String {
        self.place.map_or_else(|| "cases".to_owned(), |place| format!("tests[{place}]"))
    }

    /// The folder of cases of which none counts unless all pass, if it is one of such.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        match &self.form {
            Form::Case(case) => case.group.as_deref(),
            _ => None,
        }
    }
}

/// Python text and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The text.
    pub text: String,
    /// 1-based line of the text's first line in the task file.
    pub line: usize,
}

/// Form of a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// `- assert f(1) == 2`: statements that assert by themselves.
    Statement,
    /// `- assert: f(1) == 2`: an expression that must be true; statements are possible here, too.
    AssertField,
    /// `- score: f1(tags(text), ["a"])`: an expression that says which share of the weight is earned, 0 to 1.
    Score,
    /// A pair of files below `cases:`; the text says so for readers.
    Case(Case),
}

impl Form {
    /// The word for it, as miners are told.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Statement | Self::AssertField => "assert",
            Self::Score => "score",
            Self::Case(_) => "case",
        }
    }
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

/// Hints at files below `dir` that look like tasks, but for the ends of their names.
#[must_use]
pub fn misnamed(dir: &Path) -> Vec<Problem> {
    find::misnamed(dir)
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
    let mut problems = secrets::without_data(&tasks, problems);
    problems.extend(secrets::check(&tasks));
    (tasks, problems)
}

impl Task {
    /// A task of our own, of one test in one line; `id` names a place where no file is.
    pub fn of_ours(id: &str, prompt: &str, assertion: &str) -> Self {
        let test = Test {
            name: "test 1".into(),
            assertion: Code { text: assertion.into(), line: 1 },
            form: Form::Statement,
            weight: 1.0,
            public: false,
            timeout: None,
            place: None,
        };
        Self {
            id: id.into(),
            path: id.into(),
            prompt: prompt.into(),
            setup: None,
            tests: vec![test],
            weight: 1.0,
            timeout: None,
            memory: None,
            output: None,
            value: None,
            may_exit: true,
            solution: None,
            files: None,
            known_digest: OnceLock::new(),
        }
    }

    /// True if a test is a case: the agent is run as a program, without the prompt.
    #[must_use]
    pub fn has_cases(&self) -> bool {
        self.tests.iter().any(|test| matches!(test.form, Form::Case(_)))
    }

    /// The text by which an agent may know the task in a run: the prompt, or the id where there are cases.
    #[must_use]
    pub fn known_by(&self) -> &str {
        if self.has_cases() { &self.id } else { &self.prompt }
    }

    /// Tells whether a test of it may ask the judge's model. In a task whose prompt names `ask_model` that is the agent's.
    #[must_use]
    pub fn asks_model(&self) -> bool {
        let codes = self.setup.iter().chain(self.tests.iter().map(|test| &test.assertion));
        let is_named = |text: &str| {
            text.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|word| word == "ask_model")
        };
        codes.map(|code| &*code.text).any(is_named) && !is_named(&self.prompt)
    }

    /// The limits of a run on this task, given those of its stage. The task's files come on top of what a run may take.
    #[must_use]
    pub fn limits(&self, stage: &Limits) -> Limits {
        let room = self.files.as_ref().map_or(0, |folder| folder.room());
        Limits {
            timeout: self.timeout.unwrap_or(stage.timeout),
            memory: self.memory.unwrap_or(stage.memory) + room,
            tmp: stage.tmp + room,
            entries: self.files.as_ref().map_or(0, |folder| folder.entries),
            output: self.output.unwrap_or(stage.output),
            value: self.value.unwrap_or(stage.value),
            ..*stage
        }
    }

    /// The limits of a run on this task: by the stage that it is in, or by the pipeline where it is in none.
    #[must_use]
    pub fn limits_by(&self, pipeline: &Pipeline) -> Limits {
        let stage = pipeline.stage_of(&self.id);
        self.limits(stage.map_or(&pipeline.sandbox.limits, |stage| &stage.limits))
    }
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

/// Examples for whoever has forgotten them.
const PROMPT: &str = "prompt: Write double(n), which returns twice n.";
const TESTS: &str = "tests: [assert double(2) == 4]";

/// Advice for whoever means a program's input and output.
const BY_INPUT: &str = "is no assertion: inputs and outputs are files in a folder, `cases: FOLDER`, or \
                        `assert agent.run(stdin=\"1\\n\").stdout == \"6\\n\"`";

/// Checked only in so far as the log stays empty.
fn read(log: &Log, source: &Source<'_>, bytes: &[u8]) -> Option<Task> {
    let root = yaml::parse(log, bytes)?;
    let mut fields = Place::root(log, &root).fields()?;
    let prompt = fields.required_such_as("prompt", PROMPT).and_then(|place| place.value(prompt));
    let setup = fields.get("setup").filter(|place| !place.is_null()).and_then(|place| code(&place));
    let cases = fields.get("cases").filter(|place| !place.is_null());
    let tests = match &cases {
        Some(_) if !fields.has("tests") => Some(Vec::new()),
        _ => fields.required_such_as("tests", TESTS).and_then(|place| tests(&place)),
    };
    let tests = tests.map(|tests| match cases {
        Some(place) => with_cases(tests, &place, source),
        None => public_first(tests),
    });
    let weight = fields.checked("weight", 1.0, check::weight);
    let timeout = fields.optional("timeout", check::timeout);
    let memory = fields.optional("memory", check::memory);
    let output = fields.optional("output", check::output);
    let value = fields.optional("value", check::value);
    let may_exit = fields.field("may_exit", true);
    let solution = fields.optional("solution", |path: String| source.file(&path, "solutions/reverse.py"));
    let files = fields.get("files").filter(|place| !place.is_null());
    let files = files.and_then(|place| folder::read(&place, source)).map(Arc::new);
    fields.finish();
    let (id, path) = (source.id.clone(), source.path.to_owned());
    Some(Task {
        id,
        path,
        prompt: prompt?,
        setup,
        tests: tests?,
        weight,
        timeout,
        memory,
        output,
        value,
        may_exit,
        solution,
        files,
        known_digest: OnceLock::new(),
    })
}

fn prompt(text: String) -> Result<String, String> {
    match text.len() {
        _ if text.trim().is_empty() => Err("expected a prompt, found no text".to_owned()),
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

/// All assertions; names must differ.
fn tests(place: &Place<'_>) -> Option<Vec<Test>> {
    let items = place.items()?;
    if items.is_empty() {
        place.complain("expected at least one test");
    }
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut tests = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let default = format!("test {}", index + 1);
        let Some((mut test, name)) = test(item, default) else {
            continue;
        };
        test.place = Some(index);
        match names.insert(test.name.clone(), index) {
            Some(first) => name.complain(format!("tests[{first}] is called {:?}, too", test.name)),
            None => tests.push(test),
        }
    }
    Some(tests)
}

/// All tests, those of the cases behind the others; names must differ.
fn with_cases(mut tests: Vec<Test>, place: &Place<'_>, source: &Source<'_>) -> Vec<Test> {
    if matches!(&place.node.kind, Kind::Sequence(items) if items.is_empty()) {
        place.complain("expected at least one folder of cases");
    }
    let mut names: HashSet<String> = tests.iter().map(|test| test.name.clone()).collect();
    for listed in cases::read(place, source) {
        match test_name(listed.name.clone()) {
            Err(message) => place.complain(message),
            Ok(name) if !names.insert(name.clone()) => {
                place.complain(format!("another test is called {name:?}; name one folder otherwise"));
            }
            Ok(name) => tests.push(Test {
                name,
                assertion: Code { text: listed.shown, line: listed.line },
                form: Form::Case(listed.case),
                weight: listed.weight,
                public: listed.public,
                timeout: listed.timeout,
                place: None,
            }),
        }
    }
    public_first(tests)
}

fn public_first(mut tests: Vec<Test>) -> Vec<Test> {
    tests.sort_by_key(|test| !test.public);
    tests
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
            let test = Test { name, assertion, form, weight: 1.0, public: false, timeout: None, place: None };
            Some((test, place.clone()))
        }
    }
}

fn mapping<'a>(place: &Place<'a>, default: String) -> Option<(Test, Place<'a>)> {
    let mut fields = place.fields()?;
    // Code in which a colon stands.
    let is_code = |name: &str| name.starts_with("assert ") || name.contains(['(', '=']);
    if fields.names().any(is_code) {
        place.complain("\": \" makes this a mapping; quote the assertion or put it below \"- |\"");
        return None;
    }
    let of_cases = |name: &str| ["stdin", "stdout", "input", "output", "expected"].contains(&name);
    if fields.names().any(of_cases) && !fields.has("assert") {
        place.complain(BY_INPUT);
        return None;
    }
    let named = fields.get("name");
    let name = match &named {
        Some(place) => place.value(test_name),
        None => Some(default),
    };
    let (form, code) = match fields.get("score") {
        Some(place) if fields.has("assert") => {
            place.complain("a score stands instead of assert; leave one of them out");
            fields.get("assert");
            (Form::Score, None)
        }
        Some(place) => (Form::Score, Some(place)),
        None => (Form::AssertField, fields.required("assert")),
    };
    let assertion = code.and_then(|place| assertion(&place));
    let weight = fields.checked("weight", 1.0, check::weight);
    let public = fields.field("public", false);
    let timeout = fields.optional("timeout", check::timeout);
    fields.finish();
    let test = Test { name: name?, assertion: assertion?, form, weight, public, timeout, place: None };
    Some((test, named.unwrap_or_else(|| place.clone())))
}

fn test_name(name: String) -> Result<String, String> {
    let printable = !name.contains(char::is_control) && name.trim() == name;
    match printable && (1..=200).contains(&name.chars().count()) {
        true => Ok(name),
        false => Err(format!("expected a line of 1 to 200 characters, found {}", excerpt(&name))),
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
