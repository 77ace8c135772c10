//! Entries of the table: what lies in the inbox for a miner, and how far its submissions have come.

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::first_sights::FirstSights;
use crate::model::rejection::Rejection;
use crate::pipeline::intake::InboxFile;
use crate::pipeline::ledger::Found;
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::{archive, validate};

/// One miner's submissions.
pub(super) struct Tracked {
    pub(super) inbox_file: InboxFile,
    /// Of what lies in the inbox.
    pub(super) state: State,
    /// Of those from the archive that count as well, or instead: each waits or is complete.
    pub(super) archived: Vec<State>,
    /// True if an evaluation found other bytes than these in the file, and nothing has been read of it since.
    pub(super) unread: bool,
}

#[derive(Clone, PartialEq)]
pub(super) enum State {
    /// The file is no submission.
    Refused(Rejection),
    /// It is one, and does not count.
    Held(Box<Held>),
    Waits(ReportSummary),
    Complete(ReportSummary),
}

/// An agent that does not count.
#[derive(Clone, PartialEq)]
pub(super) struct Held {
    pub(super) head: ReportSummary,
    pub(super) rejection: Rejection,
    /// The time from which it would if it stays in the inbox.
    pub(super) next: Option<Timestamp>,
}

/// Outcome of a look at one miner's files.
pub(super) enum ScanResult {
    /// There is none.
    Gone,
    /// Its bytes are others than before, and were read if there are any to read.
    New(Box<Tracked>, Option<Box<Found>>),
    /// Its bytes are what they were.
    Same(InboxFile),
    /// It is being written.
    Changing(InboxFile),
}

impl Tracked {
    pub(super) fn new(inbox_file: InboxFile, state: State) -> Self {
        Self { inbox_file, state, archived: Vec::new(), unread: false }
    }

    pub(super) fn states(&self) -> impl Iterator<Item = &State> {
        std::iter::once(&self.state).chain(&self.archived)
    }

    pub(super) fn states_mut(&mut self) -> impl Iterator<Item = &mut State> {
        std::iter::once(&mut self.state).chain(&mut self.archived)
    }

    /// The first agent that waits, and whether it comes from the archive.
    pub(super) fn waiting(&self) -> Option<(&ReportSummary, bool)> {
        self.all_waiting().next()
    }

    /// All agents that wait, and whether each comes from the archive.
    pub(super) fn all_waiting(&self) -> impl Iterator<Item = (&ReportSummary, bool)> {
        self.states().enumerate().filter_map(|(at, state)| match state {
            State::Waits(head) => Some((head, at > 0)),
            _ => None,
        })
    }

    /// Agents whose evaluation is complete; not those that Python does not compile.
    pub(super) fn complete(&self) -> impl Iterator<Item = &ReportSummary> {
        self.states().filter_map(State::complete).filter(|summary| summary.syntax.is_none())
    }

    /// Takes in an evaluation, unless there is no such submission any more.
    pub(super) fn finish(&mut self, summary: ReportSummary) {
        let is_of = |state: &&mut State| state.runs().is_some_and(|known| known.sha256 == summary.sha256);
        if let Some(state) = self.states_mut().find(is_of) {
            let penalty = state.runs().and_then(|known| known.penalty);
            *state = State::Complete(ReportSummary { penalty, ..summary });
        }
    }

    /// The refusal of what lies in the inbox, by this version of Python.
    pub(super) fn rejection(&self, python: &str) -> Option<Rejection> {
        match &self.state {
            State::Refused(rejection) => Some(rejection.clone()),
            State::Held(held) => Some(held.rejection.clone()),
            State::Complete(summary) => syntax_error(&self.inbox_file, summary, python),
            State::Waits(_) => None,
        }
    }

    /// The file, if it counts and the archive lacks its bytes, with their digest.
    pub(super) fn unarchived(&self, pipeline: &Pipeline) -> Option<(InboxFile, String)> {
        let sha256 = &self.state.runs()?.sha256;
        let lacks = !archive::path(&pipeline.records, sha256).is_file();
        lacks.then(|| (self.inbox_file.clone(), sha256.clone()))
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.state == other.state && self.archived == other.archived
    }
}

impl State {
    /// All that is known of the agent, whether it counts or not.
    pub(super) fn summary(&self) -> Option<&ReportSummary> {
        if let Self::Held(held) = self { Some(&held.head) } else { self.runs() }
    }

    pub(super) fn summary_mut(&mut self) -> Option<&mut ReportSummary> {
        match self {
            Self::Waits(summary) | Self::Complete(summary) => Some(summary),
            Self::Held(held) => Some(&mut held.head),
            Self::Refused(_) => None,
        }
    }

    /// The same, of one that counts.
    fn runs(&self) -> Option<&ReportSummary> {
        match self {
            Self::Waits(summary) | Self::Complete(summary) => Some(summary),
            Self::Refused(_) | Self::Held(_) => None,
        }
    }

    /// Dates an agent by the ledger.
    pub(super) fn date(&mut self, sights: &FirstSights) {
        if let Some(head) = self.summary_mut() {
            head.first_seen = sights.seen(&head.sha256, &head.miner).unwrap_or(head.first_seen);
        }
    }

    /// Has an agent wait again of which a run could not be judged.
    pub(super) fn wait_if_unscored(&mut self) {
        if let Self::Complete(summary) = self
            && summary.results.contains(&RunResult::Unscored)
        {
            *self = Self::Waits(ReportSummary { results: Box::default(), ..summary.clone() });
        }
    }

    pub(super) fn complete(&self) -> Option<&ReportSummary> {
        self.runs().filter(|_| matches!(self, Self::Complete(_)))
    }

    /// True if Python does not compile it.
    pub(super) fn is_no_python(&self) -> bool {
        self.complete().is_some_and(|summary| summary.syntax.is_some())
    }
}

impl ScanResult {
    pub(super) fn take_found(&mut self) -> Option<Found> {
        if let Self::New(_, found) = self { found.take().map(|found| *found) } else { None }
    }
}

/// The refusal of an agent that Python does not compile.
fn syntax_error(inbox_file: &InboxFile, summary: &ReportSummary, python: &str) -> Option<Rejection> {
    let syntax = summary.syntax.as_ref()?;
    let found = validate::does_not_compile(python, syntax.line, &syntax.message);
    let sha256 = Some(summary.sha256.clone());
    Some(Rejection { sha256, ..inbox_file.rejection(found.line, found.reason) })
}
