//! Starting containers and seeing them off: names, the engine's deaths, the reaper.

use std::collections::HashMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::{debug, warn};

use crate::config;
use crate::sandbox::Fault;
use crate::sandbox::channel::{Channel, End, Received};
use crate::sandbox::containers::death_log::DeathLog;
use crate::sandbox::containers::outage::{Outage, Stay};
use crate::sandbox::containers::programs::Programs;
use crate::sandbox::containers::reaper::Reaper;
use crate::sandbox::containers::running::RunningContainer;
use crate::sandbox::containers::slow::{self, SILENCE};
use crate::sandbox::engine::api::attached::Attached;
use crate::sandbox::engine::backend::Backend;
use crate::sandbox::engine::cli::client::Client;
use crate::sandbox::engine::cli::interruptible::Interruptible;
use crate::sandbox::engine::cli::supply::Packing;
use crate::sandbox::engine::image;
use crate::sandbox::engine::spec::Spec;
use crate::sandbox::engine::{self, Engine, ImageOf, Role};
use crate::sandbox::guest;
use crate::sandbox::guest::frames::{FromBoot, FromCell, ToBoot};
use crate::ui::{Event, Events};
use crate::util::units::Time;

/// Tries before a fault is reported, and the pauses between them.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The same for cells that are carried: a cluster takes longer to see what has become of it.
const CARRIED_PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(20)];

/// How long a container may take from its start to *ready*. Under full load a start takes seconds; on a starved
/// machine a minute is patience.
const READY: Duration = Duration::from_secs(180);

/// In the results folder as long as containers may be there.
const DIRTY_MARKER: &str = ".cells";

const NOT_READY: &str = "a container did not get ready";

/// Ids of the images that containers are of.
#[derive(Debug, Clone)]
struct Images {
    cell: String,
    judge: String,
}

