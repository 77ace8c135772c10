//! The HTTP API to the inbox, the tasks and the results; the folders are the only state.
//!
//! The server runs on threads of its own and shares nothing with the pipeline but those folders, so neither can hold
//! the other up.

mod answer;
mod board;
mod cached;
mod conditional;
mod connections;
mod events;
mod feed;
mod guard;
mod limit;
mod listeners;
mod metrics;
mod paging;
mod peer;
mod rate;
mod routes;
mod snapshot;
mod state;
mod submission;
mod turns;
mod upload;

use parking_lot::Mutex;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::serve::peer::Peer;
use crate::serve::snapshot::Snapshot;
use crate::serve::state::{ServerState, Shared};
use crate::tokens::Tokens;
use crate::ui::{Event, Events};
use crate::workspace::{Reload, Workspace};

/// Threads that answer requests, and threads that wait for disks on their behalf.
const THREADS: usize = 2;
const DISK_THREADS: usize = 32;

/// How long a request in progress may take once the server is to stop.
const LEAVE: Duration = Duration::from_secs(5);

/// The warning at the start of a server that knows nobody.
const UNGUARDED: &str =
    "no tokens: whoever is on this machine may submit for anybody; `agentmill token add MINER` makes one";

/// A server at work; dropping it ends it at once, [`stop`](Server::stop) in good order.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    updates: Updates,
    reload: Option<Reload>,
}

impl Server {
    /// Opens the HTTP API of a workspace, at `listen` instead of the configured address if one is given.
    ///
    /// # Errors
    /// The address can't be had, or is open to other machines and there are no tokens.
    pub fn start(workspace: &Workspace, listen: Option<SocketAddr>, events: &Events) -> anyhow::Result<Self> {
        let settings = &workspace.pipeline.serve;
        let address = listen.unwrap_or(settings.listen);
        let remote = !Peer::new(address.ip()).is_local();
        let tokens = Tokens::load(&settings.tokens)?;
        if tokens.is_empty() && remote {
            bail!(
                "{address} can be reached from other machines, and there are no tokens: anybody could submit for \
                 anybody; make one with: agentmill token add MINER"
            );
        }
        let state = Arc::new(ServerState::new(Snapshot::of(workspace)?, remote || !tokens.is_empty()));
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("can't listen on {address}"))?;
        let address = listener.local_addr().context("can't listen")?;
        let runtime = runtime().context("can't start the server's threads")?;
        let (stop, stopped) = watch::channel(false);
        let router = routes::router(Arc::clone(&state));
        runtime.spawn(connections::accept(listener, router, Arc::clone(&state), stopped));
        if tokens.is_empty() && !remote {
            events.send(Event::Warning(UNGUARDED.to_owned()));
        }
        events.send(Event::Note(format!("listening on http://{address}")));
        let updates =
            Updates { state, events: events.clone(), fixed: listen.is_some(), told: Arc::default() };
        Ok(Self { address, runtime, stop, updates, reload: None })
    }

    /// Follows the files of the workspace in `dir` by itself, until it ends.
    ///
    /// # Errors
    /// They can't be watched.
    pub fn follow(&mut self, dir: &Path, workspace: &Workspace) -> anyhow::Result<()> {
        let updates = self.updates.clone();
        let offer = move |edited| updates.update(&edited);
        self.reload = Some(Reload::follow(dir, workspace, workspace.digest(), &self.updates.events, offer)?);
        Ok(())
    }

    /// Puts an edited workspace into force for requests to come, all but its address.
    pub fn update(&self, workspace: &Workspace) {
        self.updates.update(workspace);
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and waits a while for those in progress.
    pub fn stop(self) {
        let _ = self.stop.send(true);
        // Closed as soon as nobody listens to it any more.
        let _ = self.runtime.block_on(async { tokio::time::timeout(LEAVE, self.stop.closed()).await });
        self.runtime.shutdown_timeout(LEAVE);
    }
}

/// Threads for requests and for disks.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(DISK_THREADS)
        .thread_name("serve")
        .enable_all()
        .build()
}

/// The way by which edited workspaces reach the requests.
#[derive(Debug, Clone)]
struct Updates {
    state: Shared,
    events: Events,
    /// The address was given by the command line: what the file says of it does not matter.
    fixed: bool,
    /// The last warning, which is not repeated.
    told: Arc<Mutex<String>>,
}

impl Updates {
    fn update(&self, workspace: &Workspace) {
        let before = self.state.snapshot();
        if before.digest == workspace.digest() {
            return;
        }
        let listen = workspace.pipeline.serve.listen;
        match Snapshot::of(workspace) {
            Ok(snapshot) => self.state.replace(snapshot),
            Err(error) => return self.warn(format!("uploads go on as before: {error:#}")),
        }
        if !self.fixed && before.pipeline.serve.listen != listen {
            self.warn(format!("serve.listen is {listen} now: that takes a restart"));
        }
    }

    fn warn(&self, text: String) {
        if std::mem::replace(&mut *self.told.lock(), text.clone()) != text {
            self.events.send(Event::Warning(text));
        }
    }
}
