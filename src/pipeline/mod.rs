//! One pass: intake -> validate -> evaluate -> score -> publish.
//!
//! ```text
//!            ┌─────────────────── pass: the loop ───────────────────┐
//! wakes ───▶ │ schedule: list, look, publish or wait?               │
//!            │ submissions: what lies in the inbox, what is due     │ ──▶ publish ──▶ results/
//!            └──── due ────▶ workers: evaluate ──── Finished ───────┘
//! ```
//!
//! The steps don't know each other; the loop leads from one to the next.

mod announcer;
pub mod archive;
pub mod basis;
pub mod basis_memory;
pub mod causes;
pub mod change;
pub mod claims_store;
pub mod comparison;
pub mod dry_run;
pub mod evaluate;
pub mod freeze;
pub mod image_memory;
pub mod intake;
pub mod ledger;
mod near_copies;
mod on_change;
mod pass;
pub mod plan;
pub mod preview;
pub mod proofs;
pub mod publish;
pub mod receipt;
pub mod renamed;
pub mod report_store;
pub mod report_summary;
pub mod run_keys;
pub mod run_memory;
pub mod samples;
mod schedule;
pub mod scope;
pub mod score;
pub mod season;
mod submissions;
pub mod terms;
pub mod validate;
mod workers;

use std::collections::BTreeSet;

use crate::config::Pipeline;
use crate::gateway::Gateway;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::scope::Scope;
use crate::pipeline::score::{Evaluated, Row};
use crate::sandbox::Sandbox;
use crate::task::Task;
use crate::ui::Events;
use crate::util::watch_folder::Change;

/// Everything that a pass works with.
#[derive(Clone, Copy)]
pub struct PassContext<'a> {
    /// The checked pipeline.yaml.
    pub pipeline: &'a Pipeline,
    /// All tasks, checked.
    pub tasks: &'a [Task],
    /// The place where agents run.
    pub sandbox: &'a dyn Sandbox,
    /// The way to models; None where no stage grants one.
    pub gateway: Option<&'a Gateway>,
    /// The way to the person at the terminal.
    pub events: &'a Events,
    /// The agents and tasks that may be evaluated; what is known of the others stays as it is.
    pub scope: &'a Scope,
    /// Makes runs again that are found in reports.
    pub force: bool,
    /// Waits for more when nothing is left to do.
    pub stay: bool,
    /// A line that is told once the Python of the tasks is found right.
    pub when_sound: Option<&'a str>,
}

/// A reason for a pass to look up from its work.
#[derive(Debug)]
pub enum Wake {
    /// Something changed in the inbox.
    Inbox(Change),
    /// The tasks or pipeline.yaml changed: finish what runs and return.
    Reload,
    /// End what runs, publish what is finished and return.
    Stop,
    /// An evaluation came back.
    Finished(Finished),
    /// The image is there, or the tasks are checked; or that failed.
    Prepared,
}

/// An evaluation that came back.
#[derive(Debug)]
pub enum Finished {
    /// All is judged, or can't be by our fault.
    Completed(Box<ReportSummary>),
    /// It was stopped; the report holds what was judged by then.
    Stopped(Miner),
    /// The miner's file was no longer the one that was to be evaluated.
    FileChanged(Miner),
}

impl Finished {
    /// The agent's miner.
    pub fn miner(&self) -> &Miner {
        match self {
            Self::Completed(summary) => &summary.miner,
            Self::Stopped(miner) | Self::FileChanged(miner) => miner,
        }
    }
}

/// The outcome of a pass.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    /// The ranking as published.
    #[serde(rename = "rankings")]
    pub rows: Vec<Row>,
    /// Refused submissions.
    pub rejected: Vec<Rejection>,
    /// Miners who were ranked before, and whose submission was found to be gone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<Miner>,
    /// The ids of tasks that count for nobody, by their authors' fault.
    pub task_faults: BTreeSet<String>,
    /// The ids of tasks whose reference solution does not score 100.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub refuted: BTreeSet<String>,
    /// Number of submissions that are not completely evaluated.
    pub pending: usize,
    /// How many of them were left out of the pass by its scope.
    pub left_out: usize,
    /// True if a file in the inbox did not stand still long enough to be looked at.
    pub unsettled: bool,
    /// True if the pass ended for a [`Wake::Stop`].
    pub stopped: bool,
    /// Python files that lie beside an `agent.py` and are no part of a submission, as the pipeline takes one file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_taken: Vec<String>,
    /// Submissions that count and are not ranked, as another one of their miner's is at least as good.
    #[serde(skip)]
    pub evaluated: Vec<Evaluated>,
}

impl Summary {
    /// Miners who are ranked, and those whose submission was refused.
    pub fn submitters(&self) -> impl Iterator<Item = Miner> {
        let refused = self.rejected.iter().filter_map(|rejection| rejection.miner.clone());
        self.rows.iter().map(|row| row.miner.clone()).chain(refused)
    }
}
