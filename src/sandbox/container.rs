//! The real sandbox: agents in cells, assertions in judges, both containers of Docker or Podman.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::debug;

use super::cell::Cell;
use super::dialogue::{self, Broken};
use super::engine::{Engine, Role};
use super::judge::{self, Judge};
use super::launcher::{Launcher, lock};
use super::nursery::Nursery;
use super::replay::{self, Replayed, Script};
use super::{Fault, Opened, Refusal, Sandbox, same_cell};
use crate::config::{self, CellPer, Limits};
use crate::report::Scored;
use crate::task::Task;
use crate::ui::Events;
use crate::yaml::Problem;

/// How long a judge may take to learn a task.
const LEARN: Duration = Duration::from_secs(30);

/// Cells and judges as containers of an engine.
#[derive(Debug)]
pub struct Containers {
    cell_per: CellPer,
    nursery: Nursery,
    judges: Mutex<Vec<Judge>>,
    scripts: Mutex<HashMap<String, Arc<Script>>>,
    launcher: Arc<Launcher>,
}

impl Containers {
    /// A sandbox that has asked nothing of the engine yet; for so many agents at the same time.
    pub fn new(sandbox: &config::Sandbox, parallel: usize, results: &Path, events: Events) -> Self {
        let launcher = Arc::new(Launcher::new(sandbox, results, events));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cell_per: sandbox.cell_per,
            nursery: Nursery::new(Arc::clone(&launcher), parallel.min(cores), parallel),
            judges: Mutex::new(Vec::new()),
            scripts: Mutex::new(HashMap::new()),
            launcher,
        }
    }

    /// The engine that it uses.
    pub fn engine(&self) -> &Engine {
        self.launcher.engine()
    }

    fn judge(&self) -> Result<Judge, Fault> {
        while let Some(mut judge) = self.waiting_judge() {
            if judge.is_idle() {
                return Ok(judge);
            }
            self.launcher.end(judge.into_started());
        }
        Ok(Judge::new(self.launcher.start(Role::Judge, judge::PROGRAM)?))
    }

    fn waiting_judge(&self) -> Option<Judge> {
        lock(&self.judges).pop()
    }

    /// A judge that knows the task.
    fn judge_for(&self, task: &Task) -> Result<Judge, Fault> {
        let mut judge = self.judge()?;
        if !judge.knows(task)
            && let Err(fault) = judge.learn(task, Instant::now() + LEARN)
        {
            self.launcher.end(judge.into_started());
            return Err(fault);
        }
        Ok(judge)
    }

    /// One run: by what was asked of other agents if that is known, else call by call.
    fn converse(
        &self,
        pair: (&mut Cell, &mut Judge),
        task: &Task,
        limits: &Limits,
        replay: bool,
    ) -> Result<Scored, Broken> {
        let (cell, judge) = pair;
        let key = task.digest();
        let known = lock(&self.scripts).get(&key).cloned();
        if let Some(script) = known.as_ref().filter(|script| replay && script.is_useful()) {
            match replay::run(cell, judge, task, limits, script) {
                Replayed::Scored(scored) => return Ok(scored),
                Replayed::Differs if cell.is_fit() => {}
                Replayed::Differs => return Err(Broken::ReplaySpentCell),
                Replayed::JudgeStuck => return Err(Broken::ReplayStuck),
            }
        }
        let mut script = Script::default();
        let record = self.launcher.record(cell.started()).map_err(Broken::Engine)?;
        let scored = dialogue::run(cell, judge, task, limits, &record, &mut script)?;
        let took = Duration::from_millis(scored.usage.wall_ms);
        if let (None, Some(script)) = (known, script.close(took)) {
            lock(&self.scripts).insert(key, Arc::new(script));
        }
        Ok(scored)
    }

    /// Lets a cell end. Only one that is clean leaves its network to others.
    fn end(&self, cell: Cell) {
        if cell.is_fit() {
            self.launcher.end(cell.into_started());
        } else {
            self.launcher.end_with_network(cell.into_started());
        }
    }

    fn start_cell(&self, source: &[u8], limits: &Limits) -> Result<Result<Cell, Refusal>, Fault> {
        let mut cell = Cell::new(self.nursery.take(limits)?);
        let record = self.launcher.record(cell.started())?;
        match cell.load(source, &record) {
            Ok(None) => Ok(Ok(cell)),
            other => {
                self.end(cell);
                self.launcher.check_running()?;
                other.map(|refusal| Err(refusal.expect("the other case is above")))
            }
        }
    }
}

impl Sandbox for Containers {
    fn image(&self) -> Result<String, Fault> {
        self.launcher.image()
    }

    fn sweep(&self) {
        self.launcher.sweep();
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        // A carried cell takes a place in a queue, and one that waits here for an agent may keep out the one that an
        // agent waits for.
        if !self.engine().launch().carries() {
            self.nursery.expect(agents, limits);
        }
    }

