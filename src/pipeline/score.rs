//! Reports in brief -> ranking and rewards. Pure: no clock, no files.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::brief::{self, Brief, Mark};
use super::intake::Miner;
use super::plan::{Part, Plan};
use crate::config::{Rewards, Split};

/// One miner's line in the ranking. Field order is the column order of `rankings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// 1 is best; equal scores share a rank and the next rank skips ("1, 1, 3"). None when nothing
    /// could be scored.
    pub rank: Option<NonZeroU32>,
    /// Whose.
    pub miner: Miner,
    /// 0-100, rounded to hundredths: the weighted mean of the run scores over all tasks of all stages;
    /// runs of stages not reached count 0, unscored runs don't count, nor do stages that only unscored
    /// runs keep the agent from. None when all runs are unscored.
    pub score: Option<f64>,
    /// Tokens, rounded down to millionths.
    pub reward: f64,
    /// Tests passed.
    pub passed: u64,
    /// Tests of all tasks of all stages, whether reached or not.
    pub tests: u64,
    /// Runs that could not be judged, by our fault.
    pub unscored: u64,
    /// The stage at which the agent stands: the first whose pass mark it misses, else the last.
    pub stage: String,
    /// The miner whose identical submission was seen earlier.
    pub duplicate_of: Option<Miner>,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// Hex sha256 of the submission.
    pub sha256: String,
}

/// Ranks agents whose evaluation is complete. Sorted by rank, then by first seen, then by miner.
///
/// Those with a syntax error are left out: such a submission is no agent.
pub fn rank(agents: &[&Brief], plan: &Plan, rewards: &Rewards) -> Vec<Row> {
    let agents: Vec<&Brief> = agents.iter().copied().filter(|agent| agent.syntax.is_none()).collect();
    let originals = originals(&agents);
    let mut entries: Vec<Entry> = agents.iter().map(|agent| entry(agent, plan, &originals)).collect();
    entries.sort_by(|a, b| order(&a.row).cmp(&order(&b.row)));
    number(&mut entries);
    share(&mut entries, rewards);
    entries.into_iter().map(|entry| entry.row).collect()
}

/// Whether an agent may go on to the next stage: every task of this one is judged, and its score
/// reaches the pass mark. `marks` are those of all runs so far.
pub fn passes(part: &Part, marks: &[Mark]) -> bool {
    tally(part, marks).passes(part.stage.pass_mark)
}

/// The console's line for one miner, such as `1. alice: 100 (reward: 50 TAO)`.
pub fn line(row: &Row, token: &str) -> String {
    let miner = &row.miner;
    let mut line = match (row.rank, row.score) {
        (Some(rank), Some(score)) => {
            format!("{rank}. {miner}: {score} (reward: {} {token})", row.reward)
        }
        _ => format!("-. {miner}: unscored"),
    };
    if let Some(original) = &row.duplicate_of {
        line += &format!(" [copy of {original}]");
    }
    line
}

fn tally(part: &Part, marks: &[Mark]) -> Tally {
    let mut tally = Tally::default();
    for (task, mark) in part.tasks.iter().zip(brief::marks(marks, part.first, part.tasks.len())) {
        match mark {
            Mark::Scored { score, passed, .. } => {
                tally.judged += task.weight;
                tally.points += task.weight * score.clamp(0.0, 100.0);
                tally.passed += u64::from(passed);
            }
            Mark::Unscored => {
                tally.open += task.weight;
                tally.unscored += 1;
            }
            Mark::Missing => tally.missing += task.weight,
        }
    }
    tally
}

/// Sums over the runs of one stage or of several.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    /// Weight of the judged tasks.
    judged: f64,
    /// Their scores times their weights.
    points: f64,
    /// Weight of the tasks whose runs are unscored.
    open: f64,
    /// Weight of the tasks without a run.
    missing: f64,
    passed: u64,
    unscored: u64,
}

/// Sums of weighted scores are off by some last bits; a pass mark of 100 must hold for three times 0.1.
const SLACK: f64 = 1e-9;

impl Tally {
    fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.points += other.points;
        self.open += other.open;
        self.missing += other.missing;
        self.passed += other.passed;
        self.unscored += other.unscored;
    }

    /// A stage without tasks is passed: there is nothing to miss in it.
    fn passes(&self, mark: f64) -> bool {
        self.open == 0.0 && self.missing == 0.0 && self.points + SLACK >= mark * self.judged
    }

    /// Whether only unscored runs, our fault, stand between the agent and the next stage.
    fn held_up(&self, mark: f64) -> bool {
        let all = self.judged + self.open;
        self.open > 0.0 && self.missing == 0.0 && self.points + 100.0 * self.open + SLACK >= mark * all
    }

    /// None if there is nothing to judge by.
    fn score(&self) -> Option<f64> {
        if self.judged == 0.0 && (self.unscored > 0 || self.missing == 0.0) {
            return None;
        }
        Some(hundredths(self.points / (self.judged + self.missing)))
    }
}

/// Rounds, but says 100 only of a perfect score.
pub fn hundredths(score: f64) -> f64 {
    let rounded = (score * 100.0).round() / 100.0;
    if rounded == 100.0 && score < 100.0 - SLACK { 99.99 } else { rounded }
}

