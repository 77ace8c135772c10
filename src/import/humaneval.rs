//! HumanEval: a function's beginning as the prompt, and `check(candidate)` as its test.
//!
//! Where that is safe, each assertion of `check` becomes a test of its own, so that a nearly right agent scores more
//! than a wrong one; otherwise all of `check` is one test.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde::Deserialize;

use crate::import::draft::{Converted, Draft, DraftTest};
use crate::import::entries::{Name, fields};
use crate::import::limits;
use crate::import::python::{self, Statement, renamed, statements};

/// Some of an entry's fields.
const EXAMPLE: &str = r#"{"task_id": ..., "prompt": ..., "test": ...}"#;

/// Fields of an entry, as published.
#[derive(Debug, Deserialize)]
struct Published {
    task_id: Name,
    prompt: String,
    entry_point: String,
    canonical_solution: String,
    test: String,
}

/// The function that an entry's test consists of.
struct Check {
    /// The whole function.
    whole: Statement,
    /// Its name for the agent's function.
    candidate: String,
    /// Statements beside it.
    beside: Vec<Statement>,
}

/// Makes an entry a task.
pub(super) fn convert(bytes: &[u8]) -> Converted {
    let entry: Published = fields(bytes, EXAMPLE)?;
    let name = &entry.entry_point;
    python::callable(name)?;
    let solution = python::solution(&entry.prompt, &entry.canonical_solution, name)?;
    let check = check(&entry.test)?;
    let (body, mut setup, remarks) = sort(&check, name);
    let tests = split(&body, &check.candidate, name).unwrap_or_else(|| vec![whole(&check, name)]);
    if tests.is_empty() {
        return Err("its test asserts nothing".to_owned());
    }
    setup.splice(0..0, helpers(&entry.prompt, name, &check.whole));
    let setup = seeded(setup);
    let draft = Draft {
        id: id(&entry.task_id)?,
        prompt: format!("Complete the function `{name}`:\n\n{}", entry.prompt.trim_matches('\n')),
        setup: setup.join("\n"),
        tests: tests.into_iter().map(|code| DraftTest { code, ..DraftTest::default() }).collect(),
        limits: vec![limits::no_exit()],
        solution: Some(solution),
        ..Draft::default()
    };
    Ok((draft, remarks))
}

/// The id of the task that an entry of this name becomes, without the folder.
pub(super) fn id(name: &Name) -> Result<String, String> {
    name.id("humaneval")
}

/// The code in a prompt of such a task, here and in EvalPlus, which a completion goes on behind.
pub(super) fn published(prompt: &str) -> Option<&str> {
    prompt.strip_prefix("Complete the function `")?.split_once(":\n\n").map(|(_, code)| code)
}

fn check(test: &str) -> Result<Check, String> {
    static DEF: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?-u)^def check\( *(\w+) *\) *:").expect("a constant pattern"));
    let (mut defined, beside): (Vec<_>, Vec<_>) =
        statements(test).into_iter().partition(|statement| statement.defines() == Some("check"));
    let (Some(whole), true) = (defined.pop(), defined.is_empty()) else {
        return Err("its test is not one function check(candidate)".to_owned());
    };
    let Some(candidate) = DEF.captures(whole.code()).and_then(|found| found.get(1)) else {
        return Err("its test is not one function check(candidate)".to_owned());
    };
    let candidate = whole.text[candidate.range()].to_owned();
    let beside = beside.into_iter().filter(|statement| statement.keyword() != "METADATA").collect();
    Ok(Check { whole, candidate, beside })
}

/// Parts `check` into statements that test and those that prepare; remarks on what is left out.
fn sort(check: &Check, name: &str) -> (Vec<Statement>, Vec<String>, Vec<String>) {
    let mut setup: Vec<String> = check.beside.iter().map(|statement| statement.text.clone()).collect();
    let lines = check.whole.text.split_once('\n').map_or("", |(_, body)| body);
    let (imports, body): (Vec<_>, Vec<_>) = statements(lines)
        .into_iter()
        .filter(|statement| !says_nothing(statement))
        .partition(|statement| matches!(statement.keyword(), "import" | "from"));
    setup.extend(imports.into_iter().map(|statement| statement.text));
    let with_itself = |statement: &Statement| {
        statement.keyword() == "assert" && statement.mentions(name) && statement.mentions(&check.candidate)
    };
    let (vain, body): (Vec<_>, Vec<_>) = body.into_iter().partition(with_itself);
    let remark = (!vain.is_empty())
        .then(|| format!("left out {} assertions that compare {name} with itself", vain.len()));
    (body, setup, remark.into_iter().collect())
}

/// `assert True`, a docstring, a bare name: every agent would pass, or nothing happens.
fn says_nothing(statement: &Statement) -> bool {
    static IDLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?-u)^(?:assert +True *(?:,.*)?|"+|[A-Za-z_]\w*|print *\(.*\))\s*$"#)
            .expect("a constant pattern")
    });
    IDLE.is_match(statement.code())
}

/// A test per assertion, with what was prepared before it; None if that might mean something else than the whole.
fn split(body: &[Statement], candidate: &str, name: &str) -> Option<Vec<String>> {
    let mut prepared: Vec<String> = Vec::new();
    let mut tests = Vec::new();
    for (at, statement) in body.iter().enumerate() {
        let jumps = ["return", "yield", "global", "nonlocal"].iter().any(|word| statement.mentions(word));
        if jumps || statement.code().contains(&b';') {
            return None;
        }
        let text = renamed(statement, candidate, name);
        let asserts = statement.mentions("assert");
        match statement.keyword() {
            "assert" => tests.push(prepared.iter().chain([&text]).cloned().collect::<Vec<_>>().join("\n")),
            // What a loop over assertions leaves behind must not be needed afterwards.
            _ if asserts && at + 1 < body.len() => return None,
            _ if asserts => {
                tests.push(prepared.iter().chain([&text]).cloned().collect::<Vec<_>>().join("\n"))
            }
            _ => prepared.push(text),
        }
    }
    Some(tests)
}

/// All of `check` as one test.
fn whole(check: &Check, name: &str) -> String {
    format!("{}\n\ncheck({name})", check.whole.text)
}

/// The setup without repetitions, and with a seed if there is something to seed.
fn seeded(mut setup: Vec<String>) -> Vec<String> {
    const IMPORT: &str = "import random";
    let random = setup.iter().any(|text| text.contains("random"));
    if random {
        setup.push(IMPORT.to_owned());
    }
    let mut known = HashSet::new();
    setup.retain(|text| known.insert(text.clone()));
    if random {
        setup.push("random.seed(0)  # the same numbers for every agent".to_owned());
    }
    setup
}

/// Helpers that the prompt defines besides the function, if the test uses any of them.
fn helpers(prompt: &str, name: &str, check: &Statement) -> Vec<String> {
    let prompt = statements(prompt);
    let others: Vec<&Statement> = prompt.iter().filter(|one| one.defines() != Some(name)).collect();
    let used = |one: &&Statement| one.defines().is_some_and(|helper| check.mentions(helper));
    match others.iter().any(used) {
        true => others.iter().map(|statement| statement.text.clone()).collect(),
        false => Vec::new(),
    }
}
