//! Weak texts: tests that hold whatever an agent does, or that ask it twice for one value, as their text alone shows. No reference
//! solution shows it, as it passes them, too.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::commands::check::hints::hint;
use crate::import::python::is_builtin;
use crate::pipeline::validate::lexer::mask;
use crate::task::{Form, Task, Test};
use crate::yaml::Problem;

const ALWAYS: &str = "holds whatever the agent answers, as what stands behind `or` is always true; write `f(2) in (4, 5)`, or the \
                      whole comparison again";
const ITSELF: &str = "compares a call with itself, so it holds whatever the agent answers, as long as it is the same each time; write \
                      the right answer";
const SWALLOWED: &str = "holds whatever the agent answers, as `except` swallows the assertion in its `try`; take the assertion out of \
                         it, or write `with raises(ValueError):`";
const KEPT: &str =
    "run() keeps failures to itself, so it holds whatever the agent answers; write .debug() in its place";

/// A handler that does nothing, of exceptions of which a failed assertion is one.
static SWALLOWING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\A\s*except(?:\s+(?:Exception|BaseException|AssertionError)(?:\s+as\s+\w+)?)?\s*:\s*(?:pass|\.\.\.)?\s*\z")
        .expect("a constant pattern")
});

/// A call of a function by its name, as far as its opening bracket.
static CALL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^.\w])([A-Za-z_]\w*)\(").expect("a constant pattern"));

/// A call by a class's name.
static MAKING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[A-Z]\w*\(").expect("a constant pattern"));

/// Names that setup defines, imports or assigns.
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(?:(?:async[ ]+)?def[ ]+(\w+)|class[ ]+(\w+)|(?:from[^\n]+)?import[ ]+([^\n]+)|([\w, ]+)=[^=])")
        .expect("a constant pattern")
});

