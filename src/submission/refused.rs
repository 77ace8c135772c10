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
    /// The inbox can't be written. The error is told here, and so is no source, which would be told once more.
    #[error("the inbox can't be written: {0}")]
    Inbox(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Inbox(error)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_once() {
        let refused = Refused::from(io::Error::other("no space left"));
        assert_eq!(
            format!("{:#}", anyhow::Error::from(refused)),
            "the inbox can't be written: no space left"
        );
    }
}
