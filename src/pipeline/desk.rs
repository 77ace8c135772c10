//! What a pass knows of every submission in the inbox, from scan to scan.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::brief::Brief;
use super::evaluate::{Course, End};
use super::intake::{self, Drop, Miner, Rejection, Unreadable};
use super::{publish, validate};
use crate::config::Pipeline;

/// First seen in a scan that has not ended.
const UNDATED: Timestamp = Timestamp::MAX;

/// An agent to evaluate. Neither its bytes nor its report wait with it, so that ten thousand waiting agents cost
/// little memory: the bytes are read again when it is its turn, and compared by their digest.
#[derive(Debug)]
pub struct Job {
    /// What to read.
    pub drop: Drop,
    /// What is known of it but its runs.
    pub head: Brief,
    /// Whether runs that its report remembers are made again.
    pub force: bool,
}

/// The submissions and how far each has come.
pub struct Desk<'a> {
    pipeline: &'a Pipeline,
    course: &'a Course<'a>,
    force: bool,
    entries: BTreeMap<Miner, Entry>,
    misnamed: Vec<Rejection>,
    busy: BTreeSet<Miner>,
    unsettled: usize,
}

/// One submission.
#[derive(PartialEq)]
struct Entry {
    drop: Drop,
    fate: Fate,
}

#[derive(PartialEq)]
enum Fate {
    /// It did not pass validation.
    Refused(Rejection),
    Waits(Brief),
    Complete(Brief),
}

/// What looking at one drop came to.
enum Look {
    New(Entry),
    /// Its bytes are what they were.
    Same(Drop),
    Changing,
}

impl<'a> Desk<'a> {
    /// Knows nothing yet. With `force`, what reports hold is not taken for done.
    pub fn new(pipeline: &'a Pipeline, course: &'a Course<'a>, force: bool) -> Self {
        let (entries, misnamed, busy) = Default::default();
        Self { pipeline, course, force, entries, misnamed, busy, unsettled: 0 }
    }

    /// Looks at the inbox: new files come in, changed ones are new, removed ones leave. Tells whether anything did.
    /// Files known to be `closed` are finished.
    ///
    /// # Errors
    /// The inbox can't be read.
    pub fn scan(&mut self, closed: &HashSet<PathBuf>) -> std::io::Result<bool> {
        let listing = intake::list_with(&self.pipeline.inbox, closed)?;
        let looks: Vec<Look> = listing.drops.into_par_iter().map(|drop| self.look(drop)).collect();
        let mut changed = listing.rejected != self.misnamed;
        (self.misnamed, self.unsettled) = (listing.rejected, listing.unsettled);
        let mut before = std::mem::take(&mut self.entries);
        for look in looks {
            match look {
                Look::Changing => self.unsettled += 1,
                Look::Same(drop) => {
                    let entry = before.remove(&drop.miner).map(|entry| Entry { drop, ..entry });
                    self.entries.extend(entry.map(|entry| (entry.drop.miner.clone(), entry)));
                }
                Look::New(entry) => {
                    changed |= before.remove(&entry.drop.miner).is_none_or(|old| old.fate != entry.fate);
                    self.entries.insert(entry.drop.miner.clone(), entry);
                }
            }
        }
        if self.unsettled > 0 {
            // A file that is just being rewritten is neither listed nor withdrawn.
            let still_there = before.extract_if(.., |_, entry| entry.drop.path.exists());
            self.entries.extend(still_there);
        }
        self.date_newcomers();
        Ok(changed || !before.is_empty())
    }

    /// Whoever comes now comes after all who were here before, whatever the clock says: it may have been set back.
    fn date_newcomers(&mut self) {
        let heads = || self.entries.values().filter_map(|entry| entry.fate.brief());
        let dates = heads().map(|head| head.first_seen).filter(|date| *date < UNDATED);
        let newest = dates.max().unwrap_or(Timestamp::MIN);
        let next = newest.saturating_add(SignedDuration::from_millis(1)).unwrap_or(newest);
        let date = next.max(now());
        for entry in self.entries.values_mut() {
            if let Fate::Waits(head) = &mut entry.fate
                && head.first_seen == UNDATED
            {
                head.first_seen = date;
            }
        }
    }

