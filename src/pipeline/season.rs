//! Season: the submissions of a miner that count, told by its lines in the ledger. Pure: it is told the time.
//!
//! Nothing of it is remembered: the same lines and rules come to the same, after a restart or a crash, and whatever a clock
//! says, as no line is earlier than one before it. A later extension makes count what came within it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Counts, Season};
use crate::model::first_sights::{Event, FirstSights, Origin};
use crate::model::miner_id::Miner;
use crate::pipeline::ledger::Ledger;
use crate::util::plural::counted;

const DAY: i64 = 86_400;

/// A submission that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Time from which it counts.
    pub came: Timestamp,
    /// Days after the close, started ones in full.
    pub days_late: u32,
}

/// Reason why a submission does not count, and the time from which the same would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, to be shown to its miner.
    pub reason: String,
    /// None if none would any more.
    pub next: Option<Timestamp>,
}

/// Submissions that a miner has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Today; None where days have no limit.
    pub today: Option<u32>,
    /// In all; None where there is no limit.
    pub total: Option<u32>,
    /// True if one that comes now counts.
    pub counts_now: bool,
    /// If not, the time from which the next one counts; None if none does any more.
    pub next: Option<Timestamp>,
    /// Last moment at which one counts, the miner's extension and late days included; None where there is none.
    pub end: Option<Timestamp>,
    /// Percent of its score that one that comes now loses for coming late; None where it loses nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty_now: Option<f64>,
}

/// Answer to the question whether a submission counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is what stands already.
    Stands,
    /// It counts, so many days late.
    Counts(u32),
    /// It does not.
    Refused(Refusal),
}

/// A submission of a miner, whether it counts or not.
#[derive(Debug)]
pub struct Submission {
    /// Hex sha256 of its bytes.
    sha256: String,
    /// Time from which it counts.
    came: Timestamp,
    /// Its outcome.
    pub outcome: Outcome,
}

/// Outcome of a submission when it came.
#[derive(Debug)]
pub enum Outcome {
    /// By the rules of then it was no agent.
    NoAgent,
    /// By the season it did not count.
    Refused(Refusal),
    /// It counted, so many days late.
    Taken(u32),
    /// Its bytes stood already, so many days late: nothing new came of it.
    Stood(u32),
}

/// Times at which files were seen that were dropped, of those that follow each other with the same bytes the first.
fn files(events: &[Event]) -> Vec<Timestamp> {
    let dropped: Vec<&Event> = events.iter().filter(|event| event.via == Origin::Dropped).collect();
    let runs = dropped.chunk_by(|a, b| a.sha256 == b.sha256);
    runs.map(|run| run[0].at).collect()
}

/// Submissions of one miner, and the rules for it.
#[derive(Debug)]
pub struct Course<'a> {
    season: &'a Season,
    /// The last moment in time, its extension included.
    closes: Option<Timestamp>,
    /// Times at which dropped files came, one after the other, by the organiser's word; the last one is that of all further ones, too.
    received: &'a [Timestamp],
    /// Times at which dropped files were seen that are others than those before them.
    files: Vec<Timestamp>,
    counted: Vec<Counted>,
    /// How many of them came on each day.
    by_day: HashMap<i64, usize>,
    /// Days that each of them is late, by its digest.
    late: HashMap<String, u32>,
    /// All submissions, oldest first.
    all: Vec<Submission>,
}

impl<'a> Course<'a> {
    /// The course of a miner as far as the ledger tells.
    pub fn of(season: &'a Season, miner: &Miner, sights: &FirstSights) -> Self {
        let (extension, events) = (season.extensions.get(miner), sights.events(miner));
        let later = extension.and_then(|extension| extension.closes);
        let closes = season.closes.map(|closes| later.map_or(closes, |later| later.max(closes)));
        let received = extension.map_or(&[][..], |extension| &extension.received);
        let files = if received.len() > 1 { files(events) } else { Vec::new() };
        let (counted, by_day, late, all) = Default::default();
        let mut course = Self { season, closes, received, files, counted, by_day, late, all };
        events.iter().for_each(|event| course.take(event));
        course
    }

    /// The last moment in time, the miner's extension included.
    pub fn closes(&self) -> Option<Timestamp> {
        self.closes
    }

    /// The time at which a submission came. Of a file that the organiser put into the inbox its word stands; an upload came when it
    /// did, so that nobody can be in time by it afterwards.
    pub fn came(&self, event: &Event) -> Timestamp {
        if event.via != Origin::Dropped {
            return event.came;
        }
        let place = self.files.partition_point(|seen| *seen <= event.at).saturating_sub(1);
        let received = self.received.get(place).or(self.received.last());
        received.map_or(event.came, |received| event.came.min(*received))
    }

