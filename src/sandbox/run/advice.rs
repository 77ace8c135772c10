//! Advice on mistakes of a task's tests: the words that stand there in the place of the right ones.

use crate::sandbox::run::judge::Flaw;
use crate::task::Task;

/// Python's message where nothing better is to be said.
const SYNTAX: &str = "invalid syntax";

/// Words for those of YAML, JSON and JavaScript.
const PYTHONS_OWN: &str = "Python writes True, False and None";

/// Parts of a message and of a line of the test, and what to write instead.
const ADVICE: [(&str, &str, &str); 16] = [
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
    (
        "FileNotFoundError",
        "open(",
        "files: is for agents alone, and a judge sees no file: write what tests need into setup, such as a list of cases",
    ),
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
    let advice = ADVICE.iter().find(|(message, written, _)| {
        flaw.message.contains(message) && code.lines().any(|line| has(line, written, message))
    });
    if let Some((.., advice)) = advice {
        flaw.message = format!("{}; {advice}", flaw.message);
    }
    flaw
}

/// True of a line with these words; where Python tells nothing but a wrong syntax, assertions alone are looked at.
fn has(line: &str, written: &str, message: &str) -> bool {
    line.contains(written) && (message != SYNTAX || line.trim_start().starts_with("assert "))
}
