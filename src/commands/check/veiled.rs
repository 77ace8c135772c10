//! Veiled tests: public ones that call what only `setup` defines, so that miners see a name and nothing of what it does.

use std::sync::LazyLock;

use regex::Regex;

use crate::commands::check::hints::hint;
use crate::commands::check::texts::code_of;
use crate::task::{Form, Task, Test};
use crate::yaml::Problem;

/// A function or class at the left margin.
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^(?:(?:async[ ]+)?def[ ]+|class[ ]+)([A-Za-z_]\w*)").expect("a constant pattern")
});

/// A name that is called, and is no method.
static CALLED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^.\w])([A-Za-z_]\w*)[ ]*\(").expect("a constant pattern"));

/// The first such test of each task.
pub(super) fn veiled(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    let setup = masked(&task.setup.as_ref()?.text);
    let helpers: Vec<&str> = DEFINED.captures_iter(&setup).map(|found| found.extract::<1>().1[0]).collect();
    let is_told =
        |name: &str| task.prompt.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|word| word == name);
    let tests = task.tests.iter().filter(|test| test.public && !matches!(test.form, Form::Case(_)));
    let veiled = |test: &Test| {
        let text = masked(&test.assertion.text);
        let mut called = CALLED.captures_iter(&text).map(|found| found.extract::<1>().1[0].to_owned());
        called.find(|name| helpers.contains(&name.as_str()) && !is_told(name))
    };
    let (test, name) = tests.into_iter().find_map(|test| Some((test, veiled(test)?)))?;
    let message = format!(
        "is public and calls {name}, which only setup defines: miners see the call and nothing of what {name} does; tell of it in the \
         prompt, or write out in the test what they are to see"
    );
    Some(hint(task, test.assertion.line, test.field(), message))
}

/// Code without its comments and texts.
fn masked(code: &str) -> String {
    code_of(&code.replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    fn told(prompt: &str, tests: &str) -> Vec<String> {
        let setup = "  def points(found):\n      return 1\n  class Bank:\n      def open(self):\n          return 1\n  x = 'def texts()'\n";
        let text = format!("prompt: {prompt}\nsetup: |\n{setup}tests:\n{tests}");
        let task = task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap();
        veiled(&[task]).into_iter().map(|hint| format!("{} {}", hint.field, hint.message)).collect()
    }

    #[test]
    fn a_public_test_by_a_helper_that_miners_cannot_know_is_told_once_a_task() {
        let public = |test: &str| format!("  - {{{test}, public: true}}\n");
        let both = public("score: points(audit())") + &public("assert: Bank() == f()");
        let found = told("Define audit().", &both);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("tests[0] is public and calls points, which only setup defines"),
            "{found:?}"
        );
        assert!(
            told("Define audit(), worth points(found) of 3.", &public("score: points(audit())")).is_empty()
        );
        for test in ["assert: audit() == 'points()'", "assert: a.points() == 1", "assert: texts() == open()"]
        {
            assert!(told("Define audit().", &public(test)).is_empty(), "{test}");
        }
        assert!(told("Define audit().", "  - score: points(audit())\n").is_empty(), "nobody sees it");
    }
}
