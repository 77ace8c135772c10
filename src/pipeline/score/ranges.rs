//! Ranges of ranks: how far chance could have moved an agent, told by a paired bootstrap over tasks and samples.
//!
//! The tasks are drawn anew, with repetition, a thousand times, the same ones for every agent, and of each the samples where there
//! are several; each draw makes a ranking. The seed is a digest of all results, so that the same results give the same ranges, wherever and how often they are made.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::config::{Reduce, Sampling};
use crate::pipeline::plan::Plan;
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::samples::{self, Judged};
use crate::pipeline::score::Counted;
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

/// True if agents that are equal on one of so few tasks can't be told from each other, whatever they score on the others: a draw takes that
/// task alone too often.
#[must_use]
pub fn are_too_few(tasks: usize) -> bool {
    let alone = (1.0 / tasks as f64).powf(tasks as f64);
    tasks > 1 && alone > CHANCE
}

/// Ranks that an agent could have had by other tasks of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The best of them.
    pub low: u32,
    /// The worst.
    pub high: u32,
    /// Rank of the best agent that this one can't be told from, nor those between.
    pub tier: u32,
}

/// Results of one agent: what each task adds to its points and to the weight that they are divided by.
#[derive(Default)]
pub(super) struct Results {
    points: Vec<f64>,
    weights: Vec<f64>,
    /// By task, the judged samples where there are several, and the points of a score; then its `points` are none.
    samples: BTreeMap<usize, (Vec<Judged>, f64)>,
}

impl Results {
    /// Those that make up its score, less a penalty in percent.
    pub(super) fn of(agent: &ReportSummary, plan: &Plan) -> Self {
        let share = (100.0 - agent.penalty.unwrap_or(0.0)) / 100.0;
        let mut all = Self::default();
        for Counted { part, task: at, result } in Counted::of(plan, &agent.results) {
            let weight = part.tasks[at].weight;
            let worth = share * weight;
            match result {
                RunResult::Scored { .. } if part.stage.sampling.samples > 1 => {
                    let judged = samples::of_task(part, &agent.results, at);
                    let judged = judged.filter_map(|sample| samples::counted(&sample)).collect();
                    all.samples.insert(all.points.len(), (judged, worth));
                    all.add(0.0, weight);
                }
                RunResult::Scored { score, .. } => all.add(worth * score.clamp(0.0, 100.0), weight),
                RunResult::Missing | RunResult::Stopped => all.add(0.0, weight),
                RunResult::Unscored | RunResult::TaskFault => all.add(0.0, 0.0),
            }
        }
        all
    }

    /// Those of tasks that weigh the same.
    fn of_equal_tasks(points: Vec<f64>) -> Self {
        Self { weights: vec![1.0; points.len()], points, samples: BTreeMap::new() }
    }

    fn add(&mut self, points: f64, weight: f64) {
        self.points.push(points);
        self.weights.push(weight);
    }

    /// Score by the tasks and samples that were drawn.
    fn score(&self, draw: &Draw) -> f64 {
        let sum = |values: &[f64]| -> f64 {
            values.iter().zip(&draw.counts).map(|(value, count)| value * count).sum()
        };
        let weight = sum(&self.weights);
        let sampled = draw.sampled.iter().filter_map(|(task, drawn, by)| {
            let (judged, worth) = self.samples.get(task)?;
            let drawn: Vec<Judged> = drawn.iter().map(|at| judged[at % judged.len()]).collect();
            Some(worth * samples::score(&drawn, *by))
        });
        let points = sum(&self.points) + sampled.sum::<f64>();
        if weight > 0.0 { points / weight } else { 0.0 }
    }
}

/// Tasks and samples drawn anew, the same ones for all agents.
#[derive(Default)]
struct Draw {
    /// How often each task was drawn.
    counts: Vec<f64>,
    /// Each time that a task with samples was: those of its samples that were drawn, and the rule that makes them one.
    sampled: Vec<(usize, Vec<usize>, Reduce)>,
}

