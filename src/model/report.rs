//! Reports of one agent's evaluation: `results/agents/<miner>.json`.
//!
//! The report is also the memory of what is done: a run whose key is found here is not repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::model::model_use::ModelUse;
use crate::model::spread::TaskSpread;
use crate::model::stopped_early::StoppedEarly;
pub use crate::model::verdict::Verdict;

/// One test of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// The test's name in the task.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its weight in the run's score.
    pub weight: f64,
    /// True if miners may see the message.
    pub public: bool,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Of a score, the share of its weight that was earned, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// Resources that a run used, as measured; no part of any verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Agent time by the host's clock, milliseconds.
    pub wall_ms: u64,
    /// CPU time of the agent's processes, milliseconds.
    pub cpu_ms: u64,
    /// Largest resident set of the agent's processes, KiB.
    pub max_rss_kib: u64,
    /// Questions to a model; None where none was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUse>,
    /// Questions of the tests to a model; None where they ask none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge_model: Option<ModelUse>,
}

/// One agent on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Sha256 over agent, task, limits, image id and grader version.
    pub key: String,
    /// The stage it was run in.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// Its number among the agent's runs on the task, from 1.
    #[serde(default = "first_sample", skip_serializing_if = "is_first_sample")]
    pub sample: u32,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The only sample where nothing is said of samples.
#[must_use]
pub fn first_sample() -> u32 {
    1
}

/// Tells whether nothing need be said of a sample's number.
#[must_use]
pub fn is_first_sample(sample: &u32) -> bool {
    *sample == first_sample()
}

/// Outcome of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was judged.
    Scored(Scored),
    /// The task's author is at fault: the run counts for nobody, and is made again when the task changes.
    TaskFault {
        /// The task's mistake.
        task_fault: String,
    },
    /// It could not be judged, by our fault; never a 0, and tried again by the next pass.
    Unscored {
        /// The fault.
        unscored: String,
    },
}

/// A judged run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The gravest of the tests' verdicts.
    pub verdict: Verdict,
    /// 0-100: the weighted share of tests passed; of a score, as much of its weight as was earned.
    pub score: f64,
    /// As many as the task has tests, in its order.
    pub tests: Vec<TestResult>,
    /// Resources that it used.
    pub usage: Usage,
    /// The last bytes of what the agent wrote to stderr.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// All that is known of a miner's current submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The agent's miner.
    pub miner: Miner,
    /// The file in the inbox.
    pub file: String,
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When agentmill first saw these bytes from this miner, by its own clock.
    pub first_seen: Timestamp,
    /// The file's modification time; decides nothing.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any; then there are no runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syntax: Option<SyntaxError>,
    /// In stage order, then by sample, then in task order.
    pub runs: Vec<Run>,
    /// How the samples of each task differ, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spreads: Vec<TaskSpread>,
    /// The stage that it was not run through, as its pass mark was out of reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_early: Option<StoppedEarly>,
}

/// A submission that the cell's Python does not compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxError {
    /// Sha256 over agent, image id and grader version.
    pub key: String,
    /// 1-based, where Python names one.
    pub line: Option<u32>,
    /// Python's message.
    pub message: String,
}

impl Scored {
    /// Adds up what became of the tests.
    pub fn new(tests: Vec<TestResult>, usage: Usage, stderr: String) -> Self {
        // Not `sum`: the sum of no floats is -0.
        let total = |weights: &mut dyn Iterator<Item = f64>| weights.fold(0.0, |sum, weight| sum + weight);
        let all = total(&mut tests.iter().map(|test| test.weight));
        let earned = total(&mut tests.iter().map(TestResult::earned));
        let verdict = tests.iter().map(|test| test.verdict).max().unwrap_or(Verdict::Failed);
        let score = if verdict == Verdict::Passed { 100.0 } else { 100.0 * earned / all };
        Self { verdict, score, tests, usage, stderr }
    }
}

impl Run {
    /// The task, and the sample where it is not the first.
    #[must_use]
    pub fn label(&self) -> String {
        self.task.clone() + &of_sample(self.sample)
    }
}

/// The number of a sample behind a task's or a test's name; nothing of the first one.
#[must_use]
pub fn of_sample(sample: u32) -> String {
    if is_first_sample(&sample) { String::new() } else { format!(" (sample {sample})") }
}

impl TestResult {
    /// As much of its weight as the agent has earned.
    pub fn earned(&self) -> f64 {
        let all_or_nothing = if self.verdict == Verdict::Passed { 1.0 } else { 0.0 };
        self.weight * self.share.unwrap_or(all_or_nothing)
    }

    /// The folder whose cases count together, where this one passed and is worth nothing as another one of them did not.
    #[must_use]
    pub fn lost_with(&self) -> Option<&str> {
        let is_lost = self.verdict == Verdict::Passed && self.share == Some(0.0);
        is_lost.then(|| self.name.split('/').next().unwrap_or_default())
    }

    /// The share of a score that is neither nothing nor all, in words, or why what passed is worth nothing.
    #[must_use]
    pub fn worth(&self) -> Option<String> {
        if let Some(folder) = self.lost_with() {
            return Some(format!("worth nothing, as {folder} is all or nothing"));
        }
        let share = self.share.filter(|share| 0.0 < *share && *share < 1.0)?;
        // Rounded down: what is not all must not look like it.
        Some(format!("worth {}", (share * 10_000.0).floor() / 10_000.0))
    }
}

/// Beginning of the reason why a run is unscored that asked a model which the configuration grants and nobody serves.
pub const UNSERVED: &str = "a granted model is not served: ";

impl Outcome {
    /// True if it is unscored by the configuration's fault: the next run would come to the same.
    pub fn is_unserved(&self) -> bool {
        matches!(self, Outcome::Unscored { unscored } if unscored.starts_with(UNSERVED))
    }

    /// The verdict; None if the agent has none, by our fault or by the task's author's.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Outcome::Scored(scored) => Some(scored.verdict),
            Outcome::TaskFault { .. } | Outcome::Unscored { .. } => None,
        }
    }

    /// The outcome in one word, as in the result files.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Scored(scored) => scored.verdict.name(),
            Outcome::TaskFault { .. } => "task_fault",
            Outcome::Unscored { .. } => "unscored",
        }
    }

    /// True if it stands until agent, task or limits change.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Outcome::Unscored { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let fault = Outcome::TaskFault { task_fault: "setup raised ZeroDivisionError".into() };
        let unscored = Outcome::Unscored { unscored: "the engine went away".into() };
        for outcome in [fault, unscored] {
            let text = serde_json::to_string(&outcome).unwrap();
            assert!(text.contains(outcome.word()), "{text}");
            assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
        }
    }
}
