//! A folder to work in: its checked configuration, its tasks, and the lock that keeps others out.

mod against_pipeline;
pub mod named;
mod reload;
mod stages;

pub use against_pipeline::{check_files, check_models};
pub use reload::{RIGHT_AGAIN, Reload};
pub use stages::{check_stages, parked};

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config::{self, Pipeline};
use crate::pipeline::report_store::Unwritable;
use crate::task::{self, Task};
use crate::util::{digest, private, regular};
use crate::yaml::Problems;

/// The configuration's file name.
pub const PIPELINE: &str = "pipeline.yaml";

/// A folder's configuration and tasks.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its pipeline.yaml.
    pub file: PathBuf,
    /// Its checked content.
    pub pipeline: Pipeline,
    /// All its tasks, checked but for their Python.
    pub tasks: Vec<Task>,
}

impl Workspace {
    /// Reads the folder's configuration and tasks.
    ///
    /// # Errors
    /// Every mistake in every file at once.
    pub fn open(dir: &Path) -> Result<Self, Problems> {
        let file = dir.join(PIPELINE);
        let pipeline = config::load(&file)?;
        let tasks = task::load(&pipeline.tasks)?;
        let mut problems = check_stages(&file, &pipeline, &tasks);
        problems.extend(check_files(&pipeline, &tasks));
        problems.extend(check_models(&pipeline, &tasks));
        Problems::check(problems)?;
        Ok(Self { file, pipeline, tasks })
    }

    /// Its tasks that a stage runs.
    pub fn staged_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| self.pipeline.stage_of(&task.id).is_some())
    }

    /// Digest of all that decides results, SHA-256 as hex.
    pub fn digest(&self) -> String {
        let tasks = self.tasks.iter().map(Task::whole_digest);
        let pipeline =
            [self.pipeline.sha256.clone(), format!("{:?} {:?}", self.pipeline.roster, self.pipeline.season)];
        let base = self.pipeline.similarity.base.iter().map(|base| digest::sha256(&base.source));
        let all: Vec<String> = tasks.chain(pipeline).chain(base).collect();
        digest::hex(all.iter().map(String::as_bytes))
    }

    /// Creates the results folder and claims it. Dropping the lock, or dying, gives it back.
    ///
    /// # Errors
    /// [`Taken`] if another agentmill has it; [`Unwritable`] if the folder can't be written; or it can't be locked.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        let results = &self.pipeline.results;
        std::fs::create_dir_all(results)
            .with_context(|| Unwritable(format!("can't create {}", results.display())))?;
        let path = results.join(".lock");
        let cant = || Unwritable(format!("can't write {}", path.display()));
        let mut file = private::lock_file(&path).with_context(cant)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Taken(results.clone()).into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).context(format!("can't lock {}", path.display()));
            }
        }
        // Reading it would wait for ever, or never end.
        if let Some(odd) = regular::odd_below(results) {
            return Err(Unwritable(format!("{} is not a regular file; remove it", odd.display())).into());
        }
        // Only for people who look; the lock is what counts.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

/// Lock on a results folder, held while this process works in it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Another agentmill works in the folder.
#[derive(Debug, thiserror::Error)]
#[error("another agentmill is working in {}: wait until it ends, or stop it", .0.display())]
pub struct Taken(PathBuf);

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of a workspace with this task.
    fn digest(task: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tasks")).unwrap();
        std::fs::write(dir.path().join(PIPELINE), "rewards: none\n").unwrap();
        std::fs::write(dir.path().join("tasks/t.yaml"), task).unwrap();
        Workspace::open(dir.path()).unwrap_or_else(|problems| panic!("{problems}")).digest()
    }

    #[test]
    fn all_that_decides_a_verdict_is_in_the_digest_and_nothing_else() {
        const TASK: &str = "prompt: p\ntests:\n  - {assert: f(1) == 1}\n";
        let plain = digest(TASK);
        assert_eq!(digest(&format!("# a comment\n{TASK}")), plain);
        for field in ["setup: x = 1", "weight: 2", "timeout: 3s", "memory: 64MiB", "output: 2KiB"] {
            assert_ne!(digest(&format!("{TASK}{field}\n")), plain, "{field}");
        }
        for field in ["name: n", "weight: 2", "public: true", "timeout: 1s"] {
            assert_ne!(digest(&TASK.replace("}", &format!(", {field}}}"))), plain, "{field}");
        }
    }
}
