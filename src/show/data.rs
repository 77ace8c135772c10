//! What is asked for, out of the result files.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::{Nearest, ShowError, What, shown};
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::publish::json::{self, Rankings};
use crate::pipeline::publish::load_report;
use crate::pipeline::score::Row;
use crate::report::{Report, Run};

/// What was asked for; as JSON, what `--json` prints.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// The ranking.
    Ranking(Rankings),
    /// What is known of a miner.
    Miner(Box<Known>),
    /// A miner's runs on a task; several if it was run in several stages.
    Runs(Vec<Run>),
    /// Everybody's runs on a task, in the ranking's order.
    Task(Vec<Entry>),
}

/// What is known of a miner.
#[derive(Debug, Clone, Serialize)]
pub struct Known {
    /// Who.
    pub miner: Miner,
    /// What rewards are counted in.
    pub token: String,
    /// The line in the ranking.
    pub row: Option<Row>,
    /// Whether the submission is not evaluated yet.
    pub pending: bool,
    /// Submissions that were refused.
    pub rejected: Vec<Rejection>,
    /// What the evaluation left behind.
    pub report: Option<Report>,
}

/// A miner's run on a task.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Whose.
    pub miner: Miner,
    /// The run.
    pub run: Run,
}

/// Looks up what is asked for.
///
/// # Errors
/// See [`ShowError`].
pub fn data(results_dir: &Path, what: What<'_>) -> Result<Data, ShowError> {
    let rankings = json::load(results_dir).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => ShowError::NoResults(results_dir.to_owned()),
        _ => ShowError::Unreadable(err),
    })?;
    match what {
        What::Ranking => Ok(Data::Ranking(rankings)),
        What::Miner(name) => {
            let known = find(results_dir, &rankings, name)?;
            match known.row.is_some() && known.report.is_none() {
                true => Err(ShowError::NoReport(known.miner)),
                false => Ok(Data::Miner(Box::new(known))),
            }
        }
        What::Run(name, task) => runs(find(results_dir, &rankings, name)?, task).map(Data::Runs),
        What::Task(task) => entries(results_dir, &rankings, task).map(Data::Task),
    }
}

fn find(results_dir: &Path, rankings: &Rankings, name: &str) -> Result<Known, ShowError> {
    let unknown = || ShowError::NoMiner {
        name: shown(name),
        nearest: Nearest::of(&name.to_lowercase(), names(rankings)),
    };
    let miner = Miner::try_from(name.to_owned()).map_err(|_| unknown())?;
    let of_miner = |rejection: &&Rejection| rejection.miner.as_ref() == Some(&miner);
    let rejected: Vec<Rejection> = rankings.rejected.iter().filter(of_miner).cloned().collect();
    let row = rankings.rankings.iter().find(|row| row.miner == miner).cloned();
    let pending = rankings.pending.contains(&miner);
    if row.is_none() && !pending && rejected.is_empty() {
        return Err(unknown());
    }
    // The report of a submission that was refused is about an older one.
    let report = (row.is_some() || pending).then(|| load_report(results_dir, &miner)).flatten();
    Ok(Known { miner, token: rankings.token.clone(), row, pending, rejected, report })
}

fn names(rankings: &Rankings) -> impl Iterator<Item = &str> {
    let ranked = rankings.rankings.iter().map(|row| &row.miner);
    let refused = rankings.rejected.iter().filter_map(|rejection| rejection.miner.as_ref());
    ranked.chain(&rankings.pending).chain(refused).map(Miner::as_str)
}

fn runs(known: Known, task: &str) -> Result<Vec<Run>, ShowError> {
    let Known { miner, report: Some(report), .. } = known else {
        return Err(match known.rejected.first() {
            Some(Rejection { file, reason, .. }) => {
                ShowError::Refused { miner: known.miner, file: shown(file), reason: shown(reason) }
            }
            None => ShowError::NoReport(known.miner),
        });
    };
    let runs = runs_on(&report, task);
    if runs.is_empty() {
        let nearest = Nearest::of(task, report.runs.iter().map(|run| run.task.as_str()));
        return Err(ShowError::NoRun { miner, task: shown(task), nearest });
    }
    Ok(runs.into_iter().cloned().collect())
}

/// By the task's id, else by its last part; several if a task was run in several stages.
fn runs_on<'a>(report: &'a Report, task: &str) -> Vec<&'a Run> {
    let named = |matches: &dyn Fn(&str) -> bool| -> Vec<&'a Run> {
        report.runs.iter().filter(|run| matches(&run.task)).collect()
    };
    let exact = named(&|id| id == task);
    if exact.is_empty() { named(&|id| id.rsplit('/').next() == Some(task)) } else { exact }
}

fn entries(results_dir: &Path, rankings: &Rankings, task: &str) -> Result<Vec<Entry>, ShowError> {
    let miners = rankings.rankings.iter().map(|row| &row.miner);
    let reports: Vec<Report> = miners.filter_map(|miner| load_report(results_dir, miner)).collect();
    let of_report = |report: &Report| -> Vec<Entry> {
        let entry = |run: &Run| Entry { miner: report.miner.clone(), run: run.clone() };
        runs_on(report, task).into_iter().map(entry).collect()
    };
    let entries: Vec<Entry> = reports.iter().flat_map(of_report).collect();
    if entries.is_empty() {
        let tasks = reports.iter().flat_map(|report| &report.runs).map(|run| run.task.as_str());
        return Err(ShowError::NoTask { task: shown(task), nearest: Nearest::of(task, tasks) });
    }
    Ok(entries)
}
