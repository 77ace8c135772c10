//! Ranges of ranks: how far chance could have moved an agent, told by a paired bootstrap over tasks.
//!
//! The tasks are drawn anew, with repetition, a thousand times, the same ones for every agent; each draw makes a ranking. Its
//! seed is a digest of all results, so that the same results give the same ranges, wherever and how often they are made.

use rayon::prelude::*;

use crate::pipeline::plan::Plan;
use crate::pipeline::report_summary::{self, ReportSummary, RunResult};
use crate::util::digest;

/// Draws, at most and at least: fewer where many agents ran on many tasks.
const MOST: usize = 1_000;
const FEWEST: usize = 200;

/// Results that all draws may look at.
const WORK: usize = 20_000_000;

/// Share of the draws that the range leaves out, below and above each.
const TAIL: f64 = 0.025;

/// Share of the draws in which the lower one must not be behind for an order to be taken for chance.
const CHANCE: f64 = 0.01;

/// Sums of weighted scores are off by some last bits.
const SLACK: f64 = 1e-9;

/// Ranks that an agent could have had by other tasks of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The best of them.
    pub(super) low: u32,
    /// The worst.
    pub(super) high: u32,
    /// Rank of the best agent that this one can't be told from, nor those between.
    pub(super) tier: u32,
}

/// Results of one agent: what each task adds to its points and to the weight that they are divided by.
pub(super) struct Results {
    points: Vec<f64>,
    weights: Vec<f64>,
}

impl Results {
    /// Those that make up its score, less a penalty in percent.
    pub(super) fn of(agent: &ReportSummary, plan: &Plan) -> Self {
        let share = (100.0 - agent.penalty.unwrap_or(0.0)) / 100.0;
        let (mut points, mut weights, mut reached, mut missed_counts) = (Vec::new(), Vec::new(), true, true);
        for part in &plan.parts {
            let results = report_summary::results(&agent.results, part.first, part.tasks.len());
            for (task, result) in part.tasks.iter().zip(results) {
                let (point, weight) = match result {
                    _ if !reached => (0.0, if missed_counts { task.weight } else { 0.0 }),
                    RunResult::Scored { score, .. } => {
                        (share * task.weight * score.clamp(0.0, 100.0), task.weight)
                    }
                    RunResult::Missing => (0.0, task.weight),
                    RunResult::Unscored | RunResult::TaskFault => (0.0, 0.0),
                };
                points.push(point);
                weights.push(weight);
            }
            let tally = super::tally(part, &agent.results);
            if reached && !tally.passes(part.stage.pass_mark) {
                (reached, missed_counts) = (false, !tally.held_up(part.stage.pass_mark));
            }
        }
        Self { points, weights }
    }

    /// Score by so many of each task.
    fn score(&self, counts: &[f64]) -> f64 {
        let sum =
            |values: &[f64]| -> f64 { values.iter().zip(counts).map(|(value, count)| value * count).sum() };
        let weight = sum(&self.weights);
        if weight > 0.0 { sum(&self.points) / weight } else { 0.0 }
    }
}

/// The ranges of agents, best first, with their ranks; None where fewer than two agents or tasks tell nothing.
pub(super) fn of(agents: &[&Results], ranks: &[u32]) -> Option<Vec<Range>> {
    let tasks = agents.first()?.points.len();
    if tasks < 2 || agents.len() < 2 {
        return None;
    }
    let (draws, seed) = ((WORK / (agents.len() * tasks)).clamp(FEWEST, MOST), seed(agents));
    let drawn: Vec<Vec<u32>> =
        (0..draws as u64).into_par_iter().map(|draw| ranking(agents, tasks, seed ^ draw)).collect();
    let tiers = tiers(&drawn, ranks);
    let range = |(at, tier): (usize, u32)| {
        let mut all: Vec<u32> = drawn.iter().map(|ranks| ranks[at]).collect();
        all.sort_unstable();
        let tail = (TAIL * draws as f64) as usize;
        // What was seen is possible.
        let (low, high) = (all[tail].min(ranks[at]), all[draws - 1 - tail].max(ranks[at]));
        Range { low, high, tier }
    };
    Some(tiers.into_par_iter().enumerate().map(range).collect())
}

/// A number made of all results.
fn seed(agents: &[&Results]) -> u64 {
    let bits = |values: &[f64]| -> Vec<u8> {
        values.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect()
    };
    let parts: Vec<Vec<u8>> =
        agents.iter().flat_map(|agent| [bits(&agent.points), bits(&agent.weights)]).collect();
    let hex = digest::hex(parts.iter().map(Vec::as_slice));
    u64::from_str_radix(&hex[..16], 16).unwrap_or_default()
}

