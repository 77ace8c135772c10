//! `pipeline.yaml`: raw -> checked; all mistakes at once, each with file:line:column and field.

pub(crate) mod check;
mod doors;
mod read;
mod stages;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobSet;
use regex::Regex;

use crate::yaml::{self, Log, Position, Problems};

pub use doors::{Llm, Serve};
pub use stages::check_stages;

/// A checked `pipeline.yaml`. Paths are absolute or relative to the folder that holds it.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The folder miners drop files into.
    pub inbox: PathBuf,
    /// The folder of task files.
    pub tasks: PathBuf,
    /// The folder results are written to.
    pub results: PathBuf,
    /// What a submission must satisfy before it runs.
    pub validate: Validate,
    /// How cells are made.
    pub sandbox: Sandbox,
    /// Agents evaluated at the same time.
    pub parallel: NonZeroUsize,
    /// In the order agents go through them; never empty.
    pub stages: Vec<Stage>,
    /// How the pool is shared.
    pub rewards: Rewards,
    /// Who writes code for miners.
    pub llm: Llm,
    /// The HTTP doors.
    pub serve: Serve,
    /// Hex sha256 of the file's bytes.
    pub sha256: String,
}

/// The `validate` section.
#[derive(Debug, Clone)]
pub struct Validate {
    /// Largest accepted submission, in bytes.
    pub max_bytes: u64,
    /// A match anywhere in the source refuses the submission.
    pub forbid: Vec<Regex>,
}

/// The `sandbox` section.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The container engine's command.
    pub engine: Engine,
    /// Image of cells and judges.
    pub image: String,
    /// OCI runtime passed to the engine, such as `runsc`.
    pub runtime: Option<String>,
    /// Whether an agent's tasks share one cell.
    pub cell_per: CellPer,
    /// Command put before the engine's own, such as `[srun, --quiet, -n1]`.
    pub launch: Vec<String>,
    /// How long a launched cell may take until it is ready, its wait in a queue included.
    pub launch_timeout: Duration,
    /// How long an engine that went away is waited for before runs stay unscored.
    pub wait_for_engine: Duration,
    /// Bounds of every run unless a stage or task says otherwise.
    pub limits: Limits,
}

/// The container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Docker Engine.
    Docker,
    /// Podman.
    Podman,
}

/// How long a cell lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CellPer {
    /// One cell serves all runs of an agent, each in a fresh process.
    Agent,
    /// Every run gets a cell of its own.
    Task,
}

/// Bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Limits {
    /// Agent time per run, from *ready* and by the host's clock.
    pub timeout: Duration,
    /// Memory of the cell in bytes, swap off.
    pub memory: u64,
    /// CPUs the cell may use; fractions allowed.
    pub cpus: f64,
    /// Processes and threads in the cell.
    pub pids: u32,
    /// Bytes a run may print on stdout and stderr together.
    pub output: u64,
    /// Size of the cell's writable /tmp in bytes (counts as memory).
    pub tmp: u64,
}

/// A set of tasks with a pass mark.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Unique among the stages.
    pub name: String,
    /// Which task ids belong to it.
    pub tasks: GlobSet,
    /// Score 0-100 needed to go on to the next stage and to earn rewards.
    pub pass_mark: f64,
    /// The pipeline's limits with this stage's overrides applied.
    pub limits: Limits,
}

/// The `rewards` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewards {
    /// What is shared out, in tokens.
    pub pool: f64,
    /// The token's name, such as `TAO`.
    pub token: String,
    /// Who gets how much.
    pub split: Split,
}

/// How the pool is shared.
#[derive(Debug, Clone, PartialEq)]
pub enum Split {
    /// By score.
    Proportional,
    /// All to the best; ties share.
    Winner,
    /// Percent of the pool for ranks 1, 2, 3...; ties share the places they hold.
    Places(Vec<f64>),
}

/// The shipped `pipeline.yaml`, which is also what `init` writes.
pub const DEFAULT: &str = include_str!("../../pipeline.yaml");

/// Reads and checks `file`; relative folders in it are taken from the file's own folder.
///
/// # Errors
/// Every mistake in the file at once.
pub fn load(file: &Path) -> Result<Pipeline, Problems> {
    let log = Log::new(file);
    if matches!(file.try_exists(), Ok(false)) {
        let advice = "no such file; `agentmill init` makes a folder to work in, -C names another one";
        log.add(Position::default(), "", advice);
        return log.finish(None);
    }
    let pipeline = yaml::read_file(&log).and_then(|bytes| read::pipeline(&log, file, &bytes));
    log.finish(pipeline)
}

/// Like [`load`], for `bytes` that would stand in `file`.
///
/// # Errors
/// Every mistake in the file at once.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Pipeline, Problems> {
    let log = Log::new(file);
    let pipeline = read::pipeline(&log, file, bytes);
    log.finish(pipeline)
}
