//! Preparations that pytest or unittest would call before a test, and that nothing calls here.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::commands::check::hints::hint;
use crate::commands::check::texts::{code_of, line_in, tests_of};
use crate::task::Task;
use crate::yaml::Problem;

/// A class at the left margin, with its bases, or a preparation in one, or of a module.
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^class[ ]+(\w+)([^\n]*)|^[ \t]*def[ ]+(setup_method|setup_class|setup_module|setup_function|setUpClass|setUpModule|setUp)\b")
        .expect("a constant pattern")
});

/// A hint at the first of each task.
pub(super) fn uncalled(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    let setup = task.setup.as_ref()?;
    let (code, tests) = (code_of(&setup.text), tests_of(task));
    let (mut class, mut bases) = ("", "");
    for found in DEFINED.captures_iter(&code) {
        if let Some(name) = found.get(1) {
            (class, bases) = (name.as_str(), found.get(2).map_or("", |bases| bases.as_str()));
        } else if let Some(remedy) = remedy(&found, (class, bases), &code, &tests) {
            let line = line_in(setup, &code, found.get(3)?.start());
            let message = format!("{} is called by nothing: {remedy}", &found[3]);
            return Some(hint(task, line, "setup".to_owned(), message));
        }
    }
    None
}

/// The words about what calls it; None where something does.
fn remedy(found: &Captures<'_>, (class, bases): (&str, &str), code: &str, tests: &str) -> Option<String> {
    let name = &found[3];
    if name == "setUp" {
        // `debug` and `run` call it.
        let is_by_hand = tests.contains(&format!("{class}().test"));
        return (is_by_hand && bases.contains("TestCase"))
            .then(|| format!("write `- {class}(\"METHOD\").debug()`, which calls it before the method"));
    }
    let called = Regex::new(&format!(r"(?:\.|^|[^\w.]){name}\(")).expect("a name is a pattern");
    let calls = called.find_iter(code).count() + called.find_iter(tests).count();
    let definitions = code.matches(&format!("def {name}(")).count();
    (calls <= definitions).then(|| match name {
        "setup_method" => format!("call it __init__, which {class}() calls"),
        "setup_class" | "setUpClass" => format!("write {class}.{name}() at the end of setup"),
        _ => format!("write {name}() at the end of setup, or in the tests"),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    fn told(setup: &str, test: &str) -> Vec<String> {
        let setup = setup.replace('\n', "\n  ");
        let text = format!("prompt: p\nsetup: |\n  {setup}\ntests: ['{test}']\n");
        let task = task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap();
        uncalled(&[task]).into_iter().map(|hint| format!("{}: {}", hint.line, hint.message)).collect()
    }

    const METHOD: &str = "class TestS:\n    def setup_method(self):\n        self.s = Stack()\n    def test_a(self):\n        assert self.s.a()";
    const CLASS: &str = "class TestS:\n    @classmethod\n    def setup_class(cls):\n        cls.s = Stack()\n    def test_a(self):\n        assert self.s.a()";
    const CASE: &str = "import unittest\nclass TestS(unittest.TestCase):\n    def setUp(self):\n        self.s = Stack()\n    def test_a(self):\n        assert self.s.a()";

    #[test]
    fn what_pytest_and_unittest_would_call_is_told() {
        let cases = [
            (METHOD, "4: setup_method is called by nothing: call it __init__, which TestS() calls"),
            (CLASS, "5: setup_class is called by nothing: write TestS.setup_class() at the end of setup"),
            (
                CASE,
                "5: setUp is called by nothing: write `- TestS(\"METHOD\").debug()`, which calls it before the method",
            ),
            (
                "def setup_module():\n    pass",
                "3: setup_module is called by nothing: write setup_module() at the end of setup, or in the tests",
            ),
        ];
        for (setup, words) in cases {
            assert_eq!(told(setup, "TestS().test_a()"), [words]);
        }
    }

    #[test]
    fn what_is_called_is_not() {
        let made = "def made():\n    s = TestS()\n    s.setup_method()\n    return s";
        assert_eq!(told(&format!("{METHOD}\n{made}"), "made().test_a()"), [""; 0]);
        assert_eq!(told(&format!("{CLASS}\nTestS.setup_class()"), "TestS().test_a()"), [""; 0]);
        assert_eq!(told(CASE, "TestS(\"test_a\").debug()"), [""; 0]);
        assert_eq!(told("class A:\n    def setUp(self):\n        pass", "assert A().x"), [""; 0]);
    }
}
