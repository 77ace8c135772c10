//! Dry run: the runs that a pass would make of what lies in the inbox now, and why. It starts nothing and writes nothing.

use std::collections::{BTreeSet, HashSet};
use std::thread;

use serde::Serialize;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::model::report::is_first_sample;
use crate::pipeline::causes::{self, Cause};
use crate::pipeline::image_memory::KnownImage;
use crate::pipeline::intake::SETTLE;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::json::Last;
use crate::pipeline::report_store::{self, PendingReportWrites};
use crate::pipeline::report_summary::{Remembered, ReportSummary, RunResult};
use crate::pipeline::run_keys::{EvaluationPlan, PlannedRun};
use crate::pipeline::run_memory::RunMemory;
use crate::pipeline::scope::Scope;
use crate::pipeline::score;
use crate::pipeline::score::early_stop::Reach;
use crate::pipeline::submissions::SubmissionTable;
use crate::task::Task;

/// Everything that a dry run works with.
#[derive(Clone, Copy)]
pub struct DryRun<'a> {
    /// The checked pipeline.yaml.
    pub pipeline: &'a Pipeline,
    /// All tasks, checked but for their Python.
    pub tasks: &'a [Task],
    /// The agents and tasks that would be evaluated.
    pub scope: &'a Scope,
    /// Counts runs as due that are found in reports.
    pub force: bool,
    /// The image's id; None if it is not known: it is then taken to be what it was.
    pub image: Option<&'a str>,
}

/// The runs that a pass would make.
#[derive(Debug, Serialize)]
pub struct Forecast {
    /// By miner, then in the order in which they would be made.
    pub runs: Vec<DueRun>,
    /// How many agents they are of.
    pub agents: usize,
    /// Refused submissions.
    pub rejected: Vec<Rejection>,
    /// True if a file in the inbox did not stand still: nothing is told of it.
    pub unsettled: bool,
    /// Id of the image that runs would be made in; empty if there was none yet.
    pub image: String,
    /// True if the engine did not tell the image, and it is taken to be what it was.
    pub image_assumed: bool,
}

/// One run that would be made.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct DueRun {
    /// The agent's miner.
    pub miner: Miner,
    /// Hex sha256 of the submission.
    pub sha256: String,
    /// The stage.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// Its number among the agent's runs on the task, from 1.
    #[serde(skip_serializing_if = "is_first_sample")]
    pub sample: u32,
    /// All causes.
    pub why: Vec<Cause>,
    /// True if it is made only if the runs before it pass a stage, or leave its pass mark in reach.
    pub if_passed: bool,
}

impl DryRun<'_> {
    /// Looks at the inbox as a pass does.
    ///
    /// # Errors
    /// The ledger or the inbox can't be read, or no submission is in scope.
    pub fn forecast(&self) -> anyhow::Result<Forecast> {
        let Self { pipeline, tasks, scope, force, image } = *self;
        let last = image.is_none().then(|| Last::read(&pipeline.results)).flatten();
        let known = image.map(str::to_owned).or(last.map(|last| last.image)).unwrap_or_default();
        let plan = EvaluationPlan::new(pipeline, tasks, &known).within(scope);
        let pending_writes = PendingReportWrites::new(pipeline.season.is_some());
        let library = KnownImage::read(&pipeline.results).library;
        let ledger = Ledger::open(&pipeline.records)?.0.unwritable();
        let mut table = SubmissionTable::new(pipeline, library, plan, scope, force, &pending_writes, ledger);
        table.list()?;
        scope.check_agents(table.miners(), &pipeline.inbox)?;
        if table.is_unsettled() {
            thread::sleep(SETTLE + SETTLE / 10);
            table.look_at_unsettled();
        }
        let memory = RunMemory::read(&pipeline.results);
        let waiting = table.waiting().filter(|head| scope.has_agent(&head.miner));
        let runs: Vec<DueRun> = waiting.flat_map(|head| self.runs_of(head, table.plan(), &memory)).collect();
        let agents = runs.iter().map(|run| &run.miner).collect::<BTreeSet<_>>().len();
        let (rejected, unsettled) = (table.rejections(), table.is_unsettled());
        Ok(Forecast { runs, agents, rejected, unsettled, image: known, image_assumed: image.is_none() })
    }

    fn runs_of(&self, head: &ReportSummary, plan: &EvaluationPlan<'_>, memory: &RunMemory) -> Vec<DueRun> {
        let results = &self.pipeline.results;
        let report = report_store::remembered_of(results, &head.miner, &head.sha256);
        let is_known = || report_store::remembered(results, &head.miner).is_some();
        let why = |planned: &PlannedRun<'_>, stage: &str| match &report {
            Some(report) => causes::of(planned, stage, report, memory),
            None if is_known() => vec![Cause::Submission],
            None => vec![Cause::New],
        };
        let judged = report.as_ref().map(Remembered::judged).unwrap_or_default();
        let any = report.as_ref().map(Remembered::any).unwrap_or_default();
        let (mut due, mut known): (Vec<DueRun>, Vec<RunResult>) = Default::default();
        // Tasks of the same content share one run.
        let mut keys = HashSet::new();
        for (part, runs) in plan.parts() {
            let (stage, if_passed) = (part.stage.name.as_str(), !due.is_empty());
            let mut reach = Reach::new(part);
            for planned in runs {
                if reach.is_lost() {
                    known.push(RunResult::Stopped);
                    continue;
                }
                let task = planned.task.id.as_str();
                let key = planned.key(&head.sha256);
                let result = judged.get(key.as_str());
                if planned.in_scope && (self.force || result.is_none()) {
                    known.push(reach.count(RunResult::Missing));
                    if !keys.insert(key) {
                        continue;
                    }
                    let if_passed = if_passed || part.stage.stop_early && !due.is_empty();
                    due.push(DueRun {
                        miner: head.miner.clone(),
                        sha256: head.sha256.clone(),
                        stage: stage.to_owned(),
                        task: task.to_owned(),
                        sample: planned.sample,
                        why: why(planned, stage),
                        if_passed,
                    });
                } else {
                    let kept = result.or_else(|| any.get(&planned.place(part.stage)));
                    known.push(reach.count(kept.copied().unwrap_or(RunResult::Missing)));
                }
            }
            // With runs of it due, nobody knows yet.
            if due.is_empty() && !score::passes(part, &known) {
                break;
            }
        }
        due
    }
}
