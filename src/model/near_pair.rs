//! Pairs of near copies: an agent, and the submission of another miner that it has lines in common with.

use crate::model::miner_id::Miner;

/// An agent that is a near copy, beside its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearPair {
    /// The miner whose agent it is.
    pub miner: Miner,
    /// Hex sha256 of the agent.
    pub sha256: String,
    /// The miner that was first.
    pub original: Miner,
    /// Hex sha256 of the submission of that miner that has most in common with it.
    pub original_sha256: String,
    /// How much of the agent was seen with that miner first, in percent.
    pub percent: u32,
    /// Regions that match, in the agent's order.
    pub regions: Vec<Region>,
    /// Regions that there was no room for.
    pub more: usize,
}

/// Lines of both that come to the same tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Those of the agent.
    pub left: Lines,
    /// Those of the original.
    pub right: Lines,
}

/// Lines of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Number of each, from 1; of a submission of several files behind its file: `helpers.py:1`.
    pub places: Vec<String>,
    /// Their text.
    pub text: Vec<String>,
}
