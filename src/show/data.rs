//! Lookup of a query in the result files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::model::report::{Report, Run};
use crate::model::samples;
use crate::pipeline::archive;
use crate::pipeline::publish::json::{self, Rankings};
use crate::pipeline::publish::roster::Listed;
use crate::pipeline::report_store::load_report;
use crate::pipeline::score::{Evaluated, Row};
use crate::show::history::{self, Fate, Submitted};
use crate::show::late::{self, Late};
use crate::show::people;
use crate::show::query::{Nearest, Query, ShowError, shown};
use crate::task::{self, Task};

/// Result of a query; `--json` prints it as JSON.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// The ranking.
    Ranking(Box<Rankings>),
    /// All that the results hold about a miner.
    Miner(Box<Known>),
    /// Everything that a miner submitted, oldest first.
    History(Vec<Submitted>),
    /// A miner's runs on a task; several if it was run in several stages.
    Runs(Vec<Run>),
    /// Everybody's runs on a task, in the ranking's order.
    Task(Vec<MinerRun>),
}

/// All that the results hold about a miner.
#[derive(Debug, Clone, Serialize)]
pub struct Known {
    /// The miner's id.
    pub miner: Miner,
    /// Token that rewards are counted in; None where nothing is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The line in the ranking.
    pub row: Option<Row>,
    /// The submission in the inbox, where it was evaluated and is not the miner's best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated: Option<Evaluated>,
    /// True while the submission is not evaluated yet.
    pub pending: bool,
    /// Submissions that were refused.
    pub rejected: Vec<Rejection>,
    /// Report of the last evaluation.
    pub report: Option<Report>,
    /// The copy of the ranked source that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// The line on the roster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Listed>,
    /// True if there was a submission, and nothing of it lies in the inbox any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// The time at which that was found, where the miner had been ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// How late the ranked submission came, where that cost something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Weights of the tasks that it ran on, where they differ.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, f64>,
}

impl Known {
    /// True for somebody on the roster who has submitted nothing.
    pub(super) fn is_absent(&self) -> bool {
        self.row.is_none() && !self.pending && self.rejected.is_empty()
    }
}

/// A miner's run on a task.
#[derive(Debug, Clone, Serialize)]
pub struct MinerRun {
    /// The agent's miner.
    pub miner: Miner,
    /// The run.
    pub run: Run,
}

/// Answers a query.
///
/// # Errors
/// See [`ShowError`].
pub fn data(pipeline: &Pipeline, query: Query<'_>) -> Result<Data, ShowError> {
    let rankings = rankings(pipeline)?;
    match query {
        Query::History(name) => history::of(pipeline, &rankings, name).map(Data::History),
        Query::Ranking => Ok(Data::Ranking(Box::new(rankings))),
        Query::Miner(name) => {
            let known = find(pipeline, &rankings, name)?;
            match known.row.is_some() && known.report.is_none() {
                true => Err(ShowError::NoReport(known.miner)),
                false => Ok(Data::Miner(Box::new(known))),
            }
        }
        Query::Run(name, task) => runs(pipeline, find(pipeline, &rankings, name)?, task).map(Data::Runs),
        Query::Task(task) => runs_of_all(pipeline, &rankings, task).map(Data::Task),
    }
}

/// The published rankings.
pub(super) fn rankings(pipeline: &Pipeline) -> Result<Rankings, ShowError> {
    let results = pipeline.results.as_path();
    json::load(results).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => ShowError::no_results(results),
        _ => ShowError::Unreadable(err),
    })
}

fn find(pipeline: &Pipeline, rankings: &Rankings, name: &str) -> Result<Known, ShowError> {
    let miner = people::named(rankings, name)?;
    let of_miner = |rejection: &&Rejection| rejection.concerns(&miner);
    let rejected: Vec<Rejection> = rankings.rejected.iter().filter(of_miner).cloned().collect();
    let row = rankings.rankings.iter().find(|row| row.miner == miner).cloned();
    let pending = rankings.pending.contains(&miner);
    let person = rankings.roster.iter().find(|one| one.id == miner).cloned();
    // The report of a submission that was refused is about an older one.
    let report = (row.is_some() || pending).then(|| report(pipeline, &miner)).flatten();
    let lies = |one: &&Evaluated| one.miner == miner && one.in_inbox;
    let evaluated = rankings.evaluated.iter().find(lies).cloned();
    let token = rankings.token.clone();
    let source = report.as_ref().map(|report| archive::path(&pipeline.results, &report.sha256));
    let source = source.filter(|path| path.is_file());
    let (tasks, _) = task::load_good(&pipeline.tasks);
    let late = row.as_ref().zip(report.as_ref());
    let late = late.and_then(|ranked| late::of(pipeline, rankings, ranked, &tasks));
    let weights = report.as_ref().map(|report| weights(report, &tasks)).unwrap_or_default();
    let known = Known {
        miner,
        token,
        row,
        evaluated,
        pending,
        rejected,
        report,
        source,
        person,
        withdrawn: false,
        withdrawn_at: None,
        late,
        weights,
    };
    if known.is_absent() { absent(pipeline, rankings, name, known) } else { Ok(known) }
}

