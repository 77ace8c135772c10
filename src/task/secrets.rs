//! Secrets of tasks against the folders that agents find: what a task has to say to judges alone lies in none of them.

use std::path::Path;

use crate::task::folder::{Folder, holds};
use crate::task::{Case, Form, Judging, Task};
use crate::yaml::{Log, Problem};

/// Drops mistakes in files that lie in a task's folder: they are that task's data, and no tasks.
pub(super) fn without_data(tasks: &[Task], problems: Vec<Problem>) -> Vec<Problem> {
    let is_data = |problem: &Problem| folders(tasks).any(|(_, folder)| holds(&folder.path, &problem.file));
    problems.into_iter().filter(|problem| !is_data(problem)).collect()
}

/// Mistakes of folders in which agents would find a task, a solution, or what decides on an output.
pub(super) fn check(tasks: &[Task]) -> Vec<Problem> {
    folders(tasks).flat_map(|(owner, folder)| found(owner, folder, tasks)).collect()
}

fn folders(tasks: &[Task]) -> impl Iterator<Item = (&Task, &Folder)> {
    tasks.iter().filter_map(|task| Some((task, task.files.as_deref()?)))
}

fn found(owner: &Task, folder: &Folder, tasks: &[Task]) -> Vec<Problem> {
    let log = Log::new(&owner.path);
    for task in tasks {
        for (kind, secret) in secrets(task) {
            if holds(&folder.path, secret) {
                let name = secret.strip_prefix(&folder.path).unwrap_or(secret).display();
                log.add(
                    folder.at,
                    "files",
                    format!("{name}: {kind} of task {:?} must lie elsewhere", task.id),
                );
            }
        }
    }
    log.into_problems()
}

/// Files of a task that no agent may see. Inputs of cases are no such files: agents are told them.
fn secrets(task: &Task) -> impl Iterator<Item = (&'static str, &Path)> {
    let answers = task.tests.iter().filter_map(|test| match &test.form {
        Form::Case(case) => hidden_file(case),
        Form::Statement | Form::AssertField | Form::Score => None,
    });
    let solution = task.solution.as_deref().map(|path| ("the solution", path));
    [("the file", task.path.as_path())].into_iter().chain(solution).chain(answers)
}

/// The answer; where an interactor needs none, what it knows.
fn hidden_file(case: &Case) -> Option<(&'static str, &Path)> {
    match (&case.answer, &*case.judging) {
        (Some(answer), _) => Some(("an answer", answer.path.as_path())),
        (None, Judging::Interactor(_)) => Some(("an interactor's input", case.input.path.as_path())),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::task::load;

    #[test]
    fn no_agent_is_given_a_task_a_solution_or_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/data/solution.py", "");
        write("a/data/c/1.in", "");
        write("a/data/c/1.out", "");
        write("a/data/inner.yaml", "prompt: p\ntests: [assert f()]\n");
        write("a/data/broken.yaml", "just: data\n");
        write("a/t.yaml", "prompt: p\ntests: [assert f()]\nfiles: data\nsolution: data/solution.py\n");
        write("b.yaml", "prompt: p\ncases: a/data/c\n");
        let told = load(dir.path()).unwrap_err().to_string();
        let lines: Vec<_> = told.lines().map(|line| line.split("/a/t.yaml:").nth(1).unwrap()).collect();
        assert_eq!(
            lines,
            [
                "3:8: files: c/1.out: an answer of task \"b\" must lie elsewhere",
                "3:8: files: inner.yaml: the file of task \"a/data/inner\" must lie elsewhere",
                "3:8: files: solution.py: the solution of task \"a/t\" must lie elsewhere",
            ]
        );
        write("a/t.yaml", "prompt: p\ntests: [assert f()]\nfiles: .\n");
        assert!(load(dir.path()).unwrap_err().to_string().contains("must not hold the task's own file"));
    }
}
