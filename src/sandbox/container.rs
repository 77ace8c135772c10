//! The real sandbox: agents in cells, assertions in judges, both containers of Docker or Podman.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::cell::Cell;
use super::engine::{Engine, Role};
use super::judge::{self, Judge};
use super::launcher::{Launcher, lock};
use super::nursery::Nursery;
use super::replay::Script;
use super::tenant::Tenant;
use super::{Fault, Opened, Refusal, Sandbox};
use crate::config::{self, CellPer, Limits};
use crate::task::Task;
use crate::ui::Events;
use crate::yaml::Problem;

/// How long a judge may take to learn a task.
const LEARN: Duration = Duration::from_secs(30);

/// Cells and judges as containers of an engine.
#[derive(Debug)]
pub struct Containers {
    pub(super) cell_per: CellPer,
    nursery: Nursery,
    judges: Mutex<Vec<Judge>>,
    known: Mutex<HashMap<String, Known>>,
    pub(super) launcher: Arc<Launcher>,
}

/// What is known of a task, by its digest.
#[derive(Debug)]
struct Known {
    /// Whether its tests come to the same whenever they are given the same.
    steady: bool,
    /// What they ask.
    script: Option<Arc<Script>>,
}

impl Containers {
    /// A sandbox that has asked nothing of the engine yet; for so many agents at the same time.
    pub fn new(sandbox: &config::Sandbox, parallel: usize, results: &Path, events: Events) -> Self {
        let launcher = Arc::new(Launcher::new(sandbox, results, events));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One more than there are cores: a start waits for the engine in between.
        let starters = parallel.min(cores) + 1;
        Self {
            cell_per: sandbox.cell_per,
            nursery: Nursery::new(Arc::clone(&launcher), starters, parallel + 1),
            judges: Mutex::new(Vec::new()),
            known: Mutex::new(HashMap::new()),
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

    /// Takes a judge back that can be used again.
    pub(super) fn give_back(&self, judge: Judge) {
        lock(&self.judges).push(judge);
    }

    fn waiting_judge(&self) -> Option<Judge> {
        lock(&self.judges).pop()
    }

    /// A judge that knows the task.
    pub(super) fn judge_for(&self, task: &Task) -> Result<Judge, Fault> {
        let mut judge = self.judge()?;
        if !judge.knows(task)
            && let Err(fault) = self.teach(&mut judge, task)
        {
            self.launcher.end(judge.into_started());
            return Err(fault);
        }
        Ok(judge)
    }

    /// Teaches a judge a task, and tells what is wrong with it. The first judge says what is known ahead.
    fn teach(&self, judge: &mut Judge, task: &Task) -> Result<Vec<judge::Flaw>, Fault> {
        let key = task.digest();
        let first = !lock(&self.known).contains_key(&key);
        let lesson = judge.learn(task, first, Instant::now() + LEARN)?;
        if first {
            let script = lesson.foreseen.and_then(|requests| Script::foreseen(requests, lesson.steady));
            let known = Known { steady: lesson.steady, script: script.map(Arc::new) };
            lock(&self.known).insert(key, known);
        }
        Ok(lesson.flaws)
    }

    /// What the task's tests ask, if that is known and worth asking.
    pub(super) fn script(&self, key: &str) -> Option<Arc<Script>> {
        let script = lock(&self.known).get(key)?.script.clone();
        script.filter(|script| script.is_useful())
    }

    /// Keeps what an agent was asked, and took so long over, unless another was before.
    pub(super) fn keep_script(&self, key: &str, script: Script, took: Duration) {
        if let Some(known) = lock(&self.known).get_mut(key)
            && known.script.as_ref().is_none_or(|script| script.is_foreseen())
            && let Some(script) = script.close(took, known.steady)
        {
            known.script = Some(Arc::new(script));
        }
    }

    /// Lets a cell end.
    pub(super) fn end(&self, cell: Cell) {
        self.launcher.end(cell.into_started());
    }

    /// A cell with the source in it, or why Python does not compile it.
    pub(super) fn start_cell(&self, source: &[u8], limits: &Limits) -> Result<Result<Cell, Refusal>, Fault> {
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
                match self.teach(&mut judge, task) {
                    Ok(flaws) => problems.extend(flaws.into_iter().map(|flaw| problem(task, flaw))),
                    Err(fault) => {
                        self.launcher.end(judge.into_started());
                        return Err(fault);
                    }
                }
            }
            self.give_back(judge);
            Ok(problems)
        })
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        match self.launcher.retry(|| self.start_cell(&source, limits))? {
            Ok(cell) => Ok(Opened::Ready(Box::new(Tenant::new(self, source, limits, cell)))),
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

fn problem(task: &Task, flaw: judge::Flaw) -> Problem {
    let field = flaw.test.map_or_else(|| "setup".to_owned(), |test| format!("tests[{test}]"));
    Problem { file: task.path.clone(), line: flaw.line, column: 0, field, message: flaw.message }
}
