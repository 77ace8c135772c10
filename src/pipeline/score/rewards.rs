//! Rewards: the pool, shared among ranked agents in whole millionths, so that equal scores get equal rewards and the sum
//! can't exceed the pool.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::config::{Rewards, Split, Ties};
use crate::model::first_sights::FirstSights;
use crate::pipeline::plan::Plan;
use crate::pipeline::score::improvement::{self, Attempt, Past};
use crate::pipeline::score::{Entry, Row, cents};

/// One who is paid out of a pool.
struct Earner {
    /// Where it stands in the ranking.
    at: usize,
    /// Its score, in hundredths.
    cents: u128,
    /// Equal for those who are paid the same.
    group: u128,
}

/// Pays sorted entries.
pub(super) fn share(
    entries: &mut [Entry],
    rewards: &Rewards,
    plan: &Plan,
    sights: &FirstSights,
    past: &Past,
) {
    let all = millionths(rewards.pool);
    let for_records = rewards.improvement.as_ref().map_or(0, |rule| part(all, rule.percent));
    let rest = all - for_records;
    let mut paid = match &rewards.per_stage {
        Some(pools) => by_stage(entries, rewards, plan, pools, rest),
        None => split(rest, &rewards.split, &ranked(entries, rewards), entries.len()),
    };
    pay_records(&mut paid, entries, rewards, (sights, past), for_records);
    let cap = rewards.cap.map_or(u128::MAX, millionths);
    for (entry, units) in entries.iter_mut().zip(paid) {
        entry.row.reward = Some(units.min(cap) as f64 / 1e6);
    }
}

/// Tells whether an agent may earn anything, wherever it stands.
fn is_eligible(entry: &Entry, rewards: &Rewards) -> bool {
    let original = !entry.withheld && entry.row.duplicate_of.is_none() && entry.row.same_as.is_empty();
    original && entry.row.score.is_some_and(|score| cents(score) > 0 && score >= rewards.minimum)
}

/// Those who passed every stage.
fn ranked(entries: &[Entry], rewards: &Rewards) -> Vec<Earner> {
    let earners = entries.iter().enumerate();
    let mut earners: Vec<Earner> = earners
        .filter(|(_, entry)| entry.cleared && is_eligible(entry, rewards))
        .map(|(at, entry)| Earner { at, cents: cents(entry.row.score.unwrap_or_default()), group: 0 })
        .collect();
    for at in 1..earners.len() {
        let (a, b) = (&entries[earners[at - 1].at].row, &entries[earners[at].at].row);
        earners[at].group = earners[at - 1].group + u128::from(!are_tied(a, b, rewards.ties));
    }
    earners
}

/// A pool for each stage, shared by those who passed it, by their scores in it.
fn by_stage(
    entries: &[Entry],
    rewards: &Rewards,
    plan: &Plan,
    pools: &[(String, f64)],
    pool: u128,
) -> Vec<u128> {
    // Percentages are rounded: together they must not come to more than the pool.
    let (mut paid, mut left) = (vec![0; entries.len()], pool);
    for (stage, percent) in pools {
        let of_stage = part(pool, *percent).min(left);
        left -= of_stage;
        let Some(place) = plan.place(stage) else { continue };
        let score = |entry: &Entry| entry.passed.get(place).copied().filter(|cents| *cents > 0);
        let eligible = entries.iter().enumerate().filter(|(_, entry)| is_eligible(entry, rewards));
        let mut earners: Vec<Earner> = eligible
            .filter_map(|(at, entry)| score(entry).map(|cents| Earner { at, cents, group: cents }))
            .collect();
        earners.sort_by_key(|earner| (Reverse(earner.cents), earner.at));
        let shares = split(of_stage, &rewards.split, &earners, entries.len());
        paid.iter_mut().zip(shares).for_each(|(paid, share)| *paid += share);
    }
    paid
}

