//! Judging anew: the answers that a bundle holds, by the tests that it holds, without any agent.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::model::claims::Claims;
use crate::model::miner_id::Miner;
use crate::model::report::{Outcome, Report, Run, Scored};
use crate::pipeline::run_keys::{EvaluationPlan, PlannedRun};
use crate::pipeline::score::Row;
use crate::pipeline::{archive, claims_store};
use crate::proof::finding::{Finding, difference};
use crate::proof::unpacked::Unpacked;
use crate::sandbox::{Fault, Rejudged, Sandbox, grader_version};

/// A run whose answers are not in the bundle: an agent may have answered more than is kept, as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unkept {
    /// The agent's miner.
    pub miner: Miner,
    /// The task's id.
    pub task: String,
}

/// The outcome for all ranked agents, in the ranking's order.
#[derive(Debug, Default)]
pub struct Judged {
    /// Runs that were judged anew.
    pub runs: usize,
    /// Runs that were not, as their answers are not in the bundle.
    pub unkept: Vec<Unkept>,
    /// Runs that nobody has judged: unscored ones and such on faulty tasks.
    pub unjudged: usize,
    /// All that is not as the bundle says.
    pub findings: Vec<Finding>,
}

impl Judged {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.unkept.extend(other.unkept);
        self.unjudged += other.unjudged;
        self.findings.extend(other.findings);
    }
}

/// Judges the runs of all ranked agents.
///
/// # Errors
/// The engine failed.
pub fn judge(bundle: &Unpacked, sandbox: &dyn Sandbox) -> Result<Judged, Fault> {
    let plan = bundle.plan();
    let rows = bundle.rankings.rankings.par_iter();
    let all: Result<Vec<Judged>, Fault> = rows.map(|row| of_agent(bundle, &plan, row, sandbox)).collect();
    let mut judged = Judged::default();
    all?.into_iter().for_each(|one| judged.add(one));
    Ok(judged)
}

fn of_agent(
    bundle: &Unpacked,
    plan: &EvaluationPlan<'_>,
    row: &Row,
    sandbox: &dyn Sandbox,
) -> Result<Judged, Fault> {
    let mut judged = Judged::default();
    let Some(report) = bundle.report(row) else {
        judged.findings.push(Finding::of_agent(&row.miner, "is ranked, and the bundle has no report of it"));
        return Ok(judged);
    };
    if archive::read(&bundle.pipeline.results, &row.sha256).is_none() {
        judged.findings.push(Finding::of_agent(&row.miner, "its source is not in the bundle"));
    }
    let claims = claims_store::load(&bundle.pipeline.results, &row.miner, &row.sha256);
    for planned in plan.parts().flat_map(|(_, runs)| runs) {
        if let Some(run) = run_of(&report, planned) {
            // Tasks of the same content share a run, and its answers.
            let claims = claims.get(&run.key).cloned();
            of_run(bundle, &report, (run, planned), claims, sandbox, &mut judged)?;
        }
    }
    Ok(judged)
}

/// The report's run of a task's sample. A task is in one stage only.
pub(super) fn run_of<'a>(report: &'a Report, planned: &PlannedRun<'_>) -> Option<&'a Run> {
    report.runs.iter().find(|run| run.task == planned.task.id && run.sample == planned.sample)
}

fn of_run(
    bundle: &Unpacked,
    report: &Report,
    (run, planned): (&Run, &PlannedRun<'_>),
    claims: Option<Claims>,
    sandbox: &dyn Sandbox,
    judged: &mut Judged,
) -> Result<(), Fault> {
    let Outcome::Scored(scored) = &run.outcome else {
        judged.unjudged += 1;
        return Ok(());
    };
    let mut find = |what: String| {
        judged.findings.push(Finding::of_run(&report.miner, &run.label(), what));
    };
    // Another grader has other keys.
    if bundle.manifest.grader == grader_version() && run.key != planned.key(&report.sha256) {
        find("was made of another task, limits, image or source than the bundle holds".into());
    }
    let Some(claims) = claims else {
        judged.unkept.push(Unkept { miner: report.miner.clone(), task: run.task.clone() });
        return Ok(());
    };
    match sandbox.judge_again(planned.task, &claims.exchanges) {
        Ok(Rejudged::Scored(now)) => difference(scored, &now).into_iter().for_each(find),
        Ok(Rejudged::Unlike(why)) => find(format!("can't be judged anew: {why}")),
        Err(Fault::Task(fault)) => find(format!("the task is at fault now: {fault}")),
        Err(fault) => return Err(fault),
    }
    judged.runs += 1;
    Ok(())
}

/// The judged runs of a report, by their tasks and samples.
pub(super) fn scored(report: &Report) -> HashMap<(&str, u32), &Scored> {
    let runs = report.runs.iter().filter_map(|run| match &run.outcome {
        Outcome::Scored(scored) => Some(((run.task.as_str(), run.sample), scored)),
        Outcome::TaskFault { .. } | Outcome::Unscored { .. } => None,
    });
    runs.collect()
}
