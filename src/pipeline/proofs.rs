//! Proofs: reference solutions that were found to score 100, or not to, each with a digest of all that this depends on, so that
//! `check` and `run` try again only what changed.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{Judge, Limits};
use crate::model::report::{Scored, TestResult, Verdict};
use crate::sandbox::{Fault, Opened, Sandbox, grader_version};
use crate::task::Task;
use crate::util::first_few::first_few;
use crate::util::{atomic_file, digest, line_file, regular};

/// The proofs of a folder: a line each in `results/.proofs`. Only a memory: where it can't be kept, all is proved anew.
pub struct Proofs {
    file: PathBuf,
    known: HashSet<String>,
    judge: Judge,
    image: String,
}

impl Proofs {
    /// Those that are remembered.
    pub fn load(results: &Path, judge: Judge, image: &str) -> Self {
        let file = results.join(".proofs");
        let known = regular::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect();
        Self { file, known, judge, image: image.to_owned() }
    }

    /// The key of a task's proof; None if it has no solution that can be read.
    pub fn key(&self, task: &Task, limits: &Limits) -> Option<String> {
        let solution = fs::read(task.solution.as_ref()?).ok()?;
        let bounds = serde_json::json!([limits, self.judge]).to_string();
        let parts = [task.digest(), bounds, self.image.clone(), grader_version().to_owned()];
        Some(digest::hex(parts.iter().map(String::as_bytes).chain([solution.as_slice()])))
    }

    /// True if the task was proved before, as it is now.
    pub fn has(&self, task: &Task, limits: &Limits) -> bool {
        self.key(task, limits).is_some_and(|key| self.known.contains(&key))
    }

    /// Remembers a proof.
    pub fn add(&self, key: &str) {
        let _ = self.file.parent().map(fs::create_dir_all);
        let file = OpenOptions::new().create(true).append(true).read(true).open(&self.file);
        let _ = file.and_then(|file| line_file::append(&file, format!("{key}\n").as_bytes()));
    }
}

/// A reference solution that `run` tried. Beside the proofs, as `check` remembers none of a task that it has a hint on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The key that a proof would have.
    pub key: String,
    /// The task's id.
    pub task: String,
    /// The reason why it does not score 100; None if it does.
    pub why: Option<String>,
}

impl Tried {
    /// Name of the file below the results folder.
    pub const FILE: &str = ".solutions.json";

    /// Those that are remembered.
    pub fn load(results: &Path) -> Vec<Self> {
        let bytes = regular::read(results.join(Self::FILE)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Remembers these and no others, for the owner only: the reasons tell of hidden tests.
    ///
    /// # Errors
    /// The file can't be written; the message names it.
    pub fn keep(all: &[Self], results: &Path) -> io::Result<()> {
        fs::create_dir_all(results)?;
        let bytes = serde_json::to_vec(all)?;
        atomic_file::replace_private(&results.join(Self::FILE), |out| out.write_all(&bytes)).map(drop)
    }
}

/// Runs a task's reference solution in a cell of its own, as any agent; the reason why it does not score 100, or None.
///
/// # Errors
/// It could not be judged.
pub fn try_solution(
    task: &Task,
    source: Vec<u8>,
    limits: &Limits,
    sandbox: &dyn Sandbox,
) -> Result<Option<String>, Fault> {
    Ok(match sandbox.open(source, limits)? {
        Opened::Refused(refusal) => Some(format!("does not compile: {}", refusal.message)),
        Opened::Ready(mut cell) => failures(&cell.run(task, limits)?),
    })
}

/// The first failed test with its message and the names of those that fail by the same, and of the others the first with its own;
/// None if all passed.
fn failures(scored: &Scored) -> Option<String> {
    let failed = scored.tests.iter().filter(|test| test.verdict != Verdict::Passed).collect::<Vec<_>>();
    let first = failed.first()?;
    let (alike, others): (Vec<&TestResult>, Vec<_>) =
        failed.iter().skip(1).partition(|test| test.message == first.message);
    let mut told = format!("does not score 100: {}", told(first, &alike));
    if let Some((other, rest)) = others.split_first() {
        let (alike, rest): (Vec<&TestResult>, Vec<_>) =
            rest.iter().partition(|test| test.message == other.message);
        told += &format!("; {}", self::told(other, &alike));
        let rest = first_few(rest.iter().map(|test| &test.name));
        if !rest.is_empty() {
            told += &format!("; and for other reasons {rest}");
        }
    }
    Some(told)
}

/// A failed test with its message, and the names of others that are told with it.
fn told(test: &TestResult, others: &[&TestResult]) -> String {
    let others = first_few(others.iter().map(|test| &test.name));
    let others = if others.is_empty() { others } else { format!(" (and so {others})") };
    format!("{}{others}: {}", test.name, test.message.as_deref().unwrap_or_default())
}