    fn take(&mut self, event: &Event) {
        let Event { sha256, refused, .. } = event;
        let came = self.came(event);
        let came = match self.no_agent_since(sha256) {
            Some(since) if *refused => since,
            Some(since) => self.in_turn(sha256, (self.decide(sha256, since), since), came).1,
            None => came,
        };
        let outcome = if *refused { Outcome::NoAgent } else { self.outcome(sha256, came) };
        self.all.push(Submission { sha256: sha256.clone(), came, outcome });
    }

    /// Takes in an agent that came at this time.
    fn outcome(&mut self, sha256: &str, came: Timestamp) -> Outcome {
        match self.decide(sha256, came) {
            Decision::Stands => Outcome::Stood(self.standing().map_or(0, |standing| standing.days_late)),
            Decision::Counts(days_late) => {
                let day = self.day(came);
                *self.by_day.entry(day).or_default() += 1;
                // Of the best, the same bytes may have come in time before; of the last, that was given up.
                let is_best = self.season.counts == Counts::Best;
                let least =
                    |known: &mut u32| *known = if is_best { days_late.min(*known) } else { days_late };
                self.late.entry(sha256.to_owned()).and_modify(least).or_insert(days_late);
                self.counted.push(Counted { sha256: sha256.to_owned(), came, days_late });
                Outcome::Taken(days_late)
            }
            Decision::Refused(refusal) => Outcome::Refused(refusal),
        }
    }

    /// The time at which bytes came, if they are the last submission and were no agent then: rules or a Python by which they are
    /// one make nobody late who changed nothing.
    fn no_agent_since(&self, sha256: &str) -> Option<Timestamp> {
        let last = self.all.last().filter(|last| last.sha256 == sha256);
        last.filter(|last| matches!(last.outcome, Outcome::NoAgent)).map(|last| last.came)
    }

    /// The submissions that count, oldest first.
    pub fn counted(&self) -> &[Counted] {
        &self.counted
    }

    /// All submissions, oldest first, as many as the miner has lines in the ledger.
    pub fn all(&self) -> &[Submission] {
        &self.all
    }

    /// The last one that counts.
    pub fn standing(&self) -> Option<&Counted> {
        self.counted.last()
    }

    /// Submissions that are left.
    pub fn room(&self, now: Timestamp) -> Room {
        let left = |limit: Option<u32>, count: usize| limit.map(|limit| limit.saturating_sub(count as u32));
        // Bytes that nobody has submitted.
        let (days_late, next) = match self.decide("", now) {
            Decision::Stands => (Some(0), None),
            Decision::Counts(days) => (Some(days), None),
            Decision::Refused(refusal) => (None, refusal.next),
        };
        Room {
            today: left(self.season.per_day, self.counted_on(self.day(now))),
            total: left(self.season.total, self.counted.len()),
            counts_now: days_late.is_some(),
            next,
            end: self.end(),
            penalty_now: days_late.and_then(|days| self.cost(days)).filter(|percent| *percent > 0.0),
        }
    }

    /// Percent of its score that a submission loses which comes so many days late; None where nothing late counts.
    pub fn cost(&self, days: u32) -> Option<f64> {
        self.season.late.map(|late| (late.per_day * f64::from(days)).min(100.0))
    }

    /// Submissions of a day that count. Each look at one asks for it, and a miner may have handed in tens of thousands.
    fn counted_on(&self, day: i64) -> usize {
        self.by_day.get(&day).copied().unwrap_or_default()
    }

    /// Decides on a submission that comes now.
    pub fn decide(&self, sha256: &str, now: Timestamp) -> Decision {
        if self.standing().is_some_and(|standing| standing.sha256 == sha256) {
            return Decision::Stands;
        }
        match self.days_late(now).and_then(|days| self.has_room(now).map(|()| days)) {
            Ok(days) => Decision::Counts(days),
            Err(refusal) => Decision::Refused(refusal),
        }
    }

    /// Decides on bytes that lie in the inbox: refused ones that stay there count from the time that their refusal tells, and those
    /// that were no agent when they came from then on. Gives that time, too.
    pub fn decide_lying(&self, sha256: &str, now: Timestamp) -> (Decision, Timestamp) {
        let decided = match self.all.last().filter(|last| last.sha256 == sha256) {
            Some(Submission { outcome: Outcome::Refused(refusal), .. }) => {
                (Decision::Refused(refusal.clone()), now)
            }
            Some(Submission { outcome: Outcome::NoAgent, came, .. }) => (self.decide(sha256, *came), *came),
            _ => return (self.decide(sha256, now), now),
        };
        self.in_turn(sha256, decided, now)
    }

