//! Before: what of a miner's present file stays beside new solutions.

use crate::client::generate::wanted::Wanted;
use crate::model::merged::{self, DraftPart};
use crate::task::Task;

/// The parts of a present file that the new ones replace, and those that stay, of all the folder's tasks.
#[must_use]
pub fn split(file: &str, new: &[DraftPart], tasks: &[Task]) -> (Vec<DraftPart>, Vec<DraftPart>) {
    let parts = merged::parts(file).unwrap_or_else(|| vec![whole(file, tasks)]);
    parts.into_iter().partition(|part| is_replaced(part, new, tasks))
}

/// A file that is no merged one: the only part of the task that it names, or nobody's part, as it was written by other means.
fn whole(file: &str, tasks: &[Task]) -> DraftPart {
    let program = file.contains("__main__");
    let part = DraftPart { id: String::new(), prompt: String::new(), program, source: file.to_owned() };
    let Some((id, source)) = merged::single(file) else { return part };
    // Somebody may have gone on writing in it.
    let is_of_another = tasks.iter().any(|task| task.id != id && may_serve(&part, task));
    match tasks.iter().find(|task| task.id == id && !is_of_another) {
        Some(task) => DraftPart {
            id: task.id.clone(),
            prompt: task.prompt.clone(),
            program: Wanted::of(task).program,
            source: source.to_owned(),
        },
        None => part,
    }
}

fn is_replaced(part: &DraftPart, new: &[DraftPart], tasks: &[Task]) -> bool {
    let is_new = |task: &&Task| new.iter().any(|part| part.id == task.id);
    if !part.id.is_empty() {
        return new.iter().any(|new| new.id == part.id);
    }
    // A file from before is told by what it serves.
    let served: Vec<&Task> = tasks.iter().filter(|task| may_serve(part, task)).collect();
    let all = tasks.iter().all(|task| is_new(&task));
    all || !served.is_empty() && served.iter().all(is_new)
}

fn may_serve(part: &DraftPart, task: &Task) -> bool {
    let wanted = Wanted::of(task);
    let functions = !wanted.functions.is_empty() && wanted.lacking(&part.source).is_empty();
    functions || wanted.program && part.program
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn task(id: &str, test: &str) -> Task {
        let yaml = format!("prompt: p\ntests: [{{assert: {test}, public: true}}]");
        Task { id: id.to_owned(), ..crate::task::parse(Path::new("t.yaml"), yaml.as_bytes()).unwrap() }
    }

    fn part(id: &str, source: &str) -> DraftPart {
        DraftPart { id: id.to_owned(), prompt: "p".to_owned(), program: false, source: source.to_owned() }
    }

    #[test]
    fn what_serves_other_tasks_stays() {
        let tasks = [task("f", "f() == 1"), task("g", "g() == 1"), task("p", "output == 'x'")];
        let new = [part("f", "def f(): return 1\n")];
        let stays = |file: &str| !split(file, &new, &tasks).1.is_empty();
        assert!(!stays("def f(): return 0\ndef helper(): pass\n"));
        assert!(stays("def f(): return 0\ndef g(): return 1\n"));
        assert!(stays("def f(): return 0\nif __name__ == '__main__': print('x')\n"));
        assert!(stays("def unknown(): pass\n"));
        assert!(!stays("# ---- f ----\ndef unknown(): pass\n"));
        assert!(stays("# ---- f ----\ndef f(): return 0\ndef g(): return 1\n"));
        assert!(stays("# ---- g ----\ndef g(): return 1\n"));
    }

    #[test]
    fn the_platform_takes_what_is_merged() {
        let parts =
            [part("a", "import os\n\ndef a():\n    '''d'''\n    return 1\n"), part("b/c", "def b(): pass\n")];
        let merged = merged::merge(&parts);
        crate::pipeline::validate::scan(merged.as_bytes(), &[]).unwrap();
        assert!(merged.contains("def b(): pass"));
    }

    #[test]
    fn of_a_merged_file_only_the_same_task_is_replaced() {
        let tasks = [task("f", "f() == 1"), task("g", "g() == 1")];
        let old = [part("g", "def g(): return 1\n"), part("f", "def f(): return 0\n")];
        let file = merged::merge(&old);
        assert_eq!(split(&file, &[part("f", "x")], &tasks).1, [old[0].clone()]);
        assert_eq!(split(&file, &[part("f", "x"), part("g", "x")], &tasks).1, []);
    }
}
