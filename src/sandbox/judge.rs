//! The host's end of a judge: trusted code that evaluates assertions, in a container of its own.

use std::collections::HashSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Fault;
use super::launcher::Started;
use super::process::Received;
use super::protocol::Frame;
use super::record::{Death, Record};
use crate::report::Verdict;
use crate::task::{Code, Form, Task};

/// What a judge runs.
pub const PROGRAM: &str = concat!(
    include_str!("codec.py"),
    "\n",
    include_str!("judge.py"),
    "\n",
    include_str!("rehearsal.py"),
    "\nmain()\n"
);

/// A started judge that said *ready*.
#[derive(Debug)]
pub struct Judge {
    container: Started,
    learnt: HashSet<String>,
    run: u32,
}

/// What a judge says while it grades.
#[derive(Debug)]
pub enum Said {
    /// It needs something of the agent.
    Request(Request),
    /// The result of one test.
    Result(Judged),
    /// All tests have been told of.
    Done,
    /// It did not answer in time.
    Late,
    /// It ended.
    Gone,
}

/// Something that an assertion asks of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `C` or `S`.
    pub kind: u8,
    /// For the cell, as it is.
    pub payload: Vec<u8>,
}

/// One test as the judge sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct Judged {
    /// The test's place in the task.
    pub test: usize,
    /// What became of it.
    pub verdict: Opinion,
    /// Why it did not pass.
    pub message: Option<String>,
}

/// A judge's verdict; of a test in which the agent ended, only the host knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Opinion {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// The agent gave nothing to look at.
    Error,
    /// The agent ended meanwhile.
    Ended,
}

/// What a judge finds in a task.
#[derive(Debug, Deserialize)]
pub struct Lesson {
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
    /// Whether its tests come to the same whenever they are given the same.
    pub steady: bool,
    /// What an agent will be asked, as far as that can be told: kind and payload of each request.
    pub foreseen: Option<Vec<(char, String)>>,
}

/// What is wrong with a task's Python.
#[derive(Debug, Deserialize)]
pub struct Flaw {
    /// The test's place in the task; None for `setup`.
    pub test: Option<usize>,
    /// 1-based line in the task's file.
    pub line: usize,
    /// Python's message, or ours.
    pub message: String,
}

#[derive(Serialize)]
struct Spec<'a> {
    key: &'a str,
    prompt: &'a str,
    setup: Option<CodeSpec<'a>>,
    tests: Vec<CodeSpec<'a>>,
    rehearse: bool,
}

#[derive(Serialize)]
struct CodeSpec<'a> {
    text: &'a str,
    line: usize,
    expression: bool,
}

impl<'a> CodeSpec<'a> {
    fn new(code: &'a Code, form: Form) -> Self {
        Self { text: &code.text, line: code.line, expression: form == Form::AssertField }
    }
}

impl Judge {
    /// Takes over a container that said *ready*.
    pub fn new(container: Started) -> Self {
        Self { container, learnt: HashSet::new(), run: 0 }
    }

    /// The container, for whoever ends it.
    pub fn into_started(self) -> Started {
        self.container
    }

    /// Whether it waits for something to do. One that has waited may have died meanwhile, with its engine.
    pub fn is_idle(&mut self) -> bool {
        self.container.process.is_silent()
    }

    /// Whether it went because the engine did.
    pub fn lost_by_engine(&self, record: &Record) -> bool {
        record.death(&self.container.name) == Death::EngineFailed
    }

    /// Teaches a task and tells what was found in it; what an agent will be asked only if it is to `rehearse`.
    ///
    /// # Errors
    /// The judge failed.
    pub fn learn(&mut self, task: &Task, rehearse: bool, deadline: Instant) -> Result<Lesson, Fault> {
        let key = task.digest();
        let setup = task.setup.as_ref().map(|code| CodeSpec::new(code, Form::Statement));
        let tests = task.tests.iter().map(|test| CodeSpec::new(&test.assertion, test.form)).collect();
        let spec = Spec { key: &key, prompt: &task.prompt, setup, tests, rehearse };
        let spec = serde_json::to_vec(&spec).map_err(|error| Fault::Engine(error.to_string()))?;
        self.container.process.send(b'T', &spec);
        let lesson = match self.container.process.receive(deadline) {
            Received::Frame(frame) => {
                serde_json::from_slice(&frame.payload).map_err(|error| Fault::Engine(error.to_string()))?
            }
            _ => {
                return Err(Fault::Engine(format!(
                    "the judge failed on task {} {}",
                    task.id,
                    self.container.process.last_words()
                )));
            }
        };
        self.learnt.insert(key);
        Ok(lesson)
    }

    /// Whether it knows the task.
    pub fn knows(&self, task: &Task) -> bool {
        self.learnt.contains(&task.digest())
    }

    /// Begins to grade a run on a task that it knows.
    pub fn begin(&mut self, task: &Task) {
        self.run = self.run.wrapping_add(1);
        self.tell(b'G', task.digest().as_bytes());
    }

    /// Passes on what the agent claims.
    pub fn claim(&mut self, claim: &[u8]) {
        self.tell(b'v', claim);
    }

    /// Passes on what a script left.
    pub fn script(&mut self, left: &[u8]) {
        self.tell(b's', left);
    }

    /// Says that the agent did not answer.
    pub fn ended(&mut self) {
        self.tell(b'e', b"");
    }

    fn tell(&mut self, kind: u8, payload: &[u8]) {
        self.container.process.send(kind, &[&self.run.to_be_bytes()[..], payload].concat());
    }

    /// What it says next.
    pub fn hear(&mut self, deadline: Instant) -> Said {
        match self.container.process.receive(deadline) {
            Received::Frame(frame) => Said::of(frame),
            Received::Late => Said::Late,
            Received::Gone => Said::Gone,
        }
    }
}

impl Said {
    pub(super) fn of(mut frame: Frame) -> Self {
        match frame.kind {
            b'c' if !frame.payload.is_empty() => {
                let kind = frame.payload.remove(0);
                Said::Request(Request { kind, payload: frame.payload })
            }
            b'p' => serde_json::from_slice(&frame.payload).map_or(Said::Gone, Said::Result),
            b'd' => Said::Done,
            _ => Said::Gone,
        }
    }
}

impl Opinion {
    /// The test's verdict, given how the agent last ended.
    pub fn verdict(self, ended: Verdict) -> Verdict {
        match self {
            Opinion::Passed => Verdict::Passed,
            Opinion::Failed => Verdict::Failed,
            Opinion::Error => Verdict::Error,
            Opinion::Ended => ended,
        }
    }
}
