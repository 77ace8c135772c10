//! Refusals: why a submission was not put into the inbox.

use std::io;

use crate::pipeline::season::Refusal;
use crate::pipeline::validate::Finding;

/// Reason why nothing was put into the inbox.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The source is no agent, for a reason as in `rejected.csv`.
    #[error("{}", .0.reason)]
    Source(Finding),
    /// It is larger than the pipeline takes.
    #[error("{0}")]
    Large(String),
    /// It does not count by the rules of the season.
    #[error("{}", .0.reason)]
    Season(Refusal),
    /// Something else in the inbox is in its way.
    #[error("{0}")]
    Conflict(String),
    /// The inbox can't be written.
    #[error("the inbox can't be written: {0}")]
    Inbox(#[from] io::Error),
}

impl Refused {
    /// The 1-based line that is to blame, if one is.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Source(finding) => finding.line,
            _ => None,
        }
    }
}
