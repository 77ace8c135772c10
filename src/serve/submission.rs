//! `/submissions/{sha256}`: what became of bytes that were submitted, for those whose they are.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::config::Board;
use crate::serve::answer::{Document, Failure, JSON};
use crate::serve::guard::{self, Principal};
use crate::serve::state::{Shared, on_disk};
use crate::status::SubmittedSource;

pub(super) async fn submission(
    State(state): State<Shared>,
    sha256: Result<UrlPath<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    // The same answer for bytes that nobody submitted and for those of others.
    let nothing = || Failure::new(StatusCode::NOT_FOUND, "nothing is known of such a submission");
    let snapshot = state.snapshot();
    let principal = guard::principal(&state, &snapshot, &headers).await?;
    if principal == Principal::Nobody {
        return Err(Failure::unauthorized("submissions are their miner's; it takes a token"));
    }
    let UrlPath(sha256) = sha256.map_err(|_| nothing())?;
    let shared = Arc::clone(&state);
    let found = on_disk(move || {
        let mut miners = shared.submitter.miners_of(&snapshot.pipeline.results, &sha256)?;
        miners.retain(|(miner, _)| principal == Principal::Organiser || principal.is_of(miner));
        let board = match principal {
            Principal::Of(_) => snapshot.pipeline.board,
            _ => Board::Public,
        };
        snapshot.look_up(|shown| SubmittedSource::of(sha256, miners, shown, &snapshot.pipeline, board))
    });
    let found = found.await?.map_err(|_| Failure::ours())?;
    let found = Document::json(&found.ok_or_else(nothing)?).map_err(|_| Failure::ours())?;
    Ok(found.answer(JSON))
}
