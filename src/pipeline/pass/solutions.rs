//! Reference solutions of the tasks that agents are about to be judged by: one that does not score 100 is told loudly.

use std::path::Path;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::config::{Limits, Pipeline};
use crate::model::report::{Scored, Verdict};
use crate::model::sampled::{self, TaskSample};
use crate::pipeline::PassContext;
use crate::pipeline::pass::Pass;
use crate::pipeline::plan::Plan;
use crate::pipeline::proofs::{Proofs, Tried, try_solution};
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::task::Task;
use crate::ui::Event;
use crate::util::text::visible;

/// Most characters of a reason.
const MAX: usize = 500;

/// The most bytes of solutions that are tried together.
const MOST_TOGETHER: usize = 1 << 20;

/// A task that has a solution, and the key of its proof.
struct Solved<'t> {
    task: &'t Task,
    solution: &'t Path,
    limits: Limits,
    key: String,
}

impl<'a> Pass<'a> {
    /// Tries every solution that was not tried before. The pass goes on whatever comes of it, as agents wait: whoever reads the
    /// warning mends the task, and then all of them are judged anew.
    pub(super) fn prove_solutions(&mut self) {
        let Pipeline { results, parallel, .. } = self.context.pipeline;
        let (proofs, solved) = self.solved();
        let mut tried = Tried::load(results);
        tried.retain(|known| solved.iter().any(|one| one.key == known.key));
        let is_known = |one: &&Solved<'_>| tried.iter().any(|known| known.key == one.key);
        let due: Vec<&Solved<'a>> =
            solved.iter().filter(|one| !is_known(one) && !proofs.has(one.task, &one.limits)).collect();
        if !due.is_empty() {
            let new = self.aside(|sandbox| {
                let pool = ThreadPoolBuilder::new().num_threads(parallel.get()).build();
                let pool = pool.map_err(|error| Fault::Engine(error.to_string()))?;
                Ok(pool.install(|| try_all(&due, parallel.get(), sandbox)))
            });
            tried.extend(new.and_then(Result::ok).unwrap_or_default());
            // It is only a memory: what can't be kept is tried anew.
            let _ = Tried::keep(&tried, results);
        }
        self.tell(&tried);
    }

    /// Tells again of solutions that failed before, in a pass that had no need to try any.
    pub(super) fn recall_solutions(&mut self) {
        let mut tried = Tried::load(&self.context.pipeline.results);
        tried.retain(|known| known.why.is_some());
        if self.refuted.is_some() || tried.is_empty() {
            return;
        }
        let (_, solved) = self.solved();
        tried.retain(|known| solved.iter().any(|one| one.key == known.key));
        self.tell(&tried);
    }

    fn tell(&mut self, tried: &[Tried]) {
        let refuted = tried.iter().filter_map(|one| Some((&one.task, one.why.as_ref()?)));
        for (task, why) in refuted.clone() {
            self.context.events.send(Event::Warning(format!(
                "task {task}: its reference solution {}; agents are judged by these tests all the same: mend the task or its \
                 solution, and `agentmill check {task}` tells whether they agree",
                visible(why, MAX)
            )));
        }
        self.refuted = Some(refuted.map(|(task, _)| task.clone()).collect());
    }

    fn solved(&self) -> (Proofs, Vec<Solved<'a>>) {
        let Pipeline { results, sandbox, .. } = self.context.pipeline;
        let proofs = Proofs::load(results, sandbox.judge, &self.image);
        let solved = solved(self.context, &self.submissions.plan().stages, &proofs);
        (proofs, solved)
    }
}

/// Tries solutions: together first, as a cell for each would take longer than most agents do; then alone those that do not score
/// 100 in that way, such as programs.
fn try_all(due: &[&Solved<'_>], parallel: usize, sandbox: &dyn Sandbox) -> Vec<Tried> {
    let share = due.len().div_ceil(parallel);
    let together: Vec<bool> =
        due.par_chunks(share).flat_map_iter(|some| score_together(some, sandbox)).collect();
    let (right, left): (Vec<_>, Vec<_>) = due.iter().zip(together).partition(|(_, is_right)| *is_right);
    if let Some((first, _)) = left.first() {
        sandbox.expect(left.len(), &first.limits);
    }
    let right = right.into_iter().map(|(one, _)| one.came_to(None));
    let left: Vec<Tried> = left.par_iter().filter_map(|(one, _)| one.tried(sandbox)).collect();
    right.chain(left).collect()
}

/// Tells of each whether it scores 100 as one of several samples of one agent.
fn score_together(due: &[&Solved<'_>], sandbox: &dyn Sandbox) -> Vec<bool> {
    let nothing = vec![false; due.len()];
    let [first, _, ..] = due else { return nothing };
    let samples: Vec<TaskSample> = due.iter().map(|one| one.sample()).collect();
    let agent = sampled::agent(1, &samples);
    if agent.len() > MOST_TOGETHER {
        return nothing;
    }
    let Ok(Opened::Ready(mut cell)) = sandbox.open(agent.into_bytes(), &first.limits) else { return nothing };
    cell.expect(&due.iter().map(|one| (one.task, &one.limits)).collect::<Vec<_>>());
    let is_right = |scored: Scored| scored.verdict == Verdict::Passed;
    due.iter().map(|one| cell.run(one.task, &one.limits).is_ok_and(is_right)).collect()
}

/// Tasks of a plan that have a solution and are judged without asking a model, each once.
fn solved<'a>(context: PassContext<'a>, plan: &Plan<'a>, proofs: &Proofs) -> Vec<Solved<'a>> {
    let mut tasks: Vec<&'a Task> = plan.tasks().map(|(_, task)| task).collect();
    tasks.sort_by(|a, b| a.id.cmp(&b.id));
    tasks.dedup_by(|a, b| a.id == b.id);
    tasks.retain(|task| context.scope.has_task(&task.id) && !task.asks_model());
    let solved = tasks.into_iter().filter_map(|task| {
        let limits = task.limits_by(context.pipeline);
        Some(Solved { solution: task.solution.as_deref()?, key: proofs.key(task, &limits)?, limits, task })
    });
    solved.collect()
}

impl Solved<'_> {
    /// Result of trying it; None if it could not be judged, which the agents' runs tell.
    fn tried(&self, sandbox: &dyn Sandbox) -> Option<Tried> {
        let source = std::fs::read(self.solution).ok()?;
        try_solution(self.task, source, &self.limits, sandbox).ok().map(|why| self.came_to(why))
    }

    fn sample(&self) -> TaskSample {
        let source = std::fs::read_to_string(self.solution).unwrap_or_default();
        TaskSample::new(&self.task.id, self.task.known_by(), &source)
    }

    fn came_to(&self, why: Option<String>) -> Tried {
        let why = why.map(|why| format!("{} {why}", self.solution.display()));
        Tried { key: self.key.clone(), task: self.task.id.clone(), why }
    }
}
