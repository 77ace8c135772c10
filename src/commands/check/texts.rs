//! Texts of a task that hints look through.

use crate::pipeline::validate::lexer::mask;
use crate::task::{Code, Form, Task};

/// Code without its comments and texts, place by place.
pub(super) fn code_of(text: &str) -> String {
    String::from_utf8_lossy(&mask(text)).into_owned()
}

/// The task's tests in one text, but for inputs and outputs.
pub(super) fn tests_of(task: &Task) -> String {
    let tests = task.tests.iter().filter(|test| !matches!(test.form, Form::Case(_)));
    tests.map(|test| test.assertion.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The line of the task's file in which a place of such code stands.
pub(super) fn line_in(setup: &Code, code: &str, place: usize) -> usize {
    setup.line + code[..place].matches('\n').count()
}
