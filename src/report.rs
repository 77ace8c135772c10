//! What one agent's evaluation left behind: `results/agents/<miner>.json`.
//!
//! The report is also the memory of what is done: a run whose key is found here is not repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pipeline::intake::Miner;

/// What became of a test, and (as the gravest of its tests') of a run. Ordered from best to gravest.
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
    /// The run's time was used up.
    Timeout,
    /// The engine recorded that memory ran out.
    OutOfMemory,
}

/// One test of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// The test's name in the task.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its weight in the run's score.
    pub weight: f64,
    /// Whether miners may see the message.
    pub public: bool,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a run used, as measured; no part of any verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Agent time by the host's clock, milliseconds.
    pub wall_ms: u64,
    /// CPU time of the agent's processes, milliseconds.
    pub cpu_ms: u64,
    /// Largest resident set of the agent's processes, KiB.
    pub max_rss_kib: u64,
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
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was judged.
    Scored(Scored),
    /// It could not be judged, by our fault; never a 0, and tried again by the next pass.
    Unscored {
        /// What went wrong.
        unscored: String,
    },
}

/// A judged run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The gravest of the tests' verdicts.
    pub verdict: Verdict,
    /// 0-100: the weighted share of tests passed.
    pub score: f64,
    /// As many as the task has tests, in its order.
    pub tests: Vec<TestResult>,
    /// What it used.
    pub usage: Usage,
    /// The last bytes of what the agent wrote to stderr.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// All that is known of a miner's current submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub miner: Miner,
    /// The file in the inbox.
    pub file: String,
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When agentmill first saw these bytes from this miner, by its own clock.
    pub first_seen: Timestamp,
    /// The file's modification time; breaks ties in `first_seen`.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any; then there are no runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syntax: Option<SyntaxError>,
    /// In stage order, then task order.
    pub runs: Vec<Run>,
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
        let passed = |test: &&TestResult| test.verdict == Verdict::Passed;
        let passed = total(&mut tests.iter().filter(passed).map(|test| test.weight));
        let verdict = tests.iter().map(|test| test.verdict).max().unwrap_or(Verdict::Failed);
        let score = if verdict == Verdict::Passed { 100.0 } else { 100.0 * passed / all };
        Self { verdict, score, tests, usage, stderr }
    }
}

impl Outcome {
    /// The verdict; None if there is none by our fault.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Outcome::Scored(scored) => Some(scored.verdict),
            Outcome::Unscored { .. } => None,
        }
    }
}
