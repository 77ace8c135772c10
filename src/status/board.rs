//! Board: the ranking as far as miners may see it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{self, Freeze};
use crate::model::feedback::Feedback;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::score::{Evaluated, Row};

/// `rankings.json` as far as miners may see it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Board {
    /// Feedback on all stages together.
    pub feedback: Feedback,
    /// There while the board stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Freeze>,
    /// Lines without what is not shown, by miner where ranks are not shown; no digest of what they are made of.
    #[serde(flatten)]
    pub rankings: Rankings<Line>,
    /// Submissions that are not the best of their miner's, each for its miner alone.
    #[serde(skip)]
    pub(super) evaluated: Vec<Evaluated>,
}

/// A miner's line in the ranking as far as miners may see it; see [`Row`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// None if nothing could be scored, or if it is not shown.
    pub rank: Option<NonZeroU32>,
    /// The agent's miner.
    pub miner: Miner,
    /// 0-100, rounded to hundredths; None if nothing could be scored, or if it is not shown.
    pub score: Option<f64>,
    /// Tokens; null if they are not shown, and not there where nothing is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Option<f64>>,
    /// Tests passed; None if it is not shown.
    pub passed: Option<u64>,
    /// Tests of all tasks of all stages.
    pub tests: u64,
    /// Runs that could not be judged, by our fault.
    pub unscored: u64,
    /// The stage at which the agent stands; None if it is not shown.
    pub stage: Option<String>,
    /// The miner whose identical submission was seen earlier; None too if it is not shown.
    pub duplicate_of: Option<Miner>,
    /// Miners with the same bytes, where it can't be told who had them first: none of them earns anything; nobody if they are
    /// not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<Miner>,
    /// Says that others have the same bytes, whether they are shown or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_bytes: Option<SameBytes>,
    /// The miner that most of it was seen with first; for the organiser only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar_to: Option<Miner>,
    /// Share of it that was seen with that miner first, 0 to 1; for the organiser only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// Percent of the score that was taken off for coming late; None where nothing late counts, or if it is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// The best rank that chance could have given it; None where that can't be told, or if it is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank_low: Option<NonZeroU32>,
    /// The worst one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank_high: Option<NonZeroU32>,
}

/// Knowledge of who had the same bytes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameBytes {
    /// Another miner had them first.
    Copied,
    /// Nobody can tell.
    Undecided,
}

/// A [`Board`], ready to be looked into; by default, before anything is published.
#[derive(Debug, Default)]
pub struct RankingIndex {
    pub(super) lines: HashMap<Miner, Line>,
    pub(super) rejected: HashMap<Miner, Rejection>,
    pub(super) pending: HashSet<Miner>,
    evaluated: HashMap<Miner, Vec<Evaluated>>,
    pub(super) generated_at: Option<Timestamp>,
}

/// Results that are shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Those of the board.
    pub index: &'a RankingIndex,
    /// Those that were published since, where the board stands still.
    pub since: Option<&'a RankingIndex>,
}

impl RankingIndex {
    /// The line of a miner as the miner itself sees it.
    pub(super) fn own_line(&self, miner: &Miner, board: config::Board) -> Option<Line> {
        let mut line = self.lines.get(miner).cloned();
        line.iter_mut().filter(|_| board == config::Board::Private).for_each(Line::hide_others);
        line
    }

    /// The submission that lay in the inbox for a miner, where it was evaluated and is not its best.
    pub(super) fn in_inbox(&self, miner: &Miner) -> Option<&Evaluated> {
        self.evaluated.get(miner)?.iter().find(|one| one.in_inbox)
    }

    /// A submission of a miner, where it was evaluated and is not its best.
    pub(super) fn evaluated(&self, miner: &Miner, sha256: &str) -> Option<&Evaluated> {
        self.evaluated.get(miner)?.iter().find(|one| one.sha256 == sha256)
    }
}

