//! Refusals: why a submission was not put into the inbox.

use std::io;

use crate::pipeline::season::Refusal;
use crate::pipeline::validate::Finding;

/// Words with which a reason begins that lacks its subject.
const PREDICATES: [&str; 5] = ["is", "has", "contains", "declares", "imports"];

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

    /// The refusal as a sentence, with the line that is to blame: reasons have the submission as their subject, as they stand behind
    /// its name in `rejected.csv`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let reason = self.to_string();
        let has_subject = !PREDICATES.contains(&reason.split(' ').next().unwrap_or_default());
        let subject = if has_subject { "" } else { "this submission " };
        let line = self.line().map_or_else(String::new, |line| format!("line {line}: "));
        format!("{line}{subject}{reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::validate;

    #[test]
    fn refusals_are_sentences() {
        let season = |reason: &str| Refused::Season(Refusal { reason: reason.into(), next: None });
        assert_eq!(season("is late: by a day").sentence(), "this submission is late: by a day");
        let stranger =
            validate::scan(b"import os\nimport numpy\n", &[]).map_err(Refused::Source).unwrap_err();
        assert!(
            stranger.sentence().starts_with("line 2: this submission imports numpy; "),
            "{}",
            stranger.sentence()
        );
        let other = Refused::Conflict("ann.py and Ann.py are in the way".into());
        assert_eq!(other.sentence(), "ann.py and Ann.py are in the way");
    }

    #[test]
    fn an_error_is_told_once() {
        let refused = Refused::from(io::Error::other("no space left"));
        assert_eq!(
            format!("{:#}", anyhow::Error::from(refused)),
            "the inbox can't be written: no space left"
        );
    }
}