impl Draw {
    /// As many tasks as there are, and of each as many samples as it has.
    fn new(sampling: &[Sampling], seed: u64) -> Self {
        let (mut draw, mut random) = (Self::default(), Random(seed));
        draw.counts = vec![0.0; sampling.len()];
        for _ in sampling {
            let task = random.below(sampling.len());
            draw.counts[task] += 1.0;
            let Sampling { samples, reduce } = sampling[task];
            if samples > 1 {
                let drawn = (0..samples).map(|_| random.below(samples as usize)).collect();
                draw.sampled.push((task, drawn, reduce));
            }
        }
        draw
    }
}

/// The ranges of agents, best first, with their ranks; None where fewer than two agents or tasks tell nothing.
pub(super) fn of(agents: &[&Results], ranks: &[u32], plan: &Plan) -> Option<Vec<Range>> {
    let sampling: Vec<Sampling> = plan.tasks().map(|(at, _)| plan.parts[at].stage.sampling).collect();
    among(agents, ranks, &sampling)
}

/// Ranges of ranks by the points of each task, where all weigh the same; best first, with their ranks.
#[must_use]
pub fn of_equal_tasks(points: Vec<Vec<f64>>, ranks: &[u32]) -> Option<Vec<Range>> {
    let all: Vec<Results> = points.into_iter().map(Results::of_equal_tasks).collect();
    let sampling = vec![Sampling::ONE; all.first()?.points.len()];
    among(&all.iter().collect::<Vec<_>>(), ranks, &sampling)
}

/// The ends between which the mean over tasks would be in 95 of 100 draws; None where these could not differ, as all tasks
/// have the same points.
#[must_use]
pub fn interval(points: &[f64]) -> Option<[f64; 2]> {
    points.iter().find(|other| **other != points[0])?;
    let results = Results::of_equal_tasks(points.to_vec());
    let (sampling, seed) = (vec![Sampling::ONE; points.len()], seed(&[&results]));
    let mean = |draw| results.score(&Draw::new(&sampling, seed ^ draw));
    let mut means: Vec<f64> = (0..MOST as u64).into_par_iter().map(mean).collect();
    means.sort_unstable_by(f64::total_cmp);
    Some(ends(&means))
}

/// The lowest and the highest of sorted values without the tails.
fn ends<T: Copy>(sorted: &[T]) -> [T; 2] {
    let tail = (TAIL * sorted.len() as f64) as usize;
    [sorted[tail], sorted[sorted.len() - 1 - tail]]
}

/// Ranges of ranks, given the samples of each task.
fn among(agents: &[&Results], ranks: &[u32], sampling: &[Sampling]) -> Option<Vec<Range>> {
    if sampling.len() < 2 || agents.len() < 2 {
        return None;
    }
    let runs: usize = sampling.iter().map(|of_task| of_task.samples as usize).sum();
    let (draws, seed) = ((WORK / (agents.len() * runs)).clamp(FEWEST, MOST), seed(agents));
    let drawn: Vec<Vec<u32>> =
        (0..draws as u64).into_par_iter().map(|draw| ranking(agents, sampling, seed ^ draw)).collect();
    let tiers = tiers(&drawn, ranks);
    let range = |(at, tier): (usize, u32)| {
        let mut all: Vec<u32> = drawn.iter().map(|ranks| ranks[at]).collect();
        all.sort_unstable();
        let [low, high] = ends(&all);
        // What was seen is possible.
        Range { low: low.min(ranks[at]), high: high.max(ranks[at]), tier }
    };
    Some(tiers.into_par_iter().enumerate().map(range).collect())
}

/// A number made of all results.
fn seed(agents: &[&Results]) -> u64 {
    let bits = |values: &mut dyn Iterator<Item = f64>| -> Vec<u8> {
        values.flat_map(|value| value.to_bits().to_le_bytes()).collect()
    };
    let parts = |agent: &&Results| {
        let own = [&agent.points, &agent.weights].map(|values| bits(&mut values.iter().copied()));
        let scores = |(judged, _): &(Vec<Judged>, f64)| bits(&mut judged.iter().map(|(score, _)| *score));
        own.into_iter().chain(agent.samples.values().map(scores)).collect::<Vec<_>>()
    };
    let parts: Vec<Vec<u8>> = agents.iter().flat_map(parts).collect();
    let hex = digest::hex(parts.iter().map(Vec::as_slice));
    u64::from_str_radix(&hex[..16], 16).unwrap_or_default()
}

