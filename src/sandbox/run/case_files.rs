//! Files of cases on their way: an input to the agent's program, an answer to the judge, each read when it is needed.

use serde::Deserialize;

use crate::sandbox::guest::frames::ToCell;
use crate::task::{Case, DataFile, Form, Task};

/// A file that a judge asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct CaseFile {
    /// The test's place in the task.
    pub test: usize,
    /// The file of its two.
    pub file: Which,
}

/// One of a case's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The input.
    Input,
    /// The answer; empty where there is none.
    Answer,
}

impl CaseFile {
    /// Its bytes.
    ///
    /// # Errors
    /// It can't be read, or has changed: in words, and never the agent's doing.
    pub fn of(self, task: &Task) -> Result<Vec<u8>, String> {
        let case = case(task, self.test)?;
        match self.file {
            Which::Input => case.input.read_plain(),
            Which::Answer => case.answer.as_ref().map_or(Ok(Vec::new()), DataFile::read_plain),
        }
    }
}

/// The payload of a request as a cell takes it: where a judge names a case, its input stands instead.
///
/// # Errors
/// The input can't be read, or has changed.
pub fn filled(kind: ToCell, payload: Vec<u8>, task: &Task) -> Result<Vec<u8>, String> {
    if kind != ToCell::Stdin {
        return Ok(payload);
    }
    let test = str::from_utf8(&payload).ok().and_then(|text| text.parse().ok());
    case(task, test.unwrap_or(usize::MAX))?.input.read_plain()
}

fn case(task: &Task, test: usize) -> Result<&Case, String> {
    match task.tests.get(test).map(|test| &test.form) {
        Some(Form::Case(case)) => Ok(case),
        _ => Err(format!("test {test} is no case")),
    }
}
