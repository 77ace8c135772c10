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

use crate::config::Stage;
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::score::Row;
use crate::report::Report;
use crate::task::Task;

pub use atomic::tidy;

/// All that a pass has to say.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The ranking, in its order.
    pub rows: &'a [Row],
    /// Complete reports, sorted by miner.
    pub reports: &'a [&'a Report],
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
    /// In the order agents go through them.
    pub stages: &'a [Stage],
    /// All tasks.
    pub tasks: &'a [Task],
    /// Whether more is to come: open pages then look for their next version.
    pub live: bool,
}

/// Writes every result file but the reports; `rankings.json` last, so that who sees a new one finds
/// the other files as new.
///
/// # Errors
/// A file can't be written; the message names it. Each file is then either the old or the new one.
pub fn publish(results_dir: &Path, published: &Published) -> io::Result<()> {
    std::fs::create_dir_all(results_dir)?;
    let histories = history::update(results_dir, published.rows, published.generated_at)?;
    for (name, bytes) in [
        ("rankings.csv", csv::rankings(published.rows)?),
        ("scores.csv", csv::scores(published.reports)?),
        ("rejected.csv", csv::rejected(published.rejections)?),
        ("index.html", page::render(published, &histories)?.into_bytes()),
        (json::FILE, json::rankings(published)?),
    ] {
        atomic::replace(&results_dir.join(name), &bytes)?;
    }
    Ok(())
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

/// Folder of the reports below the results folder.
const AGENTS: &str = "agents";

fn report_path(results_dir: &Path, miner: &Miner) -> PathBuf {
    results_dir.join(AGENTS).join(format!("{miner}.json"))
}
