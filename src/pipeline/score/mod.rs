//! Reports in summary -> ranking and rewards. Pure: no clock, no files.

pub mod early_stop;
mod evaluated;
pub mod improvement;
mod pass;
pub mod ranges;
mod rewards;
pub mod unpaid;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Rewards, Similarity, Ties};
use crate::model::first_sights::{FirstSights, NearCopy};
use crate::model::miner_id::Miner;
use crate::model::model_use::Money;
use crate::model::stopped_early::StoppedEarly;
use crate::pipeline::plan::{Part, Plan};
use crate::pipeline::report_summary::{self, ReportSummary, RunResult};
use crate::pipeline::samples;
pub use crate::pipeline::score::evaluated::Evaluated;
use crate::pipeline::score::improvement::Past;

/// The remark on an agent that runs text which it decodes.
const PACKED: &str = "packed: look at it, as near copies of it are not found";

/// Most miners that one remark names.
const MOST_NAMED: usize = 5;

/// One miner's line in the ranking. Field order is the column order of `rankings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// 1 is best; equal scores share a rank and the next rank skips ("1, 1, 3"). None when nothing
    /// could be scored.
    pub rank: Option<NonZeroU32>,
    /// The agent's miner.
    pub miner: Miner,
    /// 0-100, rounded to hundredths: the weighted mean of the run scores over all tasks of all stages, less the penalty;
    /// runs of stages not reached count 0, unscored runs don't count, nor do stages that only unscored
    /// runs keep the agent from. None when all runs are unscored.
    pub score: Option<f64>,
    /// Tokens, rounded down to millionths; None where nothing is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// Tests passed, in all samples.
    pub passed: u64,
    /// Tests of all samples of all tasks of all stages, whether reached or not.
    pub tests: u64,
    /// Runs that could not be judged, by our fault; all samples of a task are one.
    pub unscored: u64,
    /// The stage at which the agent stands: the first whose pass mark it misses, else the last.
    pub stage: String,
    /// The miner that was seen with these bytes before everybody else, if that is another one.
    pub duplicate_of: Option<Miner>,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// The miner that most of the submission was seen with first, if that is another one and the bytes are not the same.
    #[serde(default)]
    pub similar_to: Option<Miner>,
    /// Share of the submission that was seen with that miner first, 0 to 1, rounded down to hundredths.
    #[serde(default)]
    pub similarity: Option<f64>,
    /// Price of all that its runs asked of models; None where they may ask nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Percent of the score that was taken off for coming late; None where nothing late counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// The best rank that chance could have given it, by other tasks of the same kind; None where that can't be told.
    #[serde(default)]
    pub rank_low: Option<NonZeroU32>,
    /// The worst one.
    #[serde(default)]
    pub rank_high: Option<NonZeroU32>,
    /// Rank of the best agent whose lead over this one may be chance; itself where it leads.
    #[serde(default)]
    pub tier: Option<NonZeroU32>,
    /// Mean chance, in percent, that one sample passes all tests of a task; None where that tells nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at_1: Option<f64>,
    /// Mean chance, in percent, that one of `k` does, of tasks with as many samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at_k: Option<f64>,
    /// Its k; None where no task has several samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    /// Miners that are ranked with the same bytes, where it can't be told who had them first: none of them earns anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<Miner>,
    /// True if the submission runs text that it decodes: whether it is a near copy can't be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packed: bool,
    /// The stage that it was not run through, as its pass mark was out of reach: the score is a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_early: Option<StoppedEarly>,
    /// Price of all that the tests of its runs asked of a model, which is the organiser's; None where they ask none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge_cost: Option<Money>,
}

/// Ranks agents whose evaluation is complete. Sorted by rank, then by first seen, then by miner. `sights` tell who copied
/// whom, `near` who did so in disguise, `past` what was submitted before, by which improvements are paid.
///
/// Those with a syntax error are left out: such a submission is no agent.
pub fn rank(
    agents: &[&ReportSummary],
    plan: &Plan,
    rewards: Option<&Rewards>,
    sights: &FirstSights,
    near: &HashMap<Miner, NearCopy>,
    past: &Past,
) -> Vec<Row> {
    let agents: Vec<_> = agents.iter().filter(|agent| agent.syntax.is_none()).collect();
    let there: HashSet<(&str, &Miner)> =
        agents.iter().map(|agent| (agent.sha256.as_str(), &agent.miner)).collect();
    let is_there = |sha256: &str, miner: &Miner| there.contains(&(sha256, miner));
    let made = agents.iter().map(|agent| entry(agent, plan, sights, is_there, near.get(&agent.miner)));
    let mut entries: Vec<Entry> = made.collect();
    release(&mut entries);
    let by_cost = rewards.is_some_and(|rewards| rewards.ties == Ties::Cost);
    entries.sort_by(|a, b| order(&a.row, by_cost).cmp(&order(&b.row, by_cost)));
    number(&mut entries, by_cost);
    range(&mut entries, plan);
    if let Some(rewards) = rewards {
        rewards::share(&mut entries, rewards, plan, sights, past);
    }
    entries.into_iter().map(|entry| entry.row).collect()
}

