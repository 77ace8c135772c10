//! Improvements: submissions that beat the best score so far by a margin, and the part of a pool that each is worth.
//!
//! All in whole numbers: hundredths of a score, days, and shares of the pool that are rounded down once, at their end.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::config::Improvement;
use crate::model::miner_id::Miner;

/// The score that a submission came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// When the submission came: an upload when it was here, a file with the look that found it.
    pub seen: Timestamp,
    /// The miner that it is of.
    pub miner: Miner,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// In hundredths, 0 to 10,000.
    pub cents: u128,
}

/// All that was submitted before, and the time.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// In the order in which they were scored; of a submission the last score counts.
    pub attempts: Vec<Attempt>,
    /// The time of the ranking; None where nothing depends on it.
    pub now: Option<Timestamp>,
}

/// A submission that beat all that were seen before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) miner: Miner,
    pub(super) sha256: String,
    /// By how much, in hundredths.
    gain: u128,
    /// How many share that, as they came to the same score at the same time.
    sharers: u128,
    /// Whole days since it was seen.
    days: u64,
}

impl Record {
    /// Its worth in units of a pool: as many percent as the points that it gained. It halves with each half-life, in a
    /// straight line in between.
    pub(super) fn worth(&self, pool: u128, half_life: u64) -> u128 {
        let (halvings, rest) = (self.days / half_life, self.days % half_life);
        let shift = u32::try_from(halvings).unwrap_or(u32::MAX);
        let halved = (pool * self.gain / WHOLE).checked_shr(shift).unwrap_or(0);
        let line = u128::from(2 * half_life);
        halved * (line - u128::from(rest)) / line / self.sharers
    }
}

/// A score of 100, in hundredths.
const WHOLE: u128 = 10_000;

/// The records among attempts that are no copies, oldest first. Their gains add up to 100 points at most. Those that came at the
/// same time are in no order: the lower score is beaten by the higher one, and equal scores share what they gain.
pub(super) fn records(
    attempts: Vec<Attempt>,
    is_copy: impl Fn(&Attempt) -> bool,
    rule: &Improvement,
    now: Timestamp,
) -> Vec<Record> {
    let mut attempts = last_scores(attempts);
    let place =
        |attempt: &Attempt| (attempt.seen, attempt.cents, attempt.miner.clone(), attempt.sha256.clone());
    attempts.sort_by_cached_key(place);
    let mut best = 0;
    let mut records = Vec::new();
    for equals in attempts.chunk_by(|a, b| (a.seen, a.cents) == (b.seen, b.cents)) {
        let Attempt { seen, cents, .. } = equals[0];
        if cents >= best + rule.margin && cents > best {
            let originals: Vec<&Attempt> = equals.iter().filter(|attempt| !is_copy(attempt)).collect();
            let (gain, days, sharers) = (cents - best, days_between(seen, now), originals.len() as u128);
            let record = |attempt: &Attempt| Record {
                miner: attempt.miner.clone(),
                sha256: attempt.sha256.clone(),
                gain,
                sharers,
                days,
            };
            records.extend(originals.into_iter().map(record));
        }
        best = best.max(cents);
    }
    records
}

/// An earlier one may be of runs that could not all be judged then, or of other tasks.
fn last_scores(mut attempts: Vec<Attempt>) -> Vec<Attempt> {
    let mut known: HashSet<(Miner, String)> = HashSet::new();
    attempts.reverse();
    attempts.retain(|attempt| known.insert((attempt.miner.clone(), attempt.sha256.clone())));
    attempts
}

/// Whole days; none if the clock was set back. With the hour of the day a ranking would change with each look at it.
fn days_between(seen: Timestamp, now: Timestamp) -> u64 {
    const DAY: i64 = 24 * 60 * 60;
    let passed: SignedDuration = now.duration_since(seen);
    u64::try_from(passed.as_secs() / DAY).unwrap_or(0)
}

