//! What a pass knows of every submission in the inbox, from scan to scan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::prelude::*;

use super::evaluate::{Course, End};
use super::intake::{self, Drop, Miner, Rejection, Unreadable};
use super::{publish, validate};
use crate::config::Pipeline;
use crate::report::Report;

/// A submission that passed validation. Its bytes are read again, and compared by their digest, when it is its turn:
/// ten thousand waiting agents then cost no memory.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Where it was dropped.
    pub drop: Drop,
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The file's modification time.
    pub modified: Timestamp,
}

/// An agent to evaluate, and what is known of it.
#[derive(Debug)]
pub struct Job {
    /// What to read.
    pub agent: Agent,
    /// Its report so far.
    pub report: Report,
}

/// The submissions and how far each has come.
pub struct Desk<'a> {
    pipeline: &'a Pipeline,
    course: &'a Course<'a>,
    force: bool,
    entries: BTreeMap<Miner, Entry>,
    rejected: Vec<Rejection>,
    busy: BTreeSet<Miner>,
    unsettled: usize,
}

struct Entry {
    agent: Agent,
    report: Report,
    complete: bool,
}

impl<'a> Desk<'a> {
    /// Knows nothing yet. With `force`, what reports hold is not taken for done.
    pub fn new(pipeline: &'a Pipeline, course: &'a Course<'a>, force: bool) -> Self {
        let (entries, rejected) = (BTreeMap::new(), Vec::new());
        Self { pipeline, course, force, entries, rejected, busy: BTreeSet::new(), unsettled: 0 }
    }

    /// Looks at the inbox: new files come in, changed ones are new, removed ones leave. Tells whether anything did.
    ///
    /// # Errors
    /// The inbox can't be read.
    pub fn scan(&mut self) -> std::io::Result<bool> {
        let listing = intake::list(&self.pipeline.inbox)?;
        let looked: Vec<Result<Agent, Unreadable>> =
            listing.drops.into_par_iter().map(|drop| look(drop, self.pipeline)).collect();
        let mut before = std::mem::take(&mut self.entries);
        let (mut rejected, mut entered) = (listing.rejected, false);
        self.unsettled = listing.unsettled;
        for result in looked {
            match result {
                Ok(agent) => {
                    let known =
                        before.remove(&agent.drop.miner).filter(|entry| entry.agent.sha256 == agent.sha256);
                    entered |= known.is_none();
                    let entry = known.unwrap_or_else(|| self.enter(agent));
                    self.entries.insert(entry.agent.drop.miner.clone(), entry);
                }
                Err(Unreadable::Rejected(rejection)) => rejected.push(rejection),
                Err(Unreadable::Changing) => self.unsettled += 1,
            }
        }
        if self.unsettled > 0 {
            // A file that is just being rewritten is neither listed nor withdrawn.
            let (still_there, gone) =
                before.into_iter().partition(|(_, entry)| entry.agent.drop.path.exists());
            self.entries.extend::<BTreeMap<_, _>>(still_there);
            before = gone;
        }
        let changed = entered || !before.is_empty() || rejected != self.rejected;
        self.rejected = rejected;
        Ok(changed)
    }

    /// An agent not known to this pass; its report may remember it from an earlier one.
    fn enter(&self, agent: Agent) -> Entry {
        let remembered = publish::load_report(&self.pipeline.results, &agent.drop.miner);
        let mut report =
            remembered.filter(|report| report.sha256 == agent.sha256).unwrap_or_else(|| new(&agent));
        report.file.clone_from(&agent.drop.file);
        if self.force {
            (report.runs, report.syntax) = (Vec::new(), None);
        }
        let complete = self.course.refused(&report) || {
            let (done, complete) = self.course.done(&report);
            // What is done comes first; the rest is kept for `evaluate` to choose from.
            if complete {
                (report.runs, report.syntax) = (done, None);
            }
            complete
        };
        Entry { agent, report, complete }
    }

    /// The agents to evaluate now; they count as busy from here on.
    pub fn due(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (miner, entry) in &self.entries {
            if !entry.complete && self.busy.insert(miner.clone()) {
                jobs.push(Job { agent: entry.agent.clone(), report: entry.report.clone() });
            }
        }
        jobs
    }

    /// An evaluation came back; without an end, the file was no longer the one that was to be evaluated.
    pub fn finished(&mut self, report: Report, end: Option<End>) {
        self.busy.remove(&report.miner);
        if let Some(entry) = self.entries.get_mut(&report.miner)
            && entry.report.sha256 == report.sha256
            && let Some(end) = end
        {
            entry.complete = end == End::Complete;
            entry.report = report;
        }
    }

    /// Whether nothing is being evaluated.
    pub fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Whether a file seemed to be still in the making at the last scan.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled > 0
    }

    /// The reports of agents whose evaluation is complete.
    pub fn reports(&self) -> Vec<&Report> {
        let complete = self.entries.values().filter(|entry| entry.complete && entry.report.syntax.is_none());
        complete.map(|entry| &entry.report).collect()
    }

    /// Whose evaluation is not complete.
    pub fn pending(&self) -> Vec<Miner> {
        self.entries.iter().filter(|(_, entry)| !entry.complete).map(|(miner, _)| miner.clone()).collect()
    }

    /// Every refused submission, by file name.
    pub fn rejections(&self) -> Vec<Rejection> {
        let uncompiled = self.entries.values().filter_map(|entry| {
            let syntax = entry.report.syntax.as_ref().filter(|_| entry.complete)?;
            Some(
                entry
                    .agent
                    .drop
                    .rejection(syntax.line, format!("is not valid Python 3.11: {}", syntax.message)),
            )
        });
        let mut all: Vec<Rejection> = self.rejected.iter().cloned().chain(uncompiled).collect();
        all.sort();
        all
    }
}

/// Intake and validation of one drop.
fn look(drop: Drop, pipeline: &Pipeline) -> Result<Agent, Unreadable> {
    let submission = intake::read(&drop, pipeline.validate.max_bytes)?;
    validate::scan(&submission.bytes, &pipeline.validate.forbid)
        .map_err(|finding| Unreadable::Rejected(drop.rejection(finding.line, finding.reason)))?;
    let bytes = submission.bytes.len() as u64;
    Ok(Agent { drop, sha256: submission.sha256, bytes, modified: submission.modified })
}

fn new(agent: &Agent) -> Report {
    Report {
        miner: agent.drop.miner.clone(),
        file: agent.drop.file.clone(),
        sha256: agent.sha256.clone(),
        bytes: agent.bytes,
        first_seen: now(),
        modified: agent.modified,
        syntax: None,
        runs: Vec::new(),
    }
}

/// Now, in milliseconds: what the results show.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
