//! Before: what of a miner's present file stays beside new solutions.

use crate::client::generate::wanted::Wanted;
use crate::model::merged::{self, DraftPart};
use crate::task::Task;

/// The parts of a present file that the new ones don't replace, of all the folder's tasks.
#[must_use]
pub fn kept(file: &str, new: &[DraftPart], tasks: &[Task]) -> Vec<DraftPart> {
    let parts = merged::parts(file).unwrap_or_else(|| vec![whole(file)]);
    parts.into_iter().filter(|part| !is_replaced(part, new, tasks)).collect()
}

/// A file that is nobody's part: it was written by other means, or for one task.
fn whole(file: &str) -> DraftPart {
    let program = file.contains("__main__");
    DraftPart { id: String::new(), prompt: String::new(), program, source: file.to_owned() }
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
        let stays = |file: &str| !kept(file, &new, &tasks).is_empty();
        assert!(!stays("def f(): return 0\ndef helper(): pass\n"));
        assert!(stays("def f(): return 0\ndef g(): return 1\n"));
        assert!(stays("def f(): return 0\nif __name__ == '__main__': print('x')\n"));
        assert!(stays("def unknown(): pass\n"));
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
        assert_eq!(kept(&file, &[part("f", "x")], &tasks), [old[0].clone()]);
        assert_eq!(kept(&file, &[part("f", "x"), part("g", "x")], &tasks), []);
    }
}
