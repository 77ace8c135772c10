//! Submissions that were evaluated and are not the best of their miner's, as far as miners may see them.

use serde::{Deserialize, Serialize};

use crate::model::feedback::Feedback;
use crate::pipeline::score;

/// A submission that was evaluated and is not the best of its miner's; see [`score::Evaluated`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// 0-100, rounded to hundredths; None if nothing could be scored, or if it is not shown.
    pub score: Option<f64>,
    /// Tests passed; None if it is not shown.
    pub passed: Option<u64>,
    /// Tests of all tasks of all stages.
    pub tests: u64,
    /// Runs that could not be judged, by our fault.
    pub unscored: u64,
    /// Percent of the score that was taken off for coming late; None where nothing late counts, or if it is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
}

impl Evaluated {
    /// The part that feedback shows.
    pub(super) fn of(one: &score::Evaluated, feedback: Feedback) -> Self {
        let shown = feedback.shows_ranking();
        Self {
            score: one.score.filter(|_| shown),
            passed: feedback.shows_counts().then_some(one.passed),
            tests: one.tests,
            unscored: one.unscored,
            penalty: one.penalty.filter(|_| shown),
        }
    }
}
