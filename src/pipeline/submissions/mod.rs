//! Table of what lies in the inbox, and how far each submission has come, from look to look.

mod entry;
mod scan;
mod standing;
#[cfg(test)]
mod tests;
mod whose;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use tracing::debug;

use crate::config::Pipeline;
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::model::python::Library;
use crate::model::rejection::Rejection;
use crate::pipeline::Finished;
use crate::pipeline::intake::{self, Inbox, InboxFile, Touched, order};
use crate::pipeline::ledger::{Found, Ledger};
use crate::pipeline::report_store::PendingReportWrites;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::scope::Scope;
use crate::pipeline::submissions::entry::{ScanResult, State, Tracked};
use crate::pipeline::submissions::whose::Owners;
use crate::pipeline::{archive, report_store, score};
use crate::util::watch_folder::Change;

/// An agent to evaluate. Neither its bytes nor its report wait with it, so that ten thousand waiting agents cost
/// little memory: the bytes are read again when it is its turn, and compared by their digest.
#[derive(Debug)]
pub struct Job {
    /// The file to read.
    pub inbox_file: InboxFile,
    /// True if the bytes are in the archive instead.
    pub archived: bool,
    /// All that is known of it but its runs.
    pub head: ReportSummary,
    /// Makes runs again that its report remembers.
    pub force: bool,
}

/// The submissions and how far each has come.
pub struct SubmissionTable<'a> {
    pipeline: &'a Pipeline,
    library: Library,
    pending_writes: &'a PendingReportWrites,
    plan: Arc<EvaluationPlan<'a>>,
    scope: &'a Scope,
    force: bool,
    inbox: Inbox,
    /// Not looked at yet.
    touched: Touched,
    entries: BTreeMap<Miner, Tracked>,
    /// Agents that wait and are not being evaluated.
    due: BTreeSet<Miner>,
    /// Agents that stay ranked for miners whose submission waits and is left out of the scope.
    kept: BTreeMap<Miner, ReportSummary>,
    /// Agents that are being evaluated, by miner: their digests.
    busy: HashMap<Miner, String>,
    ledger: Ledger,
    /// True if the times of files in the inbox tell which of two came first.
    is_ordered: bool,
    /// Files whose bytes could not be archived yet, with their digests.
    unarchived: Vec<(InboxFile, String)>,
}

impl<'a> SubmissionTable<'a> {
    /// A table that knows the ledger, and the modules that agents may import. With `force`, what reports hold is not taken for done.
    pub fn new(
        pipeline: &'a Pipeline,
        library: Library,
        plan: EvaluationPlan<'a>,
        scope: &'a Scope,
        force: bool,
        pending_writes: &'a PendingReportWrites,
        ledger: Ledger,
    ) -> Self {
        Self {
            pipeline,
            library,
            pending_writes,
            plan: Arc::new(plan),
            scope,
            force,
            inbox: Inbox::new(&pipeline.inbox, (&pipeline.validate).into()),
            touched: Touched::default(),
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
            kept: BTreeMap::new(),
            busy: HashMap::new(),
            ledger,
            is_ordered: false,
            unarchived: Vec::new(),
        }
    }

