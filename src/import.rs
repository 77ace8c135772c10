//! Published benchmark files -> tasks/*.yaml with their tests and reference solutions.
//!
//! One folder per benchmark, one task per entry. What can't be taken is told with its place and reason; everything
//! else is written all the same.

mod entries;
mod humaneval;
mod mbpp;
mod python;
mod render;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;

pub use write::{Wrote, write};

/// A benchmark whose files can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Benchmark {
    /// OpenAI's HumanEval: HumanEval.jsonl or HumanEval.jsonl.gz
    #[value(name = "humaneval")]
    HumanEval,
    /// Google's MBPP: mbpp.jsonl or sanitized-mbpp.json
    Mbpp,
}

impl Benchmark {
    /// The folder below tasks/.
    pub fn folder(self) -> &'static str {
        match self {
            Self::HumanEval => "humaneval",
            Self::Mbpp => "mbpp",
        }
    }
}

/// A task to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The last part of the task's id.
    pub id: String,
    /// What miners are asked for.
    pub prompt: String,
    /// Python that the tests need; may be empty.
    pub setup: String,
    /// In order; never empty.
    pub tests: Vec<DraftTest>,
    /// An agent that scores 100.
    pub solution: String,
}

/// One of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftTest {
    /// Statements that assert.
    pub code: String,
    /// Whether miners may see it.
    pub public: bool,
}

/// Something that was not taken, or not as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Such as `line 3`.
    pub place: String,
    /// A lower-case fragment.
    pub text: String,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Drafts {
    /// What was taken, in the file's order; ids are unique.
    pub drafts: Vec<Draft>,
    /// Entries that were not taken.
    pub refused: Vec<Note>,
    /// Entries of which something was left out.
    pub notes: Vec<Note>,
}

/// What an entry came to: a task and remarks on it, or why it is none.
type Converted = Result<(Draft, Vec<String>), String>;

/// Reads a benchmark's file.
///
/// # Errors
/// The file can't be read, is too large, or holds no entry.
pub fn read(benchmark: Benchmark, file: &Path) -> anyhow::Result<Drafts> {
    let bytes = entries::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let entries = entries::split(&bytes).with_context(|| format!("can't read {}", file.display()))?;
    Ok(convert(benchmark, &entries))
}

fn convert(benchmark: Benchmark, entries: &[entries::Entry<'_>]) -> Drafts {
    let mut drafts = Drafts::default();
    let mut taken: HashMap<String, &str> = HashMap::new();
    for entry in entries {
        let note = |text| Note { place: entry.place.clone(), text };
        let converted = entry.bytes().and_then(|bytes| match benchmark {
            Benchmark::HumanEval => humaneval::convert(bytes),
            Benchmark::Mbpp => mbpp::convert(bytes),
        });
        match converted {
            Ok((draft, remarks)) => match taken.get(&draft.id) {
                Some(place) => drafts.refused.push(note(format!("{} has the id {}, too", place, draft.id))),
                None => {
                    taken.insert(draft.id.clone(), &entry.place);
                    drafts.notes.extend(remarks.into_iter().map(note));
                    drafts.drafts.push(draft);
                }
            },
            Err(reason) => drafts.refused.push(note(reason)),
        }
    }
    drafts
}
