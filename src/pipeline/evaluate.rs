//! Agent x task -> outcome; skips what a report already holds.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tracing::{debug, instrument, warn};

use crate::gateway::Gateway;
use crate::model::claims::{Claims, Collected};
use crate::model::report::{Outcome, Report, Run, Scored, SyntaxError};
use crate::model::samples;
use crate::pipeline::plan::Part;
use crate::pipeline::report_summary::RunResult;
use crate::pipeline::run_keys::{EvaluationPlan, PlannedRun};
use crate::pipeline::score;
use crate::pipeline::score::early_stop::{self, Reach};
use crate::sandbox::{Cell, Fault, Opened, Sandbox};
use crate::ui::{Event, Events};
use crate::util::panics::caught;

/// How far an evaluation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All is judged, or can't be by our fault.
    Complete,
    /// We were asked to stop; the report holds what was finished.
    Stopped,
}

/// An agent's evaluation, as far as it came.
#[derive(Debug)]
pub struct Evaluation {
    /// All that is known of the agent now.
    pub report: Report,
    /// Its answers in the runs that were made, where they are kept.
    pub claims: Vec<Claims>,
    /// How far it came.
    pub end: End,
}

/// Place where an agent is evaluated, and the ways out of it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The place where it runs.
    pub sandbox: &'a dyn Sandbox,
    /// The way to models.
    pub gateway: Option<&'a Gateway>,
    /// The way to the person at the terminal.
    pub events: &'a Events,
    /// Keeps what has been come to so far, for the next start if this one is killed: the report, and the answers of runs that were made.
    pub keep: &'a dyn Fn(&Report, &[Claims]),
}

/// So often that is kept, at most.
const KEEP_EVERY: Duration = Duration::from_secs(2);

/// Evaluates an agent, given its source, on what its report does not hold yet.
#[instrument(name = "agent", skip_all, fields(miner = %report.miner))]
pub fn evaluate(
    source: Vec<u8>,
    mut report: Report,
    plan: &EvaluationPlan<'_>,
    surroundings: Surroundings<'_>,
) -> Evaluation {
    let mut claims = Collected::default();
    let end = complete(source, &mut report, &mut claims, plan, surroundings);
    report.spreads = samples::spreads(&report.runs);
    Evaluation { report, claims: claims.all(), end }
}

fn complete(
    source: Vec<u8>,
    report: &mut Report,
    claims: &mut Collected,
    plan: &EvaluationPlan<'_>,
    surroundings: Surroundings<'_>,
) -> End {
    let Surroundings { sandbox, .. } = surroundings;
    let Some(limits) = plan.first_limits() else {
        return End::Complete;
    };
    let known = std::mem::take(&mut report.runs);
    report.syntax = None;
    report.stopped_early = None;
    let opened = caught(|| sandbox.open(source, limits)).unwrap_or_else(|bug| Err(Fault::Engine(bug)));
    let mut cell = match opened {
        Ok(Opened::Ready(cell)) => Ok(cell),
        Ok(Opened::Refused(refusal)) => {
            let key = plan.syntax_key(&report.sha256);
            report.syntax = Some(SyntaxError { key, line: refusal.line, message: refusal.message });
            return End::Complete;
        }
        Err(Fault::Stopped) => {
            report.runs = known;
            return End::Stopped;
        }
        Err(fault) => Err(fault),
    };
    let known = known.into_iter().map(|run| (run.key.clone(), run)).collect();
    let kept = Instant::now();
    let ongoing =
        Ongoing { report, claims, cell: &mut cell, surroundings, known, settled: HashMap::new(), kept };
    ongoing.go_through(plan)
}

/// An agent's evaluation while it goes on.
struct Ongoing<'a, 'c> {
    report: &'a mut Report,
    claims: &'a mut Collected,
    cell: &'a mut Result<Box<dyn Cell + 'c>, Fault>,
    surroundings: Surroundings<'a>,
    /// Runs of an earlier time that nobody has come to yet, by their keys.
    known: HashMap<String, Run>,
    /// Places in the report of the runs that were come to, by their keys: tasks of the same content have the same, and so one run.
    settled: HashMap<String, usize>,
    /// When it was kept last.
    kept: Instant,
}

