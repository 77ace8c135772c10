//! Pace: how fast runs end, which one is slow, and how much time is left. Every method is told the time.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::model::miner_id::Miner;
use crate::util::plural::counted;

/// Time that the speed is measured over.
const WINDOW: Duration = Duration::from_secs(10);

/// Age at which a run is named as slow.
const SLOW: Duration = Duration::from_secs(2);

/// The runs at work, and when the last ones ended.
#[derive(Debug, Default)]
pub(super) struct Pace {
    running: HashMap<Miner, (String, Instant)>,
    ended: VecDeque<Instant>,
    first: Option<Instant>,
    /// When the last run ended.
    last: Option<Instant>,
    runs: u64,
    /// Runs of the agents that are at it.
    runs_of: HashMap<Miner, u64>,
    /// Agents that have left with runs of their own, and how many.
    left: (u64, u64),
}

impl Pace {
    /// A run begins.
    pub(super) fn begins(&mut self, miner: Miner, task: String, now: Instant) {
        self.first.get_or_insert(now);
        self.running.insert(miner, (task, now));
    }

    /// A run has ended; one that was only remembered never began and counts for nothing.
    pub(super) fn ended(&mut self, miner: &Miner, now: Instant) {
        if self.running.remove(miner).is_some() {
            self.runs += 1;
            *self.runs_of.entry(miner.clone()).or_default() += 1;
            self.ended.push_back(now);
            self.last = Some(now);
        }
    }

    /// An agent has left, in the middle of a run or not.
    pub(super) fn left(&mut self, miner: &Miner) {
        self.running.remove(miner);
        if let Some(runs) = self.runs_of.remove(miner) {
            self.left = (self.left.0 + 1, self.left.1 + runs);
        }
    }

    /// True if nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Runs ended so far, how many per second of late, the time left, and the slowest of those that take long; `done`
    /// of `all` agents have left.
    pub(super) fn told(&mut self, done: u64, all: u64, now: Instant) -> String {
        while self.ended.front().is_some_and(|ended| now - *ended > WINDOW) {
            self.ended.pop_front();
        }
        let since = self.first.map_or(Duration::ZERO, |first| now - first).min(WINDOW);
        let speed = self.ended.len() as f64 / since.as_secs_f64().max(1.0);
        let slow =
            self.slowest(now).map(|(miner, task, took)| format!(", slow: {miner} on {task}, {took} s"));
        let left = self.left_after(done, all, now).map(|left| format!(", {} left", duration(left)));
        format!(
            "{}, {speed:.1}/s{}{}",
            counted(self.runs, "run"),
            left.unwrap_or_default(),
            slow.unwrap_or_default()
        )
    }

    /// Seconds left, as if the agents that have not left had as many runs as those that have, at the speed up to the last
    /// run that ended: while one is stuck they go down, and then nothing is told. Counted in runs: agents are at it side
    /// by side, and those that were only remembered took no time.
    fn left_after(&self, done: u64, all: u64, now: Instant) -> Option<u64> {
        let last = self.last?;
        let took = (last - self.first?).as_secs_f64();
        let (agents, runs) = self.left;
        let each = runs as f64 / agents as f64;
        let begun: u64 = self.runs_of.values().sum();
        let to_come = (all.saturating_sub(done) as f64 * each - begun as f64).max(0.0);
        let left = to_come * took / self.runs as f64 - (now - last).as_secs_f64();
        (agents > 0 && done < all && left >= 0.0).then(|| left.ceil() as u64)
    }

    fn slowest(&self, now: Instant) -> Option<(&Miner, &str, u64)> {
        let longest = self.running.iter().min_by_key(|(_, (_, since))| *since);
        let (miner, (task, since)) = longest.filter(|(_, (_, since))| now - *since >= SLOW)?;
        Some((miner, task, (now - *since).as_secs()))
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miner(name: &str) -> Miner {
        Miner::try_from(name.to_owned()).unwrap()
    }

    #[test]
    fn speed_is_that_of_the_last_seconds() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..20 {
            pace.begins(miner("a"), "t".into(), at(second));
            pace.ended(&miner("a"), at(second));
        }
        assert_eq!(pace.told(0, 1, at(20)), "20 runs, 1.0/s");
        assert_eq!(pace.told(0, 1, at(60)), "20 runs, 0.0/s");
        pace.ended(&miner("remembered"), at(60));
        assert_eq!(pace.told(0, 1, at(60)), "20 runs, 0.0/s");
    }

    #[test]
    fn the_slowest_is_named_until_it_leaves() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        pace.begins(miner("a"), "primes".into(), at(0));
        pace.begins(miner("b"), "sort".into(), at(1));
        assert_eq!(pace.told(0, 1, at(1)), "0 runs, 0.0/s");
        assert_eq!(pace.told(0, 1, at(9)), "0 runs, 0.0/s, slow: a on primes, 9 s");
        pace.left(&miner("a"));
        assert_eq!(pace.told(0, 1, at(9)), "0 runs, 0.0/s, slow: b on sort, 8 s");
        pace.left(&miner("b"));
        assert!(pace.is_idle());
    }

    #[test]
    fn time_left_is_known_once_an_agent_is_done() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        // Four agents side by side, ten runs each, one run a second.
        for second in 0..30 {
            for name in ["a", "b", "c", "d"] {
                pace.begins(miner(name), "t".into(), at(second));
            }
            if second < 10 {
                for name in ["a", "b", "c", "d"] {
                    pace.ended(&miner(name), at(second + 1));
                }
            }
        }
        assert_eq!(pace.left_after(0, 8, at(10)), None);
        pace.left(&miner("a"));
        assert_eq!(pace.left_after(1, 4, at(10)), Some(0), "the others have done as much");
        assert_eq!(pace.left_after(1, 8, at(10)), Some(10), "four more, side by side");
        assert_eq!(pace.left_after(1, 8, at(16)), Some(4), "nothing ended since");
        assert_eq!(pace.left_after(1, 8, at(21)), None, "something is stuck: nobody knows");
        pace.left(&miner("remembered"));
        assert_eq!(pace.left_after(2, 9, at(10)), Some(10), "it took no time");
        assert_eq!(pace.left_after(9, 9, at(10)), None);
        assert_eq!([90, 150, 7201].map(duration), ["90 s", "3 min", "3 h"]);
    }
}