    /// The decision on bytes that lie there since one was made: at the first time by now that a refusal tells and that has room.
    fn in_turn(
        &self,
        sha256: &str,
        mut decided: (Decision, Timestamp),
        now: Timestamp,
    ) -> (Decision, Timestamp) {
        while let (Decision::Refused(Refusal { next: Some(next), .. }), _) = decided
            && next <= now
        {
            decided = (self.decide(sha256, next), next);
        }
        decided
    }

    /// Started days since the close.
    fn days_late(&self, at: Timestamp) -> Result<u32, Refusal> {
        if let Some(opens) = self.season.opens.filter(|opens| at < *opens) {
            let reason = format!("is early: submissions count from {} on", self.told(opens));
            return Err(Refusal { reason, next: Some(opens) });
        }
        let Some(closes) = self.closes.filter(|closes| at > *closes) else { return Ok(0) };
        match self.season.late.filter(|late| at <= late.until) {
            Some(_) => Ok(days_between(closes, at)),
            None => {
                let end = self.end().unwrap_or(closes);
                let reason = format!("is late: the last one that counts came by {}", self.told(end));
                Err(Refusal { reason, next: None })
            }
        }
    }

    /// The last moment at which anything counts.
    pub fn end(&self) -> Option<Timestamp> {
        let closes = self.closes?;
        Some(self.season.late.map_or(closes, |late| late.until.max(closes)))
    }

    fn has_room(&self, at: Timestamp) -> Result<(), Refusal> {
        if let Some(total) = self.season.total.filter(|total| self.counted.len() >= *total as usize) {
            let reason = format!("is one too many: {} in all; {}", counting(total), self.standing_one());
            return Err(Refusal { reason, next: None });
        }
        let today = self.day(at);
        let of_today = self.counted_on(today);
        let Some(per_day) = self.season.per_day.filter(|per_day| of_today >= *per_day as usize) else {
            return Ok(());
        };
        let next = self.start_of(today + 1).filter(|next| self.end().is_none_or(|end| *next <= end));
        let then = match next {
            Some(next) => format!("the next one counts from {} on", self.told(next)),
            None => "this day is the last one".to_owned(),
        };
        let (most, stands) = (counting(per_day), self.standing_one());
        let reason = format!("is one too many: {most} on a day; {then}, and {stands}");
        Err(Refusal { reason, next })
    }

    /// The submission that is ranked as before, in words.
    fn standing_one(&self) -> &'static str {
        match self.season.counts {
            Counts::Last | Counts::LastValid => "the last one that counted stands",
            Counts::Best => "the best one that counted stands",
        }
    }

    /// Number of a day in the season's zone.
    fn day(&self, at: Timestamp) -> i64 {
        (at.as_second() + i64::from(self.season.zone.seconds())).div_euclid(DAY)
    }

    fn start_of(&self, day: i64) -> Option<Timestamp> {
        Timestamp::from_second(day * DAY - i64::from(self.season.zone.seconds())).ok()
    }

    fn told(&self, at: Timestamp) -> String {
        at.display_with_offset(self.season.zone).to_string()
    }

    /// Percent of its score that a counted submission loses; None where nothing late counts.
    pub fn penalty(&self, sha256: &str) -> Option<f64> {
        let days = self.late.get(sha256).copied().unwrap_or(0);
        self.cost(days)
    }
}

/// Decides on bytes and the file that they lie in, and has the ledger know it if they count as a new submission. None if they
/// stand.
pub fn settle(
    ledger: &mut Ledger,
    season: &Season,
    miner: &Miner,
    (sha256, file): (&str, &str),
    now: Timestamp,
) -> Option<Refusal> {
    match Course::of(season, miner, ledger.sights()).decide_lying(sha256, now) {
        (Decision::Stands, _) => None,
        (Decision::Counts(_), came) => {
            ledger.resubmit(miner, sha256, file, came, now);
            None
        }
        (Decision::Refused(refusal), _) => Some(refusal),
    }
}

/// The number that counts, in words.
fn counting(most: u32) -> String {
    let verb = if most == 1 { "counts" } else { "count" };
    format!("{} {verb}", counted(most, "submission"))
}

/// Days from one time to a later one, started ones in full.
fn days_between(from: Timestamp, to: Timestamp) -> u32 {
    let milliseconds = to.as_millisecond() - from.as_millisecond();
    let days = milliseconds.max(1) as u64;
    u32::try_from(days.div_ceil(1000 * DAY as u64)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
