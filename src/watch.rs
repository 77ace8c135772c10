//! The daemon: the same pass as `run`, kept going. Notifications only wake it; what it does is decided by looking.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::cli::Exit;
use crate::pipeline::{Mill, Summary, Wake, publish};
use crate::sandbox::container::Containers;
use crate::signals::Signals;
use crate::ui::{self, Event, Events};
use crate::workspace::Workspace;
use crate::yaml::Problems;

/// An edit is looked at when nothing has changed for this long: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(200);

/// How often the configuration is looked at when nothing announces a change.
const RECHECK: Duration = Duration::from_secs(10);

/// The pause before another try when the engine or the results folder failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Evaluates whatever is dropped until a signal comes.
///
/// # Errors
/// What keeps it from starting; later it warns and goes on.
pub fn watch(dir: &Path, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker.clone())?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, quiet);
    let daemon = Daemon { dir, events, waker, next: Arc::default(), signals: signals.clone() };
    let result = daemon.serve(workspace, &wakes);
    drop(daemon);
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
    fn serve(&self, mut workspace: Workspace, wakes: &Receiver<Wake>) -> anyhow::Result<()> {
        let mut good: Option<Workspace> = None;
        let mut lock = workspace.lock()?;
        loop {
            let eyes = self.open_eyes(&workspace)?;
            let result = self.turn(&workspace, wakes);
            drop(eyes);
            match result {
                Ok(summary) if summary.stopped => return Ok(()),
                Ok(_) => good = Some(workspace.clone()),
                Err(error) => match good.take() {
                    None => return Err(error),
                    Some(last) if error.is::<Problems>() => {
                        self.warn(format!("the last good configuration stays in force:\n{error}"));
                        workspace = last;
                    }
                    Some(last) => {
                        self.warn(format!("{error:#}; trying again"));
                        good = Some(last);
                        thread::sleep(PAUSE);
                    }
                },
            }
            if self.signals.received().is_some() {
                return Ok(());
            }
            if let Some(next) = lock_next(&self.next).take() {
                if next.pipeline.results != workspace.pipeline.results {
                    lock = next.lock()?;
                }
                workspace = next;
            }
            let _ = &lock;
        }
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

    /// Watches the inbox, the tasks and pipeline.yaml until dropped.
    fn open_eyes(&self, workspace: &Workspace) -> anyhow::Result<Vec<RecommendedWatcher>> {
        let (edits, edited) = mpsc::channel();
        let look = Reload {
            dir: self.dir.to_owned(),
            known: workspace.digest(),
            events: self.events.clone(),
            waker: self.waker.clone(),
            next: Arc::clone(&self.next),
        };
        thread::spawn(move || look.follow(&edited));
        let waker = self.waker.clone();
        let inbox = eye(&workspace.pipeline.inbox, RecursiveMode::Recursive, move || {
            let _ = waker.send(Wake::Inbox);
        })?;
        let mut eyes = vec![inbox];
        for (folder, mode) in [
            (workspace.pipeline.tasks.as_path(), RecursiveMode::Recursive),
            (self.dir, RecursiveMode::NonRecursive),
        ] {
            let edits = edits.clone();
            eyes.push(eye(folder, mode, move || {
                let _ = edits.send(());
            })?);
        }
        Ok(eyes)
    }

    fn warn(&self, text: String) {
        self.events.send(Event::Warning(text));
    }
}

/// Calls `changed` whenever something below `folder` is written, created, moved or removed.
fn eye(
    folder: &Path,
    mode: RecursiveMode,
    changed: impl Fn() + Send + 'static,
) -> anyhow::Result<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading what is there must not count as a change of it.
        if event.is_err() || event.is_ok_and(|event| !event.kind.is_access()) {
            changed();
        }
    };
    let mut watcher = notify::recommended_watcher(handler)?;
    let watching = watcher.watch(folder, mode);
    watching.with_context(|| format!("can't watch {}", folder.display()))?;
    Ok(watcher)
}

/// Reads an edited configuration and hands it over if it is good.
struct Reload {
    dir: std::path::PathBuf,
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
