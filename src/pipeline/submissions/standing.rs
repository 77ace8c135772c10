//! Submissions that stand by the rules of the season: what lies in the inbox, or others from the archive; and those that count
//! beside them.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::config::{Counts, Season};
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::archive;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::{self, Evaluated};
use crate::pipeline::season::{Counted, Course, Decision, Refusal, settle};
use crate::pipeline::submissions::entry::{Held, State, Tracked};
use crate::pipeline::submissions::{SubmissionTable, now};

impl<'a> SubmissionTable<'a> {
    /// Tells whether these bytes of a miner's would count by the rules of the season if they lay in the inbox now.
    pub(super) fn counts(&self, miner: &Miner, sha256: &str) -> bool {
        let Some(season) = &self.pipeline.season else { return true };
        let course = Course::of(season, miner, self.ledger.sights());
        !matches!(course.decide_lying(sha256, self.ledger.now(now())), (Decision::Refused(_), _))
    }

    /// Decides which submissions of a miner count, and has the ledger know it.
    pub(super) fn judge(&mut self, miner: &Miner, entry: &mut Tracked) {
        let Some(season) = &self.pipeline.season else { return };
        self.judge_lying(season, miner, entry);
        let file = entry.inbox_file.file.clone();
        loop {
            let course = Course::of(season, miner, self.ledger.sights());
            entry.archived = self.archived(season, &course, entry);
            let bad = entry.archived.iter().find(|state| state.is_no_python()).and_then(State::summary);
            let Some(bad) = bad.map(|head| head.sha256.clone()) else {
                let penalties = entry.states_mut().filter_map(State::summary_mut);
                penalties.for_each(|head| head.penalty = course.penalty(&head.sha256));
                return;
            };
            self.ledger.refuse(miner, &bad, &file, now());
        }
    }

    /// Decides on what lies in the inbox.
    fn judge_lying(&mut self, season: &Season, miner: &Miner, entry: &mut Tracked) {
        let Some(head) = entry.state.summary().cloned() else { return };
        let file = &entry.inbox_file.file;
        if entry.state.is_no_python() {
            return self.ledger.refuse(miner, &head.sha256, file, now());
        }
        let now = self.ledger.now(now());
        let refusal = settle(&mut self.ledger, season, miner, (&head.sha256, file), now);
        let is_held = matches!(entry.state, State::Held(_));
        match refusal {
            Some(Refusal { reason, next }) => {
                let rejection = entry.inbox_file.rejection(None, reason);
                let rejection = Rejection { sha256: Some(head.sha256.clone()), ..rejection };
                entry.state = State::Held(Box::new(Held { head, rejection, next }));
            }
            None if is_held => entry.state = self.enter(head),
            None => {}
        }
    }

    /// Those from the archive that count beside what lies in the inbox, or instead of it.
    fn archived(&self, season: &Season, course: &Course<'_>, entry: &Tracked) -> Vec<State> {
        let lies = match &entry.state {
            State::Waits(head) | State::Complete(head) if head.syntax.is_none() => Some(&head.sha256),
            _ => None,
        };
        let is_no_agent = lies.is_none() && !matches!(entry.state, State::Held(_));
        let mut wanted: Vec<&Counted> = match season.counts {
            Counts::Last if is_no_agent => Vec::new(),
            Counts::Last | Counts::LastValid => course.standing().into_iter().collect(),
            Counts::Best => course.counted().iter().collect(),
        };
        wanted.retain(|counted| Some(&counted.sha256) != lies);
        wanted.sort_by(|a, b| (&a.sha256, a.came).cmp(&(&b.sha256, b.came)));
        wanted.dedup_by(|a, b| a.sha256 == b.sha256);
        wanted.sort_by_key(|counted| counted.came);
        let known = entry.archived.iter().filter_map(|state| Some((state.summary()?.sha256.as_str(), state)));
        let known: HashMap<&str, &State> = known.collect();
        let one = |counted: &Counted| match known.get(counted.sha256.as_str()) {
            Some(State::Complete(head)) => Some(State::Complete(head.clone())),
            Some(State::Waits(head)) => Some(State::Waits(head.clone())),
            _ => self.archived_one(entry, counted),
        };
        wanted.into_iter().filter_map(one).collect()
    }

    /// One that is not known yet; None if somebody has taken it out of the archive.
    fn archived_one(&self, entry: &Tracked, counted: &Counted) -> Option<State> {
        let bytes = archive::path(&self.pipeline.records, &counted.sha256).metadata().ok()?.len();
        let miner = entry.inbox_file.miner.clone();
        let mut state = self.enter(ReportSummary {
            first_seen: counted.came,
            modified: counted.came,
            file: entry.inbox_file.file.clone(),
            sha256: counted.sha256.clone(),
            miner,
            bytes,
            syntax: None,
            penalty: None,
            unserved: false,
            results: Box::default(),
        });
        state.date(self.ledger.sights());
        Some(state)
    }

    /// Agents whose evaluation is complete and that are not the best of their miner's, by miner and the oldest first.
    pub fn not_best(&self) -> Vec<Evaluated> {
        let several = self.entries.values().filter(|entry| !entry.archived.is_empty());
        several.flat_map(|entry| self.not_best_of(entry)).collect()
    }

    fn not_best_of(&self, entry: &Tracked) -> Vec<Evaluated> {
        let stages = &self.plan.stages;
        let Some(best) = score::best(entry.complete(), stages) else { return Vec::new() };
        let lies = entry.state.summary().map(|lies| lies.sha256.as_str());
        let others = entry.complete().filter(|agent| agent.sha256 != best.sha256);
        let summed_up =
            |agent: &ReportSummary| score::not_best(agent, Some(agent.sha256.as_str()) == lies, stages);
        let mut others: Vec<Evaluated> = others.map(summed_up).collect();
        others.sort_by_key(|agent| agent.first_seen);
        others
    }

    /// Decides anew on what did not count so far and may by now. Tells whether anything does.
    pub(super) fn reconsider(&mut self, now: Timestamp) -> bool {
        let is_due = |entry: &Tracked| matches!(&entry.state, State::Held(held) if held.next.is_some_and(|next| next <= now));
        let due: Vec<Miner> =
            self.entries.iter().filter(|(_, entry)| is_due(entry)).map(|(miner, _)| miner.clone()).collect();
        let mut changed = false;
        for miner in due {
            let Some(mut entry) = self.entries.remove(&miner) else { continue };
            self.judge(&miner, &mut entry);
            self.unarchived.extend(entry.unarchived(self.pipeline));
            changed |= !matches!(entry.state, State::Held(_));
            self.put(miner, entry);
        }
        changed
    }
}
