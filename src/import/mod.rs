//! Import of published benchmarks: their files become tasks/*.yaml with tests and reference solutions, and published samples
//! become agents.
//!
//! One folder per benchmark, one task per entry. Entries that can't become tasks are reported with place and reason;
//! the others are written all the same.

mod cases;
mod draft;
mod entries;
mod evalplus;
mod folder;
mod guess;
mod humaneval;
mod kattis;
mod limits;
mod livecodebench;
mod mbpp;
pub(crate) mod python;
mod quixbugs;
mod render;
mod samples;
mod statement;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use clap::builder::PossibleValue;

pub use crate::import::draft::{Content, Converted, Draft, DraftCases, DraftFile, DraftTest, Drafts, Note};
pub use crate::import::livecodebench::with_imports;
pub use crate::import::samples::{Programs, Samples, programs, read as read_samples};
pub use crate::import::write::{Wrote, write};

/// A source of tasks that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Benchmark {
    /// OpenAI's HumanEval: HumanEval.jsonl or HumanEval.jsonl.gz
    #[value(name = "humaneval")]
    HumanEval,
    /// Google's MBPP: mbpp.jsonl or sanitized-mbpp.json
    Mbpp,
    /// HumanEval+ and MBPP+: HumanEvalPlus.jsonl or MbppPlus.jsonl, base and plus inputs
    #[value(name = "evalplus")]
    EvalPlus,
    /// LiveCodeBench: a test*.jsonl of its problems
    #[value(name = "livecodebench")]
    LiveCodeBench,
    /// QuixBugs: a checkout of its repository
    #[value(name = "quixbugs")]
    QuixBugs,
    /// A problem package of Kattis and the ICPC: its folder, or a zip of it
    Kattis,
    /// Folders of inputs and outputs: a task for each
    Cases,
}

/// Something that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tasks.
    Tasks(Benchmark),
    /// Agents.
    Samples,
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        use Benchmark::*;
        &[
            Self::Tasks(HumanEval),
            Self::Tasks(Mbpp),
            Self::Tasks(EvalPlus),
            Self::Tasks(LiveCodeBench),
            Self::Tasks(QuixBugs),
            Self::Tasks(Kattis),
            Self::Tasks(Cases),
            Self::Samples,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = "Samples of a model as HumanEval and EvalPlus publish them: agents in the inbox";
        match self {
            Self::Tasks(benchmark) => benchmark.to_possible_value(),
            Self::Samples => Some(PossibleValue::new("samples").help(help)),
        }
    }
}

impl Benchmark {
    /// The folder below tasks/.
    pub fn folder(self) -> &'static str {
        match self {
            Self::HumanEval => "humaneval",
            Self::Mbpp => "mbpp",
            Self::EvalPlus => "evalplus",
            Self::LiveCodeBench => "livecodebench",
            Self::QuixBugs => "quixbugs",
            Self::Kattis => "kattis",
            Self::Cases => "cases",
        }
    }
}

/// Reads a benchmark's file or folder.
///
/// # Errors
/// It can't be read, is too large, or holds no entry.
pub fn read(benchmark: Benchmark, path: &Path) -> anyhow::Result<Drafts> {
    let mut left = livecodebench::MAX_UNPACKED;
    let drafts = match benchmark {
        Benchmark::HumanEval => lines(benchmark, path, SMALL, humaneval::convert),
        Benchmark::Mbpp => lines(benchmark, path, SMALL, mbpp::convert),
        Benchmark::EvalPlus => lines(benchmark, path, SMALL, evalplus::convert),
        Benchmark::LiveCodeBench => {
            let most = (livecodebench::MAX_FILE, livecodebench::MAX_ENTRY);
            lines(benchmark, path, most, |bytes| livecodebench::convert(bytes, &mut left))
        }
        Benchmark::QuixBugs => quixbugs::read(path),
        Benchmark::Kattis => kattis::read(path),
        Benchmark::Cases => cases::read(path),
    };
    drafts.with_context(|| format!("can't read {}", path.display()))
}

/// Most bytes of a file and of an entry, where neither holds inputs by the megabyte.
const SMALL: (u64, usize) = (entries::MAX_FILE, entries::MAX_ENTRY);

/// The drafts of a file of entries.
fn lines(
    benchmark: Benchmark,
    path: &Path,
    (of_file, of_entry): (u64, usize),
    convert: impl FnMut(&[u8]) -> Converted,
) -> anyhow::Result<Drafts> {
    let bytes = entries::read(path, of_file)?;
    let entries = entries::split(&bytes)?;
    let drafts = drafts(&entries, of_entry, convert);
    if drafts.drafts.is_empty() {
        guess::refuse_other_kind(benchmark.folder(), &entries, path)?;
    }
    Ok(drafts)
}

fn drafts(
    entries: &[entries::Entry<'_>],
    most: usize,
    mut convert: impl FnMut(&[u8]) -> Converted,
) -> Drafts {
    let mut drafts = Drafts::default();
    for entry in entries {
        drafts.take(&entry.place, entry.bytes(most).and_then(&mut convert));
    }
    drafts
}
