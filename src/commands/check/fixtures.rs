//! Fixtures: parameters of functions of `setup` that pytest would fill, and nobody does here.

use std::sync::LazyLock;

use regex::Regex;

use crate::commands::check::hints::hint;
use crate::commands::check::texts::{code_of, line_in};
use crate::task::Task;
use crate::yaml::Problem;

/// Fixtures of pytest and its plugins, and what takes their place; as `forgotten.py` has them for names in tests.
const FIXTURES: [(&str, &str); 7] = [
    ("capsys", PRINTED),
    ("capfd", PRINTED),
    ("monkeypatch", REPLACING),
    ("mocker", REPLACING),
    ("tmp_path", ON_DISK),
    ("tmpdir", ON_DISK),
    ("caplog", "`with unittest.TestCase().assertLogs() as logs:` around the call is what is logged"),
];
const PRINTED: &str = "output_of(f, 2) is what f prints";
const REPLACING: &str = "write `with patch(\"time.sleep\"):` around the call";
const ON_DISK: &str = "give the agent the task's `files:`, or a text by `with patch(\"builtins.open\", mock_open(read_data=\"...\")):`";

/// A function and its parameters.
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*(?:async[ ]+)?def[ ]+(\w+)[ ]*\(([^)]*)\)").expect("a constant pattern")
});

/// The first of each task.
pub(super) fn fixtures(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    let setup = task.setup.as_ref()?;
    let code = code_of(&setup.text);
    FUNCTION.captures_iter(&code).find_map(|found| {
        let names = || found[2].split(',').filter_map(|one| one.split([':', '=']).next()).map(str::trim);
        let (name, remedy) = FIXTURES.iter().find(|(name, _)| names().any(|one| one == *name))?;
        let line = line_in(setup, &code, found.get(1)?.start());
        let message =
            format!("{} takes {name}, a fixture of pytest's, which is not there: {remedy}", &found[1]);
        Some(hint(task, line, "setup".to_owned(), message))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    #[test]
    fn a_parameter_that_pytest_would_fill_is_told_with_what_to_write() {
        let told = |setup: &str| {
            let text = format!("prompt: p\nsetup: |\n  x = 1\n  {setup}\ntests: [assert f(1) == 1]\n");
            fixtures(&[task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap()])
        };
        let found = told("def test_it(acc, capsys): assert acc");
        assert_eq!(
            (found[0].line, found[0].message.as_str()),
            (
                4,
                "test_it takes capsys, a fixture of pytest's, which is not there: output_of(f, 2) is what f prints"
            )
        );
        assert!(told("def test_it(tmp_path: str): assert acc")[0].message.contains("files:"));
        for other in
            ["def test_it(acc, capsys_like): assert acc", "y = 'def f(capsys)'", "def f(a='capsys'): pass"]
        {
            assert!(told(other).is_empty(), "{other}");
        }
    }
}
