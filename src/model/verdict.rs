//! Verdicts: what became of a test, and of a run.

use serde::{Deserialize, Serialize};

/// Verdict on a test, and (as the gravest of its tests') on a run. Ordered from best to gravest.
///
/// A new one is also told of in `publish/page/core.js`, `data.rs` and `detail.css` beside it, `serve/openapi.json` and
/// docs/results.md. What is no verdict on an agent, such as a task's fault, is an [`Outcome`](crate::model::report::Outcome).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The assertion held.
    Passed,
    /// The assertion did not hold for what the agent returned.
    Failed,
    /// The agent raised an exception or lacks the function.
    Error,
    /// The agent's process ended in the middle of a test.
    Crashed,
    /// The agent printed or returned more than it may.
    OutputLimit,
    /// The time was used up: the run's, a test's own, or the judge's for what the agent returned.
    Timeout,
    /// Memory ran out, by the engine's or the kernel's record: the cell's, or the judge's for what the agent returned.
    OutOfMemory,
}

impl Verdict {
    /// The verdict's name, as in the result files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Error => "error",
            Verdict::Crashed => "crashed",
            Verdict::OutputLimit => "output_limit",
            Verdict::Timeout => "timeout",
            Verdict::OutOfMemory => "out_of_memory",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_called_as_in_reports() {
        for one in [Verdict::Passed, Verdict::OutputLimit, Verdict::OutOfMemory, Verdict::Error] {
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
    }
}
