//! Everything that a miner submitted, from the ledger, with what became of it, from `history.csv`.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::first_sights::Origin;
use crate::model::miner_id::Miner;
use crate::pipeline::archive;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::history;
use crate::pipeline::publish::json::Rankings;
use crate::show::query::{Nearest, ShowError, shown};

/// Bytes that a miner submitted.
#[derive(Debug, Clone, Serialize)]
pub struct Submitted {
    /// Time at which they were first seen.
    pub at: Timestamp,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Channel that they came by.
    pub via: Origin,
    /// Their number, if the archive holds them.
    pub bytes: Option<u64>,
    /// The last score that was published for them.
    pub score: Option<f64>,
    /// True if they are what the miner is ranked by.
    pub stands: bool,
}

/// Everything that a miner submitted, oldest first; the same bytes once.
///
/// # Errors
/// There is nothing, or the ledger can't be read.
pub(super) fn of(results: &Path, rankings: &Rankings, name: &str) -> Result<Vec<Submitted>, ShowError> {
    let unknown =
        |_| ShowError::NoMiner { name: shown(name), nearest: Nearest::of(name, std::iter::empty()) };
    let miner = Miner::try_from(name.to_owned()).map_err(unknown)?;
    let ledger = Ledger::open(results).map_err(|problems| ShowError::Ledger(problems.to_string()))?.0;
    let scores = scores(results, &miner);
    let row = rankings.rankings.iter().find(|row| row.miner == miner);
    let all = ledger.sights().submitted_by(&miner).iter().cloned().map(|one| Submitted {
        at: one.at,
        bytes: archive::path(results, &one.sha256).metadata().ok().map(|file| file.len()),
        score: scores.get(&one.sha256).copied().flatten(),
        stands: row.is_some_and(|row| row.sha256 == one.sha256),
        sha256: one.sha256,
        via: one.via,
    });
    let all: Vec<Submitted> = all.collect();
    if all.is_empty() { Err(ShowError::NothingHandedIn(miner)) } else { Ok(all) }
}

/// The last scores of a miner's submissions, as `history.csv` has them.
fn scores(results: &Path, miner: &Miner) -> HashMap<String, Option<f64>> {
    let Ok(mut reader) = csv::Reader::from_path(results.join("history.csv")) else { return HashMap::new() };
    let records = reader.records().map_while(Result::ok).filter(|record| &record[1] == miner.as_str());
    let records = records.filter(|record| !history::tells_of_leaving(record.get(5)));
    records.map(|record| (record[4].to_owned(), record[2].parse().ok())).collect()
}
