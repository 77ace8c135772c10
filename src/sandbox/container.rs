//! The real sandbox: containers of Docker or Podman, started ahead of nobody and used by one agent only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::cell::{self, Cell};
use super::dialogue::{self, Broken};
use super::engine::{Engine, Role};
use super::judge::{self, Judge};
use super::process::{Group, Process, Received};
use super::record::Record;
use super::replay::{self, Replayed, Script};
use super::{Fault, Opened, Refusal, Sandbox, image};
use crate::config::{self, CellPer, Limits};
use crate::report::Scored;
use crate::task::Task;
use crate::ui::Events;
use crate::yaml::Problem;

/// Tries before a fault is reported, and the pauses between them.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// How long a container may take from its start to *ready*. Under full load a start takes seconds, never a minute.
const READY: Duration = Duration::from_secs(60);

/// How long a container may take to end once its input has; past it, it is removed by force.
const LEAVE: Duration = Duration::from_secs(10);

/// How long a judge may take to learn a task.
const LEARN: Duration = Duration::from_secs(30);

/// Cells and judges as containers of an engine.
#[derive(Debug)]
pub struct Containers {
    engine: Arc<Engine>,
    image_name: String,
    cell_per: CellPer,
    events: Events,
    image: OnceLock<String>,
    preparing: Mutex<()>,
    record: Mutex<Option<Arc<Record>>>,
    judges: Mutex<Vec<Judge>>,
    scripts: Mutex<HashMap<String, Arc<Script>>>,
    live: Mutex<HashMap<String, Arc<Group>>>,
    reaper: Reaper,
    stopping: AtomicBool,
}

impl Containers {
    /// A sandbox that has asked nothing of the engine yet.
    pub fn new(sandbox: &config::Sandbox, results: &std::path::Path, events: Events) -> Self {
        let engine = Arc::new(Engine::new(sandbox, results));
        Self {
            reaper: Reaper::new(Arc::clone(&engine)),
            engine,
            image_name: sandbox.image.clone(),
            cell_per: sandbox.cell_per,
            events,
            image: OnceLock::new(),
            preparing: Mutex::new(()),
            record: Mutex::new(None),
            judges: Mutex::new(Vec::new()),
            scripts: Mutex::new(HashMap::new()),
            live: Mutex::new(HashMap::new()),
            stopping: AtomicBool::new(false),
        }
    }

    /// The engine that it uses.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether `stop` was called.
    fn check_running(&self) -> Result<(), Fault> {
        if self.stopping.load(Ordering::SeqCst) { Err(Fault::Stopped) } else { Ok(()) }
    }

    /// The record of the engine's events; a new one if the engine went away and may be back.
    fn record(&self) -> Result<Arc<Record>, Fault> {
        let mut current = lock(&self.record);
        match &*current {
            Some(record) if !record.is_broken() => Ok(Arc::clone(record)),
            _ => {
                let record = Arc::new(Record::follow(&self.engine)?);
                *current = Some(Arc::clone(&record));
                Ok(record)
            }
        }
    }

    /// Starts a container and waits until it says *ready*.
    fn start(&self, role: Role<'_>, program: &str) -> Result<(Process, String), Fault> {
        self.check_running()?;
        let image = self.image()?;
        let name = self.engine.new_name(role);
        let argv = self.engine.run_argv(role, &name, &image, program);
        let mut process = Process::spawn(&argv)
            .map_err(|error| Fault::Engine(format!("{} can't be started: {error}", argv[0])))?;
        lock(&self.live).insert(name.clone(), process.group());
        // `stop` may have looked at the living just before this one was added.
        let ready = self.check_running().map(|()| process.receive(Instant::now() + READY));
        match ready {
            Ok(Received::Frame(frame)) if frame.kind == b'r' => Ok((process, name)),
            other => {
                let words = process.last_words();
                self.end((process, name));
                other?;
                self.check_running()?;
                Err(Fault::Engine(format!("a container did not get ready: {words}")))
            }
        }
    }

    /// Lets a container end; does not wait for it.
    fn end(&self, (process, name): (Process, String)) {
        lock(&self.live).remove(&name);
        if let Some(record) = &*lock(&self.record) {
            record.forget(&name);
        }
        self.reaper.take(process, name);
    }

    /// Does `attempt` until it works, a fixed number of times.
    fn retry<T>(&self, mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        for pause in PAUSES {
            match attempt() {
                Err(Fault::Engine(_)) => thread::sleep(pause),
                other => return other,
            }
            self.check_running()?;
        }
        attempt()
    }

    fn judge(&self) -> Result<Judge, Fault> {
        if let Some(judge) = lock(&self.judges).pop() {
            return Ok(judge);
        }
        let (process, name) = self.start(Role::Judge, judge::PROGRAM)?;
        Ok(Judge::new(process, name))
    }