/// Lets near copies of agents without a point earn: whoever submits many ways to write something takes nothing from others by that.
fn release(entries: &mut [Entry]) {
    let without: HashSet<Miner> = entries
        .iter()
        .filter(|entry| entry.row.score.is_none_or(|score| score <= 0.0))
        .map(|entry| entry.row.miner.clone())
        .collect();
    for entry in entries {
        entry.withheld &= entry.row.similar_to.as_ref().is_none_or(|original| !without.contains(original));
    }
}

/// The agent with the best score, of one miner's; of several the one that was seen first.
pub fn best<'a>(agents: impl Iterator<Item = &'a ReportSummary>, plan: &Plan) -> Option<&'a ReportSummary> {
    let rated = agents.map(|agent| {
        (score(agent, &walk(plan, &agent.results).0).map(cents), Reverse(agent.first_seen), agent)
    });
    rated.max_by_key(|(score, seen, _)| (*score, *seen)).map(|(.., agent)| agent)
}

/// Sums up an agent whose evaluation is complete, and that is not the best of its miner's.
pub fn not_best(agent: &ReportSummary, in_inbox: bool, plan: &Plan) -> Evaluated {
    let total = walk(plan, &agent.results).0;
    Evaluated {
        miner: agent.miner.clone(),
        sha256: agent.sha256.clone(),
        first_seen: agent.first_seen,
        in_inbox,
        score: score(agent, &total),
        passed: total.passed,
        tests: plan.tests(),
        unscored: total.unscored,
        penalty: agent.penalty,
    }
}

/// The score of an agent in one stage, in hundredths; 0 if nothing in it counts.
fn stage_cents(agent: &ReportSummary, part: &Part) -> u128 {
    score(agent, &tally(part, &agent.results)).map_or(0, cents)
}

/// The score of an agent, less the penalty for coming late.
fn score(agent: &ReportSummary, total: &Tally) -> Option<f64> {
    total.score().map(|score| hundredths(score * (100.0 - agent.penalty.unwrap_or(0.0)) / 100.0))
}

/// Tells whether an agent may go on to the next stage: every task of this one is judged, and its score
/// reaches the pass mark. `results` are those of all runs so far.
pub fn passes(part: &Part, results: &[RunResult]) -> bool {
    tally(part, results).passes(part.stage.pass_mark)
}

/// The console's line for one miner, such as `1. alice: 100 (reward: 50 TAO)`.
pub fn line(row: &Row, token: &str) -> String {
    let miner = &row.miner;
    let reward = row.reward.map_or_else(String::new, |reward| format!(" (reward: {reward} {token})"));
    let line = match (row.rank, row.score) {
        (Some(rank), Some(score)) => {
            format!("{rank}. {miner}: {score}{reward}")
        }
        _ => format!("-. {miner}: unscored"),
    };
    let unscored = (row.unscored > 0 && row.score.is_some()).then(|| format!("{} unscored", row.unscored));
    unscored.into_iter().chain(remarks(row)).fold(line, |line, remark| line + &format!(" [{remark}]"))
}

/// Remarks on a ranked miner, such as whose copy it is.
pub fn remarks(row: &Row) -> impl Iterator<Item = String> {
    let copy = row.duplicate_of.as_ref().map(|original| format!("copy of {original}"));
    let same = (!row.same_as.is_empty())
        .then(|| format!("same bytes as {}, and nobody can tell who was first", names(&row.same_as)));
    let similar = row.similar_to.as_ref().map(|other| format!("similar to {other}"));
    let stopped = row.stopped_early.as_ref().map(ToString::to_string);
    let packed = row.packed.then(|| PACKED.to_owned());
    let late = lateness(row.penalty);
    [copy, same, similar, stopped, packed, late].into_iter().flatten()
}

