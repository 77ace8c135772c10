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
    /// The only miner that the file's name may mean, by the roster. For the organiser alone: it would tell others whose a name is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perhaps: Option<Miner>,
}

impl Rejection {
    /// The reason as the organiser is told it, with whose file it may be.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.perhaps {
            Some(miner) => format!("{}; perhaps it is {miner}'s", self.reason),
            None => self.reason.clone(),
        }
    }

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
