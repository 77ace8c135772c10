//! The daemon: the same pass as `run`, kept going. Notifications only wake it; what it does is decided by looking.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::cli::Exit;
use crate::pipeline::{Mill, Summary, Wake, publish};
use crate::sandbox::container::Containers;
use crate::serve::Server;
use crate::signals::Signals;
use crate::ui::{self, Event, Events, Talk};
use crate::workspace::{Lock, Workspace};
use crate::yaml::Problems;

/// An edit is looked at when nothing has changed for this long: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(200);

/// How often the configuration is looked at when nothing announces a change.
const RECHECK: Duration = Duration::from_secs(10);

/// The pause before another try when the engine or the results folder failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Evaluates whatever is dropped until a signal comes. With `doors`, serves HTTP beside, at that address if one is given.
///
/// # Errors
/// What keeps it from starting; later it warns and goes on.
pub fn watch(dir: &Path, doors: Option<Option<SocketAddr>>, quiet: bool) -> anyhow::Result<Exit> {
    let mut workspace = Workspace::open(dir)?;
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker.clone())?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, false));
    let server = doors.map(|listen| {
        workspace.pipeline.serve.listen = listen.unwrap_or(workspace.pipeline.serve.listen);
        Server::start(dir, &workspace, &events)
    });
    let server = server.transpose()?;
    let daemon = Daemon { dir, events, waker, next: Arc::default(), signals: signals.clone() };
    let result = daemon.serve(workspace, &wakes);
    drop(daemon);
    if let Some(server) = server {
        server.stop();
    }
    display.join();
    result?;
    Ok(signals.received().map_or(Exit::Done, Exit::Signal))
}

struct Daemon<'a> {
    dir: &'a Path,
    events: Events,
    waker: Sender<Wake>,
    /// An edited workspace that is to replace the one in force.
    next: Arc<Mutex<Option<Workspace>>>,
    signals: Signals,
}

impl Daemon<'_> {
    /// One pass per workspace, until a pass was stopped.
    fn serve(&self, first: Workspace, wakes: &Receiver<Wake>) -> anyhow::Result<()> {
        let mut current = Held { lock: Arc::new(first.lock()?), workspace: first };
        let mut good: Option<Held> = None;
        let mut refusal = Refusal::default();
        loop {
            match (self.pass(&current.workspace, &refusal, wakes), good.take()) {
                (Ok(summary), _) if summary.stopped => return Ok(()),
                (Ok(_), _) => {
                    refusal = Refusal::default();
                    good = Some(current.clone());
                }
                (Err(error), None) => return Err(error),
                (Err(error), Some(last)) => {
                    refusal = self.refuse(&current.workspace, &error, refusal);
                    if current.workspace.digest() == last.workspace.digest() {
                        // It was fine before, so waiting may help. Whatever wakes us is looked at anyway.
                        let _ = wakes.recv_timeout(PAUSE);
                    }
                    current = last.clone();
                    good = Some(last);
                }
            }
            if self.signals.received().is_some() {
                return Ok(());
            }
            if let Some(next) = lock_next(&self.next).take() {
                match current.replaced_by(next.clone()) {
                    Ok(held) => current = held,
                    Err(error) => refusal = self.refuse(&next, &error, refusal),
                }
            }
        }
    }

    /// Tells, once, why a workspace is not in force. Its own mistakes stay until it is edited; anything else is tried
    /// again at the next look.
    fn refuse(&self, workspace: &Workspace, error: &anyhow::Error, before: Refusal) -> Refusal {
        let reason = format!("{error:#}");
        if reason != before.reason {
            self.events
                .send(Event::Warning(format!("the last good configuration stays in force:\n{reason}")));
        }
        Refusal { digest: error.is::<Problems>().then(|| workspace.digest()), reason }
    }

    fn pass(
        &self,
        workspace: &Workspace,
        refusal: &Refusal,
        wakes: &Receiver<Wake>,
    ) -> anyhow::Result<Summary> {
        let known = refusal.digest.clone().unwrap_or_else(|| workspace.digest());
        let _eyes = self.open_eyes(workspace, known)?;
        self.turn(workspace, wakes)
    }

    fn turn(&self, workspace: &Workspace, wakes: &Receiver<Wake>) -> anyhow::Result<Summary> {
        let Workspace { pipeline, tasks, .. } = workspace;
        publish::tidy(&pipeline.results)?;
        let sandbox = Containers::new(
            &pipeline.sandbox,
            pipeline.parallel.get(),
            &pipeline.results,
            self.events.clone(),
        );
        let mill =
            Mill { pipeline, tasks, sandbox: &sandbox, events: &self.events, force: false, stay: true };
        mill.turn(&self.waker, wakes)
    }

    /// Watches the inbox, the tasks and pipeline.yaml until dropped; the workspace `known` is no news.
    fn open_eyes(&self, workspace: &Workspace, known: String) -> anyhow::Result<Vec<RecommendedWatcher>> {
        let (edits, edited) = mpsc::channel();
        let look = Reload {
            dir: self.dir.to_owned(),
            known,
            events: self.events.clone(),
            waker: self.waker.clone(),
            next: Arc::clone(&self.next),
        };
        thread::spawn(move || look.follow(&edited));
        let waker = self.waker.clone();
        let inbox = eye(&workspace.pipeline.inbox, RecursiveMode::Recursive, move |finished| {
            let _ = waker.send(Wake::Inbox(finished));
        })?;
        let mut eyes = vec![inbox];
        for (folder, mode) in [
            (workspace.pipeline.tasks.as_path(), RecursiveMode::Recursive),
            (self.dir, RecursiveMode::NonRecursive),
        ] {
            let edits = edits.clone();
            eyes.push(eye(folder, mode, move |_| {
                let _ = edits.send(());
            })?);
        }
        Ok(eyes)
    }
}

