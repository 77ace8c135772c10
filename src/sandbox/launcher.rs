//! Starting containers and seeing them off: names, the engine's record, empty networks to join, the reaper.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::engine::{Engine, Network, Role};
use super::process::{Group, Process, Received};
use super::record::Record;
use super::{Fault, image};
use crate::config;
use crate::ui::Events;

/// Tries before a fault is reported, and the pauses between them.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// How long a container may take from its start to *ready*. Under full load a start takes seconds, never a minute.
const READY: Duration = Duration::from_secs(60);

/// How long a container may take to end once its input has; past it, it is removed by force.
const LEAVE: Duration = Duration::from_secs(10);

/// What a container that only holds a network runs: it says *ready* and waits for the end of its input.
const HOLDER: &str = "import os\nos.write(1, b'\\0\\0\\0\\0r')\nwhile os.read(0, 4096): pass";

/// A running container that said *ready*, and the client that speaks to it.
#[derive(Debug)]
pub struct Started {
    /// The client.
    pub process: Process,
    /// The container's name.
    pub name: String,
    /// The network that it has joined, to be free for the next one when this has gone.
    network: Option<Holder>,
}

/// A container that does nothing but keep an empty network for cells to join, one at a time. Joining one is cheaper
/// than having one made: docs/performance.md has the figures.
#[derive(Debug)]
struct Holder(Box<Started>);

/// Starts containers of one engine and ends all that it has started.
#[derive(Debug)]
pub struct Launcher {
    engine: Arc<Engine>,
    image_name: String,
    events: Events,
    /// A file that is there as long as containers may be.
    trace: PathBuf,
    image: OnceLock<String>,
    preparing: Mutex<()>,
    record: Mutex<Option<Arc<Record>>>,
    live: Mutex<HashMap<String, Arc<Group>>>,
    holders: Arc<Mutex<Vec<Holder>>>,
    reaper: Reaper,
    stopping: AtomicBool,
}

impl Launcher {
    /// A launcher that has asked nothing of the engine yet.
    pub fn new(sandbox: &config::Sandbox, results: &Path, events: Events) -> Self {
        let engine = Arc::new(Engine::new(sandbox, results));
        let holders = Arc::default();
        Self {
            reaper: Reaper::new(Arc::clone(&engine), Arc::clone(&holders)),
            engine,
            image_name: sandbox.image.clone(),
            events,
            trace: results.join(".cells"),
            image: OnceLock::new(),
            preparing: Mutex::new(()),
            record: Mutex::new(None),
            live: Mutex::new(HashMap::new()),
            holders,
            stopping: AtomicBool::new(false),
        }
    }

    /// The engine that it uses.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether `stop` was called, as an error.
    ///
    /// # Errors
    /// It was.
    pub fn check_running(&self) -> Result<(), Fault> {
        if self.stopping.load(Ordering::SeqCst) { Err(Fault::Stopped) } else { Ok(()) }
    }

    /// The image's id. The first to ask sees to it that there is one, and that nothing is left of an earlier session.
    ///
    /// # Errors
    /// As of [`image::ensure`].
    pub fn image(&self) -> Result<String, Fault> {
        let _one_at_a_time = lock(&self.preparing);
        if let Some(id) = self.image.get() {
            return Ok(id.clone());
        }
        // Where it can't be written, no results can be either.
        let _ = fs::write(&self.trace, "");
        let swept = self.engine.sweep()?;
        debug!(swept, "removed what an earlier session left");
        let id = image::ensure(&self.engine, &self.image_name, &self.events)?;
        Ok(self.image.get_or_init(|| id).clone())
    }

    /// Removes what an earlier session left if it was killed: who ends in order takes its trace away.
    pub fn sweep(&self) {
        if self.image.get().is_none() && self.trace.exists() && self.engine.sweep().is_ok() {
            let _ = fs::remove_file(&self.trace);
        }
    }

