//! A folder to work in: its checked configuration, its tasks, and the lock that keeps others out.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config::{self, Pipeline};
use crate::digest;
use crate::task::{self, Task};
use crate::yaml::Problems;

/// The configuration's file name.
pub const PIPELINE: &str = "pipeline.yaml";

/// What a folder says is to be done.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its pipeline.yaml.
    pub file: PathBuf,
    /// That, checked.
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
        Problems::check(config::check_stages(&file, &pipeline, &tasks))?;
        Ok(Self { file, pipeline, tasks })
    }

    /// Tells workspaces apart by what decides results.
    pub fn digest(&self) -> String {
        let tasks = self.tasks.iter().map(|task| {
            format!("{} {} {} {:?} {:?}", task.id, task.digest(), task.weight, task.timeout, task.memory)
        });
        let all: Vec<String> = tasks.chain([self.pipeline.sha256.clone()]).collect();
        digest::hex(all.iter().map(String::as_bytes))
    }

    /// Creates the results folder and claims it. Dropping the lock, or dying, gives it back.
    ///
    /// # Errors
    /// [`Taken`] if another agentmill has it; otherwise the folder can't be written.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        let results = &self.pipeline.results;
        std::fs::create_dir_all(results).with_context(|| format!("can't create {}", results.display()))?;
        let path = results.join(".lock");
        let open = File::options().create(true).write(true).truncate(false).open(&path);
        let mut file = open.with_context(|| format!("can't write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Taken(results.clone()).into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).context(format!("can't lock {}", path.display()));
            }
        }
        // Only for people who look; the lock is what counts.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

/// Held while this process works in a folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Another agentmill works in the folder.
#[derive(Debug, thiserror::Error)]
#[error("another agentmill is working in {}", .0.display())]
pub struct Taken(PathBuf);
