//! Starting containers and seeing them off: names, the engine's record, the reaper.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::attached::Attached;
use super::client::Client;
use super::engine::{Engine, Role};
use super::outage::{Outage, Stay};
use super::process::{End, Process, Received};
use super::record::Record;
use super::spec::Spec;
use super::{Fault, image};
use crate::config;
use crate::ui::Events;

/// Tries before a fault is reported, and the pauses between them.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The same for cells that are carried: a cluster takes longer to see what has become of it.
const CARRIED_PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(20)];

/// How long a container may take from its start to *ready*. Under full load a start takes seconds, never a minute.
const READY: Duration = Duration::from_secs(60);

/// How long a container may take to end once its input has; past it, it is removed by force.
const LEAVE: Duration = Duration::from_secs(10);

/// What every container is started with; it reads its program from its input.
pub const BOOT: &str = include_str!("boot.py");

/// In the results folder as long as containers may be there.
const TRACE: &str = ".cells";

const NOT_READY: &str = "a container did not get ready";

/// A running container that said *ready*, and the way to it.
#[derive(Debug)]
pub struct Started {
    /// What runs in it.
    pub process: Process,
    /// The container's name.
    pub name: String,
    /// What is recorded of it elsewhere, if it was carried.
    carried: Option<Arc<Record>>,
}

impl Started {
    /// Why it ended, as far as it was said, and where it was.
    pub fn last_words(&mut self) -> String {
        let Some(record) = &self.carried else { return self.process.last_words() };
        format!("on {}: {}", record.node().unwrap_or_default(), record.words())
    }
}

/// Starts containers of one engine and ends all that it has started.
#[derive(Debug)]
pub struct Launcher {
    engine: Arc<Engine>,
    image_name: String,
    launch_timeout: Duration,
    events: Events,
    /// A file that is there as long as containers may be.
    trace: PathBuf,
    /// Whether an earlier session was killed: the engine may still be doing what that one asked for last.
    inherited: bool,
    image: OnceLock<String>,
    preparing: Mutex<()>,
    record: Mutex<Option<Arc<Record>>>,
    live: Mutex<HashMap<String, Arc<dyn End>>>,
    reaper: Reaper,
    outage: Outage,
    stopping: AtomicBool,
}