    /// A judge that knows the task.
    fn judge_for(&self, task: &Task) -> Result<Judge, Fault> {
        let mut judge = self.judge()?;
        if !judge.knows(task)
            && let Err(fault) = judge.learn(task, Instant::now() + LEARN)
        {
            self.end(judge.into_parts());
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
        let record = self.record().map_err(Broken::Engine)?;
        let scored = dialogue::run(cell, judge, task, limits, &record, &mut script)?;
        let took = Duration::from_millis(scored.usage.wall_ms);
        if let (None, Some(script)) = (known, script.close(took)) {
            lock(&self.scripts).insert(key, Arc::new(script));
        }
        Ok(scored)
    }

    fn start_cell(&self, source: &[u8], limits: &Limits) -> Result<Result<Cell, Refusal>, Fault> {
        let record = self.record()?;
        let (process, name) = self.start(Role::Cell(limits), cell::PROGRAM)?;
        let mut cell = Cell::new(process, name);
        match cell.load(source, &record) {
            Ok(None) => Ok(Ok(cell)),
            other => {
                self.end(cell.into_parts());
                self.check_running()?;
                other.map(|refusal| Err(refusal.expect("the other case is above")))
            }
        }
    }
}

impl Sandbox for Containers {
    fn image(&self) -> Result<String, Fault> {
        let _one_at_a_time = lock(&self.preparing);
        if let Some(id) = self.image.get() {
            return Ok(id.clone());
        }
        self.engine.sweep()?;
        let id = image::ensure(&self.engine, &self.image_name, &self.events)?;
        Ok(self.image.get_or_init(|| id).clone())
    }

    fn check(&self, tasks: &[Task]) -> Result<Vec<Problem>, Fault> {
        self.retry(|| {
            let mut judge = self.judge()?;
            let mut problems = Vec::new();
            for task in tasks {
                match judge.learn(task, Instant::now() + LEARN) {
                    Ok(flaws) => problems.extend(flaws.into_iter().map(|flaw| problem(task, flaw))),
                    Err(fault) => {
                        self.end(judge.into_parts());
                        return Err(fault);
                    }
                }
            }
            lock(&self.judges).push(judge);
            Ok(problems)
        })
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        match self.retry(|| self.start_cell(&source, limits))? {
            Ok(cell) => {
                Ok(Opened::Ready(Box::new(Tenant { home: self, source, limits: *limits, cell: Some(cell) })))
            }
            Err(refusal) => Ok(Opened::Refused(refusal)),
        }
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let live: Vec<(String, Arc<Group>)> = lock(&self.live).drain().collect();
        let names: Vec<&str> = live.iter().map(|(name, _)| name.as_str()).collect();
        live.iter().for_each(|(_, group)| group.kill());
        self.engine.remove(&names);
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for judge in std::mem::take(&mut *lock(&self.judges)) {
            self.end(judge.into_parts());
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
    /// A fit cell with these limits.
    fn cell(&mut self, limits: &Limits) -> Result<Cell, Fault> {
        let same = same_cell(&self.limits, limits);
        match self.cell.take() {
            Some(cell) if same && cell.is_fit() => return Ok(cell),
            Some(cell) => self.home.end(cell.into_parts()),
            None => {}
        }
        self.limits = *limits;
        let cell = self.home.start_cell(&self.source, limits)?;
        cell.map_err(|refusal| {
            Fault::Engine(format!("a source that compiled before does not now: {}", refusal.message))
        })
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
            Ok(cell) => cell,
            Err(fault) => {
                lock(&self.home.judges).push(judge);
                return Err(fault);
            }
        };
        let outcome = self.home.converse((&mut cell, &mut judge), task, limits, replay);
        if outcome.is_ok() && cell.is_fit() && self.home.cell_per == CellPer::Agent {
            self.cell = Some(cell);
        } else {
            self.home.end(cell.into_parts());
        }
        match outcome {
            Ok(_) | Err(Broken::ReplaySpentCell) => lock(&self.home.judges).push(judge),
            Err(_) => self.home.end(judge.into_parts()),
        }
        self.home.check_running()?;
        Ok(outcome)
    }
}

impl super::Cell for Tenant<'_> {
    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault> {
        let home = self.home;
        let (mut replay, mut broken_before) = (true, false);
        home.retry(|| {
            let mut outcome = self.attempt(task, limits, replay)?;
            if let Err(Broken::ReplaySpentCell | Broken::ReplayStuck) = outcome {
                replay = false;
                outcome = self.attempt(task, limits, replay)?;
            }
            match outcome {
                Ok(scored) => Ok(scored),
                Err(Broken::JudgeLate(scored)) => Ok(*scored),
                // Once may be the engine's fault; twice over the same values, with the engine there, is the agent's.
                Err(Broken::JudgeGone(scored)) if std::mem::replace(&mut broken_before, true) => {
                    home.engine.ask(&["version"]).map(|_| *scored)
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
            self.home.end(cell.into_parts());
        }
    }
}

/// Waits for ended containers off the workers' way, and removes by force those that stay.
#[derive(Debug)]
struct Reaper {
    queue: Option<mpsc::Sender<(Process, String)>>,
    thread: Option<JoinHandle<()>>,
}

impl Reaper {
    fn new(engine: Arc<Engine>) -> Self {
        let (queue, ended) = mpsc::channel::<(Process, String)>();
        let thread = thread::spawn(move || {
            for (mut process, name) in ended {
                if matches!(process.reap(LEAVE), Ok(Some(_))) {
                    continue;
                }
                engine.remove(&[&name]);
                process.group().kill();
                let _ = process.reap(LEAVE);
            }
        });
        Self { queue: Some(queue), thread: Some(thread) }
    }

    fn take(&self, mut process: Process, name: String) {
        process.close_stdin();
        if let Some(queue) = &self.queue {
            let _ = queue.send((process, name));
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn problem(task: &Task, flaw: judge::Flaw) -> Problem {
    let field = flaw.test.map_or_else(|| "setup".to_owned(), |test| format!("tests[{test}]"));
    Problem { file: task.path.clone(), line: flaw.line, column: 0, field, message: flaw.message }
}

/// Whether two sets of limits differ in nothing that is fixed when a container starts.
fn same_cell(a: &Limits, b: &Limits) -> bool {
    Limits { timeout: b.timeout, output: b.output, ..*a } == *b
}

/// A panic elsewhere leaves these lists usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
