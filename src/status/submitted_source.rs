//! Submitted source: bytes that were submitted, and what became of them with each miner.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Board, Pipeline};
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::status::board::{Line, RankingIndex, Shown};
use crate::status::evaluated::Evaluated;
use crate::submission;
use crate::util::digest;

/// The answer of `/submissions/{sha256}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubmittedSource {
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Of each miner that submitted them and may be told of, the first one first.
    pub submissions: Vec<OneSubmission>,
}

/// Outcome of the bytes that a miner submitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneSubmission {
    /// The miner.
    pub miner: Miner,
    /// Their state.
    pub state: SubmissionState,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// The line in the ranking, where they are ranked.
    pub ranking: Option<Line>,
    /// The reason why they are no agent, or do not count.
    pub rejection: Option<Rejection>,
    /// Their outcome, where they count and are not the miner's best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated: Option<Evaluated>,
}

/// State of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    /// It will be evaluated.
    Waiting,
    /// It is in the ranking.
    Ranked,
    /// It was evaluated and counts, and an earlier one stands in the ranking, as it is at least as good.
    Evaluated,
    /// It is no agent, or does not count.
    Refused,
    /// Nothing lies in the inbox for the miner any more.
    Withdrawn,
    /// The miner has submitted something else since.
    Replaced,
}

impl SubmittedSource {
    /// Looks up what became of bytes with these miners, seen as `board` has it; None if there is no miner.
    pub fn of(
        sha256: String,
        miners: Vec<(Miner, Timestamp)>,
        Shown { index, since }: Shown<'_>,
        pipeline: &Pipeline,
        board: Board,
    ) -> Option<Self> {
        let by = |index: &RankingIndex, miner: &Miner, first_seen| {
            let ranking = index.own_line(miner, board).filter(|line| line.sha256 == sha256);
            OneSubmission::of((&sha256, first_seen), miner.clone(), ranking, index, pipeline)
        };
        let one = |(miner, first_seen): (Miner, Timestamp)| {
            let shown = by(index, &miner, first_seen);
            let since = since.filter(|_| shown.state == SubmissionState::Waiting);
            since.map_or(shown, |since| by(since, &miner, first_seen).without_place())
        };
        let submissions: Vec<OneSubmission> = miners.into_iter().map(one).collect();
        (!submissions.is_empty()).then_some(Self { sha256, submissions })
    }
}

impl OneSubmission {
    fn of(
        (sha256, first_seen): (&str, Timestamp),
        miner: Miner,
        ranking: Option<Line>,
        index: &RankingIndex,
        pipeline: &Pipeline,
    ) -> Self {
        let rejection =
            index.rejected.get(&miner).filter(|one| one.sha256.as_deref() == Some(sha256)).cloned();
        let evaluated = index.evaluated(&miner, sha256).map(|one| Evaluated::of(one, pipeline.feedback()));
        let present = submission::present(pipeline, &miner).map(|bytes| digest::sha256(&bytes));
        let state = match present {
            None => SubmissionState::Withdrawn,
            Some(_) if ranking.is_some() => SubmissionState::Ranked,
            Some(present) if present != sha256 => SubmissionState::Replaced,
            Some(_) if evaluated.is_some() => SubmissionState::Evaluated,
            Some(_) if rejection.is_some() => SubmissionState::Refused,
            Some(_) => SubmissionState::Waiting,
        };
        let (is_ranked, is_refused) = (state == SubmissionState::Ranked, state == SubmissionState::Refused);
        Self {
            miner,
            state,
            first_seen,
            ranking: ranking.filter(|_| is_ranked),
            rejection: rejection.filter(|_| is_refused),
            evaluated: evaluated.filter(|_| !is_ranked),
        }
    }
}