struct Entry {
    row: Row,
    /// Passed every stage.
    cleared: bool,
}

fn entry(agent: &Brief, plan: &Plan, originals: &HashMap<&str, &Brief>) -> Entry {
    let (total, missed) = walk(plan, &agent.marks);
    let original = originals[agent.sha256.as_str()];
    let stands_at = missed.or(plan.parts.len().checked_sub(1)).map(|at| plan.parts[at].stage.name.clone());
    let row = Row {
        rank: None,
        miner: agent.miner.clone(),
        score: total.score(),
        reward: 0.0,
        passed: total.passed,
        tests: plan.tests(),
        unscored: total.unscored,
        stage: stands_at.unwrap_or_default(),
        duplicate_of: (original.miner != agent.miner).then(|| original.miner.clone()),
        first_seen: agent.first_seen,
        sha256: agent.sha256.clone(),
    };
    Entry { row, cleared: missed.is_none() }
}

/// Goes through the stages as far as the agent gets; also says at which stage it stopped. Runs behind
/// that stage don't count even if a report still holds them: the ranking is a function of the inbox,
/// not of what ran in earlier passes.
fn walk(plan: &Plan, marks: &[Mark]) -> (Tally, Option<usize>) {
    let mut total = Tally::default();
    for (at, part) in plan.parts.iter().enumerate() {
        let tally = tally(part, marks);
        total.add(tally);
        if !tally.passes(part.stage.pass_mark) {
            if !tally.held_up(part.stage.pass_mark) {
                total.missing += plan.parts[at + 1..].iter().map(Part::weight).sum::<f64>();
            }
            return (total, Some(at));
        }
    }
    (total, None)
}

/// The earliest agent of each sha256.
fn originals<'a>(agents: &[&'a Brief]) -> HashMap<&'a str, &'a Brief> {
    let age = |agent: &'a Brief| (agent.first_seen, agent.modified, &agent.miner);
    let mut earliest: HashMap<&str, &Brief> = HashMap::new();
    for &agent in agents {
        let first = earliest.entry(&agent.sha256).or_insert(agent);
        if age(agent) < age(first) {
            *first = agent;
        }
    }
    earliest
}

/// Best first, unscored last; equals by first seen, then by miner.
fn order(row: &Row) -> impl Ord + '_ {
    (Reverse(row.score.map(cents)), row.first_seen, &row.miner)
}

/// The score as an exact number of hundredths.
fn cents(score: f64) -> u128 {
    (score * 100.0).round() as u128
}

/// Gives ranks to sorted entries.
fn number(entries: &mut [Entry]) {
    let mut last = (None, None);
    for (at, entry) in entries.iter_mut().enumerate() {
        let Some(score) = entry.row.score else { return };
        if last.0 != Some(cents(score)) {
            last = (Some(cents(score)), u32::try_from(at + 1).ok().and_then(NonZeroU32::new));
        }
        entry.row.rank = last.1;
    }
}

/// Shares the pool among sorted entries. In whole millionths, so that equal scores get equal rewards
/// and the sum can't exceed the pool.
fn share(entries: &mut [Entry], rewards: &Rewards) {
    let pool = millionths(rewards.pool);
    let mut earners: Vec<&mut Row> = entries
        .iter_mut()
        .filter(|entry| entry.cleared && entry.row.duplicate_of.is_none())
        .map(|entry| &mut entry.row)
        .filter(|row| row.score.is_some_and(|score| cents(score) > 0))
        .collect();
    let all: u128 = earners.iter().filter_map(|row| row.score).map(cents).sum();
    let mut place = 0;
    for tied in earners.chunk_by_mut(|a, b| a.score.map(cents) == b.score.map(cents)) {
        let count = tied.len();
        let each = match &rewards.split {
            Split::Proportional => pool * tied[0].score.map_or(0, cents) / all,
            Split::Winner if place == 0 => pool / count as u128,
            Split::Winner => 0,
            Split::Places(percents) => place_share(pool, percents, place, count),
        };
        tied.iter_mut().for_each(|row| row.reward = each as f64 / 1e6);
        place += count;
    }
}

/// What each of `count` tied agents gets who hold the places from `first` on.
fn place_share(pool: u128, percents: &[f64], first: usize, count: usize) -> u128 {
    let units: Vec<u128> = percents.iter().map(|percent| (percent * 1e6).round() as u128).collect();
    // More than 100 percent can't be paid; less leaves the rest in the pool.
    let whole = units.iter().sum::<u128>().max(100_000_000);
    let held: u128 = units.iter().skip(first).take(count).sum();
    pool * held / (whole * count as u128)
}

/// Tokens in whole millionths, never more than `tokens`.
fn millionths(tokens: f64) -> u128 {
    // The bound keeps the products of `share` within u128.
    let nearest = (tokens * 1e6).round().clamp(0.0, 1e24);
    (if nearest / 1e6 > tokens { nearest - 1.0 } else { nearest }) as u128
}

#[cfg(test)]
mod tests;
