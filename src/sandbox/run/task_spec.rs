//! A task as a judge is taught it.

use std::sync::Arc;

use serde::Serialize;

use crate::task::{Case, Code, Form, Judging, Task, Test};

#[derive(Serialize)]
struct Spec<'a> {
    key: &'a str,
    prompt: &'a str,
    /// Bytes of a value.
    value: u64,
    asks_model: bool,
    has_files: bool,
    setup: Option<CodeSpec<'a>>,
    tests: Vec<CodeSpec<'a>>,
    /// The rules of all cases, each once.
    judging: Vec<&'a Judging>,
}

#[derive(Serialize)]
struct CodeSpec<'a> {
    text: &'a str,
    line: usize,
    expression: bool,
    score: bool,
    public: bool,
    case: Option<CaseSpec<'a>>,
}

/// A case without its files: a judge asks for one when it needs it.
#[derive(Serialize)]
struct CaseSpec<'a> {
    name: &'a str,
    /// Place among the rules.
    judging: usize,
}

/// The task as JSON, with the bytes that a value may have unless the task says otherwise.
pub fn json(key: &str, task: &Task, value: u64) -> Vec<u8> {
    let mut rules: Vec<&Arc<Judging>> = Vec::new();
    let tests = task.tests.iter().map(|test| CodeSpec::of_test(test, &mut rules)).collect();
    let setup = task.setup.as_ref().map(CodeSpec::of_setup);
    let judging = rules.into_iter().map(Arc::as_ref).collect();
    let (value, asks_model) = (task.value.unwrap_or(value), task.asks_model());
    let has_files = task.files.is_some();
    let spec = Spec { key, prompt: &task.prompt, value, asks_model, has_files, setup, tests, judging };
    serde_json::to_vec(&spec).expect("its maps have text for keys")
}

impl<'a> CodeSpec<'a> {
    fn of_setup(code: &'a Code) -> Self {
        Self { text: &code.text, line: code.line, expression: false, score: false, public: false, case: None }
    }

    fn of_test(test: &'a Test, rules: &mut Vec<&'a Arc<Judging>>) -> Self {
        let Code { text, line } = &test.assertion;
        let case = match &test.form {
            Form::Case(case) => Some(CaseSpec::of(&test.name, case, rules)),
            Form::Statement | Form::AssertField | Form::Score => None,
        };
        let text = if case.is_some() { "" } else { text };
        let (expression, score) = (test.form == Form::AssertField, test.form == Form::Score);
        Self { text, line: *line, expression, score, public: test.public, case }
    }
}

impl<'a> CaseSpec<'a> {
    fn of(name: &'a str, case: &'a Case, rules: &mut Vec<&'a Arc<Judging>>) -> Self {
        let known = rules.iter().position(|rule| Arc::ptr_eq(rule, &case.judging));
        let judging = known.unwrap_or_else(|| {
            rules.push(&case.judging);
            rules.len() - 1
        });
        Self { name, judging }
    }
}
