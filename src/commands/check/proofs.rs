//! Proofs: solutions that were found to score 100, each with a digest of all that this depends on, so that `check` runs
//! again only what changed.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::config::{Judge, Limits};
use crate::sandbox::grader_version;
use crate::task::Task;
use crate::util::digest;

/// The proofs of a folder: a line each in `results/.proofs`. Only a memory: where it can't be kept, all is proved anew.
pub(super) struct Proofs {
    file: PathBuf,
    known: HashSet<String>,
    judge: Judge,
    image: String,
}

impl Proofs {
    /// Those that are remembered.
    pub(super) fn load(results: &Path, judge: Judge, image: &str) -> Self {
        let file = results.join(".proofs");
        let known = fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect();
        Self { file, known, judge, image: image.to_owned() }
    }

    /// The key of a task's proof; None if it has no solution that can be read.
    pub(super) fn key(&self, task: &Task, limits: &Limits) -> Option<String> {
        let solution = fs::read(task.solution.as_ref()?).ok()?;
        let bounds = serde_json::json!([limits, self.judge]).to_string();
        let parts = [task.digest(), bounds, self.image.clone(), grader_version().to_owned()];
        Some(digest::hex(parts.iter().map(String::as_bytes).chain([solution.as_slice()])))
    }

    /// True if the task was proved before, as it is now.
    pub(super) fn has(&self, task: &Task, limits: &Limits) -> bool {
        self.key(task, limits).is_some_and(|key| self.known.contains(&key))
    }

    /// Remembers a proof.
    pub(super) fn add(&self, key: &str) {
        let _ = self.file.parent().map(fs::create_dir_all);
        let file = OpenOptions::new().create(true).append(true).open(&self.file);
        let _ = file.and_then(|mut file| file.write_all(format!("{key}\n").as_bytes()));
    }
}