/// The remark on a penalty, in percent; None where there is none.
pub fn lateness(penalty: Option<f64>) -> Option<String> {
    penalty.filter(|percent| *percent > 0.0).map(|percent| format!("{percent}% off for coming late"))
}

fn names(miners: &[Miner]) -> String {
    let (names, more) =
        (miners.iter().take(MOST_NAMED).map(Miner::as_str), miners.len().saturating_sub(MOST_NAMED));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.collect::<Vec<_>>().join(", ") + &more
}

/// Tells the organiser what is undecided, and how to decide it; None if nothing is.
pub fn undecided(rows: &[Row], rules: &Similarity) -> Option<String> {
    let mut open: BTreeMap<&str, Vec<Miner>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.same_as.is_empty()) {
        open.entry(&row.sha256).or_default().push(row.miner.clone());
    }
    let earns =
        if rows.iter().any(|row| row.reward.is_some()) { ": none of them earns anything" } else { "" };
    let groups: Vec<String> = open.values().map(|miners| names(miners)).collect();
    let one = if groups.len() > 1 { "one of each" } else { "one" };
    let originals = rules.with_originals(open.iter().map(|(sha256, miners)| (*sha256, &miners[0])));
    (!open.is_empty()).then(|| {
        format!(
            "{} came with the same bytes between two looks at the inbox, and nobody can tell who was first{earns} until {one} is \
             named in pipeline.yaml, such as {originals}",
            groups.join("; also "),
        )
    })
}