/// The rank of each agent in one draw; equals share one.
fn ranking(agents: &[&Results], sampling: &[Sampling], seed: u64) -> Vec<u32> {
    let draw = Draw::new(sampling, seed);
    let scores: Vec<f64> = agents.iter().map(|agent| agent.score(&draw)).collect();
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
                samples: BTreeMap::new(),
            })
            .collect();
        all.sort_by(|a, b| b.points.iter().sum::<f64>().total_cmp(&a.points.iter().sum()));
        all
    }

    fn told(agents: &[Results]) -> Option<Vec<Range>> {
        let sampling = vec![Sampling::ONE; agents[0].points.len()];
        let draw = Draw { counts: vec![1.0; sampling.len()], sampled: Vec::new() };
        among(&agents.iter().collect::<Vec<_>>(), &exact(agents, &draw), &sampling)
    }

    fn exact(agents: &[Results], draw: &Draw) -> Vec<u32> {
        let scores: Vec<f64> = agents.iter().map(|agent| agent.score(draw)).collect();
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
        let same =
            || Results { points: one.points.clone(), weights: one.weights.clone(), ..Results::default() };
        let ranges = told(&[same(), same(), same()]).unwrap();
        assert!(ranges.iter().all(|range| *range == Range { low: 1, high: 1, tier: 1 }));
        let agents = agents(&mut random, 20, &[50, 40, 30]);
        assert_eq!(told(&agents), told(&agents));
    }

    /// Agents whose samples of each task pass by chance, so often of a hundred times.
    fn sampled(random: &mut Random, (tasks, samples): (usize, u32), percents: &[usize]) -> Vec<Results> {
        let agent = |percent: &usize| {
            let mut sample = || if random.below(100) < *percent { (100.0, true) } else { (0.0, false) };
            let of_task = |task| (task, ((0..samples).map(|_| sample()).collect(), 1.0));
            let samples = (0..tasks).map(of_task).collect();
            Results { points: vec![0.0; tasks], weights: vec![1.0; tasks], samples }
        };
        percents.iter().map(agent).collect()
    }

    #[test]
    fn samples_are_drawn_anew_with_their_tasks() {
        let mut random = Random(5);
        let agents = sampled(&mut random, (40, 8), &[70, 40]);
        let agents: Vec<&Results> = agents.iter().collect();
        let ranges = |reduce| among(&agents, &[1, 2], &vec![Sampling { samples: 8, reduce }; 40]).unwrap();
        let apart = ranges(Reduce::Mean);
        assert_eq!([apart[0].high, apart[1].low, apart[1].tier], [1, 2, 2], "{apart:?}");
        assert_eq!(ranges(Reduce::Mean), apart);
        let alike = ranges(Reduce::PassAt(8));
        assert_eq!(alike[1].tier, 1, "nearly all of both pass once in eight times: {alike:?}");
    }

    #[test]
    fn one_sample_has_a_spread_that_none_tells_of() {
        // Ten tasks, of which each passes by the flip of a coin; one agent was lucky in all of them.
        let both = |samples: [Vec<Judged>; 2]| {
            samples.map(|judged| Results {
                points: vec![0.0; 10],
                weights: vec![1.0; 10],
                samples: (0..10).map(|task| (task, (judged.clone(), 1.0))).collect(),
            })
        };
        let coin = vec![(100.0, true), (0.0, false)];
        let agents = both([[coin.clone(), vec![(100.0, true)]].concat(), coin]);
        let sampling = vec![Sampling { samples: 3, reduce: Reduce::Mean }; 10];
        let ranges = among(&agents.each_ref(), &[1, 2], &sampling).unwrap();
        assert_eq!(ranges[1].tier, 1, "the same tasks each time, but not the same samples: {ranges:?}");
    }

    #[test]
    fn one_task_or_one_agent_tells_nothing() {
        let mut random = Random(4);
        assert_eq!(told(&agents(&mut random, 1, &[50, 50])), None);
        assert_eq!(told(&agents(&mut random, 9, &[50])), None);
        assert_eq!(among(&[], &[], &[]), None);
    }
}
