//! Marked cases: inputs that begin with a byte order mark, as an editor saves it, which an agent reads as a part of the first word.

use std::fs::File;
use std::io::Read;

use crate::commands::check::hints::hint;
use crate::task::{Form, Task, Test};
use crate::yaml::Problem;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// Hints at the first such case of each task.
pub(super) fn marked(tasks: &[Task]) -> Vec<Problem> {
    tasks.iter().filter_map(of_task).collect()
}

fn of_task(task: &Task) -> Option<Problem> {
    let test = task.tests.iter().find(|test| is_marked(test))?;
    let message = format!(
        "the input of {} begins with a byte order mark, which the agent reads before the first word; save it as UTF-8 without one",
        test.name
    );
    Some(hint(task, test.assertion.line, test.field(), message))
}

fn is_marked(test: &Test) -> bool {
    let Form::Case(case) = &test.form else { return false };
    let mut begin = [0; MARK.len()];
    let read = File::open(&case.input.path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == MARK
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::task;

    #[test]
    fn an_input_with_a_mark_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("s")).unwrap();
        for (name, text) in [("1.in", "5"), ("1.out", "5"), ("2.in", "\u{feff}5"), ("2.out", "5")] {
            fs::write(dir.path().join("s").join(name), text).unwrap();
        }
        fs::write(dir.path().join("t.yaml"), "prompt: p\ncases: s\n").unwrap();
        let told = marked(&task::load(dir.path()).unwrap());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].message.starts_with("the input of s/2 begins with a byte order mark"), "{told:?}");
    }
}
