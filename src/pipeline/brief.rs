//! What a pass keeps in memory of a report: enough for ranking and tables. Messages, stderr and the tests' names stay
//! in `results/agents/`, so that ten thousand agents cost few megabytes.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::intake::Miner;
use super::plan::Plan;
use crate::report::{Outcome, Report, Run, SyntaxError, Usage, Verdict};

/// A report in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
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
    /// The file's modification time.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any.
    pub syntax: Option<Box<SyntaxError>>,
    /// One for each run of the plan, in its order; what is not there is missing.
    pub marks: Box<[Mark]>,
}

/// A report file without its texts: read several times as fast, and all that tells what is done.
#[derive(Debug, Deserialize)]
pub struct Remembered {
    /// Whose.
    pub miner: Miner,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// When agentmill first saw it.
    pub first_seen: Timestamp,
    /// The file's modification time then.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any.
    #[serde(default)]
    pub syntax: Option<SyntaxError>,
    runs: Vec<RememberedRun>,
}

/// As a [`Run`], but flat: serde copies what it flattens.
#[derive(Debug, Deserialize)]
struct RememberedRun {
    key: String,
    verdict: Option<Verdict>,
    score: Option<f64>,
    usage: Option<Usage>,
    #[serde(default)]
    tests: Vec<RememberedTest>,
}

#[derive(Debug, Deserialize)]
struct RememberedTest {
    verdict: Verdict,
}

/// What came of a run, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Mark {
    /// It was not reached.
    Missing,
    /// It could not be judged, by our fault.
    Unscored,
    /// It was judged.
    Scored {
        /// The gravest of the tests' verdicts.
        verdict: Verdict,
        /// 0-100.
        score: f64,
        /// Tests passed.
        passed: u32,
        /// All tests.
        tests: u32,
        /// What it used.
        usage: Usage,
    },
}

impl Brief {
    /// What a plan asks for of a report.
    pub fn of(report: &Report, plan: &Plan) -> Self {
        let known: HashMap<_, _> =
            report.runs.iter().map(|run| ((run.stage.as_str(), run.task.as_str()), run)).collect();
        let mark = |(at, task): (usize, &crate::task::Task)| {
            let run = known.get(&(plan.parts[at].stage.name.as_str(), task.id.as_str()));
            run.map_or(Mark::Missing, |run| Mark::of(&run.outcome))
        };
        let mut marks: Vec<Mark> = plan.legs().map(mark).collect();
        while marks.last() == Some(&Mark::Missing) {
            marks.pop();
        }
        Self {
            miner: report.miner.clone(),
            file: report.file.clone(),
            sha256: report.sha256.clone(),
            bytes: report.bytes,
            first_seen: report.first_seen,
            modified: report.modified,
            syntax: report.syntax.clone().map(Box::new),
            marks: marks.into(),
        }
    }

    /// The report with these runs.
    pub fn report(&self, runs: Vec<Run>) -> Report {
        Report {
            miner: self.miner.clone(),
            file: self.file.clone(),
            sha256: self.sha256.clone(),
            bytes: self.bytes,
            first_seen: self.first_seen,
            modified: self.modified,
            syntax: self.syntax.as_deref().cloned(),
            runs,
        }
    }
}

impl Remembered {
    /// The judged runs, by their keys.
    pub fn judged(&self) -> HashMap<&str, Mark> {
        self.runs.iter().filter_map(|run| Some((run.key.as_str(), run.mark()?))).collect()
    }
}

impl RememberedRun {
    /// None if it was not judged.
    fn mark(&self) -> Option<Mark> {
        let passed = self.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
        Some(Mark::Scored {
            verdict: self.verdict?,
            score: self.score?,
            passed: passed as u32,
            tests: self.tests.len() as u32,
            usage: self.usage?,
        })
    }
}

/// So many of `marks`, whether they are there or not.
pub fn marks(marks: &[Mark], first: usize, count: usize) -> impl Iterator<Item = Mark> {
    (first..first + count).map(|at| marks.get(at).copied().unwrap_or(Mark::Missing))
}

impl Mark {
    /// An outcome in brief.
    pub fn of(outcome: &Outcome) -> Self {
        let Outcome::Scored(run) = outcome else { return Mark::Unscored };
        let passed = run.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
        Mark::Scored {
            verdict: run.verdict,
            score: run.score,
            passed: passed as u32,
            tests: run.tests.len() as u32,
            usage: run.usage,
        }
    }
}
