//! Reports -> ranking and rewards. Pure: no clock, no files.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Rewards, Stage};
use crate::pipeline::intake::Miner;
use crate::report::Report;
use crate::task::Task;

/// One miner's line in the ranking. Field order is the column order of `rankings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// 1 is best; equal scores share a rank and the next rank skips ("1, 1, 3"). None when nothing
    /// could be scored.
    pub rank: Option<NonZeroU32>,
    /// Whose.
    pub miner: Miner,
    /// 0-100, rounded to hundredths: the weighted mean of the run scores over all tasks of all stages;
    /// runs of stages not reached count 0, unscored runs don't count. None when all runs are unscored.
    pub score: Option<f64>,
    /// Tokens, rounded down to millionths.
    pub reward: f64,
    /// Tests passed.
    pub passed: u64,
    /// Tests of all tasks of all stages, whether reached or not.
    pub tests: u64,
    /// Runs that could not be judged, by our fault.
    pub unscored: u64,
    /// The stage at which the agent stands: the first whose pass mark it misses, else the last.
    pub stage: String,
    /// The miner whose identical submission was seen earlier.
    pub duplicate_of: Option<Miner>,
    /// When agentmill first saw these bytes from this miner.
    pub first_seen: Timestamp,
    /// Hex sha256 of the submission.
    pub sha256: String,
}

/// Ranks complete reports. Sorted by rank, then by first seen, then by miner.
pub fn rank(_reports: &[&Report], _stages: &[Stage], _tasks: &[Task], _rewards: &Rewards) -> Vec<Row> {
    todo!()
}
