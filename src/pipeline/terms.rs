//! Terms of a task: the time and memory of its runs, and the models that they may ask, as miners are told.

use serde::Serialize;

use crate::config::grant::{Face, Grant};
use crate::config::{Limits, Pipeline};
use crate::model::model_use::Money;
use crate::task::Task;

/// Limits of each run on a task, and the budget for its questions to models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Terms<'a> {
    /// Agent time in milliseconds.
    pub timeout_ms: u64,
    /// The least that a test of it, public or hidden, may take of that; None where each may take all.
    pub test_timeout_ms: Option<u64>,
    /// Cases, public or hidden, that count only if all others of their folder pass.
    pub all_or_nothing: usize,
    /// Memory in bytes. What the files of the task take is not counted: their size may tell of what is not shown.
    pub memory: u64,
    /// Budget for questions to models; None where nothing may be asked.
    pub model: Option<Granted<'a>>,
}

/// Grant of a stage, in the words of pipeline.yaml.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Granted<'a> {
    /// Names of the models.
    pub allow: &'a [String],
    /// Most questions.
    pub requests: u64,
    /// Most tokens of questions and answers together.
    pub tokens: u64,
    /// Most money, in dollars; None: tokens are the only bound.
    pub cost: Option<Money>,
    /// Longest time in all that answers may take, in seconds.
    pub wait_s: f64,
    /// Questions that may be open at the same time.
    pub at_once: u16,
    /// Protocols in which agents may ask.
    pub faces: &'a [Face],
}

impl<'a> Terms<'a> {
    /// Terms of a task under these limits and this grant.
    #[must_use]
    pub fn new(task: &Task, limits: &Limits, grant: Option<&'a Grant>) -> Self {
        let timeout = task.timeout.unwrap_or(limits.timeout);
        let own = task.tests.iter().filter_map(|test| test.timeout);
        Self {
            timeout_ms: timeout.as_millis() as u64,
            test_timeout_ms: own.min().filter(|own| *own < timeout).map(|own| own.as_millis() as u64),
            all_or_nothing: task.tests.iter().filter(|test| test.group().is_some()).count(),
            memory: task.memory.unwrap_or(limits.memory),
            model: grant.map(Granted::of),
        }
    }

    /// Terms by the stage that the task is in, or by the pipeline where it is in none.
    #[must_use]
    pub fn of(task: &Task, pipeline: &'a Pipeline) -> Self {
        match pipeline.stage_of(&task.id) {
            Some(stage) => Self::new(task, &stage.limits, stage.model.as_ref()),
            None => Self::new(task, &pipeline.sandbox.limits, None),
        }
    }
}

impl<'a> Granted<'a> {
    fn of(grant: &'a Grant) -> Self {
        let Grant { allow, requests, tokens, cost, wait, at_once, faces } = grant;
        let (requests, tokens, cost, at_once) = (*requests, *tokens, *cost, *at_once);
        Self { allow, requests, tokens, cost, wait_s: wait.as_secs_f64(), at_once, faces }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::config;

    #[test]
    fn a_tasks_own_limits_and_its_stages_grant_are_told() {
        let text = b"llm: {prices: {m: [1, 1]}}\nstages:\n  - {name: quick, tasks: [q], sandbox: {timeout: 2s}}\n  - {name: asks, \
            tasks: [t], model: {allow: [m], requests: 5, tokens: 900, cost: 0.5, wait: 30s}}\n";
        let pipeline = config::parse(Path::new("pipeline.yaml"), text).unwrap();
        let mut task = Task::of_ours("t", "", "assert True");
        let told = |task: &Task| serde_json::to_value(Terms::of(task, &pipeline)).unwrap();
        let grant = json!({
            "allow": ["m"], "requests": 5, "tokens": 900, "cost": 0.5, "wait_s": 30.0, "at_once": 4, "faces": ["openai"],
        });
        let terms = json!({
            "timeout_ms": 10_000, "test_timeout_ms": null, "all_or_nothing": 0, "memory": 256 << 20, "model": grant,
        });
        assert_eq!(told(&task), terms);
        task.tests[0].timeout = Some(Duration::from_secs(20));
        assert_eq!(told(&task)["test_timeout_ms"], json!(null), "there is no more than the run's");
        task.tests[0].timeout = Some(Duration::from_secs(2));
        assert_eq!(told(&task)["test_timeout_ms"], 2000);
        task.memory = Some(1 << 20);
        assert_eq!(told(&task)["memory"], 1 << 20);
        let [quick, nowhere] = ["q", "none"].map(|id| Task::of_ours(id, "", "assert True"));
        assert_eq!((&told(&quick)["timeout_ms"], &told(&quick)["model"]), (&json!(2000), &json!(null)));
        assert_eq!(told(&nowhere)["timeout_ms"], 10_000, "as it is in no stage");
    }
}
