//! Early stop: an agent is run no further in a stage once its pass mark is out of reach, whatever the rest would come to.
//!
//! Runs are made in the plan's order, and where the mark goes out of reach follows from the results before alone. So what is known
//! of later runs, from a time when there was no early stop, changes nothing: the same results stop an agent at the same run.

use std::collections::{HashMap, HashSet};
use std::iter::repeat_n;

use crate::model::report::{Usage, Verdict};
use crate::model::stopped_early::StoppedEarly;
use crate::pipeline::plan::{Part, Plan};
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::samples;
use crate::pipeline::score::reaches;

/// A run as good as a run can be: what one that is not there may still come to.
const PERFECT: RunResult = RunResult::Scored {
    verdict: Verdict::Passed,
    score: 100.0,
    passed: 0,
    tests: 0,
    usage: Usage { wall_ms: 0, cpu_ms: 0, max_rss_kib: 0, model: None, judge_model: None },
};

/// The best score that an agent can still reach in a stage, run by run.
pub struct Reach<'p, 't> {
    part: &'p Part<'t>,
    /// Results of each task's samples so far.
    seen: Vec<Vec<RunResult>>,
    /// The best that each task can come to; None where it counts for nobody.
    best: Vec<Option<f64>>,
    next: usize,
    lost: bool,
}

impl<'p, 't> Reach<'p, 't> {
    /// A stage of which nothing is known yet.
    pub fn new(part: &'p Part<'t>) -> Self {
        let tasks = part.tasks.len();
        Self { part, seen: vec![Vec::new(); tasks], best: vec![Some(100.0); tasks], next: 0, lost: false }
    }

    /// True once the agent is to be run no further.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Adds the result of the next run, or [`RunResult::Stopped`] in its place; gives what it counts as.
    pub fn count(&mut self, result: RunResult) -> RunResult {
        if self.lost {
            return RunResult::Stopped;
        }
        if self.part.stage.stop_early {
            self.add(result);
        }
        result
    }

    fn add(&mut self, result: RunResult) {
        let task = self.next % self.part.tasks.len();
        self.next += 1;
        // One that is missing or unscored may be all that could be wished for: no fault of others stops an agent.
        let at_best = match result {
            RunResult::Missing | RunResult::Unscored => PERFECT,
            known => known,
        };
        self.seen[task].push(at_best);
        if !matches!(at_best, RunResult::Scored { verdict: Verdict::Passed, .. }) {
            self.best[task] = self.best_of(task);
            self.lost = !self.is_in_reach();
        }
    }

    fn best_of(&self, task: usize) -> Option<f64> {
        let seen = &self.seen[task];
        let sampling = self.part.stage.sampling;
        let open = (sampling.samples as usize).saturating_sub(seen.len());
        match samples::reduce(seen.iter().copied().chain(repeat_n(PERFECT, open)), sampling.reduce) {
            RunResult::Scored { score, .. } => Some(score),
            _ => None,
        }
    }

    /// Summed up as [`passes`](crate::pipeline::score::passes) does, lest rounding stop who would pass.
    fn is_in_reach(&self) -> bool {
        let (mut points, mut judged) = (0.0, 0.0);
        for (task, best) in self.part.tasks.iter().zip(&self.best) {
            if let Some(score) = best {
                judged += task.weight;
                points += task.weight * score.clamp(0.0, 100.0);
            }
        }
        reaches(points, judged, self.part.stage.pass_mark)
    }
}

/// A summary with what lies behind an early stop taken out, whatever its report holds.
#[must_use]
pub fn applied(mut summary: ReportSummary, plan: &Plan<'_>) -> ReportSummary {
    let mut results = Vec::with_capacity(summary.results.len());
    for part in &plan.parts {
        let mut reach = Reach::new(part);
        let known = (part.first..part.first + part.runs()).map(|at| summary.results.get(at).copied());
        results.extend(known.map(|result| reach.count(result.unwrap_or(RunResult::Missing))));
    }
    while results.last() == Some(&RunResult::Missing) {
        results.pop();
    }
    summary.results = results.into();
    summary
}

/// Where an agent was stopped, by its results; it is one stage at most, as none comes after it.
pub fn of(results: &[RunResult], plan: &Plan<'_>) -> Option<StoppedEarly> {
    plan.parts.iter().find_map(|part| {
        let own = results.iter().skip(part.first).take(part.runs());
        let not_run = own.filter(|result| **result == RunResult::Stopped).count() as u64;
        (not_run > 0).then(|| StoppedEarly {
            stage: part.stage.name.clone(),
            not_run,
            runs: part.runs() as u64,
            pass_mark: part.stage.pass_mark,
        })
    })
}

/// The summaries, by their places, of agents that were not run on tasks which count for nobody, as the runs of others have shown:
/// there they count for them neither.
pub fn excused(agents: &[&ReportSummary], plan: &Plan<'_>) -> HashMap<usize, ReportSummary> {
    let has = |agent: &ReportSummary, wanted| agent.results.contains(&wanted);
    let stopped = agents.iter().enumerate().filter(|(_, agent)| has(agent, RunResult::Stopped));
    let stopped: Vec<(usize, &ReportSummary)> = stopped.map(|(at, agent)| (at, *agent)).collect();
    if stopped.is_empty() {
        return HashMap::new();
    }
    let faulty = agents.iter().filter(|agent| has(agent, RunResult::TaskFault));
    let faulty: HashSet<(usize, usize)> =
        faulty.flat_map(|agent| tasks_that_are(RunResult::TaskFault, agent, plan)).collect();
    let excused = stopped.into_iter().filter_map(|(at, agent)| {
        let own = tasks_that_are(RunResult::Stopped, agent, plan).filter(|task| faulty.contains(task));
        let own: Vec<(usize, usize)> = own.collect();
        (!own.is_empty()).then(|| (at, without(agent, &own, plan)))
    });
    excused.collect()
}

/// The agents, with the excused ones in their places.
pub fn instead<'a>(
    agents: &[&'a ReportSummary],
    excused: &'a HashMap<usize, ReportSummary>,
) -> Vec<&'a ReportSummary> {
    agents.iter().enumerate().map(|(at, agent)| excused.get(&at).unwrap_or(agent)).collect()
}

/// Tasks whose samples come to this, by the places of their stages and their own.
fn tasks_that_are(
    wanted: RunResult,
    agent: &ReportSummary,
    plan: &Plan<'_>,
) -> impl Iterator<Item = (usize, usize)> {
    plan.parts.iter().enumerate().flat_map(move |(stage, part)| {
        let reduced = samples::reduced(part, &agent.results).enumerate();
        reduced
            .filter(move |(_, result)| *result == wanted)
            .map(move |(task, _)| (stage, task))
            .collect::<Vec<_>>()
    })
}

fn without(agent: &ReportSummary, tasks: &[(usize, usize)], plan: &Plan<'_>) -> ReportSummary {
    let mut agent = agent.clone();
    for (stage, task) in tasks {
        let part = &plan.parts[*stage];
        for at in (part.first + task..part.first + part.runs()).step_by(part.tasks.len()) {
            agent.results[at] = RunResult::TaskFault;
        }
    }
    agent
}

#[cfg(test)]
mod tests;
