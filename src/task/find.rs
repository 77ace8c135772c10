//! Search for the task files below a folder, and their ids.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::yaml::{Log, Position, Problem};

/// Every task's id and file, by id; and what is wrong with names and folders.
///
/// Hidden files are skipped. Links to files are followed, links to folders are not.
pub(super) fn files(dir: &Path) -> (BTreeMap<String, PathBuf>, Vec<Problem>) {
    let mut found =
        Found { dir, tasks: BTreeMap::new(), problems: Vec::new(), folders: vec![dir.to_owned()] };
    while let Some(folder) = found.folders.pop() {
        if let Err(error) = found.folder(&folder) {
            found.complain(&folder, reason(&error));
        }
    }
    if found.tasks.is_empty() && found.problems.is_empty() {
        found.complain(dir, "no task (*.yaml) in this folder".to_owned());
    }
    (found.tasks, found.problems)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such folder".to_owned(),
        io::ErrorKind::NotADirectory => "not a folder".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

struct Found<'a> {
    dir: &'a Path,
    tasks: BTreeMap<String, PathBuf>,
    problems: Vec<Problem>,
    /// Folders still to be read.
    folders: Vec<PathBuf>,
}

impl Found<'_> {
    fn complain(&mut self, path: &Path, message: String) {
        let log = Log::new(path);
        log.add(Position::default(), "", message);
        self.problems.extend(log.into_problems());
    }

    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            self.entry(&entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry) -> io::Result<()> {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return Ok(());
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            self.folders.push(path);
        } else if kind.is_symlink() && path.is_dir() {
            self.complain(&path, "links to folders are not followed; link the files".to_owned());
        } else if is_yaml(&path) {
            self.task(path);
        }
        Ok(())
    }

    fn task(&mut self, path: PathBuf) {
        let Some(id) = id(self.dir, &path) else {
            let rule =
                "names of tasks and their folders must match [a-z0-9][a-z0-9_.-]* and end in .yaml or .yml";
            return self.complain(&path, rule.to_owned());
        };
        match self.tasks.get(&id) {
            Some(first) => {
                let message = format!("task {id:?} exists already as {}", first.display());
                self.complain(&path, message);
            }
            None => {
                self.tasks.insert(id, path);
            }
        }
    }
}

fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml")
}

/// `strings/reverse` for `tasks/strings/reverse.yaml`.
fn id(dir: &Path, path: &Path) -> Option<String> {
    let inside = path.strip_prefix(dir).ok()?;
    let parts = inside.iter().map(|part| part.to_str()).collect::<Option<Vec<_>>>()?;
    let id = parts.join("/");
    let id = id.strip_suffix(".yaml").or_else(|| id.strip_suffix(".yml"))?;
    id.split('/').all(is_component).then(|| id.to_owned())
}

fn is_component(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(letter) && name.chars().all(|c| letter(c) || "_.-".contains(c))
}
