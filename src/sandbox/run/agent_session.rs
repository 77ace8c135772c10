//! An agent and the cell it is in: its runs, ahead of time where it is known what they ask, else call by call.

use std::collections::VecDeque;
use std::sync::Arc;

use tracing::debug;

use crate::config::{CellPer, Limits};
use crate::gateway::{Access, JudgeModel};
use crate::model::claims::Exchange;
use crate::model::report::Scored;
use crate::sandbox::run::cell::LiveCell;
use crate::sandbox::run::cell::batch::Played;
use crate::sandbox::run::cell_messages::{Answers, Briefing};
use crate::sandbox::run::host::Host;
use crate::sandbox::run::interactive::{self, Broken};
use crate::sandbox::run::judge_prompts::JudgePrompts;
use crate::sandbox::run::replay::{self, CallPlan, ROOM, Replayed};
use crate::sandbox::run::respondent::InCell;
use crate::sandbox::run::score_sheet::{self, ScoreSheet, Standing};
use crate::sandbox::{Cell, Fault, Refusal, same_cell};
use crate::task::Task;

/// How many runs are made ahead at most: who watches the progress sees so many at once.
const AHEAD: usize = 32;

/// A spent or lost cell is replaced before the next run.
pub struct AgentSession<'a> {
    host: &'a Host,
    source: Vec<u8>,
    limits: Limits,
    /// The seed that chance begins with.
    seed: u32,
    cell: Option<LiveCell>,
    /// True if the cell was asked something hidden.
    asked_hidden: bool,
    /// Runs that will be asked for.
    upcoming: VecDeque<Upcoming>,
    /// Runs that were made and are not judged yet: the task's digest, and what the agent answered.
    made: VecDeque<(String, Answers)>,
    /// The way to a model for the next run.
    access: Option<Access>,
    /// The way to a model for the tests of the next run.
    judge_model: Option<JudgeModel>,
    /// Questions and answers of the last run, if they are kept.
    exchanges: Option<Vec<Exchange>>,
    /// Results of the run that is under way which stand, however often it is made.
    standing: Standing,
}

struct Upcoming {
    key: String,
    briefing: Briefing,
    limits: Limits,
    /// Digest of the task's files.
    folder: Option<String>,
    tests: Tests,
    /// It was made ahead, in vain.
    prefetch_failed: bool,
}

/// Kinds of tests that a task has.
#[derive(Clone, Copy)]
struct Tests {
    public: bool,
    hidden: bool,
}

impl Tests {
    fn of(task: &Task) -> Self {
        let is_public = |test: &crate::task::Test| test.public;
        Self { public: task.tests.iter().any(is_public), hidden: !task.tests.iter().all(is_public) }
    }
}

impl<'a> AgentSession<'a> {
    /// An agent in a cell that was started with these limits.
    pub fn new(host: &'a Host, source: Vec<u8>, limits: &Limits, cell: LiveCell) -> Self {
        let (upcoming, made) = (VecDeque::new(), VecDeque::new());
        let (cell, access, judge_model, exchanges) = (Some(cell), None, None, None);
        let (asked_hidden, standing) = (false, Standing::default());
        Self {
            host,
            source,
            limits: *limits,
            seed: 0,
            cell,
            asked_hidden,
            upcoming,
            made,
            access,
            judge_model,
            exchanges,
            standing,
        }
    }

