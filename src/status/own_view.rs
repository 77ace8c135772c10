//! The view that a miner has of itself, told to the organiser without the miner's token.

use std::fs;
use std::io;

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::pipeline::freeze;
use crate::status::board::{Board, RankingIndex};
use crate::status::{View, absent, view};
use crate::submission::Submitter;
use crate::util::atomic_file::blame;

/// The answer that `/agents/{miner}` gives to the miner's own token; None if nothing is known of the miner.
///
/// # Errors
/// The results can't be read; the message names the file.
pub fn own_view(miner: &Miner, pipeline: &Pipeline, now: Timestamp) -> io::Result<Option<View>> {
    let Pipeline { results, freeze, .. } = pipeline;
    let frozen = freeze.as_ref().filter(|freeze| freeze::is_in_force(results, freeze, now));
    let path = frozen.map_or_else(|| results.clone(), |freeze| freeze::folder(results, freeze));
    let path = path.join("rankings.json");
    let index = match fs::read(&path) {
        Ok(bytes) => Board::read(&bytes, pipeline.feedback())?.into(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => RankingIndex::default(),
        Err(error) => return Err(blame(&path, &error)),
    };
    let mut view = view(miner, &index, pipeline, true).or_else(|| absent(miner, pipeline));
    if let Some(own) = view.as_mut().and_then(|view| view.own.as_mut()) {
        own.limits = Submitter::default().room(pipeline, miner, now)?;
    }
    Ok(view)
}
