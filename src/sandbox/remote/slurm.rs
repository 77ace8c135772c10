//! Cells as steps and jobs of Slurm: what `srun` is asked for, and how they are found and ended.

use std::time::Duration;

use tracing::{debug, warn};

use crate::config::Limits;
use crate::util::command::ask;

/// How long a question to Slurm's controller may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Memory beside the cell's own: the engine's clients.
const CLIENTS: u64 = 128 << 20;

/// Every job or step, as id and name. Inside an allocation a cell is a step of it, else a job of its own.
const LISTS: [&[&str]; 2] = [&["--format=%A %j"], &["--steps", "--format=%i %j"]];

/// One folder's part of a cluster.
#[derive(Debug)]
pub struct Slurm {
    folder: String,
}

impl Slurm {
    /// Of this folder.
    pub fn new(folder: &str) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Options of a cell's step: one task on one node with the cell's CPU and memory, found by its name, its bytes passed on as
    /// they come.
    pub fn options(&self, name: &str, limits: &Limits, shunned: &[String]) -> Vec<String> {
        let mut options = vec![
            format!("--job-name={name}@{}", self.folder),
            "--nodes=1".into(),
            "--ntasks=1".into(),
            format!("--cpus-per-task={}", limits.cpus.ceil()),
            format!("--mem={}M", (limits.memory + CLIENTS).div_ceil(1 << 20)),
            "--exact".into(), // a step takes these and leaves the rest of its allocation to others
            "--unbuffered".into(), // else bytes wait for a line's end
            "--mpi=none".into(),
            "--chdir=/".into(), // the working directory need not be there on other machines
        ];
        if !shunned.is_empty() {
            options.push(format!("--exclude={}", shunned.join(",")));
        }
        options
    }

    /// Ends this folder's cells of which `chosen` says so by their name, waiting or running.
    pub fn cancel(&self, chosen: impl Fn(&str) -> bool) {
        let listed = LISTS.iter().flat_map(|format| self.list(format));
        let ids: Vec<String> = listed.filter(|(_, name)| chosen(name)).map(|(id, _)| id).collect();
        if !ids.is_empty() {
            debug!(?ids, "cancelling cells");
            let ids = ids.iter().map(String::as_str);
            ask_slurm("scancel", &std::iter::once("--quiet").chain(ids).collect::<Vec<_>>());
        }
    }

    /// Ids of this folder's jobs or steps, each with its cell's name.
    fn list(&self, format: &[&str]) -> Vec<(String, String)> {
        let listed = ask_slurm("squeue", &[&["--me", "--noheader"], format].concat());
        let ours = |line: &str| {
            let (id, job) = line.trim().split_once(' ')?;
            let (name, folder) = job.rsplit_once('@')?;
            (folder == self.folder).then(|| (id.to_owned(), name.to_owned()))
        };
        listed.lines().filter_map(ours).collect()
    }
}

/// The output of a command of Slurm; nothing if it fails. A cell that can't be ended ends by itself when its input does.
fn ask_slurm(program: &str, args: &[&str]) -> String {
    ask(program, args, PATIENCE).unwrap_or_else(|reason| {
        warn!(program, reason, "Slurm does not answer");
        String::new()
    })
}
