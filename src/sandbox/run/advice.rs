//! Advice on mistakes of a task's tests: the words that stand there in the place of the right ones.

use std::sync::LazyLock;

use regex::Regex;

use crate::sandbox::run::judge::Flaw;
use crate::task::Task;
use crate::util::similar::{did_you_mean, nearest};

/// Python's message where nothing better is to be said.
const SYNTAX: &str = "invalid syntax";

/// Words for those of YAML, JSON and JavaScript.
const PYTHONS_OWN: &str = "Python writes True, False and None";

/// The remedy for the quotes of a word processor.
const QUOTES: &str = "write straight quotes, \" or '";

/// The way to run a method of unittest's.
const DEBUG: &str = "nothing runs the method: write `- NAME(\"METHOD\").debug()`";

/// Parts of a message and of a line of the test, and what to write instead.
const ADVICE: [(&str, &str, &str); 26] = [
    (SYNTAX, " - assert ", "the `- ` below it is indented deeper, so that YAML makes one text of both"),
    (SYNTAX, " = ", "`==` compares, `=` does not"),
    (SYNTAX, "===", "`==` compares"),
    (SYNTAX, "&&", "write `and`"),
    (SYNTAX, "||", "write `or`"),
    (SYNTAX, " raises ", "write `with raises(ValueError):`, and the call below it"),
    ("'Agent' object has no attribute", "agent.", "the agent's names stand alone: f(2), not agent.f(2)"),
    ("raises takes exception types", "raises(", "write `with raises(ValueError):`, and the call below it"),
    (
        "ask the agent nothing",
        "class Test",
        "nothing calls the class: put it into setup, and write `- NAME(\"METHOD\").debug()`",
    ),
    (
        "ask the agent nothing",
        "def test",
        "nothing calls the function: put it into setup, and write `- NAME()`",
    ),
    ("ask the agent nothing", "(\"test", DEBUG),
    ("ask the agent nothing", "('test", DEBUG),
    ("asserts nothing", "(\"test", DEBUG),
    ("asserts nothing", "('test", DEBUG),
    (
        "asserts nothing",
        "unittest.main(",
        "write a test for each method, such as `- NAME(\"METHOD\").debug()`",
    ),
    (
        "FileNotFoundError",
        "open(",
        "files: is for agents alone, and a judge sees no file: write what tests need into setup, such as a list of cases",
    ),
    ("(U+201C)", "", QUOTES),
    ("(U+201D)", "", QUOTES),
    ("(U+201E)", "", QUOTES),
    ("(U+2018)", "", QUOTES),
    ("(U+2019)", "", QUOTES),
    ("true is defined neither", "true", PYTHONS_OWN),
    ("false is defined neither", "false", PYTHONS_OWN),
    ("null is defined neither", "null", PYTHONS_OWN),
    ("self is defined neither", "self.assert", "write assertions, such as assert f(1) == 2"),
    ("assertEqual is defined neither", "assertEqual(", "write assertions, such as assert f(1) == 2"),
];

/// The flaw with advice, where its test is one of those that beginners write.
pub(super) fn advised(task: &Task, mut flaw: Flaw) -> Flaw {
    let code = match flaw.test {
        Some(test) => task.tests.get(test).map(|test| &test.assertion),
        None => task.setup.as_ref(),
    };
    let code = code.map_or("", |code| code.text.as_str());
    if let Some(message) = miscalled(task, flaw.test, &flaw.message) {
        return Flaw { message, ..flaw };
    }
    let advice = ADVICE.iter().find(|(message, written, _)| {
        flaw.message.contains(message) && code.lines().any(|line| has(line, written, message))
    });
    if let Some((.., advice)) = advice {
        flaw.message = format!("{}; {advice}", flaw.message);
    }
    flaw
}

/// The message on a test that is nothing but the name of a function of setup's, or a call of one that is nearly called so.
fn miscalled(task: &Task, test: Option<usize>, message: &str) -> Option<String> {
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A\s*(\w+)\s*(\(.*\))?\s*\z").expect("a constant pattern"));
    static DEFINED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^(?:async +)?def +(\w+)").expect("a constant pattern"));
    let setup = task.setup.as_ref().map_or("", |setup| &setup.text);
    let known: Vec<&str> = DEFINED.captures_iter(setup).map(|found| found.extract::<1>().1[0]).collect();
    let found = BARE.captures(&task.tests.get(test?)?.assertion.text)?;
    let name = found.get(1)?.as_str();
    match found.get(2) {
        None if message.contains("ask the agent nothing") && known.contains(&name) => {
            Some(format!("is not called: write {name}()"))
        }
        Some(_) if message.contains("asserts nothing") && !known.contains(&name) => {
            let near = nearest(name, known.iter().copied())?;
            Some(format!("setup has no {name}{}", did_you_mean(Some(near))))
        }
        _ => None,
    }
}

/// True of a line with these words; where Python tells nothing but a wrong syntax, assertions alone are looked at.
fn has(line: &str, written: &str, message: &str) -> bool {
    line.contains(written) && (message != SYNTAX || line.trim_start().starts_with("assert "))
}
