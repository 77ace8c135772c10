//! Tasks as miners see them: of hidden tests nothing but their number.

use serde::Serialize;

use crate::task::Task;

/// A task as miners see it.
#[derive(Debug, Serialize)]
pub struct ShownTask<'a> {
    /// Its id.
    pub id: &'a str,
    prompt: &'a str,
    weight: f64,
    tests: Vec<ShownTest<'a>>,
    hidden_tests: usize,
}

#[derive(Debug, Serialize)]
struct ShownTest<'a> {
    name: &'a str,
    assert: &'a str,
    weight: f64,
}

impl<'a> ShownTask<'a> {
    /// The task without its hidden tests.
    pub fn of(task: &'a Task) -> Self {
        let public = task.tests.iter().filter(|test| test.public);
        let tests: Vec<_> = public
            .map(|test| ShownTest { name: &test.name, assert: &test.assertion.text, weight: test.weight })
            .collect();
        Self {
            id: &task.id,
            prompt: &task.prompt,
            weight: task.weight,
            hidden_tests: task.tests.len() - tests.len(),
            tests,
        }
    }
}
