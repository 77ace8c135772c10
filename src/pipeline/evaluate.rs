//! Agent x task -> outcome; skips what a report already holds.

use std::collections::HashMap;
use std::time::Instant;

use tracing::{debug, instrument, warn};

use super::brief::{Mark, Remembered};
use super::plan::{Part, Plan};
use super::score;
use crate::config::{Limits, Stage};
use crate::digest;
use crate::report::{Outcome, Report, Run, SyntaxError};
use crate::sandbox::{Cell, Fault, Opened, Sandbox, grader_version};
use crate::task::Task;
use crate::ui::{Event, Events};

/// All that agents are evaluated on: the stages with their tasks, under one image and grader.
#[derive(Debug)]
pub struct Course<'a> {
    /// The stages with their tasks.
    pub plan: Plan<'a>,
    /// In the plan's order.
    legs: Vec<Vec<Leg<'a>>>,
    grader: String,
}

/// One task of one stage, with all that decides a run but the agent.
#[derive(Debug)]
struct Leg<'a> {
    task: &'a Task,
    limits: Limits,
    digest: String,
}

impl<'a> Course<'a> {
    /// The course for an image, by its id.
    pub fn new(stages: &'a [Stage], tasks: &'a [Task], image: &str) -> Self {
        let grader = digest::hex([image.as_bytes(), grader_version().as_bytes()]);
        let plan = Plan::new(stages, tasks);
        let of_part =
            |part: &Part<'a>| part.tasks.iter().map(|task| Leg::new(task, part.stage, &grader)).collect();
        let legs = plan.parts.iter().map(of_part).collect();
        Self { plan, legs, grader }
    }

    /// What came of an agent's evaluation, if all of it stands in its report under keys that are still right.
    pub fn done(&self, report: &Remembered) -> Option<Vec<Mark>> {
        let known = report.judged();
        let mut marks = Vec::new();
        for (part, legs) in self.parts() {
            for leg in legs {
                marks.push(*known.get(leg.key(&report.sha256).as_str())?);
            }
            if !score::passes(part, &marks) {
                break;
            }
        }
        Some(marks)
    }

    fn parts(&self) -> impl Iterator<Item = (&Part<'a>, &Vec<Leg<'a>>)> {
        self.plan.parts.iter().zip(&self.legs)
    }

    /// Whether the report's refusal is by the Python that would look at the source today.
    pub fn refused(&self, report: &Remembered) -> bool {
        report.syntax.as_ref().is_some_and(|syntax| syntax.key == self.syntax_key(&report.sha256))
    }

    fn syntax_key(&self, agent: &str) -> String {
        digest::hex([agent.as_bytes(), self.grader.as_bytes()])
    }

    /// Tells the sandbox of agents to come.
    pub fn announce(&self, agents: usize, sandbox: &dyn Sandbox) {
        if let Some(limits) = self.first_limits() {
            sandbox.expect(agents, limits);
        }
    }

    /// The limits of the first run: what a cell is opened with.
    fn first_limits(&self) -> Option<&Limits> {
        self.legs.iter().flatten().map(|leg| &leg.limits).next()
    }
}

impl<'a> Leg<'a> {
    fn new(task: &'a Task, stage: &Stage, grader: &str) -> Self {
        let limits = task.limits(&stage.limits);
        let bounds = serde_json::json!(limits).to_string();
        let digest = digest::hex([task.digest().as_bytes(), bounds.as_bytes(), grader.as_bytes()]);
        Self { task, limits, digest }
    }

    fn key(&self, agent: &str) -> String {
        digest::hex([agent.as_bytes(), self.digest.as_bytes()])
    }

    fn run(&self, stage: &Stage, key: String, outcome: Outcome) -> Run {
        Run { key, stage: stage.name.clone(), task: self.task.id.clone(), outcome }
    }
}

/// How far an evaluation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All is judged, or can't be by our fault.
    Complete,
    /// We were asked to stop; the report holds what was finished.
    Stopped,
}

