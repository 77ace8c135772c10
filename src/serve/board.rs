//! Board: whose scores a request may see.

use axum::http::{HeaderMap, StatusCode};

use crate::config;
use crate::model::miner_id::Miner;
use crate::serve::answer::Failure;
use crate::serve::guard::{self, Principal};
use crate::serve::state::Shared;
use crate::status::Board;

/// Scores that a request may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everybody's.
    All,
    /// One miner's.
    Own(Miner),
    /// Nobody's.
    Nothing,
}

impl Sight {
    pub(super) fn of(board: config::Board, principal: &Principal) -> Self {
        match (board, principal) {
            (config::Board::Public, _) | (_, Principal::Anybody | Principal::Organiser) => Self::All,
            (config::Board::Private, Principal::Of(miner)) => Self::Own(miner.clone()),
            (config::Board::Private, Principal::Nobody) => Self::Nothing,
        }
    }

    /// The sight of a request, by its token. A public board asks for none.
    pub(super) async fn of_request(state: &Shared, headers: &HeaderMap) -> Result<Self, Failure> {
        let snapshot = state.snapshot();
        match snapshot.pipeline.board {
            config::Board::Public => Ok(Self::All),
            board => Ok(Self::of(board, &guard::principal(state, &snapshot, headers).await?)),
        }
    }

    /// The miner whose scores alone are shown; None if everybody's are. Fails if nobody's are.
    pub(super) fn own(self) -> Result<Option<Miner>, Failure> {
        match self {
            Self::All => Ok(None),
            Self::Own(miner) => Ok(Some(miner)),
            Self::Nothing => Err(no_token()),
        }
    }

    /// Fails if a miner's scores are out of sight.
    pub(super) fn must_reach(&self, miner: &Miner) -> Result<(), Failure> {
        match self {
            Self::All => Ok(()),
            Self::Own(own) if own == miner => Ok(()),
            Self::Own(_) => Err(Failure::new(StatusCode::FORBIDDEN, "the scores of others are private here")),
            Self::Nothing => Err(no_token()),
        }
    }
}

/// The refusal of a request that may see nothing.
fn no_token() -> Failure {
    Failure::unauthorized("scores are private here; it takes a token: Authorization: Bearer TOKEN")
}

/// The board with nothing on it but one miner's lines, if one is given.
pub(super) fn of(board: &[u8], miner: Option<&Miner>) -> serde_json::Result<Board> {
    let mut board: Board = serde_json::from_slice(board)?;
    if let Some(miner) = miner {
        board.keep_only(miner);
    }
    Ok(board)
}