    /// A fit cell with the task's files and these limits, or why Python does not compile the source within them.
    fn cell(&mut self, task: &Task, limits: &Limits) -> Result<Result<LiveCell, Refusal>, Fault> {
        let (folder, same) = (task.files.as_deref(), same_cell(&self.limits, limits));
        let tests = Tests::of(task);
        let may_tell = self.may_tell(self.asked_hidden, tests);
        let mut cell = match self.cell.take() {
            Some(cell) if same && !may_tell && cell.is_fit() && cell.suits(folder) => cell,
            other => {
                other.into_iter().for_each(|cell| self.host.end(cell));
                (self.limits, self.asked_hidden) = (*limits, false);
                match self.host.start_cell(&self.source, limits, self.seed)? {
                    Ok(cell) => cell,
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
        };
        self.asked_hidden |= tests.hidden;
        match cell.place(folder) {
            Ok(()) => Ok(Ok(cell)),
            Err(fault) => {
                self.host.end(cell);
                self.check_surroundings(true)?;
                Err(fault)
            }
        }
    }

    /// True if miners would see, by messages of public tests, what an agent was asked before in the same cell and remembers
    /// by what a cell counts, as the inodes of its files.
    fn may_tell(&self, asked_hidden: bool, tests: Tests) -> bool {
        self.host.public_apart && asked_hidden && tests.public
    }

    /// Keeps a cell for the next run, or ends it if that needs another one.
    fn keep(&mut self, cell: LiveCell) {
        if cell.is_fit() && self.host.cell_per == CellPer::Agent {
            self.cell = Some(cell);
        } else {
            self.host.end(cell);
        }
    }

    /// Fails if `stop` was called or the engine is away: neither must be taken for the agent's doing.
    fn check_surroundings(&self, unresponsive: bool) -> Result<(), Fault> {
        self.host.launcher.check_running()?;
        if unresponsive { self.host.launcher.engine().is_there() } else { Ok(()) }
    }

    // -- by plan --

    /// A run by what is known to be asked; None if that is not known, or not what is asked of this agent. Then the next attempt
    /// is made in another cell, where no trace of this one is left; only what was judged stands.
    fn by_plan(&mut self, key: &str, task: &Task, limits: &Limits) -> Result<Option<Scored>, Fault> {
        let Some(plan) = self.host.judges.call_plan(key) else {
            self.take_upcoming(key); // it must not stand before those that can be made ahead
            return Ok(None);
        };
        if !self.make(key, task, limits, &plan)? {
            return Ok(None);
        }
        let (_, answers) = self.made.front().expect("it was just made");
        let mut sheet = ScoreSheet::new(task, &self.standing);
        let is_scored = match plan.recall(&mut sheet, answers) {
            Some(()) => {
                plan.count(true);
                true
            }
            None => self.judge(task, &plan, answers, &mut sheet)?,
        };
        let (_, answers) = self.made.pop_front().expect("it was just made");
        if is_scored {
            self.exchanges = plan.exchanges(&answers).filter(|_| !sheet.standing().is_contradicted());
            return Ok(Some(sheet.add_up(answers.usage, answers.stderr)));
        }
        self.standing.clone_from(sheet.standing());
        self.leave_cell();
        Ok(None)
    }

    /// Judges these answers; false if the judge asks something else.
    fn judge(
        &self,
        task: &Task,
        plan: &CallPlan,
        answers: &Answers,
        sheet: &mut ScoreSheet<'_>,
    ) -> Result<bool, Fault> {
        let mut judge = self.host.judges.for_task(task)?;
        let replayed = replay::judge(&mut judge, task, plan, answers, sheet);
        // What an agent did to its run, or its answers to a judge, says nothing of the plan.
        match replayed {
            Replayed::Scored => plan.count(true),
            Replayed::Differs => plan.count(false),
            Replayed::EndedInVain | Replayed::Died | Replayed::JudgeStuck => {}
        }
        if replayed == Replayed::JudgeStuck {
            self.host.judges.discard(judge);
        } else {
            self.host.judges.give_back(judge);
        }
        Ok(replayed == Replayed::Scored)
    }

    /// Sees to it that the run is the first of those that were made; with it, runs that are expected after it are made.
    /// False if it can't be made this way.
    fn make(&mut self, key: &str, task: &Task, limits: &Limits, plan: &Arc<CallPlan>) -> Result<bool, Fault> {
        if self.made.front().is_some_and(|(made, _)| made == key) {
            return Ok(true);
        }
        if !self.made.is_empty() {
            self.made.clear();
            self.leave_cell(); // what was made in vain will be made again
        }
        if self.take_upcoming(key).is_some_and(|next| next.prefetch_failed) {
            return Ok(false);
        }
        let Ok(mut cell) = self.cell(task, limits)? else { return Ok(false) };
        let ahead = self.plans_ahead(task, plan.size());
        let briefing = Briefing::of(task);
        let mut runs = vec![plan.run(&briefing, limits)];
        let known = self.upcoming.iter().zip(&ahead);
        runs.extend(known.map(|(next, plan)| plan.run(&next.briefing, &next.limits)));
        let deaths = self.host.launcher.death_log(cell.container());
        let played = deaths.and_then(|deaths| cell.play(&runs, ROOM, &deaths));
        drop(runs);
        self.asked_hidden |= self.upcoming.iter().take(ahead.len()).any(|next| next.tests.hidden);
        match (played, self.check_surroundings(cell.is_lost())) {
            (Ok(played), Ok(())) => {
                self.keep(cell);
                Ok(self.take_in(key, played, &ahead))
            }
            (Err(fault), Ok(())) | (_, Err(fault)) => {
                self.host.end(cell);
                Err(fault)
            }
        }
    }

    /// The run's place among those that are expected, if it is the next of them.
    fn take_upcoming(&mut self, key: &str) -> Option<Upcoming> {
        let is_next = self.upcoming.front().is_some_and(|next| next.key == key);
        is_next.then(|| self.upcoming.pop_front()).flatten()
    }

    /// Ends the cell: what follows must not find what has happened there.
    fn leave_cell(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.host.end(cell);
        }
    }

    /// The plans of the runs that can be made with one on this task, which asks so many bytes.
    fn plans_ahead(&self, task: &Task, mut size: usize) -> Vec<Arc<CallPlan>> {
        if self.host.cell_per == CellPer::Task {
            return Vec::new();
        }
        let folder = folder(task);
        let mut asked_hidden = self.asked_hidden;
        let fits = |next: &&Upcoming| {
            let may_tell = self.may_tell(asked_hidden, next.tests);
            asked_hidden |= next.tests.hidden;
            !may_tell
                && !next.prefetch_failed
                && same_cell(&self.limits, &next.limits)
                && next.folder == folder
        };
        let upcoming = self.upcoming.iter().take(AHEAD).take_while(fits);
        let plans = upcoming.map_while(|next| self.host.judges.call_plan(&next.key));
        let has_room = |plan: &Arc<CallPlan>| {
            size += plan.size();
            size <= ROOM
        };
        plans.take_while(has_room).collect()
    }

    /// Puts away what was made; tells whether the first run was.
    fn take_in(&mut self, key: &str, played: Played, ahead: &[Arc<CallPlan>]) -> bool {
        let Played { answers, broke_off } = played;
        let mut answers = answers.into_iter();
        let first = answers.next();
        let is_made = first.is_some();
        self.made.extend(first.map(|answers| (key.to_owned(), answers)));
        for answers in answers {
            let next = self.upcoming.pop_front().expect("it was made because it is expected");
            self.made.push_back((next.key, answers));
        }
        if let Some(next) = self.upcoming.front_mut().filter(|_| broke_off && is_made) {
            next.prefetch_failed = true;
            ahead.get(self.made.len() - 1).inspect(|plan| plan.count(false));
        }
        debug!(key, made = self.made.len(), broke_off, "runs made by plan");
        is_made
    }

    // -- call by call --

    /// One attempt; a cell or judge that may have broken is not used again.
    fn attempt(&mut self, task: &Task, limits: &Limits) -> Result<Result<Scored, Broken>, Fault> {
        let host = self.host;
        let mut judge = host.judges.for_task(task)?;
        let mut cell = match self.cell(task, limits) {
            Ok(Ok(cell)) => cell,
            refused => {
                self.host.judges.give_back(judge);
                // It compiled before, within other limits: that it does not now is its own doing.
                return refused
                    .map(|it| Ok(score_sheet::refused(task, &it.expect_err("the other case is above"))));
            }
        };
        let prompts = JudgePrompts::begin(self.judge_model.as_ref(), &host.launcher);
        let deaths = self.host.launcher.death_log(cell.container());
        let deaths = deaths.and_then(|deaths| cell.grant(self.access.as_ref(), limits).map(|()| deaths));
        let outcome = match deaths.and_then(|deaths| Ok((deaths, prompts?))) {
            Ok((deaths, prompts)) => {
                let mut agent = InCell::begin(&mut cell, &deaths, task, limits);
                let standing = &mut self.standing;
                let outcome = interactive::run(&mut agent, &mut judge, task, &prompts, &deaths, standing);
                // What a model was asked about can't be judged anew without it.
                let is_whole = self.judge_model.is_none() && !self.standing.is_contradicted();
                self.exchanges = agent.exchanges().filter(|_| is_whole);
                outcome
            }
            Err(fault) => Err(Broken::Engine(fault)),
        };
        let unresponsive = cell.is_lost(); // an engine that hangs looks like that, too
        if outcome.is_ok() {
            self.keep(cell);
            self.host.judges.give_back(judge);
        } else {
            self.host.end(cell);
            self.host.judges.discard(judge);
        }
        self.check_surroundings(unresponsive)?;
        Ok(outcome)
    }

    fn by_calls(&mut self, task: &Task, limits: &Limits, broken_before: &mut bool) -> Result<Scored, Fault> {
        let outcome = self.attempt(task, limits)?;
        if let Err(broken) = &outcome {
            debug!(broken = ?broken.to_string(), task = task.id, "the run broke off");
        }
        match outcome {
            Ok(scored) => Ok(scored),
            Err(Broken::JudgeLate(scored)) => self.host.launcher.engine().is_there().map(|()| *scored),
            // Once may be the engine's fault; twice over the same values, with the engine there, is the agent's.
            Err(Broken::JudgeGone(scored)) if std::mem::replace(broken_before, true) => {
                self.host.launcher.engine().is_there().map(|()| *scored)
            }
            Err(Broken::Task(fault)) => {
                self.host.judges.note_fault(&task.digest(), fault.clone());
                Err(Fault::Task(fault))
            }
            Err(Broken::Engine(fault)) => Err(fault),
            Err(broken) => Err(Fault::Engine(broken.to_string())),
        }
    }
}

impl Cell for AgentSession<'_> {
    fn expect(&mut self, runs: &[(&Task, &Limits)]) {
        let upcoming = runs.iter().map(|(task, limits)| Upcoming {
            key: task.digest(),
            briefing: Briefing::of(task),
            limits: **limits,
            folder: folder(task),
            tests: Tests::of(task),
            prefetch_failed: false,
        });
        self.upcoming = upcoming.collect();
        self.made.clear();
    }