static RUN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?m)^\s*\w+\(["']test\w*["']\)\.run\(\)"#).expect("a constant pattern"));

/// The first test of each kind in each task.
pub(super) fn weak(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().flat_map(of_task).collect()
}

fn of_task(task: &Task) -> Vec<Problem> {
    let mut told = HashSet::new();
    let tests = task.tests.iter().filter(|test| !matches!(test.form, Form::Case(_)));
    let found = tests.filter_map(|test| Some((test, message(task, test)?)));
    let first = found.filter(|(_, message)| told.insert(message.clone()));
    first.map(|(test, message)| hint(task, test.assertion.line, test.field(), message)).collect()
}

fn message(task: &Task, test: &Test) -> Option<String> {
    let code = Code::new(&test.assertion.text);
    if test.form == Form::Score {
        let twice = code.asked_twice(task.setup.as_ref().map_or("", |setup| &setup.text))?;
        return Some(format!(
            "calls {twice} twice, and an agent may answer differently each time; have its answer in a name first, by a function in setup"
        ));
    }
    let assertions = code.assertions(test.form == Form::AssertField);
    let all = |holds: fn(&Code, &Range<usize>) -> bool| {
        !assertions.is_empty() && assertions.iter().all(|it| holds(&code, it))
    };
    let found = match () {
        () if assertions.iter().any(|it| code.is_always_true(it)) => ALWAYS,
        () if all(Code::compares_with_itself) => ITSELF,
        () if code.swallows() => SWALLOWED,
        () if RUN.is_match(&code.text) => KEPT,
        () => return None,
    };
    Some(found.to_owned())
}

/// The text of a test, and the same without its comments and texts: as long, and each statement in one line.
struct Code {
    text: String,
    masked: String,
}

impl Code {
    fn new(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let masked = String::from_utf8(mask(&text)).unwrap_or_else(|_| " ".repeat(text.len()));
        Self { text, masked }
    }

    /// Places of what is asserted, without the messages.
    fn assertions(&self, is_expression: bool) -> Vec<Range<usize>> {
        let mut begin = 0;
        let lines = self.masked.split_inclusive('\n').map(|line| {
            begin += line.len();
            begin - line.len()..begin
        });
        let assertions = lines.filter_map(|line| {
            let text = self.masked[line.clone()].trim_start();
            let behind = text.strip_prefix("assert").filter(|rest| rest.starts_with([' ', '(']))?;
            Some(line.end - behind.len()..line.end)
        });
        let found: Vec<Range<usize>> = assertions.collect();
        let whole = (found.is_empty() && is_expression).then_some(0..self.masked.len());
        let found = found.into_iter().chain(whole);
        found.map(|it| it.start..self.split(&it, ",").first().map_or(it.end, |first| first.end)).collect()
    }

    /// Parts between these words, but for those within brackets.
    fn split(&self, place: &Range<usize>, word: &str) -> Vec<Range<usize>> {
        let bytes = self.masked.as_bytes();
        let (mut depth, mut begin, mut at, mut parts) = (0_usize, place.start, place.start, Vec::new());
        while at < place.end {
            match bytes[at] {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ if depth == 0 && bytes[at..place.end].starts_with(word.as_bytes()) => {
                    parts.push(begin..at);
                    at += word.len();
                    begin = at;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        parts.push(begin..place.end);
        parts
    }

    /// The code at a place, without blanks and comments around it.
    fn code(&self, place: &Range<usize>) -> &str {
        let masked = &self.masked[place.clone()];
        let begin = place.start + masked.len() - masked.trim_start().len();
        &self.text[begin..begin + masked.trim().len()]
    }

    fn has_any(&self, place: &Range<usize>, words: &[&str]) -> bool {
        words.iter().any(|word| self.split(place, word).len() > 1)
    }

    /// True of `f(2) == 4 or 5`.
    fn is_always_true(&self, place: &Range<usize>) -> bool {
        let parts = self.split(place, " or ");
        let is_simple = !self.has_any(place, &[" if ", "lambda"]);
        is_simple && parts.len() > 1 && parts[1..].iter().any(|part| is_true(self.code(part)))
    }

    /// True of `f(2) == f(2)`.
    fn compares_with_itself(&self, place: &Range<usize>) -> bool {
        let sides = self.split(place, "==");
        let [one, other] = sides.as_slice() else { return false };
        let (one, other) = (self.code(one), self.code(other));
        let is_simple = !self.has_any(place, &[" and ", " or ", " if ", " in ", " is ", "lambda"]);
        // Objects of a class are equal only if it says so.
        is_simple && one == other && one.contains('(') && !MAKING.is_match(one)
    }

    /// True of a `try` with an assertion whose failure nobody hears of.
    fn swallows(&self) -> bool {
        let lines: Vec<&str> = self.masked.lines().filter(|line| !line.trim().is_empty()).collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        (0..lines.len()).any(|at| {
            let deep = indent(lines[at]);
            let block = |from: usize| lines[from..].iter().take_while(|line| indent(line) > deep).count();
            let (body, handler) = (at + 1, at + 1 + block((at + 1).min(lines.len())));
            let is_try =
                lines[at].trim() == "try:" && handler < lines.len() && indent(lines[handler]) == deep;
            let asserts = || lines[body..handler].iter().any(|line| line.trim_start().starts_with("assert "));
            is_try && asserts() && {
                let (does, end) = (handler + 1, handler + 1 + block(handler + 1));
                let is_idle = lines[does..end].iter().all(|line| matches!(line.trim(), "pass" | "..."));
                let is_end = lines.get(end).is_none_or(|line| !line.trim_start().starts_with("else"));
                SWALLOWING.is_match(lines[handler]) && is_idle && is_end
            }
        })
    }

    /// The call of the agent's that stands here twice with the same arguments.
    fn asked_twice(&self, setup: &str) -> Option<&str> {
        let mut seen = HashSet::new();
        let defined: HashSet<&str> = DEFINED
            .captures_iter(setup)
            .flat_map(|found| found.iter().skip(1).flatten().map(|it| it.as_str()).collect::<Vec<_>>())
            .flat_map(|names| names.split(|c: char| c != '_' && !c.is_alphanumeric()))
            .collect();
        let is_ours = |name: &str| is_builtin(name) || HELPERS.contains(&name) || defined.contains(name);
        CALL.captures_iter(&self.masked).find_map(|found| {
            let name = found.get(1)?;
            let end = self.closing(name.end())?;
            let call = &self.text[name.start()..end];
            (!is_ours(name.as_str()) && !seen.insert(call)).then_some(call)
        })
    }

    /// The end of the bracket that opens here.
    fn closing(&self, opening: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let rest = self.masked.as_bytes()[opening..].iter().position(|byte| {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        rest.map(|length| opening + length + 1)
    }
}

/// Helpers of scores.
const HELPERS: [&str; 8] =
    ["approx", "output_of", "ask_model", "same_tokens", "matches", "precision", "recall", "f1"];

/// True of a constant that is true.
fn is_true(text: &str) -> bool {
    let is_text = text.len() > 2 && text.starts_with(['"', '\'']);
    text == "True"
        || is_text && !text.contains(" in ")
        || text.parse::<f64>().is_ok_and(|number| number != 0.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::task;

    fn told(test: &str) -> Vec<String> {
        let setup = "setup: |\n  def best_known(n): return n\n  class T: pass\n  from math import sqrt as root\n  scale = lambda x: best(x)\n";
        let text = format!("prompt: p\n{setup}tests:\n  - {}\n", test.replace('\n', "\n    "));
        let task = task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap();
        weak(&[task]).into_iter().map(|hint| format!("{}: {}", hint.line, hint.message)).collect()
    }

    #[test]
    fn tests_that_hold_for_every_agent_are_hinted_at() {
        for (test, message) in [
            ("assert f(2) == 4 or 5", ALWAYS),
            ("{assert: f(2) == 4 or 5}", ALWAYS),
            ("assert f(2) == 'a' or 'b', \"why\"", ALWAYS),
            ("|\nx = f(2)\nassert x == 4 or True  # so it is\nassert f(3) == 9", ALWAYS),
            ("assert f(2) == f(2)", ITSELF),
            ("{assert: 'f(2) == f(2)'}", ITSELF),
            ("|\ntry:\n    assert f(2) == 4\nexcept Exception:\n    pass", SWALLOWED),
            (
                "|\ntry:\n    x = f(2)\n    assert x == 4\nexcept:  # no\n    pass\nassert f(3) == 9",
                SWALLOWED,
            ),
            ("|\ntry:\n    assert f(2) == 4\nexcept AssertionError as e: pass", SWALLOWED),
            ("|\nT('test_a').run()\nassert f(1) == 2", KEPT),
        ] {
            let told = told(test);
            assert!(told.len() == 1 && told[0].contains(message), "{test}: {told:?}");
        }
    }

    #[test]
    fn tests_that_may_fail_are_not() {
        for test in [
            "assert f(2) == 4 or f(2) == 5",
            "assert f(2) == 4 or 5 == f(2)",
            "assert f(2 or 5) == 4",
            "assert f(2) == 4 or 0",
            "assert (f(2) or 5) == 4",
            "assert 'a' in f(2) or 'b' in f(2)",
            "assert f(2) == 4 or 'b' in f(2)",
            "assert f(2) == 4, 'f(2) or 5'",
            "assert f(2) == (4 if f(1) or 5 else 3)",
            "assert f('a') == f('b')",
            "assert Money(1) == Money(1)",
            "|\nassert f(2) == f(2)\nassert f(2) == 4",
            "assert f(2) == f(2) == 4",
            "|\ntry:\n    assert f(2) == 4\nexcept ValueError:\n    pass",
            "|\ntry:\n    f(2)\nexcept Exception:\n    pass\nassert f(3) == 9",
            "|\ntry:\n    assert f(2) == 4\nexcept Exception:\n    raise KeyError",
            "|\ntry:\n    assert f(2) == 4\nexcept AssertionError:\n    pass\nelse:\n    raise AssertionError",
            "|\nx = 'try:'\nassert f(x) == 2",
        ] {
            assert_eq!(told(test), [""; 0], "{test}");
        }
    }

    #[test]
    fn a_score_that_asks_twice_is_hinted_at() {
        let test = "score: \"1 if best(BIG, 100) <= best_known(1) else 0.5 * (best(BIG, 100) < 9)\"";
        let told_here = told(test);
        assert!(told_here.len() == 1 && told_here[0].contains("calls best(BIG, 100) twice"), "{told_here:?}");
        for other in [
            "best(1) / best(2)",
            "best_known(1) / max(1, best_known(1))",
            "best(1) / scale(2) / scale(2) / root(4) / root(4)",
            "f1(best(1), [f1(2, 3)])",
        ] {
            assert_eq!(told(&format!("score: {other}")), [""; 0], "{other}");
        }
        assert_eq!(told("score: \"best('a') + best('b')\""), [""; 0]);
    }
}
