//! Intake and validation of what lies in the inbox for a miner.

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::joined;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::intake::{self, Bounds, InboxFile, Submission, Unreadable};
use crate::pipeline::ledger::Found;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::submissions::SubmissionTable;
use crate::pipeline::submissions::entry::{ScanResult, State, Tracked};
use crate::pipeline::{archive, report_store, validate};

/// Date of an agent until the ledger tells when it was first seen.
const UNDATED: Timestamp = Timestamp::MAX;

impl SubmissionTable<'_> {
    /// Intake and validation of one miner's files, where they could come to something else than before.
    pub(super) fn scan(&self, miner: &Miner) -> ScanResult {
        let Some(holder) = self.inbox.holder(miner) else { return ScanResult::Gone };
        let inbox_file = holder.inbox_file.clone();
        if !holder.settled {
            return ScanResult::Changing(inbox_file);
        }
        let old = self.entries.get(miner);
        if inbox_file.stamp.is_some() && old.is_some_and(|old| old.inbox_file == inbox_file) {
            return ScanResult::Same(inbox_file);
        }
        let Pipeline { validate, .. } = self.pipeline;
        let submission = match intake::read(&inbox_file, validate.into()) {
            Ok(submission) => submission,
            Err(Unreadable::Changing) => return ScanResult::Changing(inbox_file),
            Err(Unreadable::Rejected(rejection)) => return self.reject(inbox_file, *rejection),
        };
        let other = self.other_bytes(&submission);
        let known =
            old.filter(|old| old.inbox_file.file == inbox_file.file).and_then(|old| old.state.summary());
        let is_other =
            self.ledger.has_other_bytes(miner, &submission.sha256, other.as_ref().map(|(sha256, _)| sha256));
        let same = old.filter(|_| known.is_some_and(|summary| summary.sha256 == submission.sha256));
        let mut found = self.found(&submission, other);
        match same {
            Some(_) if !is_other => return ScanResult::Same(inbox_file),
            Some(same) => {
                return ScanResult::New(Box::new(Tracked::new(inbox_file, same.state.clone())), Some(found));
            }
            None => {}
        }
        let state = match validate::check(&submission.bytes, validate, &self.library) {
            Ok(()) => {
                // What can't be kept now is kept before the next ranking, or there is none. What does not count is not kept:
                // else no rule of a season bounds how much a miner fills the disk with.
                if self.ledger.is_writable() && self.counts(miner, &submission.sha256) {
                    let _ = archive::keep(&self.pipeline.records, &submission.sha256, &submission.bytes);
                }
                self.enter(new(&inbox_file, submission))
            }
            Err(finding) => {
                found.refused = true;
                let finding = finding.beside(|name| inbox_file.has_beside(name));
                State::Refused(Rejection {
                    sha256: Some(submission.sha256),
                    ..inbox_file.rejection(finding.line, finding.reason)
                })
            }
        };
        ScanResult::New(Box::new(Tracked::new(inbox_file, state)), Some(found))
    }

    fn found(&self, submission: &Submission, other: Option<(String, (i64, i64))>) -> Box<Found> {
        Box::new(Found { other, ..Found::dropped(submission, self.is_ordered) })
    }

    /// A file that is not to be read by the pipeline's rules. If it is by the widest that there may be, the ledger is told of its bytes:
    /// once the rules are others, they came when they came.
    fn reject(&self, inbox_file: InboxFile, rejection: Rejection) -> ScanResult {
        let widest = Bounds::widest(self.pipeline.validate.files);
        let Ok(submission) = intake::read(&inbox_file, widest) else {
            return ScanResult::New(Box::new(Tracked::new(inbox_file, State::Refused(rejection))), None);
        };
        let rejection = Rejection { sha256: Some(submission.sha256.clone()), ..rejection };
        let found = Found { refused: true, ..*self.found(&submission, self.other_bytes(&submission)) };
        ScanResult::New(Box::new(Tracked::new(inbox_file, State::Refused(rejection))), Some(Box::new(found)))
    }

    /// Digest of the bytes that the files of a folder are by another `validate.files`, if they are others, and their newest change.
    fn other_bytes(&self, submission: &Submission) -> Option<(String, (i64, i64))> {
        let files = if self.pipeline.validate.files > 1 { 1 } else { joined::MOST };
        let is_folder = submission.inbox_file.file.contains('/');
        let other = is_folder.then(|| intake::read(&submission.inbox_file, Bounds::widest(files)).ok())??;
        (other.sha256 != submission.sha256).then_some((other.sha256, other.arrived))
    }

    /// An agent not known to this pass; its report may remember it from an earlier one.
    pub(super) fn enter(&self, head: ReportSummary) -> State {
        let mut head = ReportSummary { syntax: None, results: Box::default(), ..head };
        let Some(report) = report_store::remembered_of(&self.pipeline.results, &head.miner, &head.sha256)
        else {
            return State::Waits(head);
        };
        if report.file != head.file && self.ledger.is_writable() {
            self.pending_writes.rename(&self.pipeline.results, (&head.miner, &head.sha256), &head.file);
        }
        head.modified = report.modified;
        let in_scope = self.scope.has_agent(&head.miner);
        if self.force && in_scope {
            return State::Waits(head);
        }
        if self.plan.refused(&report) || !in_scope && report.syntax.is_some() {
            head.syntax = report.syntax.map(Box::new);
            return State::Complete(head);
        }
        // With runs that are due it waits, be it left out this time: it is ranked by what it has, and told as pending.
        match self.plan.done(&report) {
            Some(results) => State::Complete(ReportSummary { results: results.into(), ..head }),
            None => State::Waits(head),
        }
    }
}

fn new(inbox_file: &InboxFile, submission: Submission) -> ReportSummary {
    ReportSummary {
        miner: inbox_file.miner.clone(),
        file: inbox_file.file.clone(),
        bytes: submission.bytes.len() as u64,
        sha256: submission.sha256,
        first_seen: UNDATED,
        modified: submission.modified,
        syntax: None,
        penalty: None,
        unserved: false,
        results: Box::default(),
    }
}