/// Pays those who beat the best so far. A record that was a copy, or whose miner may earn nothing, is paid to nobody.
fn pay_records(
    paid: &mut [u128],
    entries: &[Entry],
    rewards: &Rewards,
    (sights, past): (&FirstSights, &Past),
    pool: u128,
) {
    let Some((rule, now)) = rewards.improvement.as_ref().zip(past.now) else { return };
    let present = entries.iter().filter_map(|entry| attempt(&entry.row, sights));
    let unsure: HashSet<&str> = entries.iter().filter_map(|entry| unsure(&entry.row)).collect();
    let attempts = past.attempts.iter().cloned().chain(present);
    let counts = |attempt: &Attempt| {
        !unsure.contains(attempt.sha256.as_str()) && !sights.is_disowned(&attempt.sha256, &attempt.miner)
    };
    let attempts = attempts.filter(counts).collect();
    let is_copy =
        |attempt: &Attempt| sights.first(&attempt.sha256).is_some_and(|first| *first != attempt.miner);
    let records = improvement::records(attempts, is_copy, rule, now);
    let worth = improvement::by_miner(&records, pool, rule.half_life);
    for (paid, entry) in paid.iter_mut().zip(entries) {
        if entry.cleared && is_eligible(entry, rewards) {
            *paid += worth.get(&entry.row.miner).copied().unwrap_or_default();
        }
    }
}

/// The digest of one whose score may change yet, as not all of it could be judged.
fn unsure(row: &Row) -> Option<&str> {
    (row.unscored > 0).then_some(row.sha256.as_str())
}

/// None of an agent without a score.
fn attempt(row: &Row, sights: &FirstSights) -> Option<Attempt> {
    let seen = sights.decides(&row.sha256, &row.miner).unwrap_or(row.first_seen);
    let cents = cents(row.score?);
    Some(Attempt { seen, miner: row.miner.clone(), sha256: row.sha256.clone(), cents })
}

/// Shares a pool among earners, best first; gives what each entry gets.
fn split(pool: u128, rule: &Split, earners: &[Earner], entries: usize) -> Vec<u128> {
    let mut paid = vec![0; entries];
    let all: u128 = earners.iter().map(|earner| earner.cents).sum();
    let mut place = 0;
    for tied in earners.chunk_by(|a, b| a.group == b.group) {
        let count = tied.len();
        let points: u128 = tied.iter().map(|earner| earner.cents).sum();
        let each = match rule {
            Split::Proportional => pool * points / (all * count as u128),
            Split::Winner if place == 0 => pool / count as u128,
            Split::Winner => 0,
            Split::Places(percents) => place_share(pool, percents, place, count) / count as u128,
        };
        tied.iter().for_each(|earner| paid[earner.at] = each);
        place += count;
    }
    let due = match rule {
        _ if earners.is_empty() => 0,
        Split::Proportional | Split::Winner => pool,
        Split::Places(percents) => place_share(pool, percents, 0, place),
    };
    pay_rest(&mut paid, earners, due);
    paid
}

/// Pays what rounding down has left of what is due: to the best, and what can't be shared alike among them to the next ones who are
/// paid anything. No better score ever earns less by that.
fn pay_rest(paid: &mut [u128], earners: &[Earner], due: u128) {
    let mut left = due - paid.iter().sum::<u128>();
    let mut better = u128::MAX;
    for tied in earners.chunk_by(|a, b| a.group == b.group) {
        let (count, each) = (tied.len() as u128, paid[tied[0].at]);
        if left == 0 || each == 0 && better < u128::MAX {
            break;
        }
        let more = (left / count).min(better.saturating_sub(each));
        tied.iter().for_each(|earner| paid[earner.at] += more);
        left -= more * count;
        better = each + more;
    }
}

/// Tells whether two agents are paid the same, the first one ranked before the other.
fn are_tied(a: &Row, b: &Row, ties: Ties) -> bool {
    let equal = a.score.map(cents) == b.score.map(cents);
    equal && (ties != Ties::Cost || a.cost == b.cost)
        || ties == Ties::Statistical && a.tier.is_some() && a.tier == b.tier
}

