//! MBPP: a sentence as the prompt, assertions as tests. The sentence does not tell the function's name, so the first
//! assertion goes with it.

use serde::Deserialize;

use crate::import::draft::{Converted, Draft, DraftTest};
use crate::import::entries::{Name, fields};
use crate::import::limits;
use crate::import::python::{self, statements};

/// Some of an entry's fields.
const EXAMPLE: &str = r#"{"task_id": ..., "text": ..., "code": ..., "test_list": [...]}"#;

/// Fields of an entry, as published; the sanitized edition has other names for some of them.
#[derive(Debug, Deserialize)]
struct Published {
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
    let entry: Published = fields(bytes, EXAMPLE)?;
    let solution = entry.code.replace("\r\n", "\n");
    let listed = entry.test_list.iter().chain(&entry.challenge_test_list);
    let codes: Vec<String> = listed.map(|test| test.replace("\r\n", "\n").trim().to_owned()).collect();
    let Some(first) = codes.first().filter(|_| !entry.test_list.is_empty()) else {
        return Err("test_list is empty".to_owned());
    };
    let named = named(&called(&solution, &codes)?);
    let setup = entry.test_imports.iter().chain([&entry.test_setup_code]);
    let setup: Vec<String> = setup.map(|code| code.replace("\r\n", "\n").trim_end().to_owned()).collect();
    // The published tests run where the code does, and so use what that imports.
    let tests: Vec<_> = codes.iter().flat_map(|code| statements(code)).collect();
    let imports = statements(&solution).into_iter().filter(|statement| statement.imports_for(&tests));
    let imports: Vec<String> = imports.map(|statement| statement.text).collect();
    let imports = imports.into_iter().filter(|text| !setup.contains(text));
    let setup: Vec<String> = imports.chain(setup.iter().cloned()).collect();
    let draft = Draft {
        id: id(&entry.task_id)?,
        prompt: format!("{}\n\nOne of the tests is:\n\n{first}{named}", entry.text.trim()),
        setup: setup.join("\n").trim_matches('\n').to_owned(),
        tests: codes.into_iter().enumerate().map(draft_test).collect(),
        limits: vec![limits::no_exit()],
        solution: Some(solution),
        ..Draft::default()
    };
    Ok((draft, Vec::new()))
}

/// The id of the task that an entry of this name becomes, without the folder.
pub(super) fn id(name: &Name) -> Result<String, String> {
    name.id("mbpp")
}

fn draft_test((at, code): (usize, String)) -> DraftTest {
    DraftTest { code, public: at == 0, name: None }
}

/// Functions of the solution that the tests call, all of them ones that an agent can be asked for.
fn called(solution: &str, codes: &[String]) -> Result<Vec<String>, String> {
    let defined = statements(solution);
    let tests: Vec<_> = codes.iter().flat_map(|code| statements(code)).collect();
    let called: Vec<String> = defined
        .iter()
        .filter_map(|statement| statement.defines().or_else(|| statement.defines_class()))
        .filter(|name| tests.iter().any(|test| test.mentions(name)))
        .map(str::to_owned)
        .collect();
    if called.is_empty() {
        return Err("its tests call no function of its code".to_owned());
    }
    called.iter().try_for_each(|name| python::callable(name))?;
    Ok(called)
}

/// Words that make a function the agent's though Python has one of its name, too.
fn named(called: &[String]) -> String {
    let shadowing = called.iter().filter(|name| python::is_builtin(name));
    shadowing.map(|name| format!("\n\nWrite the function `{name}` yourself.")).collect()
}