    fn check(&self, tasks: &[Task]) -> Result<Vec<Problem>, Fault> {
        self.launcher.retry(|| {
            let mut judge = self.judge()?;
            let mut problems = Vec::new();
            for task in tasks {
                match judge.learn(task, Instant::now() + LEARN) {
                    Ok(flaws) => problems.extend(flaws.into_iter().map(|flaw| problem(task, flaw))),
                    Err(fault) => {
                        self.launcher.end(judge.into_started());
                        return Err(fault);
                    }
                }
            }
            lock(&self.judges).push(judge);
            Ok(problems)
        })
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        match self.launcher.retry(|| self.start_cell(&source, limits))? {
            Ok(cell) => {
                Ok(Opened::Ready(Box::new(Tenant { home: self, source, limits: *limits, cell: Some(cell) })))
            }
            Err(refusal) => Ok(Opened::Refused(refusal)),
        }
    }

    fn stop(&self) {
        self.launcher.stop();
        self.nursery.close();
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for judge in std::mem::take(&mut *lock(&self.judges)) {
            self.launcher.end(judge.into_started());
        }
    }
}

/// An agent and the cell it is in; a spent or lost cell is replaced before the next run.
struct Tenant<'a> {
    home: &'a Containers,
    source: Vec<u8>,
    limits: Limits,
    cell: Option<Cell>,
}

impl Tenant<'_> {
    /// A fit cell with these limits, or why Python does not compile the source within them.
    fn cell(&mut self, limits: &Limits) -> Result<Result<Cell, Refusal>, Fault> {
        let same = same_cell(&self.limits, limits);
        match self.cell.take() {
            Some(cell) if same && cell.is_fit() => return Ok(Ok(cell)),
            Some(cell) => self.home.end(cell),
            None => {}
        }
        self.limits = *limits;
        self.home.start_cell(&self.source, limits)
    }

    /// One attempt; a cell or judge that may have broken is not used again.
    fn attempt(
        &mut self,
        task: &Task,
        limits: &Limits,
        replay: bool,
    ) -> Result<Result<Scored, Broken>, Fault> {
        let mut judge = self.home.judge_for(task)?;
        let mut cell = match self.cell(limits) {
            Ok(Ok(cell)) => cell,
            refused => {
                lock(&self.home.judges).push(judge);
                // It compiled before, within other limits: that it does not now is its own doing.
                return refused
                    .map(|it| Ok(dialogue::refused(task, &it.expect_err("the other case is above"))));
            }
        };
        let outcome = self.home.converse((&mut cell, &mut judge), task, limits, replay);
        let unresponsive = cell.is_lost(); // an engine that hangs looks like that, too
        if outcome.is_ok() && cell.is_fit() && self.home.cell_per == CellPer::Agent {
            self.cell = Some(cell);
        } else if outcome.is_ok() {
            self.home.end(cell);
        } else {
            self.home.launcher.end_with_network(cell.into_started());
        }
        match outcome {
            Ok(_) | Err(Broken::ReplaySpentCell) => lock(&self.home.judges).push(judge),
            Err(_) => self.home.launcher.end(judge.into_started()),
        }
        self.home.launcher.check_running()?;
        if unresponsive {
            self.home.engine().is_there()?;
        }
        Ok(outcome)
    }
}

impl super::Cell for Tenant<'_> {
    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault> {
        let home = self.home;
        let (mut replay, mut broken_before) = (true, false);
        home.launcher.retry(|| {
            let mut outcome = self.attempt(task, limits, replay)?;
            if let Err(broken) = &outcome {
                debug!(broken = ?broken.to_string(), task = task.id, "the run broke off");
            }
            if let Err(Broken::ReplaySpentCell | Broken::ReplayStuck) = outcome {
                replay = false;
                outcome = self.attempt(task, limits, replay)?;
            }
            match outcome {
                Ok(scored) => Ok(scored),
                Err(Broken::JudgeLate(scored)) => home.engine().is_there().map(|()| *scored),
                // Once may be the engine's fault; twice over the same values, with the engine there, is the agent's.
                Err(Broken::JudgeGone(scored)) if std::mem::replace(&mut broken_before, true) => {
                    home.engine().is_there().map(|()| *scored)
                }
                Err(Broken::Engine(fault)) => Err(fault),
                Err(broken) => Err(Fault::Engine(broken.to_string())),
            }
        })
    }
}

impl Drop for Tenant<'_> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.home.end(cell);
        }
    }
}

fn problem(task: &Task, flaw: judge::Flaw) -> Problem {
    let field = flaw.test.map_or_else(|| "setup".to_owned(), |test| format!("tests[{test}]"));
    Problem { file: task.path.clone(), line: flaw.line, column: 0, field, message: flaw.message }
}
