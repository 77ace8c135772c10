//! Early stops: stages in which an agent was not run any further, as their pass mark had come out of reach.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The stop of one agent in one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoppedEarly {
    /// The stage.
    pub stage: String,
    /// Runs that were not made; each is worth 0.
    pub not_run: u64,
    /// All runs of an agent in the stage.
    pub runs: u64,
    /// The pass mark that can't be reached.
    pub pass_mark: f64,
}

impl fmt::Display for StoppedEarly {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { not_run, runs, pass_mark, .. } = self;
        write!(to, "stopped early: {not_run} of {runs} runs not made, {pass_mark} can't be reached any more")
    }
}
