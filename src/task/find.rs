//! Search for the task files below a folder, and their ids.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::util::text::in_ascii;
use crate::yaml::{Log, Position, Problem};

/// Most bytes that are read of a file to see whether it looks like a task.
const MOST_LOOKED_AT: u64 = 64 << 10;

/// Every task's id and file, by id; and what is wrong with names and folders.
///
/// Hidden files are skipped. Links to files are followed, links to folders are not.
pub(super) fn files(dir: &Path) -> (BTreeMap<String, PathBuf>, Vec<Problem>) {
    let mut found = Found::below(dir);
    if found.tasks.is_empty() && found.problems.is_empty() {
        found.complain(dir, "no task (*.yaml) in this folder".to_owned());
        found.problems.extend(misnamed(dir));
    }
    (found.tasks, found.problems)
}

/// A problem for each file that looks like a task, but for the end of its name: none, or that of a text.
pub(super) fn misnamed(dir: &Path) -> Vec<Problem> {
    let Found { unnamed, .. } = Found::below(dir);
    let mut found = Found::empty(dir);
    for path in unnamed.iter().filter(|path| looks_like_a_task(path)) {
        found.complain(path, "looks like a task, but its name does not end in .yaml: rename it".to_owned());
    }
    found.problems
}

fn looks_like_a_task(path: &Path) -> bool {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST_LOOKED_AT).read_to_string(&mut text));
    let has = |field: &str| text.lines().any(|line| line.starts_with(field));
    read.is_ok() && has("prompt:") && (has("tests:") || has("cases:"))
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
    /// Files that may be tasks without the end of their names.
    unnamed: Vec<PathBuf>,
}

impl<'a> Found<'a> {
    fn empty(dir: &'a Path) -> Self {
        Self { dir, tasks: BTreeMap::new(), problems: Vec::new(), folders: Vec::new(), unnamed: Vec::new() }
    }

    fn below(dir: &'a Path) -> Self {
        let mut found = Self { folders: vec![dir.to_owned()], ..Self::empty(dir) };
        while let Some(folder) = found.folders.pop() {
            if let Err(error) = found.folder(&folder) {
                found.complain(&folder, reason(&error));
            }
        }
        found
    }

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
        } else if kind.is_file() && path.extension().is_none_or(|ending| ending == "txt") {
            self.unnamed.push(path);
        }
        Ok(())
    }

    fn task(&mut self, path: PathBuf) {
        let Some(id) = id(self.dir, &path) else {
            let rule = "tasks and their folders are named by a-z, 0-9, \"_\", \"-\" and \".\", beginning with a letter or digit";
            return self.complain(&path, format!("{rule}; call it {}", allowed(self.dir, &path)));
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

/// A path that a task may have, as near as can be to the one that it has.
fn allowed(dir: &Path, path: &Path) -> String {
    let inside = in_ascii(&path.strip_prefix(dir).unwrap_or(path).to_string_lossy());
    let letter = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    let component = |name: &str| {
        let name: String = name.chars().map(letter).collect();
        let name = name.trim_start_matches(['_', '.', '-']);
        if is_component(name) { name.to_owned() } else { format!("task{name}") }
    };
    inside.split('/').map(component).collect::<Vec<_>>().join("/")
}

fn is_component(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(letter) && name.chars().all(|c| letter(c) || "_.-".contains(c))
}