impl Ongoing<'_, '_> {
    /// Goes through the stages as far as the agent gets.
    fn go_through(mut self, plan: &EvaluationPlan<'_>) -> End {
        let mut results = Vec::new();
        for (part, runs) in plan.parts() {
            if let Err(end) = self.stage(part, runs, &mut results) {
                self.keep_all();
                return end;
            }
            if !score::passes(part, &results) {
                break;
            }
        }
        self.report.stopped_early = early_stop::of(&results, &plan.stages);
        End::Complete
    }

    /// Goes through a stage, sample by sample: each has cells of its own.
    fn stage(
        &mut self,
        part: &Part<'_>,
        runs: &[PlannedRun<'_>],
        results: &mut Vec<RunResult>,
    ) -> Result<(), End> {
        let (mut announced, mut reach) = (None, Reach::new(part));
        for planned in runs {
            if reach.is_lost() {
                results.push(RunResult::Stopped);
                continue;
            }
            if announced.replace(planned.sample) != Some(planned.sample) {
                announce(self.cell, of_sample(runs, planned.sample), &self.report.sha256, &self.known);
            }
            results.push(reach.count(self.come_to(planned, part)?));
        }
        Ok(())
    }

    /// Comes to a run: it is known, or left out for now, or made.
    fn come_to(&mut self, planned: &PlannedRun<'_>, part: &Part<'_>) -> Result<RunResult, End> {
        let key = planned.key(&self.report.sha256);
        let same = self.settled.get(&key).map(|at| self.report.runs[*at].clone());
        let outcome = match same.or_else(|| self.known.remove(&key)) {
            Some(Run { outcome, .. }) if outcome.is_settled() => outcome,
            unsettled if !planned.in_scope => return Ok(self.leave_out(unsettled, planned, part)),
            _ => self.make(planned, &key)?,
        };
        self.surroundings.events.send(Event::Ran {
            miner: self.report.miner.clone(),
            task: planned.task.id.clone(),
            verdict: outcome.verdict(),
        });
        let result = RunResult::of(&outcome);
        if outcome.is_settled() {
            self.settled.insert(key.clone(), self.report.runs.len());
        }
        self.report.runs.push(planned.run(part.stage, key, outcome));
        if self.kept.elapsed() >= KEEP_EVERY {
            self.keep_so_far();
        }
        Ok(result)
    }

    fn keep_so_far(&mut self) {
        let mut so_far = self.report.clone();
        so_far.runs.extend(in_order(self.known.values().cloned()));
        so_far.spreads = samples::spreads(&so_far.runs);
        (self.surroundings.keep)(&so_far, self.claims.so_far());
        self.kept = Instant::now();
    }

    /// Leaves a run as it was.
    fn leave_out(&mut self, unsettled: Option<Run>, planned: &PlannedRun<'_>, part: &Part<'_>) -> RunResult {
        let kept = unsettled.or_else(|| take(&mut self.known, planned.place(part.stage)));
        let result = kept.as_ref().map_or(RunResult::Missing, |run| RunResult::of(&run.outcome));
        self.report.runs.extend(kept);
        result
    }

    fn make(&mut self, planned: &PlannedRun<'_>, key: &str) -> Result<Outcome, End> {
        let Surroundings { gateway, events, .. } = self.surroundings;
        events.send(Event::Runs { miner: self.report.miner.clone(), task: planned.task.id.clone() });
        let outcome = run(self.cell, planned, key, gateway)?;
        claimed(self.cell, key, &outcome).into_iter().for_each(|one| self.claims.add(one));
        Ok(outcome)
    }

    /// Keeps all runs that are known and were not come to.
    fn keep_all(self) {
        self.report.runs.extend(in_order(self.known.into_values()));
    }
}

fn in_order(runs: impl Iterator<Item = Run>) -> Vec<Run> {
    let mut runs: Vec<Run> = runs.collect();
    runs.sort_by(|a, b| place(a).cmp(&place(b)));
    runs
}

/// Takes out the run at a place in the report, whatever its key.
fn take(known: &mut HashMap<String, Run>, wanted: (&str, &str, u32)) -> Option<Run> {
    let key = known.values().find(|run| place(run) == wanted)?.key.clone();
    known.remove(&key)
}

fn place(run: &Run) -> (&str, &str, u32) {
    (&run.stage, &run.task, run.sample)
}

/// A sample's runs of a stage.
fn of_sample<'a, 'b>(runs: &'b [PlannedRun<'a>], sample: u32) -> impl Iterator<Item = &'b PlannedRun<'a>> {
    runs.iter().filter(move |planned| planned.sample == sample)
}