/// The rank of each agent in one draw; equals share one.
fn ranking(agents: &[&Results], tasks: usize, seed: u64) -> Vec<u32> {
    let (mut counts, mut random) = (vec![0.0; tasks], Random(seed));
    for _ in 0..tasks {
        counts[random.below(tasks)] += 1.0;
    }
    let scores: Vec<f64> = agents.iter().map(|agent| agent.score(&counts)).collect();
    let mut order: Vec<usize> = (0..agents.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let (mut ranks, mut rank, mut before) = (vec![0; agents.len()], 0, f64::INFINITY);
    for (place, at) in (1..).zip(order) {
        if before - scores[at] > SLACK {
            rank = place;
        }
        (ranks[at], before) = (rank, scores[at]);
    }
    ranks
}

/// The tiers: each goes from its best agent down to the first one that is behind it in nearly all draws.
fn tiers(drawn: &[Vec<u32>], ranks: &[u32]) -> Vec<u32> {
    let mut first = 0;
    let tier = |at: usize| {
        if at > 0 && ranks[at] == ranks[at - 1] {
            return ranks[first];
        }
        let not_behind = drawn.iter().filter(|ranks| ranks[at] <= ranks[first]).count();
        if (not_behind as f64) < CHANCE * drawn.len() as f64 {
            first = at;
        }
        ranks[first]
    };
    (0..ranks.len()).map(tier).collect()
}

/// SplitMix64 (Steele, Lea and Flood, 2014): enough for draws, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ mixed >> 31) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Agents that pass each task by chance, so often of a hundred times.
    fn agents(random: &mut Random, tasks: usize, percents: &[usize]) -> Vec<Results> {
        let mut all: Vec<Results> = percents
            .iter()
            .map(|percent| Results {
                points: (0..tasks).map(|_| if random.below(100) < *percent { 100.0 } else { 0.0 }).collect(),
                weights: vec![1.0; tasks],
            })
            .collect();
        all.sort_by(|a, b| b.points.iter().sum::<f64>().total_cmp(&a.points.iter().sum()));
        all
    }

    fn told(agents: &[Results]) -> Option<Vec<Range>> {
        of(&agents.iter().collect::<Vec<_>>(), &exact(agents))
    }

    fn exact(agents: &[Results]) -> Vec<u32> {
        let counts = vec![1.0; agents[0].points.len()];
        let scores: Vec<f64> = agents.iter().map(|agent| agent.score(&counts)).collect();
        scores.iter().map(|score| 1 + scores.iter().filter(|other| *other > score).count() as u32).collect()
    }

    #[test]
    fn two_that_flip_coins_are_not_told_apart() {
        let mut random = Random(1);
        let told_apart = |(): ()| {
            let agents = agents(&mut random, 60, &[50, 50]);
            let ranges = told(&agents).unwrap();
            ranges[1].tier != 1
        };
        let wrong = std::iter::repeat_n((), 300).map(told_apart).filter(|wrong| *wrong).count();
        assert!(wrong <= 9, "{wrong} of 300 pairs");
    }

    #[test]
    fn a_better_one_is_told_apart_by_enough_tasks() {
        let mut random = Random(2);
        let mut ranges = |tasks| {
            let agents = agents(&mut random, tasks, &[90, 55, 50, 10]);
            told(&agents).unwrap()
        };
        let many: Vec<Vec<Range>> = (0..20).map(|_| ranges(200)).collect();
        for ranges in &many {
            let ends = [ranges[0], ranges[3]].map(|range| (range.low, range.high, range.tier));
            assert_eq!(ends, [(1, 1, 1), (4, 4, 4)], "{ranges:?}");
            assert_eq!(ranges[1].tier, 2);
        }
        let together = many.iter().filter(|ranges| ranges[2].tier == 2).count();
        assert!(together >= 15, "{together} of 20");
        let few = ranges(3);
        assert!(few[0].high > 1, "{few:?}");
    }

    #[test]
    fn equals_share_all_and_the_same_results_give_the_same_ranges() {
        let mut random = Random(3);
        let one = agents(&mut random, 20, &[50]).remove(0);
        let same = || Results { points: one.points.clone(), weights: one.weights.clone() };
        let ranges = told(&[same(), same(), same()]).unwrap();
        assert!(ranges.iter().all(|range| *range == Range { low: 1, high: 1, tier: 1 }));
        let agents = agents(&mut random, 20, &[50, 40, 30]);
        assert_eq!(told(&agents), told(&agents));
    }

    #[test]
    fn one_task_or_one_agent_tells_nothing() {
        let mut random = Random(4);
        assert_eq!(told(&agents(&mut random, 1, &[50, 50])), None);
        assert_eq!(told(&agents(&mut random, 9, &[50])), None);
        assert_eq!(of(&[], &[]), None);
    }
}
