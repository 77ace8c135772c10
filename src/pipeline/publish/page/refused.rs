//! Refusals on the page: the first ones, fit to be shown.

use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::util::text::visible;

/// Most characters of a name or a reason.
const MAX: usize = 400;

/// Most refusals listed; the rest is in rejected.csv.
const REJECTED: usize = 1_000;

/// A file that is no agent.
#[derive(Serialize)]
pub(super) struct Refused<'a> {
    file: String,
    miner: &'a str,
    line: Option<u32>,
    reason: String,
}

/// The refusals, sorted; no more than the page holds.
pub(super) fn refused(rejections: &[Rejection]) -> Vec<Refused<'_>> {
    let mut sorted: Vec<&Rejection> = rejections.iter().collect();
    sorted.sort();
    sorted.truncate(REJECTED);
    sorted
        .into_iter()
        .map(|rejection| Refused {
            file: visible(&rejection.file, MAX),
            miner: rejection.miner.as_ref().map_or("", Miner::as_str),
            line: rejection.line,
            reason: visible(&rejection.reason, MAX),
        })
        .collect()
}
