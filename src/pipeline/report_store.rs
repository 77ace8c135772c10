//! Reports on the disk: read, written, and kept while they can't be, as an evaluation must not be lost to a full disk.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::model::claims::Claims;
use crate::model::miner_id::Miner;
use crate::model::report::Report;
use crate::pipeline::report_summary::Remembered;
use crate::pipeline::{archive, claims_store};
use crate::util::{atomic_file, json, private, regular};

/// The results folder can't be written; the message says what in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(pub String);

/// Reports that could not be written: the last one of each miner, or of each of its submissions.
#[derive(Debug, Default)]
pub struct PendingReportWrites {
    kept: Mutex<BTreeMap<PathBuf, Report>>,
    /// True if each submission keeps its report, and not only the miner's last one.
    each: bool,
    /// Digests of the submissions whose reports lie in `agents/`, as far as is known.
    shown: Mutex<HashMap<Miner, String>>,
}

impl PendingReportWrites {
    /// For a season, in which others than a miner's last submission may stand, `each` keeps its report.
    pub fn new(each: bool) -> Self {
        Self { each, ..Self::default() }
    }

    /// Writes a report, or keeps it; true if it is written.
    pub fn save(&self, results: &Path, report: &Report) -> bool {
        let path = path(results, &report.miner, &report.sha256, self.each);
        let mut kept = self.kept.lock();
        kept.remove(&path);
        self.shown.lock().remove(&report.miner);
        let saved = save(&path, report).is_ok();
        if !saved {
            kept.insert(path, report.clone());
        }
        saved
    }

    /// Writes that a report's file in the inbox has another name now.
    pub fn rename(&self, results: &Path, (miner, sha256): (&Miner, &str), file: &str) {
        if let Some(report) = load_report_of(results, miner, sha256) {
            self.save(results, &Report { file: file.to_owned(), ..report });
        }
    }

    /// Puts the reports of submissions that are ranked into `agents/`, where each submission keeps its own, and removes claims of
    /// others that there is no room for.
    ///
    /// # Errors
    /// The first that can't be written; the message names the file.
    pub fn show<'a>(
        &self,
        results: &Path,
        ranked: impl Iterator<Item = (&'a Miner, &'a str)> + Clone,
    ) -> io::Result<()> {
        if !self.each {
            return Ok(());
        }
        let mut shown = self.shown.lock();
        for (miner, sha256) in ranked.clone() {
            let is_shown = shown.get(miner).is_some_and(|known| known == sha256);
            if !is_shown && let Some(report) = load_report_of(results, miner, sha256) {
                save_report(results, &report)?;
                shown.insert(miner.clone(), sha256.to_owned());
            }
        }
        claims_store::trim(results, ranked)
    }

    /// Writes what was kept.
    ///
    /// # Errors
    /// The first that still can't be written; the message names the file.
    pub fn retry(&self) -> io::Result<()> {
        let mut first = Ok(());
        self.kept.lock().retain(|path, report| {
            let saved = save(path, report);
            let failed = saved.is_err();
            first = std::mem::replace(&mut first, Ok(())).and(saved);
            failed
        });
        first
    }
}

/// Writes `agents/<miner>.json`.
///
/// # Errors
/// The file can't be written; the message names it.
pub fn save_report(results_dir: &Path, report: &Report) -> io::Result<()> {
    save(&report_path(results_dir, &report.miner), report)
}

/// Writes a report to a path.
///
/// # Errors
/// As of [`save_report`].
pub fn save(path: &Path, report: &Report) -> io::Result<()> {
    path.parent().map_or(Ok(()), private::closed)?;
    atomic_file::replace(path, &json::bytes(report)?).map(drop)
}

/// Keeps what an evaluation has come to so far where each submission keeps its report: the next start goes on with it.
///
/// # Errors
/// It can't be written; the message names the file.
pub fn keep_unfinished(results_dir: &Path, report: &Report, claims: &[Claims]) -> io::Result<()> {
    // Before the report, which says that the runs need not be made again.
    claims_store::keep(results_dir, report, claims, true)?;
    save(&path_of_each(results_dir, &report.miner, &report.sha256), report)
}

/// The answers of an unfinished evaluation that was kept.
pub fn claims_of_unfinished(results_dir: &Path, report: &Report) -> Vec<Claims> {
    match path_of_each(results_dir, &report.miner, &report.sha256).exists() {
        true => claims_store::load(results_dir, &report.miner, &report.sha256).into_values().collect(),
        false => Vec::new(),
    }
}

