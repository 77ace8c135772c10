//! Submissions that count and were evaluated, and are not the best of their miner's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;

/// A submission that counts and is not ranked, as another one of its miner's is at least as good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The miner.
    pub miner: Miner,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// True if it lay in the inbox; else it is an earlier one of the miner's.
    pub in_inbox: bool,
    /// 0-100, rounded to hundredths, less the penalty; None when all its runs are unscored.
    pub score: Option<f64>,
    /// Tests passed, in all samples.
    pub passed: u64,
    /// Tests of all samples of all tasks of all stages, whether reached or not.
    pub tests: u64,
    /// Runs that could not be judged, by our fault; all samples of a task are one.
    pub unscored: u64,
    /// Percent of the score that was taken off for coming late; None where nothing late counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
}
