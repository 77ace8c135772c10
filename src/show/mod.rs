//! `agentmill show`: queries to the result files, answered as text for a terminal or as JSON.

mod data;
mod history;
mod query;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use crate::term::Layout;

pub use crate::show::data::{Data, Known, MinerRun, data};
pub use crate::show::query::{Nearest, Query, ShowError};

/// Answers a query as text. Reads result files only.
///
/// # Errors
/// See [`ShowError`].
pub fn show(results_dir: &Path, query: Query<'_>, layout: &Layout) -> Result<String, ShowError> {
    Ok(text::of(&data(results_dir, query)?, layout))
}