/// A workspace that no other agentmill works in.
#[derive(Clone)]
struct Held {
    workspace: Workspace,
    lock: Arc<Lock>,
}

impl Held {
    fn replaced_by(&self, workspace: Workspace) -> anyhow::Result<Self> {
        let same = workspace.pipeline.results == self.workspace.pipeline.results;
        let lock = if same { Arc::clone(&self.lock) } else { Arc::new(workspace.lock()?) };
        Ok(Self { workspace, lock })
    }
}

/// Why an edited workspace did not come into force.
#[derive(Default)]
struct Refusal {
    /// The workspace, if it will be refused as long as it is not edited.
    digest: Option<String>,
    reason: String,
}

/// Calls `changed` whenever something below `folder` is written, created, moved or removed, with the files of which this
/// is the end: their writer has closed them, or they were moved here.
pub(crate) fn eye(
    folder: &Path,
    mode: RecursiveMode,
    changed: impl Fn(Vec<PathBuf>) + Send + 'static,
) -> anyhow::Result<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| match event {
        Ok(event) if is_end(event.kind) => changed(event.paths),
        // Reading what is there must not count as a change of it.
        Ok(event) if event.kind.is_access() => {}
        _ => changed(Vec::new()),
    };
    let mut watcher = notify::recommended_watcher(handler)?;
    let watching = watcher.watch(folder, mode);
    watching.with_context(|| format!("can't watch {}", folder.display()))?;
    Ok(watcher)
}

fn is_end(kind: EventKind) -> bool {
    use notify::event::{AccessKind::Close, AccessMode::Write, ModifyKind::Name, RenameMode::To};
    matches!(kind, EventKind::Access(Close(Write)) | EventKind::Modify(Name(To)))
}

/// Reads an edited configuration and hands it over if it is good.
struct Reload {
    dir: PathBuf,
    known: String,
    events: Events,
    waker: Sender<Wake>,
    next: Arc<Mutex<Option<Workspace>>>,
}

impl Reload {
    /// Ends when the watchers that feed it do.
    fn follow(mut self, edited: &Receiver<()>) {
        let mut complaint = String::new();
        loop {
            match edited.recv_timeout(RECHECK) {
                Ok(()) => while edited.recv_timeout(SETTLE).is_ok() {},
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            match Workspace::open(&self.dir) {
                Ok(workspace) => {
                    complaint.clear();
                    self.offer(workspace);
                }
                Err(problems) if problems.to_string() != complaint => {
                    complaint = problems.to_string();
                    let text = format!("the last good configuration stays in force:\n{complaint}");
                    self.events.send(Event::Warning(text));
                }
                Err(_) => {}
            }
        }
    }

    fn offer(&mut self, workspace: Workspace) {
        let digest = workspace.digest();
        if digest != self.known {
            self.known = digest;
            *lock_next(&self.next) = Some(workspace);
            let _ = self.waker.send(Wake::Reload);
        }
    }
}

fn lock_next(next: &Mutex<Option<Workspace>>) -> MutexGuard<'_, Option<Workspace>> {
    next.lock().unwrap_or_else(PoisonError::into_inner)
}
