//! MBPP: a sentence as the prompt, assertions as tests. The sentence does not tell the function's name, so the first
//! assertion goes with it.

use serde::Deserialize;

use super::entries::{Name, fields};
use super::python::{self, statements};
use super::{Converted, Draft, DraftTest};

/// An entry, as published; the sanitized edition has other names for some fields.
#[derive(Debug, Deserialize)]
struct Entry {
    task_id: Name,
    #[serde(alias = "prompt")]
    text: String,
    code: String,
    test_list: Vec<String>,
    #[serde(default)]
    test_setup_code: String,
    #[serde(default)]
    test_imports: Vec<String>,
    #[serde(default)]
    challenge_test_list: Vec<String>,
}

/// Makes an entry a task.
pub(super) fn convert(bytes: &[u8]) -> Converted {
    let entry: Entry = fields(bytes)?;
    let solution = entry.code.replace("\r\n", "\n");
    let listed = entry.test_list.iter().chain(&entry.challenge_test_list);
    let codes: Vec<String> = listed.map(|test| test.replace("\r\n", "\n").trim().to_owned()).collect();
    let Some(first) = codes.first().filter(|_| !entry.test_list.is_empty()) else {
        return Err("test_list is empty".to_owned());
    };
    called(&solution, &codes)?;
    let setup = entry.test_imports.iter().chain([&entry.test_setup_code]);
    let setup: Vec<String> = setup.map(|code| code.replace("\r\n", "\n").trim_end().to_owned()).collect();
    let draft = Draft {
        id: entry.task_id.id()?,
        prompt: format!("{}\n\nOne of the tests is:\n\n{first}", entry.text.trim()),
        setup: setup.join("\n").trim_matches('\n').to_owned(),
        tests: codes.into_iter().enumerate().map(|(at, code)| DraftTest { code, public: at == 0 }).collect(),
        solution,
    };
    Ok((draft, Vec::new()))
}

/// Checks that the tests call functions of the solution, all of them ones that an agent can be asked for.
fn called(solution: &str, codes: &[String]) -> Result<(), String> {
    let defined = statements(solution);
    let tests: Vec<_> = codes.iter().flat_map(|code| statements(code)).collect();
    let mut called = defined
        .iter()
        .filter_map(python::Statement::defines)
        .filter(|name| tests.iter().any(|test| test.mentions(name)))
        .peekable();
    if called.peek().is_none() {
        return Err("its tests call no function of its code".to_owned());
    }
    called.try_for_each(python::callable)
}
