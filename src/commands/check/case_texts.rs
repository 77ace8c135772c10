//! Hints at the texts of cases as editors save them: a byte order mark or a carriage return is a part of what the agent reads, and other
//! encodings than UTF-8 are no text to it.

use crate::commands::check::hints::hint;
use crate::task::{Case, DataFile, Form, LineEnds, Task, Test};
use crate::yaml::Problem;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// Hints at the first case of each task that has such a text.
pub(super) fn odd(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    task.tests.iter().find_map(|test| of_test(task, test))
}

fn of_test(task: &Task, test: &Test) -> Option<Problem> {
    let Form::Case(Case { input, answer, .. }) = &test.form else { return None };
    let told = |what: &str, file: &DataFile| {
        let odd = oddity(file, what == "input")?;
        Some(format!("the {what} of {}, {}, {odd}", test.name, file.name()))
    };
    let message =
        told("input", input).or_else(|| answer.as_ref().and_then(|answer| told("answer", answer)))?;
    Some(hint(task, test.assertion.line, test.field(), message))
}

/// The words about what is odd in a file.
fn oddity(file: &DataFile, is_read_by_agent: bool) -> Option<&'static str> {
    let bytes = file.read().ok()?;
    if str::from_utf8(&bytes).is_err() {
        return Some("is not UTF-8, as agents read and print it; save it so");
    }
    if bytes.starts_with(MARK) {
        return Some(match is_read_by_agent {
            true => {
                "begins with a byte order mark, which the agent reads before the first word; save it as UTF-8 without one"
            }
            false => {
                "begins with a byte order mark, which is a part of the first word; save it as UTF-8 without one"
            }
        });
    }
    let is_kept = is_read_by_agent && file.line_ends == LineEnds::Mixed;
    is_kept.then_some(
        "has carriage returns, \\r, but not at the end of each line: the agent reads them as they are; save it with one kind of line ends",
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::task;

    /// The hints at a task of one sound case and one of these texts.
    fn told(input: &[u8], answer: &[u8]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("s")).unwrap();
        for (name, text) in [("1.in", &b"5\r\n"[..]), ("1.out", b"5"), ("2.in", input), ("2.out", answer)] {
            fs::write(dir.path().join("s").join(name), text).unwrap();
        }
        fs::write(dir.path().join("t.yaml"), "prompt: p\ncases: s\n").unwrap();
        odd(&task::load(dir.path()).unwrap()).into_iter().map(|hint| hint.message).collect()
    }

    #[test]
    fn texts_that_are_not_what_they_seem_are_told_once() {
        let odd: [(&[u8], &[u8], &str); 5] = [
            (
                b"\xef\xbb\xbf5",
                b"5",
                "the input of s/2, 2.in, begins with a byte order mark, which the agent",
            ),
            (b"5", b"\xef\xbb\xbf5", "the answer of s/2, 2.out, begins with a byte order mark, which is"),
            (b"5", b"tsch\xfcss", "the answer of s/2, 2.out, is not UTF-8"),
            (b"tsch\xfcss", b"tsch\xfcss", "the input of s/2, 2.in, is not UTF-8"),
            (b"5\r\n6\n", b"5", "the input of s/2, 2.in, has carriage returns, \\r, but not at the end of"),
        ];
        for (input, answer, words) in odd {
            let told = told(input, answer);
            assert!(told.len() == 1 && told[0].starts_with(words), "{told:?}");
        }
        assert_eq!(told(b"5\r\n6\r\n", b"5\r\n"), [""; 0], "an agent reads the line ends of Linux");
    }
}
