//! Schedule of a pass: when to look at the inbox, when to publish. Pure: it is told the time.

use std::time::{Duration, Instant};

use crate::pipeline::intake::SETTLE;

/// How often the whole inbox is listed although nothing announces a change.
const LIST_EVERY: Duration = Duration::from_secs(5);

/// How many times longer than a listing takes is at least spent on other things: before one that nothing asked for, and
/// before one after events were lost.
const LIST_SHARE: u32 = 50;
const RELIST_SHARE: u32 = 2;

/// Results are rewritten while agents finish, but this many times longer is spent on other things: more where nobody
/// waits for them, who sees them all when the pass ends.
const PUBLISH_SHARE: u32 = 40;
const PUBLISH_SHARE_OF_WATCH: u32 = 10;

/// How long files that do not stand still are waited for: before the first ranking, and before the end.
const RESTLESS: Duration = SETTLE.saturating_mul(10);

/// How long the first ranking waits while agents are evaluated: a pass that is over by then writes its results once.
const FIRST: Duration = Duration::from_millis(500);

/// The pause after results could not be written.
const RETRY: Duration = Duration::from_secs(5);

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// List the whole inbox.
    List,
    /// Look at the files that did not stand still.
    Look,
    /// Publish the results.
    Publish,
    /// Wait so long for news.
    Wait(Duration),
}

/// State of the submissions, as far as it decides when to do something.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Nothing is being evaluated.
    pub idle: bool,
    /// A file in the inbox did not stand still.
    pub unsettled: bool,
}

/// Need of another listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rescan {
    NotNeeded,
    /// An evaluation ended, in a pass that nobody tells of changes.
    BeforeExit,
    /// Events were lost.
    Requested,
}

/// Part of the news that is not published yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unpublished {
    /// Nothing.
    Nothing,
    /// The inbox changed, or an earlier agentmill published something else.
    Changes,
    /// Runs were judged: reports changed, though the ranking may not have.
    Evaluations,
}

/// Something that began then and took so long.
#[derive(Debug, Clone, Copy)]
struct Span {
    began: Instant,
    took: Duration,
}

impl Span {
    fn new(began: Instant, now: Instant) -> Self {
        Self { began, took: now.saturating_duration_since(began) }
    }

    fn end(self) -> Instant {
        self.began + self.took
    }
}

/// Times of what was done, by which the next thing is decided.
#[derive(Debug)]
pub struct Schedule {
    stays: bool,
    began: Instant,
    listed: Option<Span>,
    /// The last look at files that did not stand still.
    looked: Instant,
    rescan: Rescan,
    published: Option<Span>,
    unpublished: Unpublished,
    /// The last end of an evaluation.
    idle_since: Instant,
}

impl Schedule {
    /// A pass that begins now; one that `stays` is told of changes.
    pub fn new(stays: bool, now: Instant) -> Self {
        Self {
            stays,
            began: now,
            listed: None,
            looked: now,
            rescan: Rescan::NotNeeded,
            published: None,
            unpublished: Unpublished::Changes,
            idle_since: now,
        }
    }

    /// The next thing to do.
    pub fn step(&self, now: Instant, situation: Situation) -> Step {
        let waits = [
            (self.until_list(now, situation), Step::List),
            (self.until_look(now, situation), Step::Look),
            (self.until_publish(now, situation), Step::Publish),
        ];
        let due = waits.iter().find(|(wait, _)| wait.is_zero());
        due.map_or_else(
            || Step::Wait(waits.iter().map(|(wait, _)| *wait).min().unwrap_or(LIST_EVERY)),
            |(_, step)| *step,
        )
    }

    /// True when a pass that does not stay may end, as far as the inbox goes: it was listed since the last evaluation,
    /// and nothing there is about to become something else. Who never stops writing is not waited for.
    pub fn is_through(&self, now: Instant, situation: Situation) -> bool {
        let waited = now.saturating_duration_since(self.idle_since) > RESTLESS;
        situation.idle && self.rescan == Rescan::NotNeeded && (!situation.unsettled || waited)
    }