/// Sums by miner of what is worth something.
pub(super) fn by_miner(records: &[Record], pool: u128, half_life: u64) -> HashMap<&Miner, u128> {
    let mut sums: HashMap<&Miner, u128> = HashMap::new();
    for record in records {
        *sums.entry(&record.miner).or_default() += record.worth(pool, half_life);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn attempt(miner: &str, day: i64, cents: u128) -> Attempt {
        let seen = Timestamp::from_second(day * DAY).unwrap();
        Attempt { seen, miner: miner.parse().unwrap(), sha256: format!("{miner}{day}{cents}"), cents }
    }

    fn worths(attempts: &[Attempt], margin: u128, day: i64) -> Vec<(String, u128)> {
        let rule = Improvement { percent: 100.0, margin, half_life: 10 };
        let is_copy = |attempt: &Attempt| attempt.miner.as_str().starts_with("copy");
        let records = records(attempts.to_vec(), is_copy, &rule, Timestamp::from_second(day * DAY).unwrap());
        records.iter().map(|record| (record.miner.to_string(), record.worth(1_000_000, 10))).collect()
    }

    #[test]
    fn who_beats_the_best_so_far_by_the_margin_is_paid_by_the_points() {
        let attempts = [attempt("ann", 0, 5000), attempt("bo", 1, 5050), attempt("cid", 2, 5200)];
        let paid = |margin| worths(&attempts, margin, 2);
        let of = |paid: &[(&str, u128)]| {
            paid.iter().map(|(who, paid)| ((*who).to_owned(), *paid)).collect::<Vec<_>>()
        };
        // After two of ten days nine tenths are left.
        assert_eq!(paid(0), of(&[("ann", 450_000), ("bo", 4_750), ("cid", 15_000)]));
        // Bo's is no record, but it is what cid has to beat.
        assert_eq!(paid(100), of(&[("ann", 450_000), ("cid", 15_000)]));
        assert_eq!(paid(200), of(&[("ann", 450_000)]));
        // The order in which they were seen counts, not the order in which they were scored.
        let turned = [attempts[2].clone(), attempts[0].clone(), attempts[1].clone()];
        assert_eq!(worths(&turned, 0, 2), paid(0));
    }

    #[test]
    fn what_came_at_the_same_time_is_in_no_order() {
        let paid = |attempts: &[(&str, u128)]| {
            let attempts: Vec<_> = attempts.iter().map(|(who, cents)| attempt(who, 0, *cents)).collect();
            worths(&attempts, 0, 0).into_iter().map(|(_, paid)| paid).collect::<Vec<_>>()
        };
        assert_eq!(paid(&[("ann", 6000), ("zoe", 5000)]), [500_000, 100_000], "the alphabet decides nothing");
        assert_eq!(paid(&[("ann", 5000), ("zoe", 6000)]), [500_000, 100_000]);
        assert_eq!(paid(&[("ann", 5000), ("bo", 5000), ("zoe", 6000)]), [250_000, 250_000, 100_000]);
        assert_eq!(
            paid(&[("ann", 5000), ("copy", 5000)]),
            [500_000],
            "a copy takes nothing of its original's"
        );
        assert_eq!(paid(&[("copy", 5000), ("ann", 6000)]), [100_000], "it is what is to be beaten");
    }

    #[test]
    fn worth_halves_with_each_half_life() {
        let attempts = [attempt("ann", 0, 10_000)];
        let worth = |day| worths(&attempts, 0, day)[0].1;
        assert_eq!([0, 5, 10, 20, 30].map(worth), [1_000_000, 750_000, 500_000, 250_000, 125_000]);
        assert_eq!(worth(100_000), 0);
        assert_eq!(worth(-5), 1_000_000, "a clock that was set back");
    }

    #[test]
    fn the_same_bytes_are_no_second_attempt() {
        let again = Attempt { cents: 4000, ..attempt("ann", 0, 5000) };
        assert_eq!(worths(&[attempt("ann", 0, 5000), again], 0, 0), [("ann".to_owned(), 400_000)]);
    }
}