fn tally(part: &Part, results: &[RunResult]) -> Tally {
    let mut tally = Tally::default();
    for (task, result) in part.tasks.iter().zip(samples::reduced(part, results)) {
        match result {
            RunResult::Scored { score, passed, .. } => {
                tally.judged += task.weight;
                tally.points += task.weight * score.clamp(0.0, 100.0);
                tally.passed += u64::from(passed);
            }
            RunResult::Unscored => {
                tally.open += task.weight;
                tally.unscored += 1;
            }
            RunResult::Missing | RunResult::Stopped => tally.missing += task.weight,
            // As if the task were not there.
            RunResult::TaskFault => {}
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

/// Tells whether points, of tasks of this weight, reach a pass mark.
fn reaches(points: f64, judged: f64, mark: f64) -> bool {
    points + SLACK >= mark * judged
}

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
    fn passes(&self, result: f64) -> bool {
        self.open == 0.0 && self.missing == 0.0 && reaches(self.points, self.judged, result)
    }

    /// Tells whether only unscored runs, our fault, stand between the agent and the next stage.
    fn held_up(&self, result: f64) -> bool {
        let all = self.judged + self.open;
        self.open > 0.0 && self.missing == 0.0 && self.points + 100.0 * self.open + SLACK >= result * all
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
    results: ranges::Results,
    /// Scores in the stages that it passed, in hundredths, less the penalty.
    passed: Vec<u128>,
    /// Passed every stage.
    cleared: bool,
    /// A near copy that is to earn nothing.
    withheld: bool,
}

fn entry(
    agent: &ReportSummary,
    plan: &Plan,
    sights: &FirstSights,
    is_there: impl Fn(&str, &Miner) -> bool,
    near: Option<&NearCopy>,
) -> Entry {
    let (total, missed) = walk(plan, &agent.results);
    let passed = missed.unwrap_or(plan.parts.len());
    let undecided = sights.undecided(&agent.sha256);
    let is_among = undecided.contains(&&agent.miner);
    let original = sights.first(&agent.sha256).filter(|original| **original != agent.miner && !is_among);
    let others = undecided.into_iter().filter(|other| is_among && **other != agent.miner);
    let same_as = others.filter(|other| is_there(&agent.sha256, other)).cloned().collect();
    let stands_at = missed.or(plan.parts.len().checked_sub(1)).map(|at| plan.parts[at].stage.name.clone());
    let chances = pass::chances(agent, plan);
    let row = Row {
        rank: None,
        miner: agent.miner.clone(),
        score: score(agent, &total),
        reward: None,
        passed: total.passed,
        tests: plan.tests(),
        unscored: total.unscored,
        stage: stands_at.unwrap_or_default(),
        duplicate_of: original.cloned(),
        first_seen: agent.first_seen,
        sha256: agent.sha256.clone(),
        similar_to: near.map(|near| near.similar_to.clone()),
        similarity: near.map(|near| f64::from(near.percent) / 100.0),
        cost: report_summary::asked(&agent.results).price().filter(|_| plan.grants_models()),
        penalty: agent.penalty,
        rank_low: None,
        rank_high: None,
        tier: None,
        pass_at_1: chances.at_1,
        pass_at_k: chances.at_k,
        k: chances.k,
        same_as,
        packed: sights.is_packed(&agent.sha256),
        stopped_early: early_stop::of(&agent.results, plan),
        judge_cost: report_summary::asked_by_tests(&agent.results).and_then(|asked| asked.price()),
    };
    let results = ranges::Results::of(agent, plan);
    let passed = plan.parts[..passed].iter().map(|part| stage_cents(agent, part)).collect();
    let withheld = near.is_some_and(|near| near.withheld);
    Entry { row, results, passed, cleared: missed.is_none(), withheld }
}

/// Goes through the stages as far as the agent gets; also says at which stage it stopped. Runs behind
/// that stage don't count even if a report still holds them: the ranking is a function of the inbox,
/// not of what ran in earlier passes.
fn walk(plan: &Plan, results: &[RunResult]) -> (Tally, Option<usize>) {
    let mut total = Tally::default();
    for (at, part) in plan.parts.iter().enumerate() {
        let tally = tally(part, results);
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

/// One task of the plan as it counts for an agent.
struct Counted<'p, 't> {
    part: &'p Part<'t>,
    /// Its place in the stage.
    task: usize,
    /// Missing where the agent did not get there, unscored where only unscored runs kept it from there.
    result: RunResult,
}

impl<'p, 't> Counted<'p, 't> {
    /// All tasks, by an agent's results.
    fn of(plan: &'p Plan<'t>, results: &[RunResult]) -> Vec<Self> {
        let (mut counted, mut instead) = (Vec::new(), None);
        for part in &plan.parts {
            let reduced = samples::reduced(part, results).enumerate();
            let result = |(task, result)| Counted { part, task, result: instead.unwrap_or(result) };
            counted.extend(reduced.map(result));
            let tally = tally(part, results);
            if instead.is_none() && !tally.passes(part.stage.pass_mark) {
                let held_up = tally.held_up(part.stage.pass_mark);
                instead = Some(if held_up { RunResult::Unscored } else { RunResult::Missing });
            }
        }
        counted
    }
}

/// Best first, unscored last; equals by first seen, then by miner.
fn order(row: &Row, by_cost: bool) -> impl Ord + '_ {
    (rated(row, by_cost), row.first_seen, &row.miner)
}

/// How an agent is rated: the same for those who share a rank. A cost that is not known is more than any that is.
fn rated(row: &Row, by_cost: bool) -> (Reverse<Option<u128>>, bool, Option<Money>) {
    let cost = row.cost.filter(|_| by_cost);
    (Reverse(row.score.map(cents)), cost.is_none(), cost)
}

/// The score as an exact number of hundredths.
fn cents(score: f64) -> u128 {
    (score * 100.0).round() as u128
}

/// Gives ranks to sorted entries.
fn number(entries: &mut [Entry], by_cost: bool) {
    let mut last = (None, None);
    for (at, entry) in entries.iter_mut().enumerate().take_while(|(_, entry)| entry.row.score.is_some()) {
        let rated = Some(rated(&entry.row, by_cost));
        if last.0 != rated {
            last = (rated, u32::try_from(at + 1).ok().and_then(NonZeroU32::new));
        }
        entry.row.rank = last.1;
    }
}

/// Gives ranges of ranks to numbered entries.
fn range(entries: &mut [Entry], plan: &Plan) {
    let ranks: Vec<u32> = entries.iter().filter_map(|entry| entry.row.rank).map(u32::from).collect();
    let ranked = &mut entries[..ranks.len()];
    let results: Vec<&ranges::Results> = ranked.iter().map(|entry| &entry.results).collect();
    for (entry, range) in
        ranges::of(&results, &ranks, plan).unwrap_or_default().into_iter().zip(ranked).map(|(a, b)| (b, a))
    {
        // Draws know nothing of costs, by which equals may have been parted.
        entry.row.rank_low = NonZeroU32::new(range.low).min(entry.row.rank);
        entry.row.rank_high = NonZeroU32::new(range.high).max(entry.row.rank);
        entry.row.tier = NonZeroU32::new(range.tier);
    }
}

#[cfg(test)]
mod tests;
