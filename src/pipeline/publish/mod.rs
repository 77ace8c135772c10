//! Ranking -> JSON, CSV, page; each file replaced atomically.

pub mod atomic;
mod csv;
mod history;
pub mod json;
mod page;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
pub mod text;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::brief::{Brief, Remembered};
use super::intake::{Miner, Rejection};
use super::plan::Plan;
use super::score::Row;
use crate::digest;
use crate::report::Report;
use history::History;

pub use atomic::tidy;

/// All that a pass has to say.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The ranking, in its order.
    pub rows: &'a [Row],
    /// Agents whose evaluation is complete, sorted by miner.
    pub agents: &'a [&'a Brief],
    /// Miners whose submission is not evaluated yet.
    pub pending: &'a [Miner],
    /// What was refused.
    pub rejections: &'a [Rejection],
    /// When.
    pub generated_at: Timestamp,
    /// Id of the image that cells ran in.
    pub image: &'a str,
    /// Hex sha256 of `pipeline.yaml`.
    pub pipeline_sha256: &'a str,
    /// The token's name.
    pub token: &'a str,
    /// The stages with their tasks.
    pub plan: &'a Plan<'a>,
    /// Whether more is to come: open pages then look for their next version.
    pub live: bool,
}

/// Writes a results folder. It remembers the history that it has written.
#[derive(Debug)]
pub struct Publisher<'a> {
    results_dir: &'a Path,
    history: Option<History>,
}

impl<'a> Publisher<'a> {
    /// For a folder that need not be there yet.
    pub fn new(results_dir: &'a Path) -> Self {
        Self { results_dir, history: None }
    }

    /// Writes every result file but the reports; `rankings.json` last, so that who sees a new one finds the other files
    /// as new. Unless something was evaluated, files that are made of the same are left as they are.
    ///
    /// # Errors
    /// A file can't be written; the message names it. Each file is then either the old or the new one.
    pub fn publish(&mut self, published: &Published, evaluated: bool) -> io::Result<()> {
        let made_of = published.digest()?;
        if !evaluated && self.stands(&made_of) {
            return Ok(());
        }
        std::fs::create_dir_all(self.results_dir)?;
        let history = match self.history.take() {
            Some(history) => self.history.insert(history),
            None => self.history.insert(History::read(self.results_dir)?),
        };
        history.add(published.rows, published.generated_at)?;
        let file = |name: &str| self.results_dir.join(name);
        atomic::replace_by(&file(RANKINGS), |out| csv::rankings(out, published.rows))?;
        atomic::replace_by(&file(SCORES), |out| csv::scores(out, published.agents, published.plan))?;
        atomic::replace_by(&file(REJECTED), |out| csv::rejected(out, published.rejections))?;
        atomic::replace_by(&file(PAGE), |out| page::write(out, self.results_dir, published, history))?;
        atomic::replace_by(&file(json::FILE), |out| json::rankings(out, published, &made_of))?;
        Ok(())
    }

    /// Whether all files are there and made of this.
    fn stands(&self, made_of: &str) -> bool {
        let there = |name: &str| self.results_dir.join(name).is_file();
        [RANKINGS, SCORES, REJECTED, PAGE, history::FILE].into_iter().all(there)
            && json::Last::read(self.results_dir).is_some_and(|last| last.made_of == made_of)
    }
}

const RANKINGS: &str = "rankings.csv";
const SCORES: &str = "scores.csv";
const REJECTED: &str = "rejected.csv";
const PAGE: &str = "index.html";

impl Published<'_> {
    /// Hex sha256 over all that the files are made of but the time.
    fn digest(&self) -> io::Result<String> {
        let mut all = digest::Writer::default();
        let names = self.plan.legs().map(|(at, task)| (&self.plan.parts[at].stage.name, task.id.as_str()));
        let head = (env!("CARGO_PKG_VERSION"), self.image, self.pipeline_sha256, self.token, self.live);
        serde_json::to_writer(&mut all, &(head, names.collect::<Vec<_>>()))?;
        serde_json::to_writer(&mut all, &(self.rows, self.pending, self.rejections))?;
        for agent in self.agents {
            serde_json::to_writer(&mut all, &agent.marks)?;
        }
        Ok(all.hex())
    }
}

/// Writes `agents/<miner>.json`.
///
/// # Errors
/// The file can't be written; the message names it.
pub fn save_report(results_dir: &Path, report: &Report) -> io::Result<()> {
    let path = report_path(results_dir, &report.miner);
    std::fs::create_dir_all(results_dir.join(AGENTS))?;
    atomic::replace(&path, &json::bytes(report)?).map(drop)
}

/// Reads `agents/<miner>.json`. None if it is missing, unreadable or not what [`save_report`] writes
/// for this miner: the agent is then evaluated anew.
pub fn load_report(results_dir: &Path, miner: &Miner) -> Option<Report> {
    let bytes = std::fs::read(report_path(results_dir, miner)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|report: &Report| report.miner == *miner)
}

/// The same file without its texts.
pub fn remembered(results_dir: &Path, miner: &Miner) -> Option<Remembered> {
    let bytes = std::fs::read(report_path(results_dir, miner)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|report: &Remembered| report.miner == *miner)
}

/// Folder of the reports below the results folder.
const AGENTS: &str = "agents";

fn report_path(results_dir: &Path, miner: &Miner) -> PathBuf {
    results_dir.join(AGENTS).join(format!("{miner}.json"))
}
