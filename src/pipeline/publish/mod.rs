//! Ranking -> JSON, CSV, page; each file replaced atomically.

pub mod csv;
pub mod history;
pub mod html;
pub mod json;
pub mod page;
pub mod ranking;
pub mod roster;
#[cfg(test)]
pub(crate) mod samples;
pub mod similar;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::config::{Board, Rewards, Student};
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::basis::Basis;
use crate::pipeline::basis_memory;
use crate::pipeline::plan::Plan;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::improvement::Past;
use crate::pipeline::score::{Evaluated, Row};
use crate::util::digest;
use written::Writing;

/// Content of the result files.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The ranking, in its order.
    pub rows: &'a [Row],
    /// Agents whose evaluation is complete, sorted by miner.
    pub agents: &'a [&'a ReportSummary],
    /// Miners whose submission is not evaluated yet.
    pub pending: &'a [Miner],
    /// Submissions that were evaluated and are not the best of their miner's.
    pub evaluated: &'a [Evaluated],
    /// Refused files, and why.
    pub rejections: &'a [Rejection],
    /// Miners of whom something lies in the inbox, whatever it is; None if that is not certain.
    pub present: Option<&'a BTreeSet<Miner>>,
    /// All that the scores rest on but the submissions.
    pub basis: &'a Basis,
    /// False if runs were left as they are, whatever they rest on.
    pub whole: bool,
    /// The time that the files tell.
    pub generated_at: Timestamp,
    /// Id of the image that cells ran in.
    pub image: &'a str,
    /// The engine that ran them; empty if none is known.
    pub engine: &'a str,
    /// Hex sha256 of `pipeline.yaml`.
    pub pipeline_sha256: &'a str,
    /// Name of the competition or course.
    pub title: Option<&'a str>,
    /// The token's name; None where nothing is paid.
    pub token: Option<&'a str>,
    /// People of the course; empty if there is no list of them.
    pub roster: &'a [Student],
    /// Those of them who ever submitted something, by the ledger.
    pub submitted: &'a BTreeSet<Miner>,
    /// Readers of the page: near copies are marked on it for the organiser's eyes only.
    pub board: Board,
    /// The stages with their tasks.
    pub plan: &'a Plan<'a>,
    /// More is to come: open pages then look for their next version. Files are not made of it: `run` after `watch` leaves them.
    pub live: bool,
}

/// Writes a results folder. It remembers the history that it has written.
#[derive(Debug)]
pub struct Publisher<'a> {
    results_dir: &'a Path,
    history: Option<history::History>,
    /// Remark on files that somebody else has changed.
    remark: Option<String>,
}

impl<'a> Publisher<'a> {
    /// For a folder that need not be there yet.
    pub fn new(results_dir: &'a Path) -> Self {
        Self { results_dir, history: None, remark: None }
    }

    /// Writes every result file but the reports; `rankings.json` last, so that who sees a new one finds the other files
    /// as new. Unless something was evaluated, files that are made of the same are left as they are, but for the page of a pass
    /// that stays: it says that more is to come.
    ///
    /// # Errors
    /// A file can't be written; the message names it. Each file is then either the old or the new one.
    pub fn publish(&mut self, published: &Published, evaluated: bool) -> io::Result<()> {
        let altered = written::altered(self.results_dir);
        let made_of = published.digest(self.results_dir.join(page::MODELS).exists())?;
        if !evaluated && altered.is_empty() && self.stands(&made_of) {
            return if published.live { page::enliven(self.results_dir) } else { Ok(()) };
        }
        std::fs::create_dir_all(self.results_dir)?;
        let results_dir = self.results_dir;
        let history = self.history()?;
        history.add(published)?;
        let made = Made { published, history, results_dir, of: &made_of };
        let mut writing = Writing::begin(results_dir)?;
        for ResultFile { name, write } in FILES {
            writing.replace(name, |out| write(out, &made))?;
        }
        writing.end()?;
        if !altered.is_empty() {
            let (folder, names) = (results_dir.display(), altered.join(", "));
            self.remark = Some(format!("not as agentmill wrote it, and made anew: {names} in {folder}"));
        }
        Ok(())
    }

