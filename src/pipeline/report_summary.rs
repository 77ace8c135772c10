//! Reports in summary, as a pass keeps them in memory: enough for ranking and tables. Messages, stderr and the tests' names stay
//! in `results/agents/`, so that ten thousand agents cost few megabytes.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::model::model_use::ModelUse;
use crate::model::report::{Outcome, Report, Run, SyntaxError, Usage, Verdict, first_sample};
use crate::model::stopped_early::StoppedEarly;
use crate::pipeline::plan::Plan;

/// A report in summary.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSummary {
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
    /// The file's modification time.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any.
    pub syntax: Option<Box<SyntaxError>>,
    /// Percent of its score that it loses for coming late; None where nothing late counts.
    pub penalty: Option<f64>,
    /// True if all its unscored runs, and there are some, asked a model that is not served: the next run would come to the same.
    pub unserved: bool,
    /// One for each run of the plan, in its order; what is not there is missing.
    pub results: Box<[RunResult]>,
}

/// A report file without its texts: read several times as fast, and all that tells what is done.
#[derive(Debug, Deserialize)]
pub struct Remembered {
    /// The agent's miner.
    pub miner: Miner,
    /// The file in the inbox.
    pub file: String,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When agentmill first saw it.
    pub first_seen: Timestamp,
    /// The file's modification time then.
    pub modified: Timestamp,
    /// The syntax error that the cell's Python found, if any.
    #[serde(default)]
    pub syntax: Option<SyntaxError>,
    /// Where it was stopped early, if it was.
    #[serde(default)]
    pub stopped_early: Option<StoppedEarly>,
    runs: Vec<RememberedRun>,
}

/// As a [`Run`], but flat: serde copies what it flattens.
#[derive(Debug, Deserialize)]
struct RememberedRun {
    key: String,
    stage: String,
    task: String,
    #[serde(default = "first_sample")]
    sample: u32,
    #[serde(default)]
    task_fault: Option<IgnoredAny>,
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

/// Outcome of a run, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum RunResult {
    /// It was not reached.
    Missing,
    /// It was not made, as the pass mark was out of reach: worth 0.
    Stopped,
    /// It counts for nobody, by the task's author's fault.
    TaskFault,
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
        /// Time, memory and output that it used.
        usage: Usage,
    },
}

fn is_unserved(runs: &[Run]) -> bool {
    let mut unscored = runs.iter().filter(|run| !run.outcome.is_settled()).peekable();
    unscored.peek().is_some() && unscored.all(|run| run.outcome.is_unserved())
}

impl ReportSummary {
    /// Sums up what a plan asks for of a report.
    pub fn of(report: &Report, plan: &Plan) -> Self {
        let known: HashMap<_, _> = report
            .runs
            .iter()
            .map(|run| ((run.stage.as_str(), run.task.as_str(), run.sample), run))
            .collect();
        let result = |(at, task, sample): (usize, &crate::task::Task, u32)| {
            let run = known.get(&(plan.parts[at].stage.name.as_str(), task.id.as_str(), sample));
            run.map_or(RunResult::Missing, |run| RunResult::of(&run.outcome))
        };
        let mut results: Vec<RunResult> = plan.runs().map(result).collect();
        while results.last() == Some(&RunResult::Missing) {
            results.pop();
        }
        Self {
            miner: report.miner.clone(),
            file: report.file.clone(),
            sha256: report.sha256.clone(),
            bytes: report.bytes,
            first_seen: report.first_seen,
            modified: report.modified,
            syntax: report.syntax.clone().map(Box::new),
            penalty: None,
            unserved: is_unserved(&report.runs),
            results: results.into(),
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
            spreads: Vec::new(),
            stopped_early: None,
        }
    }
}

impl Remembered {
    /// The judged runs, by their keys.
    pub fn judged(&self) -> HashMap<&str, RunResult> {
        self.runs.iter().filter_map(|run| Some((run.key.as_str(), run.result()?))).collect()
    }

    /// All runs, judged or not, by their stages, tasks and samples.
    pub fn any(&self) -> HashMap<(&str, &str, u32), RunResult> {
        let result = |run: &RememberedRun| run.result().unwrap_or(RunResult::Unscored);
        let runs = self.runs.iter();
        runs.map(|run| ((run.stage.as_str(), run.task.as_str(), run.sample), result(run))).collect()
    }

    /// Key of a sample in a stage on a task, and true if it was judged.
    pub fn key_of(&self, stage: &str, task: &str, sample: u32) -> Option<(&str, bool)> {
        let mut of_task = self.runs.iter().filter(|run| run.stage == stage && run.task == task);
        let run = of_task.find(|run| run.sample == sample)?;
        Some((&run.key, run.result().is_some()))
    }

    /// The report in summary, with these results.
    pub fn summary(self, results: Vec<RunResult>) -> ReportSummary {
        ReportSummary {
            miner: self.miner,
            file: self.file,
            sha256: self.sha256,
            bytes: self.bytes,
            first_seen: self.first_seen,
            modified: self.modified,
            syntax: self.syntax.map(Box::new),
            penalty: None,
            unserved: false,
            results: results.into(),
        }
    }
}

impl RememberedRun {
    /// None if it was not judged.
    fn result(&self) -> Option<RunResult> {
        if self.task_fault.is_some() {
            return Some(RunResult::TaskFault);
        }
        let passed = self.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
        Some(RunResult::Scored {
            verdict: self.verdict?,
            score: self.score?,
            passed: passed as u32,
            tests: self.tests.len() as u32,
            usage: self.usage?,
        })
    }
}

/// Ids of the tasks that count for nobody, by what came of agents' runs on them.
pub fn task_faults(agents: &[&ReportSummary], plan: &Plan) -> BTreeSet<String> {
    let is_faulty = |at| agents.iter().any(|agent| agent.results.get(at) == Some(&RunResult::TaskFault));
    let runs = plan.runs().enumerate();
    runs.filter(|(at, _)| is_faulty(*at)).map(|(_, (_, task, _))| task.id.clone()).collect()
}

/// All that runs have asked of models.
pub fn asked(results: &[RunResult]) -> ModelUse {
    results.iter().filter_map(|result| result.usage()?.model).sum()
}

/// All that the tests of runs have asked of a model; None where they ask none.
pub fn asked_by_tests(results: &[RunResult]) -> Option<ModelUse> {
    let asked = results.iter().filter_map(|result| result.usage()?.judge_model);
    asked.reduce(|a, b| [a, b].into_iter().sum())
}

impl RunResult {
    /// Resources that a run took; None if it was not judged.
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Scored { usage, .. } => Some(usage),
            _ => None,
        }
    }

    /// An outcome in summary.
    pub fn of(outcome: &Outcome) -> Self {
        let run = match outcome {
            Outcome::Scored(run) => run,
            Outcome::TaskFault { .. } => return RunResult::TaskFault,
            Outcome::Unscored { .. } => return RunResult::Unscored,
        };
        let passed = run.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
        RunResult::Scored {
            verdict: run.verdict,
            score: run.score,
            passed: passed as u32,
            tests: run.tests.len() as u32,
            usage: run.usage,
        }
    }
}
