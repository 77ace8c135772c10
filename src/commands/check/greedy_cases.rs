//! Hints at cases of which one may take the time of all: an endless loop in it costs the points of those behind it.

use crate::commands::check::hints::hint;
use crate::config::Pipeline;
use crate::task::{Form, Task, Test};
use crate::yaml::Problem;

const ADVICE: &str = "an endless loop in one case takes the time of all behind it; give each case its own, such as timeout: 2s beside \
                      folder:, and the task a timeout: that has room for all of them";

/// Hints at tasks of several cases, one for each task.
pub(super) fn hints(tasks: &[Task], pipeline: &Pipeline) -> Vec<Problem> {
    tasks.iter().filter_map(|task| of_task(task, pipeline)).collect()
}

/// A hint where one of several cases may take the whole time of the run.
fn of_task(task: &Task, pipeline: &Pipeline) -> Option<Problem> {
    let whole = task.limits_by(pipeline).timeout;
    let mut cases = task.tests.iter().filter(|test| matches!(test.form, Form::Case(_)));
    let is_greedy = |test: &&Test| test.timeout.is_none_or(|timeout| timeout >= whole);
    let greedy = cases.clone().find(is_greedy)?;
    cases.nth(1)?;
    Some(hint(task, greedy.assertion.line, greedy.field(), ADVICE.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::{config, task};

    /// The lines of hints at a task with so many cases and these fields.
    fn told(cases: usize, fields: &str) -> Vec<usize> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("s")).unwrap();
        for case in 0..cases {
            fs::write(dir.path().join(format!("s/{case}.in")), "").unwrap();
            fs::write(dir.path().join(format!("s/{case}.out")), "").unwrap();
        }
        fs::write(dir.path().join("t.yaml"), format!("prompt: p\n{fields}\n")).unwrap();
        let tasks = task::load(dir.path()).unwrap();
        let (pipeline, _) = config::load_with_mistakes(Path::new("/nowhere"));
        hints(&tasks, &pipeline).into_iter().map(|hint| hint.line).collect()
    }

    #[test]
    fn several_cases_without_a_limit_of_their_own_are_told_once() {
        assert_eq!(told(3, "cases: s"), [2]);
        assert_eq!(told(2, "cases: [{folder: s, timeout: 10s}]"), [2], "as long as the run");
        assert_eq!(told(1, "cases: s"), [0; 0], "there is nobody behind it");
        assert_eq!(told(2, "cases: [{folder: s, timeout: 2s}]"), [0; 0]);
        assert_eq!(told(2, "cases: [{folder: s, timeout: 10s}]\ntimeout: 20s"), [0; 0]);
    }
}
