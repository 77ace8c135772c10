//! Programs that no task runs: files of a submission that are called like a task's program, and lie in another folder.

use crate::model::joined;
use crate::task::{Form, Task};

/// The words about the first of them.
pub(super) fn hint(source: &[u8], tasks: &[Task]) -> Option<String> {
    let parts = joined::parts(source).ok().filter(|_| joined::is_joined(source))?;
    let has = |path: &str| parts.iter().any(|part| part.path == path);
    let programs: Vec<(&str, String)> = tasks
        .iter()
        .filter(|task| task.tests.iter().any(|test| matches!(test.form, Form::Case(_))))
        .map(|task| (task.id.as_str(), program(&task.id)))
        .collect();
    parts.iter().find_map(|part| {
        let is_run = part.path == joined::AGENT || programs.iter().any(|(_, program)| program == part.path);
        let called_so = |program: &str| last(program) == last(part.path) && !has(program);
        let (id, program) = programs.iter().find(|(_, program)| !is_run && called_so(program))?;
        Some(format!(
            "{} is run by no task: {id} runs {program}, and agent.py where that is not there",
            part.path
        ))
    })
}

/// The file that is run for a task, if a submission has it.
fn program(id: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '/' { c } else { '_' };
    id.chars().map(word).collect::<String>() + ".py"
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::task;

    #[test]
    fn a_program_in_another_folder_than_its_tasks_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for id in ["cases/sum-2", "other/f"] {
            write(&format!("{id}.yaml"), "prompt: p\ncases: s\n");
            write(&format!("{}/s/1.in", id.split('/').next().unwrap()), "1");
            write(&format!("{}/s/1.out", id.split('/').next().unwrap()), "1");
        }
        let tasks = task::load(dir.path()).unwrap();
        let told = |files: &[&str]| hint(&joined::join(files.iter().map(|file| (*file, &b""[..]))), &tasks);
        assert_eq!(
            told(&["agent.py", "sum_2.py"]).unwrap(),
            "sum_2.py is run by no task: cases/sum-2 runs cases/sum_2.py, and agent.py where that is not there"
        );
        assert_eq!(told(&["agent.py", "cases/sum_2.py", "sum_2.py"]), None, "it may be a module of that");
        assert_eq!(told(&["agent.py", "other/f.py", "tools.py"]), None);
        assert_eq!(hint(b"print(1)", &tasks), None);
    }
}
