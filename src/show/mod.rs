//! `agentmill show`: queries to the result files, answered as text for a terminal or as JSON.

mod data;
mod history;
mod late;
mod people;
mod query;
mod ranking;
mod rescored;
#[cfg(test)]
mod tests;
mod text;

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::pipeline::freeze;
use crate::term::Layout;

pub use crate::show::data::{Data, Known, MinerRun, data, on_task};
pub use crate::show::history::{Fate, Submitted};
pub use crate::show::late::Late;
pub use crate::show::query::{Nearest, Query, ShowError};

/// The miner that is meant by an id or by the roster's name.
///
/// # Errors
/// There are no results, or it is nobody's.
pub fn miner(pipeline: &Pipeline, name: &str) -> Result<Miner, ShowError> {
    people::named(&data::rankings(pipeline)?, name)
}

/// Answers a query as text. Reads result files only; of samples, those that pipeline.yaml asks for now.
///
/// # Errors
/// See [`ShowError`].
pub fn show(pipeline: &Pipeline, query: Query<'_>, layout: &Layout) -> Result<String, ShowError> {
    let frozen = pipeline.freeze.filter(|_| query == Query::Ranking);
    let frozen = frozen.filter(|freeze| freeze::is_in_force(&pipeline.results, freeze, Timestamp::now()));
    Ok(text::of(&data(pipeline, query)?, layout) + &frozen.map(text::frozen).unwrap_or_default())
}
