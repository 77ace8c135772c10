//! Task drafts: tasks to be written, and notes on entries that are not.

use std::collections::HashMap;
use std::path::PathBuf;

/// A task to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The last part of the task's id.
    pub id: String,
    /// The task's prompt.
    pub prompt: String,
    /// Python that the tests need; may be empty.
    pub setup: String,
    /// In order; empty only where there are cases.
    pub tests: Vec<DraftTest>,
    /// Folders of cases.
    pub cases: Vec<DraftCases>,
    /// Other fields of the task with their values, such as `timeout: 20s`.
    pub limits: Vec<(&'static str, String)>,
    /// Files beside the task.
    pub files: Vec<DraftFile>,
    /// An agent that scores 100, where there is one.
    pub solution: Option<String>,
}

/// One of its tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftTest {
    /// Its name; by its place when not given.
    pub name: Option<String>,
    /// Statements that assert.
    pub code: String,
    /// True if miners may see it.
    pub public: bool,
}

/// A folder of cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftCases {
    /// Its path, seen from the task.
    pub folder: String,
    /// Other fields with their values in YAML, such as `compare: exact`.
    pub fields: Vec<(&'static str, String)>,
    /// True if miners may see them.
    pub public: bool,
}

/// A file beside a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFile {
    /// Its path, seen from the task.
    pub name: String,
    /// Its bytes.
    pub content: Content,
}

/// Bytes of a file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These.
    Text(String),
    /// Those of a file.
    Copy(PathBuf),
}

/// Note on an entry that was left out, or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Such as `line 3`.
    pub place: String,
    /// A lower-case fragment.
    pub text: String,
}

/// Contents of a file.
#[derive(Debug, Default)]
pub struct Drafts {
    /// Tasks to be written, in the file's order; ids are unique.
    pub drafts: Vec<Draft>,
    /// Entries that can't become tasks.
    pub refused: Vec<Note>,
    /// Entries of which something was left out.
    pub notes: Vec<Note>,
    /// The folder that files to be copied were unpacked into.
    pub(super) unpacked: Option<tempfile::TempDir>,
    /// The places of the tasks, by their ids.
    taken: HashMap<String, String>,
}

impl Drafts {
    /// Takes what became of an entry. Where another has its id, or two of its files would be one, it is refused.
    pub(super) fn take(&mut self, place: &str, converted: Converted) {
        let note = |text| Note { place: place.to_owned(), text };
        match converted.and_then(|(draft, remarks)| self.only(place, draft).map(|draft| (draft, remarks))) {
            Ok((draft, remarks)) => {
                self.notes.extend(remarks.into_iter().map(note));
                self.drafts.push(draft);
            }
            Err(reason) => self.refused.push(note(reason)),
        }
    }

    fn only(&mut self, place: &str, draft: Draft) -> Result<Draft, String> {
        if let Some(other) = self.taken.get(&draft.id) {
            return Err(format!("{other} has the id {}, too", draft.id));
        }
        let mut files: HashMap<&str, &Content> = HashMap::new();
        for DraftFile { name, content } in &draft.files {
            if let Some(first) = files.insert(name, content) {
                return Err(format!("{first} and {content} would both become {name}"));
            }
        }
        self.taken.insert(draft.id.clone(), place.to_owned());
        Ok(draft)
    }
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("a text"),
            Self::Copy(path) => path.display().fmt(f),
        }
    }
}

/// An entry's conversion: a task and remarks on it, or the reason why it can't be one.
pub type Converted = Result<(Draft, Vec<String>), String>;
