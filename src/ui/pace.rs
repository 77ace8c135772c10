//! How fast it goes and what holds it up. No clock of its own: every method is told the time.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::pipeline::intake::Miner;

/// The time that the speed is measured over.
const WINDOW: Duration = Duration::from_secs(10);

/// A run that takes longer is worth naming.
const SLOW: Duration = Duration::from_secs(2);

/// What runs, and when the last runs ended.
#[derive(Debug, Default)]
pub(super) struct Pace {
    running: HashMap<Miner, (String, Instant)>,
    ended: VecDeque<Instant>,
    first: Option<Instant>,
    runs: u64,
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
            self.ended.push_back(now);
        }
    }

    /// An agent has left, in the middle of a run or not.
    pub(super) fn left(&mut self, miner: &Miner) {
        self.running.remove(miner);
    }

    /// Whether anything runs.
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
        format!("{} runs, {speed:.1}/s{}{}", self.runs, left.unwrap_or_default(), slow.unwrap_or_default())
    }

    /// As if the agents to come took as long as those before.
    fn left_after(&self, done: u64, all: u64, now: Instant) -> Option<u64> {
        let gone = (now - self.first?).as_secs_f64();
        let share = all.saturating_sub(done) as f64 / done as f64;
        (0 < done && done < all).then(|| (gone * share).ceil() as u64)
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
        pace.begins(miner("a"), "t".into(), start);
        pace.left(&miner("a"));
        let now = start + Duration::from_secs(60);
        assert_eq!(pace.told(0, 4, now), "0 runs, 0.0/s");
        assert_eq!(pace.told(1, 2, now), "0 runs, 0.0/s, 60 s left");
        assert_eq!(pace.told(1, 4, now), "0 runs, 0.0/s, 3 min left");
        assert_eq!(pace.told(1, 400, now), "0 runs, 0.0/s, 7 h left");
        assert_eq!(pace.told(4, 4, now), "0 runs, 0.0/s");
    }
}