    /// Intake and validation of one drop, where they could come to something else than before.
    fn look(&self, drop: Drop) -> Look {
        let old = self.entries.get(&drop.miner);
        if drop.stamp.is_some() && old.is_some_and(|old| old.drop == drop) {
            return Look::Same(drop);
        }
        let Pipeline { validate, .. } = self.pipeline;
        let submission = match intake::read(&drop, validate.max_bytes) {
            Ok(submission) => submission,
            Err(Unreadable::Changing) => return Look::Changing,
            Err(Unreadable::Rejected(rejection)) => {
                return Look::New(Entry { drop, fate: Fate::Refused(rejection) });
            }
        };
        let known = old.filter(|old| old.drop.file == drop.file).and_then(|old| old.fate.brief());
        if known.is_some_and(|brief| brief.sha256 == submission.sha256) {
            return Look::Same(drop);
        }
        let fate = match validate::scan(&submission.bytes, &validate.forbid) {
            Ok(()) => self.enter(new(&drop, submission)),
            Err(finding) => Fate::Refused(drop.rejection(finding.line, finding.reason)),
        };
        Look::New(Entry { drop, fate })
    }

    /// An agent not known to this pass; its report may remember it from an earlier one.
    fn enter(&self, mut head: Brief) -> Fate {
        let remembered = publish::remembered(&self.pipeline.results, &head.miner);
        let Some(report) = remembered.filter(|report| report.sha256 == head.sha256) else {
            return Fate::Waits(head);
        };
        (head.first_seen, head.modified) = (report.first_seen, report.modified);
        if self.force {
            return Fate::Waits(head);
        }
        if self.course.refused(&report) {
            head.syntax = report.syntax.map(Box::new);
            return Fate::Complete(head);
        }
        match self.course.done(&report) {
            Some(marks) => Fate::Complete(Brief { marks: marks.into(), ..head }),
            None => Fate::Waits(head),
        }
    }

    /// The agents to evaluate now; they count as busy from here on.
    pub fn due(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (miner, entry) in &self.entries {
            if let Fate::Waits(head) = &entry.fate
                && self.busy.insert(miner.clone())
            {
                jobs.push(Job { drop: entry.drop.clone(), head: head.clone(), force: self.force });
            }
        }
        jobs
    }

    /// An evaluation came back; without an end, the file was no longer the one that was to be evaluated.
    pub fn finished(&mut self, brief: Brief, end: Option<End>) {
        self.busy.remove(&brief.miner);
        let Some(entry) = self.entries.get_mut(&brief.miner) else { return };
        if entry.fate.brief().is_none_or(|known| known.sha256 != brief.sha256) {
            return;
        }
        match end {
            Some(End::Complete) => entry.fate = Fate::Complete(brief),
            Some(End::Stopped) => {}
            // The next scan reads it again.
            None => entry.drop.stamp = None,
        }
    }

    /// Whether nothing is being evaluated.
    pub fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Whether every submission was looked at, and none is left to evaluate.
    pub fn is_done(&self) -> bool {
        let waits = |entry: &Entry| matches!(entry.fate, Fate::Waits(_));
        self.unsettled == 0 && !self.entries.values().any(waits)
    }

    /// Whether a file seemed to be still in the making at the last scan.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled > 0
    }

    /// The agents whose evaluation is complete.
    pub fn complete(&self) -> Vec<&Brief> {
        let complete = self.entries.values().filter_map(|entry| entry.fate.complete());
        complete.filter(|brief| brief.syntax.is_none()).collect()
    }

    /// Whose evaluation is not complete.
    pub fn pending(&self) -> Vec<Miner> {
        let waits = self.entries.iter().filter(|(_, entry)| matches!(entry.fate, Fate::Waits(_)));
        waits.map(|(miner, _)| miner.clone()).collect()
    }

    /// Every refused submission, by file name.
    pub fn rejections(&self) -> Vec<Rejection> {
        let refused = self.entries.values().filter_map(|entry| match &entry.fate {
            Fate::Refused(rejection) => Some(rejection.clone()),
            Fate::Complete(brief) => brief.syntax.as_ref().map(|syntax| {
                let reason = format!("is not valid Python 3.11: {}", syntax.message);
                entry.drop.rejection(syntax.line, reason)
            }),
            Fate::Waits(_) => None,
        });
        let mut all: Vec<Rejection> = self.misnamed.iter().cloned().chain(refused).collect();
        all.sort();
        all
    }
}

impl Fate {
    fn brief(&self) -> Option<&Brief> {
        match self {
            Fate::Waits(brief) | Fate::Complete(brief) => Some(brief),
            Fate::Refused(_) => None,
        }
    }

    fn complete(&self) -> Option<&Brief> {
        self.brief().filter(|_| matches!(self, Fate::Complete(_)))
    }
}

fn new(drop: &Drop, submission: intake::Submission) -> Brief {
    Brief {
        miner: drop.miner.clone(),
        file: drop.file.clone(),
        bytes: submission.bytes.len() as u64,
        sha256: submission.sha256,
        first_seen: UNDATED,
        modified: submission.modified,
        syntax: None,
        marks: Box::default(),
    }
}

/// Now, in milliseconds: what the results show.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