    /// All that was submitted before, by the history, where it is paid for.
    ///
    /// # Errors
    /// A history that can't be read can't be put aside; the message names it.
    pub fn past(
        &mut self,
        rewards: Option<&Rewards>,
        sights: &FirstSights,
        now: Timestamp,
    ) -> io::Result<Past> {
        match rewards.is_some_and(Rewards::pay_improvements) {
            true => self.history()?.past(sights, now),
            false => Ok(Past::default()),
        }
    }

    /// Remarks on files that could not be read, or were changed by somebody else, once.
    pub fn take_remarks(&mut self) -> impl Iterator<Item = String> {
        let of_history = self.history.as_mut().and_then(history::History::take_remark);
        of_history.into_iter().chain(self.remark.take())
    }

    /// Miners who were found to have taken their submission out of the inbox, and have not come back.
    pub fn withdrawn(&self) -> BTreeSet<Miner> {
        self.history.as_ref().map(|history| history.withdrawn().clone()).unwrap_or_default()
    }

    fn history(&mut self) -> io::Result<&mut history::History> {
        match self.history.take() {
            Some(history) => Ok(self.history.insert(history)),
            None => Ok(self.history.insert(history::History::read(self.results_dir)?)),
        }
    }

    /// Tells whether all files are there and made of this.
    fn stands(&self, made_of: &str) -> bool {
        let beside = [history::FILE, basis_memory::FILE, written::FILE];
        let names = FILES.into_iter().map(|file| file.name).chain(beside);
        names.map(|name| self.results_dir.join(name)).all(|file| file.is_file())
            && json::Last::read(self.results_dir).is_some_and(|last| last.made_of == made_of)
    }
}

/// Parts that result files are made of.
struct Made<'m> {
    published: &'m Published<'m>,
    history: &'m history::History,
    results_dir: &'m Path,
    /// Digest of the rest.
    of: &'m str,
}

/// A result file that is written anew as a whole. What one is made of belongs into [`Published::digest`], too.
struct ResultFile {
    name: &'static str,
    write: fn(&mut dyn Write, &Made<'_>) -> io::Result<()>,
}

/// All of them, in the order in which they are written.
const FILES: [ResultFile; 5] = [
    ResultFile { name: "rankings.csv", write: |out, made| ranking::write(out, made.published) },
    ResultFile {
        name: "scores.csv",
        write: |out, made| csv::scores(out, made.published.agents, made.published.plan),
    },
    ResultFile { name: "rejected.csv", write: |out, made| csv::rejected(out, made.published.rejections) },
    ResultFile {
        name: page::FILE,
        write: |out, made| page::write(out, made.results_dir, made.published, made.history),
    },
    ResultFile { name: json::FILE, write: |out, made| json::rankings(out, made.published, made.of) },
];

impl Published<'_> {
    /// Hex sha256 over all that the files are made of but the time, and whether more is to come.
    fn digest(&self, has_models: bool) -> io::Result<String> {
        let mut all = digest::Writer::default();
        let runs = self.plan.tasks().map(|(at, task)| (self.plan.parts[at].stage, task));
        let names = runs.map(|(stage, task)| (&stage.name, stage.feedback, task.id.as_str()));
        let by = (env!("CARGO_PKG_VERSION"), self.image, self.engine);
        let head = (by, self.pipeline_sha256, self.token);
        serde_json::to_writer(&mut all, &(head, names.collect::<Vec<_>>()))?;
        serde_json::to_writer(&mut all, &(self.rows, self.pending, self.rejections))?;
        serde_json::to_writer(&mut all, &(self.title, self.roster, self.evaluated))?;
        if has_models {
            serde_json::to_writer(&mut all, page::MODELS)?;
        }
        for agent in self.agents {
            serde_json::to_writer(&mut all, &(&agent.file, &agent.results))?;
        }
        Ok(all.hex())
    }
}
