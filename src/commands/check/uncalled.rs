//! Uncalled tests: functions and methods of an existing test file in `setup` that no test calls, so that they fail nobody.

use std::sync::LazyLock;

use regex::Regex;

use crate::commands::check::hints::hint;
use crate::commands::check::texts::{code_of, line_in, tests_of};
use crate::task::Task;
use crate::util::first_few::first_few;
use crate::yaml::Problem;

/// A test at the left margin, a class there, or a method that is a test.
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^(?:(?:async[ ]+)?def[ ]+(test\w*)|class[ ]+(\w+)([^\n]*)|[ \t]+(?:async[ ]+)?def[ ]+(test\w*))")
        .expect("a constant pattern")
});

/// Words by which tests may be found without their names.
static FOUND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:globals|locals|vars|dir|getattr|exec|eval|TestLoader|TestSuite|defaultTestLoader|getmembers|__dict__)\b")
        .expect("a constant pattern")
});

/// A hint at each task that has such tests.
pub(super) fn uncalled(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    let setup = task.setup.as_ref()?;
    let tests = tests_of(task);
    if FOUND.is_match(&setup.text) || FOUND.is_match(&tests) {
        return None;
    }
    let code = code_of(&setup.text);
    let defined: Vec<&str> = DEFINED
        .captures_iter(&code)
        .filter_map(|found| Some(found.get(1).or(found.get(2)).or(found.get(4))?.as_str()))
        .collect();
    // A name that stands in setup but where it is defined may be called from there.
    let is_called = |name: &str| {
        let definitions = defined.iter().filter(|one| **one == name).count();
        words(&tests, name) > 0 || words(&setup.text, name) > definitions
    };
    let mut class: Option<(&str, bool)> = None;
    let mut left: Vec<(usize, String, String)> = Vec::new();
    for found in DEFINED.captures_iter(&code) {
        let line = line_in(setup, &code, found.get(0)?.start());
        if let Some(name) = found.get(2) {
            class = Some((name.as_str(), found[3].contains("TestCase")));
        } else if let Some(name) = found.get(1).map(|name| name.as_str()) {
            class = None;
            if !is_called(name) {
                left.push((line, name.to_owned(), format!("{name}()")));
            }
        } else if let (Some(name), Some((class, is_case))) = (found.get(4).map(|name| name.as_str()), class)
            && (!is_called(name) || !is_called(class))
        {
            let call =
                if is_case { format!("{class}(\"{name}\").debug()") } else { format!("{class}().{name}()") };
            left.push((line, format!("{class}.{name}"), call));
        }
    }
    let (line, _, call) = left.first()?;
    let (names, is) =
        (first_few(left.iter().map(|(_, name, _)| name)), if left.len() == 1 { "is" } else { "are" });
    let message =
        format!("{names} {is} called by no test, and so {is} never run; write a test such as `- {call}`");
    Some(hint(task, *line, "setup".to_owned(), message))
}

/// Times that a name stands in a text.
fn words(text: &str, name: &str) -> usize {
    text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| *word == name).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    fn told(setup: &str, tests: &str) -> Vec<String> {
        let setup = setup.replace('\n', "\n  ");
        let text = format!("prompt: p\nsetup: |\n  {setup}\ntests: [{tests}]\n");
        let task = task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap();
        uncalled(&[task]).into_iter().map(|hint| format!("{}: {}", hint.line, hint.message)).collect()
    }

    const FUNCTIONS: &str = "def test_a():\n    assert f(1) == 1\ndef test_b():\n    assert f(2) == 2";
    const CASES: &str = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(f(1), 1)\n    \
                         def test_b(self): self.assertEqual(f(2), 2)";

    #[test]
    fn a_test_of_setup_that_no_test_calls_is_told() {
        let found = told(FUNCTIONS, "test_a()");
        assert_eq!(
            found,
            ["5: test_b is called by no test, and so is never run; write a test such as `- test_b()`"]
        );
        let found = told(CASES, "T('test_a').debug()");
        assert!(found[0].starts_with("6: T.test_b is called by no test"), "{found:?}");
        assert!(found[0].ends_with("write a test such as `- T(\"test_b\").debug()`"), "{found:?}");
        let found = told(&format!("{FUNCTIONS}\n{CASES}"), "test_a()");
        assert!(found[0].starts_with("5: test_b, T.test_a, T.test_b are called by no test"), "{found:?}");
    }

    #[test]
    fn tests_that_are_called_in_whatever_way_are_not() {
        assert_eq!(told(FUNCTIONS, "test_a(), test_b()"), [""; 0]);
        assert_eq!(told(CASES, "T('test_a').debug(), \"T('test_b').debug()\""), [""; 0]);
        assert_eq!(told(&format!("{FUNCTIONS}\ndef all():\n    test_a()\n    test_b()"), "all()"), [""; 0]);
        assert_eq!(told(FUNCTIONS, "'globals()[\"test_\" + x]()'"), [""; 0]);
        assert_eq!(told("def helper():\n    return 1", "assert f(1) == 1"), [""; 0]);
        assert_eq!(told("x = '''\ndef test_a():\n'''", "assert f(x) == 1"), [""; 0]);
    }
}
