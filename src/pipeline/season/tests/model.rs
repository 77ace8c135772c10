//! Model of the simulated season: a list of what happened, and the rules decided from it in the simplest way.

use std::collections::HashMap;

use super::*;

pub(super) const DAYS: i64 = 90;
pub(super) const MINERS: usize = 300;

/// Midnight in the season's zone, at which the simulation begins.
pub(super) const BEGIN: i64 = 1_803_852_000 - 1_803_852_000 % 86_400 - 3_600;

/// The rules in days since the beginning, as the model has them.
pub(super) const OPENS: i64 = 5;
pub(super) const CLOSES: i64 = 80;
pub(super) const UNTIL: i64 = 84;
pub(super) const PER_DAY: usize = 2;
pub(super) const TOTAL: usize = 12;

pub(super) fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).unwrap()
}

pub(super) fn miner(number: usize) -> Miner {
    format!("miner{number}").parse().unwrap()
}

/// Something that was submitted, as the model remembers it.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) sha256: String,
    /// Seconds since the beginning.
    came: i64,
    pub(super) refused: bool,
}

/// The rules, decided in the simplest way.
#[derive(Default)]
pub(super) struct Model {
    pub(super) noted: HashMap<usize, Vec<Noted>>,
    /// The miner that was first noted with bytes.
    pub(super) first: HashMap<String, usize>,
    /// The latest time of all that was noted.
    pub(super) newest: i64,
    /// The latest time of a look at the inbox.
    pub(super) looked: i64,
}

impl Model {
    pub(super) fn close(number: usize) -> i64 {
        if number.is_multiple_of(50) { CLOSES + 3 } else { CLOSES }
    }

    /// Days late, or None if it does not count. `before` are those that count and came before.
    pub(super) fn verdict(
        number: usize,
        before: &[(String, i64, i64)],
        sha256: &str,
        came: i64,
    ) -> Option<i64> {
        let (day, close) = (came.div_euclid(86_400), Self::close(number) * 86_400);
        let on_that_day = before.iter().filter(|(_, other, _)| other.div_euclid(86_400) == day).count();
        let repeats = before.last().is_some_and(|(last, ..)| last == sha256);
        let open = came >= OPENS * 86_400 && came <= (UNTIL * 86_400).max(close);
        let fits = open && !repeats && on_that_day < PER_DAY && before.len() < TOTAL;
        fits.then(|| if came <= close { 0 } else { (came - close + 86_399) / 86_400 })
    }

    /// Those that count: digest, time, days late.
    pub(super) fn counted(&self, number: usize) -> Vec<(String, i64, i64)> {
        let mut counted: Vec<(String, i64, i64)> = Vec::new();
        for noted in self.noted.get(&number).into_iter().flatten().filter(|noted| !noted.refused) {
            if let Some(days) = Self::verdict(number, &counted, &noted.sha256, noted.came) {
                counted.push((noted.sha256.clone(), noted.came, days));
            }
        }
        counted
    }

    pub(super) fn note(&mut self, number: usize, sha256: &str, came: i64, at: i64, refused: bool) {
        let sha256 = sha256.to_owned();
        self.first.entry(sha256.clone()).or_insert(number);
        self.noted.entry(number).or_default().push(Noted { sha256, came, refused });
        self.newest = self.newest.max(at);
    }

    /// The time before which nothing came that a look finds of a miner.
    pub(super) fn not_before(&self, number: usize) -> i64 {
        let own = self.noted.get(&number).and_then(|all| all.last()).map(|last| last.came);
        self.looked.max(own.unwrap_or(i64::MIN))
    }

    /// Tells whether a look that finds these bytes notes them: they are new, or agents that something else came after.
    pub(super) fn is_news(&self, number: usize, sha256: &str, valid: bool) -> bool {
        let last = self.noted.get(&number).and_then(|all| all.last());
        !self.knows(number, sha256) || valid && last.is_some_and(|last| last.sha256 != sha256)
    }

    fn knows(&self, number: usize, sha256: &str) -> bool {
        self.noted.get(&number).is_some_and(|all| all.iter().any(|noted| noted.sha256 == sha256))
    }

    /// Tells whether these bytes are the last that came, and no agent then.
    pub(super) fn was_no_agent(&self, number: usize, sha256: &str) -> bool {
        let last = self.noted.get(&number).and_then(|all| all.last());
        last.is_some_and(|last| last.refused && last.sha256 == sha256)
    }

    /// A file that lies in the inbox is noted again once it counts: as of the first midnight or opening at which it does, if it was
    /// the last thing that came (as of then, if it was no agent at that time), else as of now. Minute steps would do; midnights are all that matters.
    pub(super) fn look(&mut self, number: usize, sha256: &str, now: i64) {
        let now = now.max(self.newest);
        let counted = self.counted(number);
        if counted.last().is_some_and(|(last, ..)| last == sha256) {
            return;
        }
        let last = self.noted.get(&number).and_then(|all| all.last());
        let times: Vec<i64> = match last.filter(|last| last.sha256 == sha256) {
            Some(lay) => {
                let midnights = (lay.came.div_euclid(86_400) + 1..).map(|day| day * 86_400);
                lay.refused
                    .then_some(lay.came)
                    .into_iter()
                    .chain(midnights.take_while(|at| *at <= now))
                    .collect()
            }
            None => Vec::new(),
        };
        if let Some(came) =
            times.into_iter().find(|at| Self::verdict(number, &counted, sha256, *at).is_some())
        {
            self.note(number, sha256, came, now, false);
        }
    }
}