/// Starts containers of one engine and ends all that it has started.
#[derive(Debug)]
pub struct Launcher {
    engine: Arc<Engine>,
    image_name: String,
    judge_image_name: String,
    launch_timeout: Duration,
    events: Events,
    /// A file that is there as long as containers may be.
    dirty_marker: PathBuf,
    /// An earlier session was killed: the engine may still be doing what that one asked for last.
    was_dirty: bool,
    images: OnceLock<Images>,
    preparing: Mutex<()>,
    interruptible: Interruptible,
    death_log: Mutex<Option<Arc<DeathLog>>>,
    live: Mutex<HashMap<String, Arc<dyn End>>>,
    programs: Programs,
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
            judge_image_name: sandbox.judge_image.clone(),
            launch_timeout: sandbox.launch_timeout,
            was_dirty: results.join(DIRTY_MARKER).exists(),
            dirty_marker: results.join(DIRTY_MARKER),
            images: OnceLock::new(),
            preparing: Mutex::new(()),
            interruptible: Interruptible::default(),
            death_log: Mutex::new(None),
            live: Mutex::new(HashMap::new()),
            programs: Programs::of_user(),
            outage: Outage::new(sandbox.wait_for_engine, events.clone()),
            events,
            stopping: AtomicBool::new(false),
        }
    }

    /// The engine that it uses.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Fails once `stop` was called.
    ///
    /// # Errors
    /// It was.
    pub fn check_running(&self) -> Result<(), Fault> {
        if self.stopping.load(Ordering::SeqCst) { Err(Fault::Stopped) } else { Ok(()) }
    }

    /// The id of the cells' image, and behind a `+` that of the judges' if it is another.
    ///
    /// # Errors
    /// As of [`image::ensure`]; `stop` ends what is being done for it.
    pub fn image(&self) -> Result<String, Fault> {
        let Images { cell, judge } = self.images()?;
        Ok(if cell == judge { cell } else { format!("{cell}+{judge}") })
    }

    /// As of [`image::pack`]; `stop` ends what is being done for it.
    ///
    /// # Errors
    /// The same.
    pub fn pack(&self, packing: &Packing) -> Result<bool, Fault> {
        image::pack(&self.engine, packing, &self.events, &self.interruptible)
    }

    /// The id of the image for cells or for judges.
    ///
    /// # Errors
    /// As of [`Launcher::image`].
    pub fn image_for(&self, of: ImageOf) -> Result<String, Fault> {
        let Images { cell, judge } = self.images()?;
        Ok(if of == ImageOf::Judges { judge } else { cell })
    }

    /// The images' ids. The first to ask sees to it that they are there, and that nothing is left of an earlier session.
    fn images(&self) -> Result<Images, Fault> {
        let _one_at_a_time = self.preparing.lock();
        if let Some(ids) = self.images.get() {
            return Ok(ids.clone());
        }
        self.check_running()?;
        // Where it can't be written, no results can be either.
        let _ = fs::write(&self.dirty_marker, "");
        let swept = self.sweep_now()?;
        debug!(swept, "removed what an earlier session left");
        let ensure = |name: &str| image::ensure(&self.engine, name, &self.events, &self.interruptible);
        let cell = ensure(&self.image_name)?;
        let judge = if self.judge_image_name == self.image_name {
            cell.clone()
        } else {
            ensure(&self.judge_image_name)?
        };
        if let Some(warning) = self.engine.passed_over_by_name() {
            self.events.send(Event::Warning(warning));
        }
        Ok(self.images.get_or_init(|| Images { cell, judge }).clone())
    }

    fn sweep_now(&self) -> Result<usize, Fault> {
        let work = || {
            self.await_answer()?;
            self.engine.sweep()
        };
        slow::with_remark(&self.events, SILENCE, || self.silence(), work)
    }

    /// Waits for the first answer of an engine that takes requests; `stop` ends that.
    fn await_answer(&self) -> Result<(), Fault> {
        let began = Instant::now();
        while matches!(self.engine.backend()?, Backend::Socket(_)) {
            self.check_running()?;
            let asked = Instant::now();
            match self.engine.is_there() {
                Ok(()) => break,
                Err(fault) if asked.elapsed() < SILENCE / 2 || began.elapsed() > engine::PATIENCE => {
                    return Err(fault);
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The remark on an engine that has taken a request and doesn't answer.
    fn silence(&self) -> String {
        let (engine, silence, patience) = (self.engine.program(), Time(SILENCE), Time(engine::PATIENCE));
        format!("{engine} has not answered for {silence}; waiting up to {patience} for it")
    }

    /// Removes what an earlier session left if it was killed: who ends in order takes its trace away.
    pub fn sweep(&self) {
        if self.images.get().is_none() && self.dirty_marker.exists() && self.sweep_now().is_ok() {
            let _ = fs::remove_file(&self.dirty_marker);
        }
    }

    /// The log of a container's death.
    ///
    /// # Errors
    /// The engine's client can't be started.
    pub fn death_log(&self, started: &RunningContainer) -> Result<Arc<DeathLog>, Fault> {
        match &started.carried {
            Some(deaths) => Ok(Arc::clone(deaths)),
            None => self.engine_death_log(),
        }
    }

    /// The record of the engine's events; a new one if the engine went away and may be back.
    fn engine_death_log(&self) -> Result<Arc<DeathLog>, Fault> {
        let mut current = self.death_log.lock();
        match &*current {
            Some(deaths) if !deaths.is_broken() => Ok(Arc::clone(deaths)),
            _ => {
                let deaths = Arc::new(DeathLog::follow(&self.engine)?);
                *current = Some(Arc::clone(&deaths));
                Ok(deaths)
            }
        }
    }

    /// Starts a container and waits until it says *ready*. An engine that went away meanwhile is waited for.
    ///
    /// # Errors
    /// It did not get ready, or nothing is to be started any more.
    pub fn start(&self, role: Role<'_>, program: &str) -> Result<RunningContainer, Fault> {
        let began = Instant::now();
        match self.start_now(role, program) {
            Err(Fault::Engine(reason)) if self.images.get().is_some() => match self.sit_out(began)? {
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

    fn start_now(&self, role: Role<'_>, program: &str) -> Result<RunningContainer, Fault> {
        self.check_running()?;
        let began = Instant::now();
        let image = self.image_for(role.image())?;
        let name = self.engine.new_name(role);
        let spec = self.engine.spec(role, &name, &image, guest::BOOT);
        let result = self.launch(role, &spec).and_then(|(mut channel, carried)| {
            match &carried {
                // Another machine may have another image of this name.
                Some(_) => channel.send(ToBoot::Program, program.as_bytes()),
                None => self.programs.send(&mut channel, &image, program),
            }
            // Of seeds there are many.
            let keep = |code| self.programs.keep(&image, program, code, role.seed() == 0);
            self.await_ready(RunningContainer { channel, name, carried }, keep)
        });
        let took_ms = began.elapsed().as_millis() as u64;
        match &result {
            Ok(started) => debug!(name = started.name, took_ms, "container ready"),
            Err(fault) => warn!(?fault, took_ms, "container did not get ready"),
        }
        result
    }

    /// Has a container started, by the backend; gives what is recorded elsewhere of one that was
    /// carried there.
    fn launch(&self, role: Role<'_>, spec: &Spec<'_>) -> Result<(Channel, Option<Arc<DeathLog>>), Fault> {
        let backend = self.engine.backend()?;
        let not_ready =
            |why: &dyn Display| Fault::Engine(format!("{NOT_READY}: {}: {why}", backend.program()));
        match backend {
            Backend::Socket(api) => match Attached::start(api, spec) {
                Ok(attached) => Ok((Channel::over(attached), None)),
                Err(why) => Err(not_ready(&why)),
            },
            Backend::Direct(runtime) => match runtime.start(spec) {
                Ok(started) => Ok((Channel::over(started), None)),
                Err(why) => Err(not_ready(&why)),
            },
            Backend::Client(_) => self.launch_client(role, spec),
        }
    }

    fn launch_client(
        &self,
        role: Role<'_>,
        spec: &Spec<'_>,
    ) -> Result<(Channel, Option<Arc<DeathLog>>), Fault> {
        let argv = self.engine.run_argv(role, spec);
        let carries = self.engine.carries(role);
        let cant = |error| Fault::Engine(format!("{} can't be started: {error}", argv[0]));
        // Podman's monitor leaves a file called `oom` where it is started; words before the engine's may be paths.
        let folder = if carries { "." } else { "/" };
        let mut client = Client::spawn(&argv, folder).map_err(cant)?;
        let carried = match carries {
            true => client.take_stderr().map_err(cant)?.map(|stderr| Arc::new(DeathLog::of_carried(stderr))),
            false => None,
        };
        Ok((Channel::over(client), carried))
    }

    /// Waits for a container's first word; `keep` takes its program's code if it had to compile that.
    fn await_ready(
        &self,
        mut started: RunningContainer,
        keep: impl FnOnce(Vec<u8>),
    ) -> Result<RunningContainer, Fault> {
        let is_carried = started.carried.is_some();
        let patience = if is_carried { self.launch_timeout } else { READY };
        if is_carried {
            // It may wait in a queue for long: `stop` must find it there, or it must see that `stop` was here.
            self.enlist(&started);
            if self.check_running().is_err() {
                started.channel.handle().end();
            }
        }
        let deadline = Instant::now() + patience;
        let mut ready = started.channel.receive(deadline);
        if let Received::Frame(frame) = &mut ready
            && frame.kind == u8::from(FromBoot::Compiled)
        {
            keep(std::mem::take(&mut frame.payload));
            ready = started.channel.receive(deadline);
        }
        let running = matches!(&ready, Received::Frame(frame) if frame.kind == u8::from(FromCell::Ready));
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
            started.channel.handle().end();
            self.engine.launch().cancel(&[&started.name]);
        }
        self.end(started);
        wanted?;
        Err(Fault::Engine(why))
    }

    /// Puts it where `stop` looks.
    fn enlist(&self, started: &RunningContainer) {
        self.live.lock().insert(started.name.clone(), started.channel.handle());
    }

    fn why_not_ready(&self, started: &mut RunningContainer, late: bool) -> String {
        let Some(deaths) = &started.carried else {
            return format!("{NOT_READY}: {}", started.last_words());
        };
        let waited = if late { format!("waited {:?}; ", self.launch_timeout) } else { String::new() };
        self.engine.launch().failed(deaths.node(), &format!("{waited}{}", deaths.words()))
    }

    /// Lets a container end; does not wait for it.
    pub fn end(&self, started: RunningContainer) {
        self.live.lock().remove(&started.name);
        if let Some(deaths) = &*self.death_log.lock() {
            deaths.forget(&started.name);
        }
        self.reaper.take(started);
    }

    /// Ends a container at once, and waits until the engine has: it may be one that does not look at its input.
    pub fn kill(&self, started: RunningContainer) {
        self.engine.remove(&[&started.name]);
        self.end(started);
    }

    /// Does `attempt` until it works, a fixed number of times.
    ///
    /// # Errors
    /// The fault of the last attempt.
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
        self.interruptible.stop();
        let live: Vec<(String, Arc<dyn End>)> = self.live.lock().drain().collect();
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
        let unsure = self.outage.happened() || self.was_dirty && self.images.get().is_some();
        let clean = !unsure || self.engine.sweep().is_ok();
        if clean && self.images.get().is_some() {
            let _ = fs::remove_file(&self.dirty_marker);
        }
    }
}
