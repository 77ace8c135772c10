//! Preview: `results/.preview`, a copy of the results in which a pass evaluates what a change of tasks or rules would do; and
//! the way of its runs into the results once the change is taken.
//!
//! Runs go by their keys, so none of them can be taken for another: what was evaluated is not evaluated again, and
//! whatever else has happened since is evaluated as ever.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Changes, Pipeline};
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::model::report::Report;
use crate::pipeline::basis::{Basis, Changed};
use crate::pipeline::basis_memory::{self, BasisMemory};
use crate::pipeline::report_store::{self, AGENTS, EACH};
use crate::pipeline::{claims_store, image_memory, publish, run_memory};
use crate::util::atomic_file::{self, blame};
use crate::util::{json, regular};

/// Folder below the results.
const FOLDER: &str = ".preview";

/// File in it that is written last: a preview without one is not finished.
const RECORD: &str = "preview.json";

/// Facts of a finished preview.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// When it was finished.
    pub at: Timestamp,
    /// The basis of the results at that time; None if nothing was published.
    pub before: Option<Basis>,
    /// The basis of the preview.
    pub after: Basis,
    /// Everybody's submission that was ranked, by its digest.
    pub ranked: Vec<(Miner, String)>,
}

/// A change that is held back.
#[derive(Debug, thiserror::Error)]
#[error(
    "changed, but not accepted ({}), and pipeline.yaml has `changes: hold`: `agentmill preview` shows what it would do, \
     `agentmill accept` takes it",
    told(.0)
)]
pub struct NotAccepted(pub Vec<Changed>);

/// Changes in words.
pub fn told(changes: &[Changed]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The folder of a preview of these results.
pub fn folder(results: &Path) -> PathBuf {
    results.join(FOLDER)
}

/// The settings of a pass that evaluates into the preview's folder. It tells nobody of it.
#[must_use]
pub fn pipeline(of: &Pipeline) -> Pipeline {
    Pipeline {
        results: folder(&of.results),
        changes: Changes::Take,
        on_change: None,
        freeze: None,
        ..of.clone()
    }
}

/// Makes a copy of the results, to be evaluated in. What an earlier preview has evaluated stays, but it counts as
/// unfinished from here on.
///
/// # Errors
/// It can't be written; the message names the file.
pub fn begin(results: &Path) -> io::Result<()> {
    let preview = folder(results);
    fs::create_dir_all(&preview).map_err(|error| blame(&preview, &error))?;
    // First: without it nothing else of the folder counts.
    for name in [RECORD, publish::json::FILE] {
        remove(&preview.join(name))?;
    }
    for name in [publish::history::FILE, basis_memory::FILE, run_memory::FILE, image_memory::FILE] {
        copy(&results.join(name), &preview.join(name))?;
    }
    for (path, miner) in report_store::files(results, AGENTS) {
        let sha256 = |results| report_store::remembered(results, &miner).map(|report| report.sha256);
        if sha256(results) != sha256(&preview) {
            let claims = |results| claims_store::folder(results).join(format!("{miner}.jsonl"));
            copy(&claims(results), &claims(&preview))?;
            copy(&path, &preview.join(AGENTS).join(format!("{miner}.json")))?;
        }
    }
    copy_missing(&claims_store::folder(results), &claims_store::folder(&preview))?;
    copy_missing(&results.join(EACH), &preview.join(EACH))
}

/// Notes that a preview is finished.
///
/// # Errors
/// It can't be written; the message names the file.
pub fn finish(results: &Path, record: &Record) -> io::Result<()> {
    atomic_file::replace(&folder(results).join(RECORD), &json::bytes(record)?).map(drop)
}

/// The facts of the finished preview of these results, if there is one.
pub fn record(results: &Path) -> Option<Record> {
    serde_json::from_slice(&regular::read(folder(results).join(RECORD)).ok()?).ok()
}

/// Takes what a finished preview of the same rules has evaluated, and removes the preview. Tells whether there was one.
/// Being killed in between loses nothing: what was taken is taken, and the rest is when this is done again.
///
/// # Errors
/// It can't be read or written; the message names the file.
pub fn take(pipeline: &Pipeline, basis: &Basis, sights: &FirstSights) -> io::Result<bool> {
    let results = &pipeline.results;
    let preview = folder(results);
    let Some(record) = record(results) else { return Ok(false) };
    // Another image shows in the keys.
    if !basis.under(&record.after.image).rules_changed_since(&record.after).is_empty() {
        return Ok(false);
    }
    let each = pipeline.season.is_some();
    for (path, _) in report_store::files(&preview, if each { EACH } else { AGENTS }) {
        let report =
            regular::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Report>(&bytes).ok());
        let Some(report) = report.filter(|report| each || is_last(report, sights)) else { continue };
        let Some(first_seen) = sights.seen(&report.sha256, &report.miner) else { continue };
        take_one(results, &path, Report { first_seen, ..report }, each)?;
    }
    fs::remove_dir_all(&preview).map_err(|error| blame(&preview, &error))?;
    Ok(true)
}

/// Tells whether a report is of what its miner submitted last.
fn is_last(report: &Report, sights: &FirstSights) -> bool {
    sights.events(&report.miner).last().is_some_and(|last| last.sha256 == report.sha256)
}

/// The claims first: a run that is in a report is not made again, and its claims would be missing for ever.
fn take_one(results: &Path, from: &Path, report: Report, each: bool) -> io::Result<()> {
    let (miner, sha256) = (&report.miner, report.sha256.as_str());
    let to = report_store::path(results, miner, sha256, each);
    let inode = |path: &Path| fs::metadata(path).map(|file| file.ino()).ok();
    // What was not evaluated is still the same file.
    if inode(from) == inode(&to) {
        return Ok(());
    }
    let claims = |results| claims_store::path(results, (miner, sha256), each);
    if let Ok(bytes) = regular::read(claims(&folder(results))) {
        claims_store::prepare(results)?;
        atomic_file::replace(&claims(results), &bytes)?;
    }
    fs::create_dir_all(to.parent().unwrap_or(results))?;
    report_store::save(&to, &report)
}

/// The basis that results were published by, if they are not to change without being accepted.
pub fn held_to(pipeline: &Pipeline) -> Option<Basis> {
    let holds = pipeline.changes == Changes::Hold && !pipeline.is_preview();
    holds.then(|| BasisMemory::read(&pipeline.results).published().cloned()).flatten()
}

/// Copies the files of a folder that the other one lacks.
fn copy_missing(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from).into_iter().flatten() {
        let (path, to) = (entry?.path(), to);
        let to = to.join(path.file_name().unwrap_or_default());
        if !to.exists() {
            copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Puts a file there under a second name, in place of what is there: files of ours are replaced and never written into, so
/// each has its own from then on. Nothing is put there if there is none.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    remove(to)?;
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Not all file systems have second names.
        Err(_) => fs::copy(from, to).map(drop).map_err(|error| blame(to, &error)),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(blame(path, &error)),
        _ => Ok(()),
    }
}