    fn until_list(&self, now: Instant, situation: Situation) -> Duration {
        let Some(listed) = self.listed else { return Duration::ZERO };
        let pause = match self.rescan {
            Rescan::BeforeExit if situation.idle => Duration::ZERO,
            Rescan::Requested => listed.took * RELIST_SHARE,
            Rescan::BeforeExit | Rescan::NotNeeded => LIST_EVERY.max(listed.took * LIST_SHARE),
        };
        (listed.end() + pause).saturating_duration_since(now)
    }

    fn until_look(&self, now: Instant, situation: Situation) -> Duration {
        let next = self.looked + SETTLE;
        if situation.unsettled { next.saturating_duration_since(now) } else { Duration::MAX }
    }

    fn until_publish(&self, now: Instant, situation: Situation) -> Duration {
        // Whoever is just submitting must not miss from the first ranking; but nobody can hold it up for long.
        let first = match situation {
            Situation { unsettled: true, .. } => self.began + RESTLESS,
            Situation { idle: false, .. } if self.published.is_none() => self.began + FIRST,
            Situation { .. } => self.began,
        };
        let next =
            self.published.map_or(first, |last| first.max(last.began + last.took * self.publish_share()));
        if self.unpublished == Unpublished::Nothing {
            return Duration::MAX;
        }
        next.saturating_duration_since(now)
    }

    fn publish_share(&self) -> u32 {
        if self.stays { PUBLISH_SHARE_OF_WATCH } else { PUBLISH_SHARE }
    }

    /// Notes a listing, whatever came of it.
    pub fn listed(&mut self, began: Instant, now: Instant) {
        self.listed = Some(Span::new(began, now));
        self.looked = now;
        self.rescan = Rescan::NotNeeded;
    }

    /// Notes a look at the files that did not stand still.
    pub fn looked(&mut self, now: Instant) {
        self.looked = now;
    }

    /// Asks for a listing soon.
    pub fn request_rescan(&mut self) {
        self.rescan = Rescan::Requested;
    }

    /// Notes that an evaluation came back.
    pub fn finished(&mut self, now: Instant) {
        self.idle_since = now;
        self.unpublished = Unpublished::Evaluations;
        if !self.stays {
            self.rescan = self.rescan.max(Rescan::BeforeExit);
        }
    }

    /// Notes that something in the inbox changed.
    pub fn changed(&mut self) {
        self.unpublished = self.unpublished.max(Unpublished::Changes);
    }

    /// Gives the part of the news that is not published yet.
    pub fn unpublished(&self) -> Unpublished {
        self.unpublished
    }

    /// Notes that everything was published.
    pub fn published(&mut self, began: Instant, now: Instant) {
        self.published = Some(Span::new(began, now));
        self.unpublished = Unpublished::Nothing;
    }

