//! Outcome of a submission behind a frozen board: its miner is told that it was evaluated, and how, and not its place.

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::status::board::{Line, RankingIndex};
use crate::status::evaluated::Evaluated;
use crate::status::submitted_source::{OneSubmission, SubmissionState};
use crate::status::{LastOutcome, State};
use crate::submission::Receipt;

impl LastOutcome {
    /// The outcome of the last submission by what was published since the board stands still; None while it waits.
    pub(super) fn behind_freeze(
        miner: &Miner,
        since: &RankingIndex,
        pipeline: &Pipeline,
        receipt: Option<&Receipt>,
    ) -> Option<Self> {
        let outcome = Self { frozen: true, ..Self::of(miner, since, pipeline, receipt)? };
        match outcome.state {
            State::Ranked => {
                let line = since.lines.get(miner)?;
                let evaluated = Some((line.sha256.clone(), Evaluated::without_place(line)));
                Some(Self { state: State::Evaluated, evaluated, ..outcome })
            }
            State::Evaluated | State::Refused => Some(outcome),
            State::Waiting | State::Withdrawn | State::Absent => None,
        }
    }
}

impl OneSubmission {
    /// This outcome, which is of what was published since the board stands still, without its place.
    pub(super) fn without_place(self) -> Self {
        match self.ranking {
            None => self,
            Some(line) => Self {
                state: SubmissionState::Evaluated,
                evaluated: Some(Evaluated::without_place(&line)),
                ranking: None,
                ..self
            },
        }
    }
}

impl Evaluated {
    fn without_place(line: &Line) -> Self {
        let Line { score, passed, tests, unscored, penalty, .. } = line;
        Self { score: *score, passed: *passed, tests: *tests, unscored: *unscored, penalty: *penalty }
    }
}