    fn reseed(&mut self, seed: u32) {
        if seed != self.seed {
            self.leave_cell();
            self.upcoming.clear();
            self.made.clear();
            self.seed = seed;
        }
    }

    fn grant(&mut self, access: Access) {
        self.access = Some(access);
    }

    fn set_judge_model(&mut self, model: JudgeModel) {
        self.judge_model = Some(model);
    }

    fn exchanges(&mut self) -> Option<Vec<Exchange>> {
        self.exchanges.take()
    }

    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault> {
        let (host, key) = (self.host, task.digest());
        (self.exchanges, self.standing) = (None, Standing::default());
        let mut broken_before = false;
        // Who may ask a model is asked call by call: an answer that was thrown away would have been paid for.
        let is_granted = self.access.is_some();
        let scored = host.launcher.retry(|| {
            let by_plan = if is_granted { None } else { self.by_plan(&key, task, limits)? };
            by_plan.map_or_else(|| self.by_calls(task, limits, &mut broken_before), Ok)
        });
        let scored = with_judge_model(scored, self.judge_model.take());
        let Some(access) = self.access.take() else { return scored };
        // What is run next in this cell has no such access.
        self.cell.as_mut().map_or(Ok(()), |cell| cell.grant(None, limits))?;
        with_use(scored, &access)
    }
}

/// Digest of the files that the task's agents find.
fn folder(task: &Task) -> Option<String> {
    task.files.as_ref().map(|folder| folder.sha256.clone())
}

/// The run with what it asked of a model, for which what is still open is waited for; unscored if the provider failed.
fn with_use(scored: Result<Scored, Fault>, access: &Access) -> Result<Scored, Fault> {
    if scored == Err(Fault::Stopped) {
        return scored;
    }
    let (used, fault) = access.finish();
    let mut scored = scored?;
    scored.usage.model = Some(used);
    fault.map_or(Ok(scored), |reason| Err(Fault::Provider(reason)))
}

/// The run with what its tests asked of a model.
fn with_judge_model(mut scored: Result<Scored, Fault>, model: Option<JudgeModel>) -> Result<Scored, Fault> {
    if let (Ok(scored), Some(model)) = (&mut scored, model) {
        scored.usage.judge_model = Some(model.used());
    }
    scored
}

impl Drop for AgentSession<'_> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.host.end(cell);
        }
    }
}