    /// Notes that the results could not be written.
    pub fn publish_failed(&mut self, now: Instant) {
        self.published = Some(Span { began: now, took: RETRY / self.publish_share() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Situation = Situation { idle: true, unsettled: false };
    const BUSY: Situation = Situation { idle: false, unsettled: false };
    const RESTLESS_INBOX: Situation = Situation { idle: true, unsettled: true };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A pass that began then, and has listed an inbox for 10 ms and published for 10 ms.
    fn settled(stays: bool, start: Instant) -> Schedule {
        let mut schedule = Schedule::new(stays, start);
        schedule.listed(start, start + ms(10));
        schedule.published(start + ms(10), start + ms(20));
        schedule
    }

    #[test]
    fn a_pass_begins_with_a_listing_and_publishes_then() {
        let start = Instant::now();
        let mut schedule = Schedule::new(true, start);
        assert_eq!(schedule.step(start, IDLE), Step::List);
        schedule.listed(start, start + ms(10));
        assert_eq!(schedule.step(start + ms(10), IDLE), Step::Publish);
        schedule.published(start + ms(10), start + ms(20));
        assert_eq!(schedule.step(start + ms(20), IDLE), Step::Wait(LIST_EVERY - ms(10)));
        assert_eq!(schedule.step(start + ms(10) + LIST_EVERY, IDLE), Step::List);
    }

    #[test]
    fn a_pass_that_is_soon_over_publishes_once() {
        let start = Instant::now();
        let mut schedule = Schedule::new(false, start);
        schedule.listed(start, start);
        assert_eq!(schedule.step(start, BUSY), Step::Wait(FIRST));
        assert_eq!(schedule.step(start + FIRST, BUSY), Step::Publish);
        schedule.finished(start + ms(100));
        schedule.listed(start + ms(100), start + ms(100));
        assert_eq!(schedule.step(start + ms(100), IDLE), Step::Publish);
    }

    #[test]
    fn a_large_inbox_is_listed_less_often() {
        let start = Instant::now();
        let mut schedule = settled(true, start);
        schedule.listed(start, start + ms(1000));
        assert_eq!(schedule.step(start + ms(1000), IDLE), Step::Wait(ms(50_000)));
    }

    #[test]
    fn lost_events_ask_for_a_listing_but_not_for_one_after_the_other() {
        let start = Instant::now();
        let mut schedule = settled(true, start);
        schedule.request_rescan();
        assert_eq!(schedule.step(start + ms(25), BUSY), Step::Wait(ms(5)));
        assert_eq!(schedule.step(start + ms(30), BUSY), Step::List);
        schedule.listed(start + ms(30), start + ms(40));
        assert_eq!(schedule.step(start + ms(60), BUSY), Step::Wait(LIST_EVERY - ms(20)));
    }

    #[test]
    fn a_run_lists_once_more_before_it_ends_and_watch_does_not() {
        let start = Instant::now();
        let (mut run, mut watch) = (settled(false, start), settled(true, start));
        for schedule in [&mut run, &mut watch] {
            schedule.finished(start + ms(30));
            schedule.published(start + ms(30), start + ms(40));
        }
        let now = start + ms(40);
        assert_eq!(run.step(now, BUSY), Step::Wait(LIST_EVERY - ms(30)), "others are still at work");
        assert_eq!(run.step(now, IDLE), Step::List);
        assert!(!run.is_through(now, IDLE));
        assert!(matches!(watch.step(now, IDLE), Step::Wait(_)));
        run.listed(now, now);
        assert!(run.is_through(now, IDLE));
    }

    #[test]
    fn restless_files_are_looked_at_soon_and_hold_up_the_first_ranking_and_the_end_for_a_while() {
        let start = Instant::now();
        let mut schedule = Schedule::new(false, start);
        schedule.listed(start, start);
        assert_eq!(schedule.step(start, RESTLESS_INBOX), Step::Wait(SETTLE));
        assert_eq!(schedule.step(start + SETTLE, RESTLESS_INBOX), Step::Look);
        assert!(!schedule.is_through(start + SETTLE, RESTLESS_INBOX));
        let late = start + RESTLESS + ms(1);
        schedule.looked(late);
        assert_eq!(schedule.step(late, RESTLESS_INBOX), Step::Publish);
        assert!(schedule.is_through(late, RESTLESS_INBOX));
    }

    #[test]
    fn publishing_takes_a_bounded_share_of_the_time() {
        let start = Instant::now();
        for (stays, share) in [(true, PUBLISH_SHARE_OF_WATCH), (false, PUBLISH_SHARE)] {
            let mut schedule = settled(stays, start);
            schedule.finished(start + ms(20));
            let next = start + ms(10) + ms(10) * share;
            assert_eq!(schedule.step(start + ms(20), BUSY), Step::Wait(next - (start + ms(20))));
            assert_eq!(schedule.step(next, BUSY), Step::Publish);
            schedule.publish_failed(next);
            assert!(matches!(schedule.step(next + RETRY - ms(1), BUSY), Step::Wait(_) | Step::List));
            assert_eq!(schedule.unpublished(), Unpublished::Evaluations, "it is not forgotten");
        }
    }
}