/// Somebody of whom nothing is ranked, waits or was refused.
fn absent(pipeline: &Pipeline, rankings: &Rankings, name: &str, known: Known) -> Result<Known, ShowError> {
    let history = history::of(pipeline, rankings, name);
    let withdrawn = history.is_ok();
    let withdrawn_at = history::left(&pipeline.results, &known.miner).filter(|_| withdrawn);
    match history.map(|all| all.last().map(|last| last.state)) {
        _ if is_new(pipeline, &known.miner) => Err(ShowError::Waiting(known.miner)),
        Ok(Some(Fate::Waiting)) => Err(ShowError::Waiting(known.miner)),
        _ if known.person.is_some() => Ok(Known { withdrawn, withdrawn_at, ..known }),
        Ok(_) => Err(ShowError::Withdrawn(known.miner)),
        Err(_) => Err(people::unknown(rankings, name)),
    }
}

/// Weights of the tasks of a report; none where all are the same.
fn weights(report: &Report, tasks: &[Task]) -> BTreeMap<String, f64> {
    let is_run = |task: &&Task| report.runs.iter().any(|run| run.task == task.id);
    let weights: BTreeMap<String, f64> =
        tasks.iter().filter(is_run).map(|task| (task.id.clone(), task.weight)).collect();
    let first = weights.values().next().copied();
    if weights.values().all(|weight| Some(*weight) == first) { BTreeMap::new() } else { weights }
}

/// True if something in the inbox, which the results know nothing of, is called like this miner's.
fn is_new(pipeline: &Pipeline, miner: &Miner) -> bool {
    let is_of = |entry: fs::DirEntry| {
        let (name, folder) = (entry.file_name(), entry.path().is_dir());
        let id = if folder { Some(name.as_os_str()) } else { Path::new(&name).file_stem() };
        id.is_some_and(|id| id.eq_ignore_ascii_case(miner.as_str()))
    };
    fs::read_dir(&pipeline.inbox).is_ok_and(|mut inbox| inbox.any(|entry| entry.is_ok_and(is_of)))
}

/// A miner's report, with the samples that its stages have now.
fn report(pipeline: &Pipeline, miner: &Miner) -> Option<Report> {
    let report = load_report(&pipeline.results, miner)?;
    Some(samples::of_now(report, |stage, task| pipeline.samples_of(stage, task)))
}

fn runs(pipeline: &Pipeline, known: Known, task: &str) -> Result<Vec<Run>, ShowError> {
    if known.is_absent() {
        let why = if known.withdrawn { ShowError::Withdrawn } else { ShowError::NothingHandedIn };
        return Err(why(known.miner));
    }
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
        parked(pipeline, task)?;
        let nearest = Nearest::of(task, report.runs.iter().map(|run| run.task.as_str()));
        return Err(ShowError::NoRun { miner, task: shown(task), nearest });
    }
    Ok(runs.into_iter().cloned().collect())
}

/// Fails for a task that no stage runs.
fn parked(pipeline: &Pipeline, task: &str) -> Result<(), ShowError> {
    let (tasks, _) = task::load_good(&pipeline.tasks);
    let named: Vec<&Task> = on_task(&tasks, task, |task| &task.id);
    let is_parked = |task: &&Task| pipeline.stage_of(&task.id).is_none();
    named.into_iter().find(is_parked).map_or(Ok(()), |task| Err(ShowError::Parked(shown(&task.id))))
}

fn runs_on<'a>(report: &'a Report, task: &str) -> Vec<&'a Run> {
    on_task(&report.runs, task, |run| &run.task)
}

/// Runs on a task: by its id, else by its last part; several if it was run in several stages.
pub fn on_task<'a, R>(runs: &'a [R], task: &str, id: impl Fn(&R) -> &str) -> Vec<&'a R> {
    let named = |matches: &dyn Fn(&str) -> bool| -> Vec<&'a R> {
        runs.iter().filter(|run| matches(id(run))).collect()
    };
    let exact = named(&|id| id == task);
    if exact.is_empty() { named(&|id| id.rsplit('/').next() == Some(task)) } else { exact }
}

fn runs_of_all(pipeline: &Pipeline, rankings: &Rankings, task: &str) -> Result<Vec<MinerRun>, ShowError> {
    let miners = rankings.rankings.iter().map(|row| &row.miner);
    let reports: Vec<Report> = miners.filter_map(|miner| report(pipeline, miner)).collect();
    let of_report = |report: &Report| -> Vec<MinerRun> {
        let of_miner = |run: &Run| MinerRun { miner: report.miner.clone(), run: run.clone() };
        runs_on(report, task).into_iter().map(of_miner).collect()
    };
    let found: Vec<MinerRun> = reports.iter().flat_map(of_report).collect();
    if found.is_empty() {
        parked(pipeline, task)?;
        let tasks = reports.iter().flat_map(|report| &report.runs).map(|run| run.task.as_str());
        return Err(ShowError::NoTask { task: shown(task), nearest: Nearest::of(task, tasks) });
    }
    Ok(found)
}