/// Forgets an unfinished evaluation of which all is kept elsewhere now.
pub fn forget_unfinished(results_dir: &Path, report: &Report) {
    let of = (&report.miner, report.sha256.as_str());
    let files = [path_of_each(results_dir, of.0, of.1), claims_store::path(results_dir, of, true)];
    files.iter().for_each(|file| drop(std::fs::remove_file(file)));
}

/// Reads `agents/<miner>.json`. None if it is missing, unreadable or not what [`save_report`] writes
/// for this miner: the agent is then evaluated anew.
pub fn load_report(results_dir: &Path, miner: &Miner) -> Option<Report> {
    let bytes = regular::read(report_path(results_dir, miner)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|report: &Report| report.miner == *miner)
}

/// The report of one of a miner's submissions, wherever it lies.
pub fn load_report_of(results_dir: &Path, miner: &Miner, sha256: &str) -> Option<Report> {
    let own = regular::read(path_of_each(results_dir, miner, sha256)).ok();
    let own = own.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_of = |report: &Report| report.miner == *miner && report.sha256 == sha256;
    own.filter(is_of).or_else(|| load_report(results_dir, miner).filter(is_of))
}

/// Reads the same without its texts.
pub fn remembered_of(results_dir: &Path, miner: &Miner, sha256: &str) -> Option<Remembered> {
    let own = regular::read(path_of_each(results_dir, miner, sha256)).ok();
    let own = own.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_of = |report: &Remembered| report.miner == *miner && report.sha256 == sha256;
    own.filter(is_of).or_else(|| remembered(results_dir, miner).filter(is_of))
}

/// Every report that there is, without its texts, in no order.
pub fn all(results_dir: &Path) -> impl Iterator<Item = Remembered> {
    let entries = std::fs::read_dir(results_dir.join(AGENTS)).into_iter().flatten().flatten();
    let miners = entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok());
    miners.filter_map(move |miner| remembered(results_dir, &miner))
}

/// Reads the same file without its texts.
pub fn remembered(results_dir: &Path, miner: &Miner) -> Option<Remembered> {
    let bytes = regular::read(report_path(results_dir, miner)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|report: &Remembered| report.miner == *miner)
}

/// Report files in one of the folders below the results, with the miners that [`AGENTS`] names them by.
pub fn files(results_dir: &Path, folder: &str) -> Vec<(PathBuf, Miner)> {
    let entries = std::fs::read_dir(results_dir.join(folder)).into_iter().flatten().flatten();
    let file = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
        // Behind the digest where each submission has its report.
        let miner = if folder == EACH { name.get(65..)? } else { name };
        Some((path.clone(), miner.parse().ok()?))
    };
    entries.filter_map(|entry| file(entry.path())).collect()
}

/// Path of a submission's report: its own where each keeps one, else the miner's.
pub fn path(results_dir: &Path, miner: &Miner, sha256: &str, each: bool) -> PathBuf {
    if each { path_of_each(results_dir, miner, sha256) } else { report_path(results_dir, miner) }
}

/// Folder of the reports below the results folder.
pub const AGENTS: &str = "agents";

/// Folder of the reports of each submission.
pub const EACH: &str = "reports";

fn path_of_each(results_dir: &Path, miner: &Miner, sha256: &str) -> PathBuf {
    results_dir.join(EACH).join(format!("{sha256}-{miner}.json"))
}

fn report_path(results_dir: &Path, miner: &Miner) -> PathBuf {
    results_dir.join(AGENTS).join(format!("{miner}.json"))
}

/// Removes the temporary files that a killed agentmill left in a results folder, and closes the folders that tell of hidden
/// tests or hold others' code to other users, as an older agentmill did not. Call it only while holding its lock.
///
/// # Errors
/// As of [`atomic_file::tidy`] and [`private::close`].
pub fn tidy(results_dir: &Path) -> io::Result<()> {
    atomic_file::tidy(results_dir)?;
    let folders = [archive::folder(results_dir), claims_store::folder(results_dir)];
    for folder in folders.into_iter().chain([EACH, AGENTS].map(|name| results_dir.join(name))) {
        private::close(&folder).map_err(|error| atomic_file::blame(&folder, &error))?;
        atomic_file::tidy(&folder)?;
    }
    Ok(())
}