impl From<Board> for RankingIndex {
    fn from(board: Board) -> Self {
        let rankings = board.rankings;
        let rejected = rankings.rejected.into_iter().filter_map(|one| Some((one.miner.clone()?, one)));
        let mut evaluated: HashMap<Miner, Vec<Evaluated>> = HashMap::new();
        for one in board.evaluated {
            evaluated.entry(one.miner.clone()).or_default().push(one);
        }
        Self {
            lines: rankings.rankings.into_iter().map(|line| (line.miner.clone(), line)).collect(),
            rejected: rejected.collect(),
            pending: rankings.pending.into_iter().collect(),
            evaluated,
            generated_at: Some(rankings.generated_at),
        }
    }
}

impl Board {
    /// Takes in the bytes of `rankings.json`, for miners.
    ///
    /// # Errors
    /// They are not what the pipeline publishes.
    pub fn read(bytes: &[u8], feedback: Feedback) -> io::Result<Self> {
        let mut board = Self::read_for_organiser(bytes, feedback)?;
        for line in &mut board.rankings.rankings {
            (line.similar_to, line.similarity) = (None, None);
        }
        board.rankings.rejected.iter_mut().for_each(|one| one.perhaps = None);
        Ok(board)
    }

    /// Rankings as the organiser sees them: with near copies, and whose a refused file may be.
    ///
    /// # Errors
    /// They are not what the pipeline publishes.
    pub fn read_for_organiser(bytes: &[u8], feedback: Feedback) -> io::Result<Self> {
        let all: Rankings = serde_json::from_slice(bytes)?;
        let mut lines: Vec<Line> = all.rankings.into_iter().map(|row| Line::of(row, feedback)).collect();
        if !feedback.shows_ranking() {
            lines.sort_by(|a, b| a.miner.cmp(&b.miner));
        }
        let rankings = Rankings {
            rankings: lines,
            made_of: String::new(),
            generated_at: all.generated_at,
            version: all.version,
            image: all.image,
            pipeline_sha256: all.pipeline_sha256,
            title: all.title,
            token: all.token,
            rejected: all.rejected,
            pending: all.pending,
            // Names are for the organiser's files and page.
            roster: Vec::new(),
            // So is the machine that runs it.
            engine: String::new(),
            // Miners are told of their own, one by one.
            evaluated: Vec::new(),
        };
        Ok(Self { feedback, frozen: None, rankings, evaluated: all.evaluated })
    }

    /// This board, which stands still while the freeze is in force, if there is one.
    #[must_use]
    pub fn standing_still(self, frozen: Option<Freeze>) -> Self {
        Self { frozen, ..self }
    }

    /// Takes out all but one miner's lines, and the names of others in them.
    pub fn keep_only(&mut self, miner: &Miner) {
        self.rankings.rankings.retain(|line| line.miner == *miner);
        self.rankings.rankings.iter_mut().for_each(Line::hide_others);
        self.rankings.rejected.retain(|one| one.miner.as_ref() == Some(miner));
        self.rankings.pending.retain(|one| one == miner);
    }
}

impl Line {
    /// Takes out whose bytes are the same.
    pub(super) fn hide_others(&mut self) {
        (self.duplicate_of, self.same_as) = (None, Vec::new());
    }

    fn of(row: Row, feedback: Feedback) -> Self {
        let shown = feedback.shows_ranking();
        let undecided = (!row.same_as.is_empty()).then_some(SameBytes::Undecided);
        Self {
            rank: row.rank.filter(|_| shown),
            miner: row.miner,
            score: row.score.filter(|_| shown),
            reward: row.reward.map(|reward| shown.then_some(reward)),
            passed: feedback.shows_counts().then_some(row.passed),
            tests: row.tests,
            unscored: row.unscored,
            stage: shown.then_some(row.stage),
            same_bytes: row.duplicate_of.as_ref().map(|_| SameBytes::Copied).or(undecided),
            duplicate_of: row.duplicate_of,
            same_as: row.same_as,
            similar_to: row.similar_to,
            similarity: row.similarity,
            first_seen: row.first_seen,
            sha256: row.sha256,
            penalty: row.penalty.filter(|_| shown),
            rank_low: row.rank_low.filter(|_| shown),
            rank_high: row.rank_high.filter(|_| shown),
        }
    }
}