    /// The record of the engine's events; a new one if the engine went away and may be back.
    ///
    /// # Errors
    /// The engine's client can't be started.
    pub fn record(&self) -> Result<Arc<Record>, Fault> {
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

    /// Starts a container and waits until it says *ready*. A cell joins a network that is held and free, if there is
    /// one.
    ///
    /// # Errors
    /// It did not get ready, or nothing is to be started any more.
    pub fn start(&self, role: Role<'_>, program: &str) -> Result<Started, Fault> {
        self.check_running()?;
        let began = Instant::now();
        let image = self.image()?;
        let network = if matches!(role, Role::Cell(_)) { lock(&self.holders).pop() } else { None };
        let joined = network.as_ref().map_or(Network::None, |holder| Network::Of(&holder.0.name));
        let name = self.engine.new_name(role);
        let argv = self.engine.run_argv(role, joined, &name, &image, program);
        let process = Process::spawn(&argv)
            .map_err(|error| Fault::Engine(format!("{} can't be started: {error}", argv[0])))?;
        let joined = network.is_some();
        let result = self.await_ready(Started { process, name, network });
        let took_ms = began.elapsed().as_millis() as u64;
        match &result {
            Ok(started) => debug!(name = started.name, joined, took_ms, "container ready"),
            Err(fault) => warn!(?fault, joined, took_ms, "container did not get ready"),
        }
        result
    }

    fn await_ready(&self, mut started: Started) -> Result<Started, Fault> {
        let ready = started.process.receive(Instant::now() + READY);
        let running = matches!(&ready, Received::Frame(frame) if frame.kind == b'r');
        if running {
            lock(&self.live).insert(started.name.clone(), started.process.group());
        }
        // `stop` may have looked at the living just before this one was added.
        let wanted = self.check_running();
        if running && wanted.is_ok() {
            return Ok(started);
        }
        let words = started.process.last_words();
        self.end_with_network(started); // the network may be what failed
        wanted?;
        Err(Fault::Engine(format!("a container did not get ready: {words}")))
    }

    /// Starts a container that keeps an empty network for cells to join.
    ///
    /// # Errors
    /// As of [`start`](Self::start).
    pub fn add_network(&self) -> Result<(), Fault> {
        let holder = self.start(Role::Holder, HOLDER)?;
        lock(&self.holders).push(Holder(Box::new(holder)));
        Ok(())
    }

    /// Lets a container end that may have left a mark on the network it joined: no other joins that.
    pub fn end_with_network(&self, mut started: Started) {
        if let Some(Holder(holder)) = started.network.take() {
            self.end(*holder);
        }
        self.end(started);
    }

    /// Lets a container end; does not wait for it.
    pub fn end(&self, started: Started) {
        lock(&self.live).remove(&started.name);
        if let Some(record) = &*lock(&self.record) {
            record.forget(&started.name);
        }
        self.reaper.take(started);
    }

    /// Does `attempt` until it works, a fixed number of times.
    ///
    /// # Errors
    /// What the last attempt said.
    pub fn retry<T>(&self, mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        for pause in PAUSES {
            match attempt() {
                Err(Fault::Engine(reason)) => {
                    warn!(?reason, pause_ms = pause.as_millis() as u64, "trying again");
                    thread::sleep(pause);
                }
                other => return other,
            }
            self.check_running()?;
        }
        attempt()
    }

    /// Ends everything at once and starts nothing more. A container that is not ready yet is let come up, to end then:
    /// the engine may finish what a killed client has asked for, and nobody would see that off.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let live: Vec<(String, Arc<Group>)> = lock(&self.live).drain().collect();
        let names: Vec<&str> = live.iter().map(|(name, _)| name.as_str()).collect();
        live.iter().for_each(|(_, group)| group.kill());
        self.engine.remove(&names);
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        // First the cells, which may still give their networks back, then those.
        self.reaper.finish();
        let mut last = Reaper::new(Arc::clone(&self.engine), Arc::default());
        for Holder(holder) in std::mem::take(&mut *lock(&self.holders)) {
            last.take(*holder);
        }
        last.finish();
        if self.image.get().is_some() {
            let _ = fs::remove_file(&self.trace);
        }
    }
}

/// Waits for ended containers off the workers' way, and removes by force those that stay.
#[derive(Debug)]
struct Reaper {
    queue: Option<mpsc::Sender<Started>>,
    thread: Option<JoinHandle<()>>,
}

impl Reaper {
    fn new(engine: Arc<Engine>, holders: Arc<Mutex<Vec<Holder>>>) -> Self {
        let (queue, ended) = mpsc::channel::<Started>();
        let thread = thread::spawn(move || {
            for Started { mut process, name, network } in ended {
                if !matches!(process.reap(LEAVE), Ok(Some(_))) {
                    warn!(name, "container does not end; removing it");
                    engine.remove(&[&name]);
                    process.group().kill();
                    let _ = process.reap(LEAVE);
                }
                lock(&holders).extend(network);
            }
        });
        Self { queue: Some(queue), thread: Some(thread) }
    }

    fn take(&self, mut started: Started) {
        started.process.close_stdin();
        if let Some(queue) = &self.queue {
            let _ = queue.send(started);
        }
    }

    /// Waits until all that were taken have gone.
    fn finish(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A panic elsewhere leaves what is behind these locks usable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