    /// The plan by which is decided what is done.
    pub fn plan(&self) -> &Arc<EvaluationPlan<'a>> {
        &self.plan
    }

    /// Decides anew what is done, by another plan. Nothing may be at work yet.
    pub fn replan(&mut self, plan: EvaluationPlan<'a>) {
        self.plan = Arc::new(plan);
        let entries = std::mem::take(&mut self.entries);
        let entered = entries.into_par_iter().map(|(miner, entry)| {
            let state = match entry.state {
                State::Waits(head) | State::Complete(head) => self.enter(head),
                refused_or_held => refused_or_held,
            };
            (miner, ScanResult::New(Box::new(Tracked::new(entry.inbox_file, state)), None))
        });
        let entered: Vec<_> = entered.collect();
        self.due.clear();
        self.kept.clear();
        self.apply_all(entered);
    }

    /// Forgets all that was looked at, as it was checked by the modules of another image. Nothing may be at work yet.
    pub fn learn(&mut self, library: Library) {
        self.library = library;
        self.touched.add(self.entries.values().filter_map(|entry| entry.inbox_file.name()));
        self.entries.clear();
        self.due.clear();
        self.kept.clear();
    }

    /// Notes a change in the inbox, to be looked at. Tells whether it is known what changed.
    pub fn touch(&mut self, change: &Change) -> bool {
        let (paths, closed) = match change {
            Change::Finished(paths) => (paths, true),
            Change::Touched(paths) => (paths, false),
            Change::Unknown => return false,
        };
        let unknown = paths.iter().filter(|path| !self.inbox.touch(path, closed, &mut self.touched));
        unknown.count() == 0
    }

    /// Looks at the whole inbox: new files come in, changed ones are new, removed ones leave. Tells whether anything
    /// did.
    ///
    /// # Errors
    /// The inbox can't be read.
    pub fn list(&mut self) -> io::Result<bool> {
        let began = now();
        self.inbox.touch_all(&mut self.touched)?;
        let changed = self.look_at_touched();
        let unread = self.inbox.unsettled().iter().filter_map(|name| name.to_str().map(str::to_owned));
        self.ledger.looked(began, unread.collect());
        Ok(changed | self.reconsider(now()))
    }

    /// Looks at the files that did not stand still. Tells whether anything changed.
    pub fn look_at_unsettled(&mut self) -> bool {
        self.touched.add(self.inbox.unsettled().iter().cloned());
        self.look_at_touched()
    }

    /// Looks at what was touched. Tells whether anything changed.
    pub fn look_at_touched(&mut self) -> bool {
        if self.touched.is_empty() {
            return false;
        }
        let touched = std::mem::take(&mut self.touched);
        debug!(looked = touched.len() as u64, "inbox looked at");
        self.is_ordered = order::unreliable(&self.pipeline.inbox).is_none();
        let news = self.inbox.look(touched, self.ledger.sights());
        let miners = news.miners.into_par_iter();
        let results: Vec<_> = miners.map(|miner| (miner.clone(), self.scan(&miner))).collect();
        self.apply_all(results) | news.refusals
    }

    /// Takes in what a look at several miners came to, the ledger first: nothing is evaluated that it was not told of.
    fn apply_all(&mut self, mut results: Vec<(Miner, ScanResult)>) -> bool {
        let found: Vec<Found> = results.iter_mut().filter_map(|(_, result)| result.take_found()).collect();
        self.ledger.add(found, now());
        // What can't be written now is written before the next ranking, or there is none.
        let _ = self.ledger.write();
        let mut changed = false;
        for (miner, result) in results {
            changed |= self.apply(miner, result);
        }
        changed
    }

    /// Writes what the ledger and the archive do not hold yet.
    ///
    /// # Errors
    /// They can't be written; the message names the file.
    pub fn write_ledger(&mut self) -> io::Result<()> {
        let Pipeline { records: results, validate, .. } = self.pipeline;
        if !self.ledger.is_writable() {
            return Ok(());
        }
        while let Some((inbox_file, sha256)) = self.unarchived.last() {
            // What was replaced since was never evaluated.
            if let Some(bytes) = intake::reread(inbox_file, sha256, validate.into()) {
                archive::keep(results, sha256, &bytes)?;
            }
            self.unarchived.pop();
        }
        self.ledger.write()
    }

    /// All first sights: who was first with which bytes.
    pub fn first_sights(&self) -> &FirstSights {
        self.ledger.sights()
    }

    /// Takes in what a look came to. Tells whether anything changed.
    fn apply(&mut self, miner: Miner, result: ScanResult) -> bool {
        let old = self.entries.remove(&miner);
        let (entry, changed) = match result {
            ScanResult::Gone => (None, old.is_some()),
            ScanResult::Same(inbox_file) => {
                (old.map(|old| Tracked { inbox_file, unread: false, ..old }), false)
            }
            ScanResult::New(mut entry, _) => {
                // Else all that counts beside it would be read from the disk for each that comes.
                entry.archived = old.as_ref().map(|old| old.archived.clone()).unwrap_or_default();
                self.judge(&miner, &mut entry);
                self.unarchived.extend(entry.unarchived(self.pipeline));
                entry.state.date(self.ledger.sights());
                let changed = old.is_none_or(|old| !old.is_like(&entry));
                (Some(*entry), changed)
            }
            ScanResult::Changing(inbox_file) => {
                // A file that is just being rewritten is neither listed nor withdrawn.
                self.inbox.unsettle(&inbox_file);
                let moved = old.as_ref().is_some_and(|old| old.inbox_file.file != inbox_file.file);
                (old.filter(|_| !moved), moved)
            }
        };
        match entry {
            Some(entry) => self.put(miner, entry),
            None => self.forget(&miner),
        }
        changed
    }

    /// Puts an entry into the table; what waits in it is due.
    fn put(&mut self, miner: Miner, entry: Tracked) {
        self.forget(&miner);
        if entry.waiting().is_some() && !self.scope.has_agent(&miner) {
            self.kept.extend(self.kept(&miner, &entry).map(|kept| (miner.clone(), kept)));
        } else if entry.waiting().is_some() && !entry.unread && !self.busy.contains_key(&miner) {
            self.due.insert(miner.clone());
        }
        self.entries.insert(miner, entry);
    }

    fn forget(&mut self, miner: &Miner) {
        self.due.remove(miner);
        self.kept.remove(miner);
    }

    /// The agent that was ranked before, where nothing else of the miner's can be.
    fn kept(&self, miner: &Miner, entry: &Tracked) -> Option<ReportSummary> {
        if entry.complete().next().is_some() {
            return None;
        }
        let report = report_store::remembered(&self.pipeline.results, miner)?;
        let results = self.plan.kept(&report);
        Some(report.summary(results)).filter(|kept| kept.syntax.is_none())
    }

    /// The number of agents that wait for their evaluation and are not at it.
    pub fn due(&self) -> usize {
        self.due.len()
    }

    /// Takes all agents that are due; they count as busy from here on. Of several of a miner's the one is taken that is `awaited`, or
    /// else the first.
    pub fn take_due(&mut self, mut awaited: impl FnMut((&Miner, &str)) -> bool) -> Vec<Job> {
        let mut jobs = Vec::new();
        for miner in std::mem::take(&mut self.due) {
            let Some(entry) = self.entries.get(&miner) else { continue };
            let is_awaited = |(head, _): &(&ReportSummary, bool)| awaited((&miner, &head.sha256));
            let waiting = entry.all_waiting().find(is_awaited).or_else(|| entry.waiting());
            let Some((head, archived)) = waiting else { continue };
            let (inbox_file, head, force) = (entry.inbox_file.clone(), head.clone(), self.force);
            self.busy.insert(miner, head.sha256.clone());
            jobs.push(Job { inbox_file, archived, head, force });
        }
        jobs
    }

    /// Makes agents of these miners due once more of whom a run could not be judged.
    pub fn try_again(&mut self, miners: BTreeSet<Miner>) {
        for miner in miners {
            let Some(mut entry) = self.entries.remove(&miner) else { continue };
            entry.states_mut().for_each(State::wait_if_unscored);
            self.put(miner, entry);
        }
    }

    /// Takes in an evaluation that came back. Work that was stopped is left to the next pass.
    pub fn finished(&mut self, finished: Finished) {
        let evaluated = self.busy.remove(finished.miner());
        let Some(mut entry) = self.entries.remove(finished.miner()) else { return };
        let miner = finished.miner().clone();
        match finished {
            // It stays where it is and is not due again in this pass.
            Finished::Stopped(_) => return drop(self.entries.insert(miner, entry)),
            Finished::FileChanged(_) => {
                // What is no longer in the archive can't stand.
                entry.archived.retain(|state| state.summary().map(|head| &head.sha256) != evaluated.as_ref());
                // The next look reads it again, whatever it looks like, and finds out whether it is due. Before, it would be found
                // changed again and again, as long as somebody goes on writing.
                entry.inbox_file.stamp = None;
                entry.unread = true;
                self.touched.add(entry.inbox_file.name());
                return drop(self.entries.insert(miner, entry));
            }
            Finished::Completed(mut summary) => {
                if summary.file != entry.inbox_file.file {
                    summary.file.clone_from(&entry.inbox_file.file);
                    let report = (&summary.miner, summary.sha256.as_str());
                    self.pending_writes.rename(&self.pipeline.results, report, &summary.file);
                }
                let is_no_python = summary.syntax.is_some();
                entry.finish(*summary);
                if is_no_python {
                    self.judge(&miner, &mut entry);
                }
            }
        }
        self.put(miner, entry);
    }

    /// Agents that wait, of miners of whom one is due or being evaluated, with their digests; where the pass is `ending`, of those as
    /// well whose evaluation was stopped. One whose file is being rewritten is none of them.
    pub fn left(&self, ending: bool) -> impl Iterator<Item = (&Miner, &str)> {
        let is_left = move |miner: &Miner| {
            ending && self.scope.has_agent(miner) || self.due.contains(miner) || self.busy.contains_key(miner)
        };
        let waiting = self.entries.iter().filter(move |(miner, _)| is_left(miner));
        waiting.flat_map(|(miner, entry)| {
            entry.all_waiting().map(move |(head, _)| (miner, head.sha256.as_str()))
        })
    }

    /// Tells whether nothing is being evaluated.
    pub fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Tells whether every submission was looked at, and none is left to evaluate.
    pub fn is_done(&self) -> bool {
        !self.is_unsettled() && self.busy.is_empty() && self.due.is_empty()
    }

    /// Tells whether a file seemed to be still in the making at the last look.
    pub fn is_unsettled(&self) -> bool {
        !self.inbox.unsettled().is_empty()
    }

    /// The agents whose evaluation is complete.
    pub fn complete(&self) -> Vec<&ReportSummary> {
        let entries = self.entries.iter();
        let stands = entries.filter_map(|(miner, entry)| {
            score::best(entry.complete(), &self.plan.stages).or_else(|| self.kept.get(miner))
        });
        stands.collect()
    }

    /// Digests of agents that lack a score only as they asked a model that is not served, with their miners.
    pub fn unserved(&self) -> HashSet<(&Miner, &str)> {
        let complete = self.entries.values().flat_map(Tracked::complete).filter(|agent| agent.unserved);
        complete.map(|agent| (&agent.miner, agent.sha256.as_str())).collect()
    }

    /// All agents that wait, by miner.
    pub fn waiting(&self) -> impl Iterator<Item = &ReportSummary> {
        let states = self.entries.values().flat_map(Tracked::states);
        states.filter_map(|state| match state {
            State::Waits(head) => Some(head),
            _ => None,
        })
    }

    /// The miners of whom something lies in the inbox.
    pub fn miners(&self) -> impl Iterator<Item = &Miner> {
        self.entries.keys()
    }

    /// Miners of whom something lies in the inbox, whatever it is; None while a file does not stand still.
    pub fn present(&self) -> Option<BTreeSet<Miner>> {
        (!self.is_unsettled()).then(|| self.inbox.miners().cloned().collect())
    }

    /// Python files in the inbox that are no part of a submission, one for each folder that holds such.
    pub fn not_taken(&self) -> Vec<String> {
        let files = self.entries.values().map(|entry| &entry.inbox_file);
        let files = files.filter(|_| self.pipeline.validate.files < 2);
        files.filter_map(|file| file.beside(|name| name.ends_with(b".py"))).collect()
    }

    /// Miners whose evaluation is not complete.
    pub fn pending(&self) -> Vec<Miner> {
        let waits = self.entries.iter().filter(|(_, entry)| entry.waiting().is_some());
        waits.map(|(miner, _)| miner.clone()).collect()
    }

    /// Every refused submission, by file name.
    pub fn rejections(&self) -> Vec<Rejection> {
        let refused = self.entries.values().filter_map(|entry| entry.rejection(&self.library.python));
        let owners = self.pipeline.roster.as_ref().map(Owners::of);
        let has_file = |miner: &Miner| self.inbox.holder(miner).is_some();
        let names = self.inbox.refused().map(|rejection| match &owners {
            Some(owners) => owners.told(rejection, has_file),
            None => rejection,
        });
        let mut all: Vec<Rejection> = names.chain(refused).collect();
        all.sort();
        all
    }
}

/// Now, in milliseconds: what the results show.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