/// The units due to the `count` agents that hold the places from `first` on.
fn place_share(pool: u128, percents: &[f64], first: usize, count: usize) -> u128 {
    let units: Vec<u128> = percents.iter().map(|percent| (percent * 1e6).round() as u128).collect();
    // More than 100 percent can't be paid; less leaves the rest in the pool.
    let whole = units.iter().sum::<u128>().max(100_000_000);
    let held: u128 = units.iter().skip(first).take(count).sum();
    pool * held / whole
}

/// So many percent of a pool, at most all of it.
fn part(pool: u128, percent: f64) -> u128 {
    (pool * (percent * 1e6).round() as u128 / 100_000_000).min(pool)
}

/// Tokens in whole millionths, never more than `tokens`.
fn millionths(tokens: f64) -> u128 {
    // The bound keeps the products of `share` within u128.
    let nearest = (tokens * 1e6).round().clamp(0.0, 1e24);
    (if nearest / 1e6 > tokens { nearest - 1.0 } else { nearest }) as u128
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::config::Improvement;
    use crate::model::report::Report;
    use crate::pipeline::publish::samples::{self, first_sights, noon, report, run, stage, task};
    use crate::pipeline::report_summary::ReportSummary;
    use crate::pipeline::score::rank;

    fn rewards(pool: f64) -> Rewards {
        let improvement = Improvement { percent: 40.0, margin: 100, half_life: 10 };
        Rewards {
            improvement: Some(improvement),
            per_stage: Some(vec![("easy".into(), 30.0), ("hard".into(), 70.0)]),
            ..samples::rewards(pool, Split::Proportional)
        }
    }

    /// Agents by their scores in two stages; half of the points are needed in the first.
    fn paid(scores: &[(u32, u32)], rewards: &Rewards, days: i64) -> Vec<Row> {
        let stages = [stage("easy", "easy", 50.0), stage("hard", "hard", 0.0)];
        let tasks = [task("easy", 1.0), task("hard", 1.0)];
        let plan = Plan::new(&stages, &tasks);
        let points = |cents: u32| f64::from(cents) / 100.0;
        let reports: Vec<Report> = (0..)
            .zip(scores)
            .map(|(n, (easy, hard))| {
                let runs = vec![run("easy", "easy", points(*easy)), run("hard", "hard", points(*hard))];
                let first_seen = noon() + SignedDuration::from_millis(n);
                Report { first_seen, ..report(&format!("m{n:02}"), runs) }
            })
            .collect();
        let agents: Vec<ReportSummary> =
            reports.iter().map(|report| ReportSummary::of(report, &plan)).collect();
        let agents: Vec<&ReportSummary> = agents.iter().collect();
        let now = noon() + SignedDuration::from_secs(24 * 3600 * days + 1);
        let past = Past { attempts: Vec::new(), now: Some(now) };
        rank(&agents, &plan, Some(rewards), &first_sights(&agents), &HashMap::new(), &past)
    }

    fn units(row: &Row) -> u128 {
        (row.reward.unwrap() * 1e6).round() as u128
    }

    #[test]
    fn stages_and_improvements_are_paid_side_by_side() {
        // By id: m00 comes to 80 points first, m01 to 40 and never gets to the second stage.
        let rows = paid(&[(9000, 7000), (8000, 0), (4000, 0)], &rewards(100.0), 0);
        let paid: BTreeMap<&str, f64> =
            rows.iter().map(|row| (row.miner.as_str(), row.reward.unwrap())).collect();
        // 80 % of 40; 90 of 170 of 18; all of 42.
        assert_eq!(paid["m00"], 83.529_412);
        assert_eq!(paid["m01"], 8.470_588);
        assert_eq!(paid["m02"], 0.0);
    }

    #[test]
    fn what_was_first_and_has_gone_stays_to_be_beaten() {
        let stages = [stage("s", "*", 0.0)];
        let tasks = [task("t", 1.0)];
        let plan = Plan::new(&stages, &tasks);
        let report = report("new", vec![run("s", "t", 75.0)]);
        let agent = ReportSummary::of(&report, &plan);
        let gone = |cents| Attempt {
            seen: noon() - SignedDuration::from_hours(1),
            miner: "gone".parse().unwrap(),
            sha256: "gone".into(),
            cents,
        };
        let rewards = Rewards { per_stage: None, split: Split::Winner, ..rewards(100.0) };
        let reward = |attempts| {
            let past = Past { attempts, now: Some(noon()) };
            let sights = first_sights(&[&agent]);
            rank(&[&agent], &plan, Some(&rewards), &sights, &HashMap::new(), &past)[0].reward
        };
        assert_eq!(reward(vec![]), Some(60.0 + 30.0));
        assert_eq!(reward(vec![gone(5000)]), Some(60.0 + 10.0));
        assert_eq!(reward(vec![gone(7450)]), Some(60.0), "not by the margin");
        assert_eq!(reward(vec![gone(5000), gone(0)]), Some(60.0 + 30.0), "its last score counts");
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_best() {
        for (pool, best) in [(1000.0, 500.000_002), (10_000.0, 5_000.000_002), (1.0, 0.500_002)] {
            let rewards = samples::rewards(pool, Split::Places(vec![50.0, 30.0, 20.0]));
            let rows = paid(&[(9000, 9000), (8000, 8000), (8000, 8000), (8000, 8000)], &rewards, 0);
            assert_eq!(rows[0].reward, Some(best), "{pool}");
            assert_eq!(rows.iter().map(units).sum::<u128>(), (pool * 1e6) as u128);
        }
        let two = paid(
            &[(9000, 9000), (9000, 9000), (8000, 8000)],
            &samples::rewards(0.000_007, Split::Places(vec![40.0, 30.0, 30.0])),
            0,
        );
        assert_eq!(two.iter().map(units).collect::<Vec<_>>(), [2, 2, 2], "no more than the better ones have");
        let winners =
            paid(&[(9000, 9000), (9000, 9000), (8000, 8000)], &samples::rewards(0.000_007, Split::Winner), 0);
        assert_eq!(winners.iter().map(units).collect::<Vec<_>>(), [3, 3, 0], "nothing for who did not win");
    }

    proptest! {
        /// One who leads alone can take whatever rounding leaves.
        #[test]
        fn all_that_is_due_is_paid(
            mut scores in prop::collection::vec(prop_oneof![5001u32..=9_999, Just(6000), Just(7000)], 0..12),
            split in prop_oneof![
                Just(Split::Proportional),
                Just(Split::Winner),
                prop::collection::vec(1u32..=100, 1..6).prop_map(|mut parts| {
                    parts.sort_by_key(|part| Reverse(*part));
                    let all: u32 = parts.iter().sum();
                    Split::Places(parts.iter().map(|part| 100.0 * f64::from(*part) / f64::from(all)).collect())
                }),
            ],
            pool in 1u64..1_000_000_000_000,
        ) {
            scores.push(10_000);
            let both: Vec<(u32, u32)> = scores.iter().map(|score| (*score, *score)).collect();
            let rows = paid(&both, &samples::rewards(pool as f64 / 1e6, split.clone()), 0);
            let all = rows.iter().map(units).sum::<u128>();
            match split {
                Split::Places(percents) if percents.len() > scores.len() => prop_assert!(all <= u128::from(pool)),
                // Percents are rounded to millionths.
                Split::Places(percents) => prop_assert!(all + u128::from(pool) * percents.len() as u128 / 100_000_000 + 1 >= u128::from(pool)),
                Split::Proportional | Split::Winner => prop_assert_eq!(all, u128::from(pool)),
            }
            prop_assert!(rows.windows(2).all(|two| two[0].reward >= two[1].reward));
            prop_assert!(rows.windows(2).all(|two| two[0].score != two[1].score || two[0].reward == two[1].reward));
        }

        /// Every unit is accounted for by a model of its own: who has it, or that it stays in the pool.
        #[test]
        fn rewards_are_exact_to_the_last_unit(
            scores in prop::collection::vec((prop_oneof![0u32..=10_000, Just(5000), Just(10_000)], 0u32..=10_000), 1..25),
            pool in prop_oneof![0u64..1_000, 1u64..1_000_000_000_000],
            (easy, hard) in (1u32..=50, 1u32..=50),
            percent in 1u32..=100,
            margin in 0u128..500,
            (days, half_life) in (0i64..100, 1u64..40),
        ) {
            let improvement = Improvement { percent: f64::from(percent), margin, half_life };
            let per_stage = vec![("easy".to_owned(), f64::from(easy)), ("hard".to_owned(), f64::from(hard))];
            let rewards = Rewards {
                improvement: Some(improvement),
                per_stage: Some(per_stage),
                ..rewards(pool as f64 / 1e6)
            };
            let rows = paid(&scores, &rewards, days);
            let pool = u128::from(pool);
            let for_records = pool * u128::from(percent) / 100;
            let by_id = |miner: &str| scores[miner[1..].parse::<usize>().unwrap()];
            let mut expected: BTreeMap<&str, u128> = BTreeMap::new();
            for (share, score) in [(easy, (|one: (u32, u32)| one.0) as fn((u32, u32)) -> u32), (hard, |one| one.1)] {
                let of_stage = (pool - for_records) * u128::from(share) / 100;
                let earns = |row: &&Row| by_id(row.miner.as_str()).0 >= 5000;
                let sum: u128 = rows.iter().filter(earns).map(|row| u128::from(score(by_id(row.miner.as_str())))).sum();
                let mut by_score: BTreeMap<u128, Vec<&str>> = BTreeMap::new();
                for row in rows.iter().filter(earns) {
                    let points = u128::from(score(by_id(row.miner.as_str())));
                    by_score.entry(points).or_default().push(row.miner.as_str());
                }
                by_score.remove(&0);
                let floors: u128 = by_score.iter().map(|(points, who)| of_stage * points / sum * who.len() as u128).sum();
                let mut rest = if by_score.is_empty() { 0 } else { of_stage - floors };
                let mut better: Option<u128> = None;
                for (points, who) in by_score.iter().rev() {
                    let mut each = of_stage * points / sum;
                    let is_paid = each > 0 || better.is_none();
                    while is_paid && rest >= who.len() as u128 && better.is_none_or(|better| each < better) {
                        rest -= who.len() as u128;
                        each += 1;
                    }
                    better = Some(each);
                    who.iter().for_each(|miner| *expected.entry(miner).or_default() += each);
                }
            }
            let mut by_name: Vec<&Row> = rows.iter().collect();
            by_name.sort_by_key(|row| row.miner.clone());
            let mut best = 0;
            for row in by_name {
                let cents = (row.score.unwrap() * 100.0).round() as u128;
                if cents >= best + margin && cents > best && by_id(row.miner.as_str()).0 >= 5000 {
                    let days = u128::try_from(days).unwrap();
                    let half_life = u128::from(half_life);
                    let halved = (for_records * (cents - best) / 10_000) >> (days / half_life);
                    let worth = halved * (2 * half_life - days % half_life) / (2 * half_life);
                    *expected.entry(row.miner.as_str()).or_default() += worth;
                }
                best = best.max(cents);
            }
            for row in &rows {
                prop_assert_eq!(units(row), expected.get(row.miner.as_str()).copied().unwrap_or_default(), "{}", row.miner);
            }
            prop_assert!(rows.iter().map(units).sum::<u128>() <= pool);
        }
    }
}
