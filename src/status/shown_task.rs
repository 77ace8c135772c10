//! Tasks as miners see them: of hidden tests nothing but their number.

use serde::Serialize;

use crate::config::Pipeline;
use crate::pipeline::terms::Terms;
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
    #[serde(flatten)]
    terms: Terms<'a>,
}

#[derive(Debug, Serialize)]
struct ShownTest<'a> {
    name: &'a str,
    /// The text, of a score and a case, too; `form` tells which it is.
    assert: &'a str,
    form: &'static str,
    weight: f64,
}

impl<'a> ShownTask<'a> {
    /// The task without its hidden tests, with the terms of its runs.
    pub fn of(task: &'a Task, pipeline: &'a Pipeline) -> Self {
        let public = task.tests.iter().filter(|test| test.public);
        let tests: Vec<_> = public
            .map(|test| ShownTest {
                name: &test.name,
                assert: &test.assertion.text,
                form: test.form.name(),
                weight: test.weight,
            })
            .collect();
        Self {
            id: &task.id,
            prompt: &task.prompt,
            weight: task.weight,
            hidden_tests: task.tests.len() - tests.len(),
            tests,
            terms: Terms::of(task, pipeline),
        }
    }
}
