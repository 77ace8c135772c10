//! Runs made again: a sample of a bundle's agents, in cells of this machine.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use rayon::prelude::*;

use crate::config::Limits;
use crate::gateway::Gateway;
use crate::model::report::Scored;
use crate::pipeline::run_keys::{EvaluationPlan, PlannedRun};
use crate::pipeline::score::Row;
use crate::pipeline::{archive, evaluate};
use crate::proof::finding::{Finding, difference};
use crate::proof::judged::{self, RunName};
use crate::proof::unpacked::Unpacked;
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::task::Task;

/// The outcome for a sample of agents.
#[derive(Debug, Default)]
pub struct Rerun {
    /// Agents that were run.
    pub agents: usize,
    /// Runs that were made.
    pub runs: usize,
    /// Runs that asked a model what is not recorded, so that nobody can tell what they would have come to.
    pub unheard: Vec<RunName>,
    /// All that did not come to the same.
    pub findings: Vec<Finding>,
}

/// Runs so many agents again on all that their reports hold; chance says which, as nobody should know beforehand. Models answer as they are
/// recorded to have answered.
///
/// # Errors
/// The engine failed, or there is no way to the recordings.
pub fn rerun(bundle: &Unpacked, sandbox: &dyn Sandbox, agents: usize) -> anyhow::Result<Rerun> {
    if agents == 0 {
        return Ok(Rerun::default());
    }
    let gateway = Gateway::of_recordings(&bundle.pipeline)?;
    let chance = RandomState::new();
    let mut rows: Vec<&Row> = bundle.rankings.rankings.iter().collect();
    rows.sort_by_key(|row| chance.hash_one(row.miner.as_str()));
    rows.truncate(agents);
    let plan = bundle.plan();
    let made: Result<Vec<Rerun>, Fault> =
        rows.par_iter().map(|row| of_agent(bundle, &plan, row, (sandbox, gateway.as_ref()))).collect();
    let mut all = Rerun::default();
    for one in made? {
        all.agents += one.agents;
        all.runs += one.runs;
        all.unheard.extend(one.unheard);
        all.findings.extend(one.findings);
    }
    all.findings.sort_by(|a, b| (&a.miner, &a.task).cmp(&(&b.miner, &b.task)));
    all.unheard.sort_by(|a, b| (&a.miner, &a.task).cmp(&(&b.miner, &b.task)));
    Ok(all)
}

fn of_agent(
    bundle: &Unpacked,
    plan: &EvaluationPlan<'_>,
    row: &Row,
    (sandbox, gateway): (&dyn Sandbox, Option<&Gateway>),
) -> Result<Rerun, Fault> {
    let mut made = Rerun { agents: 1, ..Rerun::default() };
    let mut find = |what: String| made.findings.push(Finding::of_agent(&row.miner, what));
    let Some(report) = bundle.report(row) else { return Ok(made) };
    let Some(source) = archive::read(&bundle.pipeline.results, &row.sha256) else {
        find("its source is not in the bundle".into());
        return Ok(made);
    };
    let recorded = judged::scored(&report);
    let is_due = |planned: &&PlannedRun<'_>| recorded.contains_key(&of_run(planned));
    let due: Vec<&PlannedRun<'_>> = plan.parts().flat_map(|(_, runs)| runs).filter(is_due).collect();
    let Some(limits) = plan.first_limits() else { return Ok(made) };
    match sandbox.open(source, limits)? {
        Opened::Refused(refusal) => find(format!("Python does not compile it here: {}", refusal.message)),
        Opened::Ready(mut cell) => {
            for same in due.chunk_by(|a, b| a.sample == b.sample) {
                let runs: Vec<(&Task, &Limits)> =
                    same.iter().map(|planned| (planned.task, &planned.limits)).collect();
                cell.reseed(same[0].seed());
                cell.expect(&runs);
                for planned in same {
                    let finding = |what| Finding::of_run(&row.miner, &planned.label(), what);
                    let found = match evaluate::make(&mut *cell, planned, &planned.key(&row.sha256), gateway)
                    {
                        Ok(now) => compared(planned, &recorded, &now).map(finding),
                        Err(Fault::Task(fault)) => Some(finding(fault)),
                        Err(Fault::Provider(_)) => {
                            made.unheard
                                .push(RunName { miner: row.miner.clone(), task: planned.task.id.clone() });
                            continue;
                        }
                        Err(fault) => return Err(fault),
                    };
                    made.runs += 1;
                    made.findings.extend(found);
                }
            }
        }
    }
    Ok(made)
}

fn of_run<'a>(planned: &'a PlannedRun<'_>) -> (&'a str, u32) {
    (&planned.task.id, planned.sample)
}

fn compared(
    planned: &PlannedRun<'_>,
    recorded: &HashMap<(&str, u32), &Scored>,
    now: &Scored,
) -> Option<String> {
    difference(recorded.get(&of_run(planned))?, now).map(|what| format!("run again: {what}"))
}
