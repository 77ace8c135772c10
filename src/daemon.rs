//! The daemon: the same pass as `run`, kept going. Notifications only wake it; what it does is decided by looking.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::RecommendedWatcher;
use parking_lot::Mutex;

use crate::cli::Exit;
use crate::gateway::Gateway;
use crate::pipeline::preview::NotAccepted;
use crate::pipeline::report_store::Unwritable;
use crate::pipeline::scope::Scope;
use crate::pipeline::{PassContext, Summary, Wake, report_store};
use crate::sandbox::run::ContainerSandbox;
use crate::serve::Server;
use crate::signals::Signals;
use crate::ui::{self, Event, Events, Talk};
use crate::util::watch_folder::watch_shared_folder;
use crate::workspace::{Lock, RIGHT_AGAIN, Reload, Taken, Workspace, parked};
use crate::yaml::Problems;

/// The pause before another try when the engine or the results folder failed.
const PAUSE: Duration = Duration::from_secs(5);

/// The pause where something came into the inbox: enough for a file to stand still.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// Words in front of the reason why a workspace is not in force.
const STAYS: &str = "the last good configuration stays in force";
const WAITS: &str = "nothing is evaluated for now; submissions are taken, and wait";

/// The line after a start that was held up.
const GOES_ON: &str = "evaluation goes on";

/// Evaluates every submission until a signal comes. With `http`, serves HTTP beside, at that address if one is given.
///
/// # Errors
/// A fault that keeps it from starting; later, and with HTTP as soon as that is served, it warns and goes on.
pub fn watch(dir: &Path, http: Option<Option<SocketAddr>>, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker.clone())?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, false));
    let server = http.map(|listen| Server::start(&workspace, listen, &events)).transpose()?;
    let daemon = Daemon {
        dir,
        events,
        waker,
        next: Arc::default(),
        signals: signals.clone(),
        server: server.as_ref(),
    };
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
    server: Option<&'a Server>,
}

