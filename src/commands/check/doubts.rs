//! Doubts: texts of tests that say something else than beginners mean by them. A reference solution shows whether they are meant.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::commands::check::hints::hint;
use crate::task::Task;
use crate::yaml::Problem;

/// A pattern of tests' texts.
struct Doubt {
    pattern: &'static str,
    /// True if what was found is to be doubted.
    is_doubtful: fn(&Captures<'_>) -> bool,
    message: &'static str,
}

const DOUBTS: [Doubt; 4] = [
    Doubt {
        pattern: r#"(?:\boutput|\.stdout|\boutput_of\([^()]*\))\s*==\s*(?:"((?:[^"\\\n]|\\.)+)"|'((?:[^'\\\n]|\\.)+)')\s*(?:$|[,;)\n#]|and\b|or\b)"#,
        is_doubtful: |found| {
            !found.get(1).or(found.get(2)).is_some_and(|text| text.as_str().ends_with(r"\n"))
        },
        message: "compares what is printed with a text without a newline at its end, which print adds: say .strip() == or end the text in \\n",
    },
    Doubt {
        pattern: r#"\bagent\.run\([^()]*\)\s*[!=]=\s*f?["']"#,
        is_doubtful: |_| true,
        message: "agent.run(...) is no text, and equals none: compare agent.run(...).stdout",
    },
    Doubt {
        pattern: r"\boutput_of\(\w+\(",
        is_doubtful: |_| true,
        message: "output_of calls a function itself, and this gives it what a call returns: write output_of(f, 2), not output_of(f(2))",
    },
    Doubt {
        pattern: r"\b(\w+)\(([^()]*)\)\s*==\s*-?(\d+\.\d+)\s*(?:$|[,;)\n#]|and\b|or\b)",
        is_doubtful: is_rounded,
        message: "compares with == a fraction that computers only come near to: write approx(NUMBER), which lets rounding pass",
    },
];

static PATTERNS: LazyLock<[Regex; 4]> =
    LazyLock::new(|| DOUBTS.each_ref().map(|doubt| Regex::new(doubt.pattern).expect("a constant pattern")));

/// Doubtful tests of the tasks that have no reference solution; of each kind the first one of a task.
pub(super) fn doubtful(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter(|task| task.solution.is_none()).flat_map(of_task).collect()
}

fn of_task(task: &Task) -> Vec<Problem> {
    let mut told = HashSet::new();
    let tests = task.tests.iter();
    let found = tests.flat_map(|test| messages(&test.assertion.text).map(move |found| (test, found)));
    let first = found.filter(|(_, (kind, _))| told.insert(*kind));
    first.map(|(test, (_, message))| hint(task, test.assertion.line, test.field(), message)).collect()
}

/// The kinds of doubts about a text, each with its message.
fn messages(text: &str) -> impl Iterator<Item = (usize, String)> {
    let told = move |(kind, (doubt, pattern)): (usize, (&Doubt, &Regex))| {
        let found = pattern.captures_iter(text).find(|found| (doubt.is_doubtful)(found))?;
        let number = found.get(3).map_or("", |number| number.as_str());
        Some((kind, doubt.message.replace("NUMBER", number)))
    };
    DOUBTS.iter().zip(&*PATTERNS).enumerate().filter_map(told)
}

/// True of a number that is computed, as it is not given, and has no binary form of 20 digits, as 0.5 and 2.25 have. `round`
/// gives what Python reads of the same digits.
fn is_rounded(found: &Captures<'_>) -> bool {
    let (function, given, number) = (&found[1], &found[2], &found[3]);
    let scaled = number.parse().unwrap_or(0.0) * f64::from(1 << 20);
    function != "round" && !given.contains(number) && scaled.fract() != 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_beginners_write_is_doubted_and_what_is_meant_is_not() {
        for (text, word) in [
            ("assert output == '6'", "newline"),
            ("assert output_of(f, 2) == \"6\" and f(1) == 1", "newline"),
            ("assert agent.run('2') == '6\\n'", ".stdout"),
            ("assert output_of(f(2)) == '6\\n'", "output_of(f, 2)"),
            ("assert half(0.6) == 0.3", "write approx(0.3), "),
            ("assert twice(0.35) == 0.7", "write approx(0.7), "),
            ("assert half(-0.6) == -0.3, 'why'", "approx"),
        ] {
            assert!(messages(text).any(|(_, message)| message.contains(word)), "{text}");
        }
        for text in [
            "assert output == '6\\n'",
            "assert output.strip() == '6'",
            "assert agent.run('2').stdout == '6\\n'",
            "assert output_of(f, 2) == '6\\n'",
            "assert half(1) == 0.5",
            "assert half(0.3) == [0.15]",
            "assert half(0.6) == approx(0.3)",
            "assert round(half(0.6), 2) == 0.3",
            "assert round(x, 2) == 0.3",
            "assert parse('0.3') == 0.3",
        ] {
            assert_eq!(messages(text).next(), None, "{text}");
        }
    }
}
