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
    /// The most that it may take of the run's time; None: all of it.
    timeout_ms: Option<u64>,
    /// True of a case that counts only if all others of its folder pass, hidden ones, too.
    all_or_nothing: bool,
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
                timeout_ms: test.timeout.map(|timeout| timeout.as_millis() as u64),
                all_or_nothing: test.group().is_some(),
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