impl Daemon<'_> {
    /// One pass per workspace, until a pass was stopped.
    fn serve(&self, first: Workspace, wakes: &Receiver<Wake>) -> anyhow::Result<()> {
        let mut current = Held { lock: Arc::new(first.lock()?), workspace: first };
        let mut good: Option<Held> = None;
        let mut refusal = Refusal::default();
        let (mut told, mut news) = (None, None);
        loop {
            let parked = parked(&current.workspace.pipeline, &current.workspace.tasks);
            if parked != told {
                parked.iter().for_each(|text| self.events.send(Event::Note(text.clone())));
                told = parked;
            }
            if let Some(server) = self.server {
                server.update(&current.workspace);
            }
            let pass = self.pass((&current.workspace, news, good.is_none()), &refusal, wakes);
            news = refusal.is_mistake.then_some(RIGHT_AGAIN);
            match (pass, good.take()) {
                (Ok(summary), _) if summary.stopped => return Ok(()),
                (Ok(_), _) => {
                    refusal = Refusal::default();
                    good = Some(current.clone());
                }
                (Err(error), None) if !self.can_wait(&error) => return Err(error),
                (Err(error), None) => {
                    refusal = self.refuse((&current.workspace, WAITS), &error, refusal);
                    let Some(again) = self.wait_for_another_try(current, &mut refusal, wakes)? else {
                        return Ok(());
                    };
                    // As it is now, it is no news; what was told is not told again.
                    refusal.digest = None;
                    (current, news) = (again, Some(GOES_ON));
                }
                (Err(error), Some(last)) => {
                    refusal = self.refuse((&current.workspace, STAYS), &error, refusal);
                    if current.workspace.digest() == last.workspace.digest() {
                        // It was fine before, so waiting may help. Whatever wakes us is looked at anyway.
                        let _ = wakes.recv_timeout(PAUSE);
                    }
                    // It is right, and was before.
                    news = None;
                    current = last.clone();
                    good = Some(last);
                }
            }
            if self.signals.received().is_some() {
                return Ok(());
            }
            if let Some(next) = self.next.lock().take() {
                match current.replaced_by(next.clone()) {
                    Ok(held) => {
                        news = news.or(refusal.is_mistake.then_some(RIGHT_AGAIN));
                        current = held;
                    }
                    Err(error) => refusal = self.refuse((&next, STAYS), &error, refusal),
                }
            }
        }
    }

    /// Tells whether a pass that failed before any went well is to be tried again. Who uploads must find the server open, and changes
    /// that wait to be accepted are no mistake.
    fn can_wait(&self, error: &anyhow::Error) -> bool {
        self.server.is_some() || error.is::<NotAccepted>()
    }

    /// Waits until another try may come to more, as files were edited, something came, or a while has passed. Others may work in the
    /// folder meanwhile, such as `accept`. None if it is to end.
    fn wait_for_another_try(
        &self,
        held: Held,
        refusal: &mut Refusal,
        wakes: &Receiver<Wake>,
    ) -> anyhow::Result<Option<Held>> {
        let Held { mut workspace, lock } = held;
        drop(lock);
        loop {
            self.pause(&workspace, wakes)?;
            if self.signals.received().is_some() {
                return Ok(None);
            }
            match Workspace::open(self.dir) {
                Ok(now) => workspace = now,
                Err(problems) => {
                    *refusal = self.refuse((&workspace, WAITS), &problems.into(), std::mem::take(refusal));
                    continue;
                }
            }
            // What was offered before is no news beside it.
            self.next.lock().take();
            match workspace.lock() {
                Ok(lock) => return Ok(Some(Held { workspace, lock: Arc::new(lock) })),
                Err(error) if error.is::<Taken>() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sleeps for a while; shorter if something comes into the inbox, whose time is to be noted.
    fn pause(&self, workspace: &Workspace, wakes: &Receiver<Wake>) -> anyhow::Result<()> {
        let waker = self.waker.clone();
        let _inbox = watch_shared_folder(&workspace.pipeline.inbox, move |change| {
            let _ = waker.send(Wake::Inbox(change));
        })?;
        let mut until = Instant::now() + PAUSE;
        while let Ok(wake) = wakes.recv_timeout(until.saturating_duration_since(Instant::now())) {
            match wake {
                Wake::Inbox(_) => until = until.min(Instant::now() + SHORT_PAUSE),
                Wake::Reload | Wake::Stop => break,
                Wake::Finished(_) | Wake::Prepared => {}
            }
        }
        Ok(())
    }

    /// Tells, once, why a workspace is not in force, and what is instead. Its own mistakes, and changes that nobody accepted, stay until
    /// it is edited; anything else is tried again at the next look.
    fn refuse(
        &self,
        (workspace, instead): (&Workspace, &str),
        error: &anyhow::Error,
        before: Refusal,
    ) -> Refusal {
        let reason = format!("{error:#}");
        if reason != before.reason {
            self.events.send(Event::Warning(format!("{instead}:\n{reason}")));
        }
        let is_its_own = error.is::<Problems>() || error.is::<NotAccepted>();
        let is_mistake = error.is::<Problems>();
        Refusal { digest: is_its_own.then(|| workspace.digest()), reason, is_mistake }
    }

    fn pass(
        &self,
        (workspace, news, is_first): (&Workspace, Option<&str>, bool),
        refusal: &Refusal,
        wakes: &Receiver<Wake>,
    ) -> anyhow::Result<Summary> {
        let known = refusal.digest.clone().unwrap_or_else(|| workspace.digest());
        let _watched = self.watch_folders(workspace, known)?;
        self.run_pass(workspace, (news, is_first), wakes)
    }

    /// The news are told once the tasks are found right. Where the first pass is held up, those who have come are noted all the same;
    /// later on the last good one does that.
    fn run_pass(
        &self,
        workspace: &Workspace,
        (news, is_first): (Option<&str>, bool),
        wakes: &Receiver<Wake>,
    ) -> anyhow::Result<Summary> {
        let Workspace { pipeline, tasks, .. } = workspace;
        report_store::tidy(&pipeline.results)
            .with_context(|| Unwritable(format!("can't tidy {}", pipeline.results.display())))?;
        let sandbox = ContainerSandbox::new(
            &pipeline.sandbox,
            pipeline.parallel.get(),
            &pipeline.results,
            self.events.clone(),
        );
        let gateway = Gateway::new(pipeline, &self.events, false).context("no way to a model")?;
        let context = PassContext {
            pipeline,
            tasks,
            sandbox: &sandbox,
            gateway: gateway.as_ref(),
            events: &self.events,
            scope: &Scope::default(),
            force: false,
            stay: true,
            when_sound: news,
        };
        let passed = context.run_pass(&self.waker, wakes);
        if is_first && passed.as_ref().is_err_and(|error| error.is::<NotAccepted>()) {
            context.note_arrivals()?;
        }
        passed
    }

    /// Watches the inbox, the tasks and pipeline.yaml until dropped; the workspace `known` is no news.
    fn watch_folders(
        &self,
        workspace: &Workspace,
        known: String,
    ) -> anyhow::Result<(RecommendedWatcher, Reload)> {
        let (next, waker) = (Arc::clone(&self.next), self.waker.clone());
        let offer = move |edited| {
            *next.lock() = Some(edited);
            let _ = waker.send(Wake::Reload);
        };
        let reload = Reload::follow(self.dir, workspace, known, &self.events, offer)?;
        let waker = self.waker.clone();
        // The inbox last: folders of others may take all watches that are left to this user, and it needs one only.
        let inbox = watch_shared_folder(&workspace.pipeline.inbox, move |change| {
            let _ = waker.send(Wake::Inbox(change));
        })?;
        Ok((inbox, reload))
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
    /// True for mistakes in its files.
    is_mistake: bool,
}
