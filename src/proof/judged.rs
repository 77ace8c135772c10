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

/// How often a run that differs is judged once more, to see whether it differs from itself.
const AGAIN: usize = 3;

/// A run, as it is named to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunName {
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
    /// Runs that were not, as their answers are not in the bundle: an agent may have answered more than is kept, as it likes.
    pub unkept: Vec<RunName>,
    /// Runs that come to something else each time: an agent may answer with a set whose order nobody decides, as it likes.
    pub wavering: Vec<RunName>,
    /// Runs that nobody has judged: unscored ones and such on faulty tasks.
    pub unjudged: usize,
    /// All that is not as the bundle says.
    pub findings: Vec<Finding>,
}

impl Judged {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.unkept.extend(other.unkept);
        self.wavering.extend(other.wavering);
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
    // Another grader has other keys.
    if bundle.manifest.grader == grader_version() && run.key != planned.key(&report.sha256) {
        let what = "was made of another task, limits, image or source than the bundle holds";
        judged.findings.push(Finding::of_run(&report.miner, &run.label(), what));
    }
    let name = || RunName { miner: report.miner.clone(), task: run.task.clone() };
    let Some(claims) = claims else {
        judged.unkept.push(name());
        return Ok(());
    };
    let again = |new| differs(scored, sandbox.judge_again(planned.task, &claims.exchanges, new));
    match settle(again)? {
        Settled::Same => {}
        Settled::Wavering => judged.wavering.push(name()),
        Settled::Differs(what) => judged.findings.push(Finding::of_run(&report.miner, &run.label(), what)),
    }
    judged.runs += 1;
    Ok(())
}

/// Outcome of judging a run anew.
#[derive(Debug, PartialEq, Eq)]
enum Settled {
    /// It is as the bundle says.
    Same,
    /// It is not, nor as it was a moment before.
    Wavering,
    /// It is not, each time alike; the difference.
    Differs(String),
}

/// Judges once; if there is a difference, some times more, in new judges: where an address decides, each comes to something else.
fn settle(mut again: impl FnMut(bool) -> Result<Option<String>, Fault>) -> Result<Settled, Fault> {
    let first = again(false)?;
    let Some(what) = &first else { return Ok(Settled::Same) };
    for _ in 0..AGAIN {
        if again(true)? != first {
            return Ok(Settled::Wavering);
        }
    }
    Ok(Settled::Differs(what.clone()))
}

/// The difference between the bundle's outcome of a run and what came of judging it anew; None where there is none.
fn differs(recorded: &Scored, now: Result<Rejudged, Fault>) -> Result<Option<String>, Fault> {
    match now {
        Ok(Rejudged::Scored(now)) => Ok(difference(recorded, &now)),
        Ok(Rejudged::Unlike(why)) => Ok(Some(format!("can't be judged anew: {why}"))),
        Err(Fault::Task(fault)) => Ok(Some(format!("the task is at fault now: {fault}"))),
        Err(fault) => Err(fault),
    }
}

/// The judged runs of a report, by their tasks and samples.
pub(super) fn scored(report: &Report) -> HashMap<(&str, u32), &Scored> {
    let runs = report.runs.iter().filter_map(|run| match &run.outcome {
        Outcome::Scored(scored) => Some(((run.task.as_str(), run.sample), scored)),
        Outcome::TaskFault { .. } | Outcome::Unscored { .. } => None,
    });
    runs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(told: [Option<&str>; 4]) -> Settled {
        let mut told = told.into_iter();
        settle(|_| Ok(told.next().unwrap().map(str::to_owned))).unwrap()
    }

    #[test]
    fn a_difference_counts_if_it_stays_the_same() {
        assert_eq!(settled([None, Some("never asked"), None, None]), Settled::Same);
        assert_eq!(settled([Some("x"); 4]), Settled::Differs("x".into()));
        assert_eq!(settled([Some("x"), Some("x"), Some("x"), Some("y")]), Settled::Wavering);
        assert_eq!(settled([Some("x"), None, None, None]), Settled::Wavering);
    }
}