/// Answers of the agent in its last run, if that was judged.
fn claimed(cell: &mut Result<Box<dyn Cell + '_>, Fault>, key: &str, outcome: &Outcome) -> Option<Claims> {
    let exchanges = cell.as_mut().ok()?.exchanges()?;
    matches!(outcome, Outcome::Scored(_)).then(|| Claims { key: key.to_owned(), exchanges })
}

/// Tells the cell which of a sample's runs it will be asked for. No cell is left for a sample that has none.
fn announce<'a>(
    cell: &mut Result<Box<dyn Cell + '_>, Fault>,
    runs: impl Iterator<Item = &'a PlannedRun<'a>>,
    agent: &str,
    known: &HashMap<String, Run>,
) {
    let is_known = |planned: &&PlannedRun<'_>| {
        known.get(&planned.key(agent)).is_some_and(|run| run.outcome.is_settled())
    };
    let mut keys = HashSet::new();
    let due = runs.filter(|planned| planned.in_scope && !is_known(planned));
    let due: Vec<&PlannedRun<'_>> = due.filter(|planned| keys.insert(planned.key(agent))).collect();
    if let (Ok(open), Some(first)) = (&mut *cell, due.first()) {
        let expected: Vec<_> = due.iter().map(|planned| (planned.task, &planned.limits)).collect();
        let told = caught(|| {
            open.reseed(first.seed());
            open.expect(&expected);
        });
        if let Err(bug) = told {
            *cell = Err(Fault::Engine(bug));
        }
    }
}

/// Makes the run with this key, in which agent and tests may ask the models that they are granted.
///
/// # Errors
/// Nothing could be judged; [`Fault::Provider`] if there is no way to a model.
pub fn make(
    cell: &mut dyn Cell,
    planned: &PlannedRun<'_>,
    key: &str,
    gateway: Option<&Gateway>,
) -> Result<Scored, Fault> {
    let access = planned.grant.zip(gateway).map(|(grant, gateway)| gateway.access(key, grant));
    let judge_model =
        planned.judge_model.zip(gateway).map(|(grant, gateway)| gateway.judge_model(key, grant));
    let access = access.transpose().map_err(Fault::Provider)?;
    let judge_model = judge_model.transpose().map_err(Fault::Provider)?;
    access.into_iter().for_each(|access| cell.grant(access));
    judge_model.into_iter().for_each(|model| cell.set_judge_model(model));
    cell.run(planned.task, &planned.limits)
}

/// One run; only being stopped keeps it from having an outcome.
fn run(
    cell: &mut Result<Box<dyn Cell + '_>, Fault>,
    planned: &PlannedRun<'_>,
    key: &str,
    gateway: Option<&Gateway>,
) -> Result<Outcome, End> {
    let began = Instant::now();
    let result = match cell {
        Ok(open) => caught(|| make(&mut **open, planned, key, gateway)).unwrap_or_else(|bug| {
            // Nobody knows what state the cell is in: nothing more is run in it.
            let fault = Fault::Engine(bug);
            *cell = Err(fault.clone());
            Err(fault)
        }),
        Err(fault) => Err(fault.clone()),
    };
    let (task, took_ms) = (&planned.task.id, began.elapsed().as_millis() as u64);
    match &result {
        Ok(scored) => debug!(task, took_ms, verdict = ?scored.verdict, score = scored.score, "run judged"),
        Err(fault) => warn!(task, took_ms, ?fault, "run not judged"),
    }
    match result {
        Ok(scored) => Ok(Outcome::Scored(scored)),
        Err(Fault::Stopped) => Err(End::Stopped),
        Err(Fault::Task(reason)) => Ok(Outcome::TaskFault { task_fault: reason }),
        Err(Fault::Engine(reason) | Fault::Provider(reason)) => Ok(Outcome::Unscored { unscored: reason }),
    }
}