impl Launcher {
    /// A launcher that has asked nothing of the engine yet.
    pub fn new(sandbox: &config::Sandbox, results: &Path, events: Events) -> Self {
        let engine = Arc::new(Engine::new(sandbox, results));
        Self {
            reaper: Reaper::new(Arc::clone(&engine)),
            engine,
            image_name: sandbox.image.clone(),
            launch_timeout: sandbox.launch_timeout,
            inherited: results.join(TRACE).exists(),
            trace: results.join(TRACE),
            image: OnceLock::new(),
            preparing: Mutex::new(()),
            record: Mutex::new(None),
            live: Mutex::new(HashMap::new()),
            outage: Outage::new(sandbox.wait_for_engine, events.clone()),
            events,
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

    /// What is recorded of a container.
    ///
    /// # Errors
    /// The engine's client can't be started.
    pub fn record(&self, started: &Started) -> Result<Arc<Record>, Fault> {
        match &started.carried {
            Some(record) => Ok(Arc::clone(record)),
            None => self.engine_record(),
        }
    }

    /// The record of the engine's events; a new one if the engine went away and may be back.
    fn engine_record(&self) -> Result<Arc<Record>, Fault> {
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

    /// Starts a container and waits until it says *ready*. An engine that went away meanwhile is waited for.
    ///
    /// # Errors
    /// It did not get ready, or nothing is to be started any more.
    pub fn start(&self, role: Role<'_>, program: &str) -> Result<Started, Fault> {
        let began = Instant::now();
        match self.start_now(role, program) {
            Err(Fault::Engine(reason)) if self.image.get().is_some() => match self.sit_out(began)? {
                Stay::There => Err(Fault::Engine(reason)),
                Stay::Back => self.start_now(role, program),
            },
            // One that has never answered is not away: it is the wrong one.
            other => other,
        }
    }

    /// Waits for the engine, if it is not there.
    fn sit_out(&self, began: Instant) -> Result<Stay, Fault> {
        self.outage.sit_out(began, || {
            self.check_running()?;
            self.engine.is_there()
        })
    }

    fn start_now(&self, role: Role<'_>, program: &str) -> Result<Started, Fault> {
        self.check_running()?;
        let began = Instant::now();
        let image = self.image()?;
        let name = self.engine.new_name(role);
        let spec = self.engine.spec(role, &name, &image, BOOT);
        let result = self.launch(role, &spec).and_then(|(mut process, carried)| {
            process.send(b'P', program.as_bytes());
            self.await_ready(Started { process, name, carried })
        });
        let took_ms = began.elapsed().as_millis() as u64;
        match &result {
            Ok(started) => debug!(name = started.name, took_ms, "container ready"),
            Err(fault) => warn!(?fault, took_ms, "container did not get ready"),
        }
        result
    }

    /// Has a container started over the engine's socket, if there is one to speak to, else by its client; gives what is
    /// recorded elsewhere of one that was carried there.
    fn launch(&self, role: Role<'_>, spec: &Spec<'_>) -> Result<(Process, Option<Arc<Record>>), Fault> {
        let program = self.engine.program();
        if let Some(api) = self.engine.api() {
            let attached = Attached::start(api, spec);
            let attached = attached.map_err(|why| Fault::Engine(format!("{NOT_READY}: {program}: {why}")))?;
            return Ok((Process::over(attached), None));
        }
        let argv = self.engine.run_argv(role, spec);
        let cant = |error| Fault::Engine(format!("{} can't be started: {error}", argv[0]));
        let mut client = Client::spawn(&argv).map_err(cant)?;
        let carried = match self.engine.carries(role) {
            true => client.take_stderr().map_err(cant)?.map(|stderr| Arc::new(Record::of_carried(stderr))),
            false => None,
        };
        Ok((Process::over(client), carried))
    }

    fn await_ready(&self, mut started: Started) -> Result<Started, Fault> {
        let is_carried = started.carried.is_some();
        let patience = if is_carried { self.launch_timeout } else { READY };
        if is_carried {
            // It may wait in a queue for long: `stop` must find it there, or it must see that `stop` was here.
            self.enlist(&started);
            if self.check_running().is_err() {
                started.process.handle().end();
            }
        }
        let ready = started.process.receive(Instant::now() + patience);
        let running = matches!(&ready, Received::Frame(frame) if frame.kind == b'r');
        if running {
            self.enlist(&started);
        }
        // `stop` may have looked at the living just before this one was added.
        let wanted = self.check_running();
        if running && wanted.is_ok() {
            return Ok(started);
        }
        let late = matches!(ready, Received::Late);
        let why = self.why_not_ready(&mut started, late);
        if is_carried && (late || wanted.is_err()) {
            // What waits in a queue does not look at its input, by whose end it would end.
            started.process.handle().end();
            self.engine.launch().cancel(&[&started.name]);
        }
        self.end(started);
        wanted?;
        Err(Fault::Engine(why))
    }

    /// Puts it where `stop` looks.
    fn enlist(&self, started: &Started) {
        lock(&self.live).insert(started.name.clone(), started.process.handle());
    }

    fn why_not_ready(&self, started: &mut Started, late: bool) -> String {
        let Some(record) = &started.carried else {
            return format!("{NOT_READY}: {}", started.last_words());
        };
        let waited = if late { format!("waited {:?}; ", self.launch_timeout) } else { String::new() };
        self.engine.launch().failed(record.node(), &format!("{waited}{}", record.words()))
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
        for pause in if self.engine.launch().carries() { CARRIED_PAUSES } else { PAUSES } {
            match attempt() {
                Err(Fault::Engine(reason)) if !self.outage.is_given_up() => {
                    warn!(?reason, pause_ms = pause.as_millis() as u64, "trying again");
                    self.pause(pause);
                }
                other => return other.map_err(|fault| self.outage.explain(fault)),
            }
            self.check_running()?;
        }
        attempt().map_err(|fault| self.outage.explain(fault))
    }

    /// Waits so long, or until `stop`.
    fn pause(&self, pause: Duration) {
        let end = Instant::now() + pause;
        while self.check_running().is_ok() && Instant::now() < end {
            thread::sleep(Duration::from_millis(100).min(end - Instant::now()));
        }
    }

    /// Ends everything at once and starts nothing more. A container that is not ready yet is let come up, to end then:
    /// the engine may finish what a killed client has asked for, and nobody would see that off. One that is carried
    /// ends when its client does.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let live: Vec<(String, Arc<dyn End>)> = lock(&self.live).drain().collect();
        let names: Vec<&str> = live.iter().map(|(name, _)| name.as_str()).collect();
        live.iter().for_each(|(_, handle)| handle.end());
        self.engine.launch().cancel_all();
        self.engine.remove(&names);
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        self.reaper.finish();
        // What was being started or removed when an engine went away may be there again, and what was being made when an
        // earlier session was killed may have come up after the sweep.
        let unsure = self.outage.happened() || self.inherited && self.image.get().is_some();
        let clean = !unsure || self.engine.sweep().is_ok();
        if clean && self.image.get().is_some() {
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
    fn new(engine: Arc<Engine>) -> Self {
        let (queue, ended) = mpsc::channel::<Started>();
        let thread = thread::spawn(move || {
            for Started { mut process, name, .. } in ended {
                if !process.ends(LEAVE) {
                    warn!(name, "container does not end; removing it");
                    engine.launch().cancel(&[&name]);
                    engine.remove(&[&name]);
                    process.handle().end();
                    process.ends(LEAVE);
                }
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
