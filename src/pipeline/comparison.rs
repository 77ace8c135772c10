//! Comparison of a preview with the results: whose rank and score would change, by which causes and on which tasks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::pipeline::basis::{Changed, Part};
use crate::pipeline::change::{How, Move, Place, moves};
use crate::pipeline::report_store;
use crate::pipeline::report_summary::RunResult;
use crate::pipeline::score::Row;

/// All that a change would do.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The parts of the rules that changed.
    pub changed: Vec<Changed>,
    /// Everybody whose rank or score would be another one, in the order of the preview; those who would leave come last.
    pub moved: Vec<Moved>,
    /// Everybody whose reward would be another one, in the same order.
    pub paid: Vec<Paid>,
    /// Agents in one of the rankings or in both.
    pub agents: usize,
}

/// One miner's way from the results to the preview.
#[derive(Debug, PartialEq, Serialize)]
pub struct Moved {
    /// From where to where.
    #[serde(flatten)]
    pub moved: Move,
    /// All causes; none if only others' scores changed.
    pub causes: Vec<&'static str>,
    /// The tasks on which it would score differently.
    pub tasks: Vec<TaskScore>,
}

/// A miner's reward, then and now, in tokens.
#[derive(Debug, PartialEq, Serialize)]
pub struct Paid {
    /// Whom it is for.
    pub miner: Miner,
    /// 0 where nothing is paid.
    pub before: f64,
    /// The same.
    pub after: f64,
}

/// The score of an agent on a task, then and now.
#[derive(Debug, PartialEq, Serialize)]
pub struct TaskScore {
    /// The task's id.
    pub task: String,
    /// None if it was not run or not scored.
    pub before: Option<f64>,
    /// None if it is not run or not scored.
    pub after: Option<f64>,
}

impl Comparison {
    /// Compares two rankings, whose reports lie in these folders.
    pub fn of(
        changed: Vec<Changed>,
        (before, results): (&[Row], &Path),
        (after, preview): (&[Row], &Path),
    ) -> Self {
        let places = |rows: &[Row]| rows.iter().map(Place::from).collect::<Vec<_>>();
        let digests = |rows: &[Row]| -> HashMap<Miner, String> {
            rows.iter().map(|row| (row.miner.clone(), row.sha256.clone())).collect()
        };
        let (old, new) = (digests(before), digests(after));
        let parts: Vec<&'static str> =
            changed.iter().filter(|one| one.part != Part::Rewards).map(|one| one.part.name()).collect();
        let compared = |moved: Move| {
            let miner = &moved.miner;
            let is_same = old.get(miner) == new.get(miner);
            let causes = match () {
                () if moved.how == How::Left => vec!["withdrawal"],
                () if !is_same => vec!["submission"],
                () if moved.score_before == moved.score_after => Vec::new(),
                () => parts.clone(),
            };
            let tasks = if is_same { tasks(miner, results, preview) } else { Vec::new() };
            Moved { moved, causes, tasks }
        };
        let moved: Vec<Moved> = moves(&places(before), &places(after)).into_iter().map(compared).collect();
        let left = moved.iter().filter(|one| one.moved.how == How::Left).count();
        Self { changed, moved, paid: paid(before, after), agents: after.len() + left }
    }
}

/// Rewards that differ: of the second ranking, and of those who have left the first.
fn paid(before: &[Row], after: &[Row]) -> Vec<Paid> {
    let rewards = |rows: &[Row]| -> HashMap<Miner, f64> {
        rows.iter().map(|row| (row.miner.clone(), row.reward.unwrap_or_default())).collect()
    };
    let (old, new) = (rewards(before), rewards(after));
    let left = before.iter().filter(|row| !new.contains_key(&row.miner));
    let of = |rewards: &HashMap<Miner, f64>, miner: &Miner| rewards.get(miner).copied().unwrap_or_default();
    let paid = |row: &Row| Paid {
        miner: row.miner.clone(),
        before: of(&old, &row.miner),
        after: of(&new, &row.miner),
    };
    after.iter().chain(left).map(paid).filter(|paid| paid.before != paid.after).collect()
}

fn tasks(miner: &Miner, results: &Path, preview: &Path) -> Vec<TaskScore> {
    let (before, after) = (scores(miner, results), scores(miner, preview));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let score = |task: &String| TaskScore {
        task: task.clone(),
        before: before.get(task).copied().flatten(),
        after: after.get(task).copied().flatten(),
    };
    all.into_iter().map(score).filter(|score| score.before != score.after).collect()
}

/// An agent's scores by task, the mean of several samples.
fn scores(miner: &Miner, results: &Path) -> BTreeMap<String, Option<f64>> {
    let Some(report) = report_store::remembered(results, miner) else { return BTreeMap::new() };
    let score = |result| match result {
        RunResult::Scored { score, .. } => Some(score),
        _ => None,
    };
    let mut samples: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for ((_, task, _), result) in report.any() {
        samples.entry(task.to_owned()).or_default().extend(score(result));
    }
    let mean = |scores: Vec<f64>| {
        let sum: f64 = scores.iter().sum();
        (!scores.is_empty()).then(|| sum / scores.len() as f64)
    };
    samples.into_iter().map(|(task, scores)| (task, mean(scores))).collect()
}