/// Evaluates an agent, given its source, on what its report does not hold yet.
#[instrument(name = "agent", skip_all, fields(miner = %report.miner))]
pub fn evaluate(
    source: Vec<u8>,
    mut report: Report,
    course: &Course<'_>,
    sandbox: &dyn Sandbox,
    events: &Events,
) -> (Report, End) {
    let Some(limits) = course.first_limits() else {
        return (report, End::Complete);
    };
    let known = std::mem::take(&mut report.runs);
    report.syntax = None;
    let mut cell = match sandbox.open(source, limits) {
        Ok(Opened::Ready(cell)) => Ok(cell),
        Ok(Opened::Refused(refusal)) => {
            let key = course.syntax_key(&report.sha256);
            report.syntax = Some(SyntaxError { key, line: refusal.line, message: refusal.message });
            return (report, End::Complete);
        }
        Err(Fault::Stopped) => {
            report.runs = known;
            return (report, End::Stopped);
        }
        Err(fault) => Err(fault),
    };
    let end = run_stages(&mut report, known, course, &mut cell, events);
    (report, end)
}

/// Goes through the stages as far as the agent gets. What is known and not reached stays known when it is stopped.
fn run_stages(
    report: &mut Report,
    known: Vec<Run>,
    course: &Course<'_>,
    cell: &mut Result<Box<dyn Cell + '_>, Fault>,
    events: &Events,
) -> End {
    let mut known: HashMap<String, Run> = known.into_iter().map(|run| (run.key.clone(), run)).collect();
    let mut marks = Vec::new();
    for (part, legs) in course.parts() {
        announce(cell, legs, &report.sha256, &known);
        for leg in legs {
            let key = leg.key(&report.sha256);
            let outcome = match known.remove(&key) {
                Some(Run { outcome: outcome @ Outcome::Scored(_), .. }) => outcome,
                _ => {
                    let (miner, task) = (report.miner.clone(), leg.task.id.clone());
                    events.send(Event::Runs { miner, task });
                    match run(cell, leg) {
                        Ok(outcome) => outcome,
                        Err(end) => {
                            let mut rest: Vec<Run> = known.into_values().collect();
                            rest.sort_by(|a, b| (&a.stage, &a.task).cmp(&(&b.stage, &b.task)));
                            report.runs.append(&mut rest);
                            return end;
                        }
                    }
                }
            };
            events.send(Event::Ran {
                miner: report.miner.clone(),
                task: leg.task.id.clone(),
                verdict: outcome.verdict(),
            });
            marks.push(Mark::of(&outcome));
            report.runs.push(leg.run(part.stage, key, outcome));
        }
        if !score::passes(part, &marks) {
            break;
        }
    }
    End::Complete
}

/// Tells the cell which of the runs it will be asked for.
fn announce(
    cell: &mut Result<Box<dyn Cell + '_>, Fault>,
    legs: &[Leg<'_>],
    agent: &str,
    known: &HashMap<String, Run>,
) {
    let is_known =
        |leg: &&Leg<'_>| matches!(known.get(&leg.key(agent)), Some(Run { outcome: Outcome::Scored(_), .. }));
    if let Ok(cell) = cell {
        let due = legs.iter().filter(|leg| !is_known(leg)).map(|leg| (leg.task, &leg.limits));
        cell.expect(&due.collect::<Vec<_>>());
    }
}

/// One run; only being stopped keeps it from having an outcome.
fn run(cell: &mut Result<Box<dyn Cell + '_>, Fault>, leg: &Leg<'_>) -> Result<Outcome, End> {
    let began = Instant::now();
    let result = match cell {
        Ok(cell) => cell.run(leg.task, &leg.limits),
        Err(fault) => Err(fault.clone()),
    };
    let (task, took_ms) = (&leg.task.id, began.elapsed().as_millis() as u64);
    match &result {
        Ok(scored) => debug!(task, took_ms, verdict = ?scored.verdict, score = scored.score, "run judged"),
        Err(fault) => warn!(task, took_ms, ?fault, "run not judged"),
    }
    match result {
        Ok(scored) => Ok(Outcome::Scored(scored)),
        Err(Fault::Stopped) => Err(End::Stopped),
        Err(Fault::Engine(reason)) => Ok(Outcome::Unscored { unscored: reason }),
    }
}
