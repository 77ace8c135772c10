//! Rejections: why a file in the inbox is not an agent.

use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;

/// A file in the inbox that is not an agent, and why, in words that a miner understands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejection {
    /// Relative to the inbox; unprintable bytes escaped.
    pub file: String,
    /// The miner, where the file's name tells.
    pub miner: Option<Miner>,
    /// 1-based line in the file, where one is to blame.
    pub line: Option<u32>,
    /// The fault, and what to do about it.
    pub reason: String,
    /// Hex sha256 of the bytes that are wrong; None if the file's name or kind is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The miner whose id the file claims, where another file holds that id: the miner is not told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Miner>,
}

impl Rejection {
    /// Tells whether the file's name says whose it is.
    #[must_use]
    pub fn concerns_somebody(&self) -> bool {
        self.miner.is_some() || self.claims.is_some()
    }

    /// Tells whether the file is a miner's, or claims to be.
    #[must_use]
    pub fn concerns(&self, miner: &Miner) -> bool {
        [&self.miner, &self.claims].into_iter().any(|of| of.as_ref() == Some(miner))
    }
}
