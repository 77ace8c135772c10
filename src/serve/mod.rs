//! HTTP doors onto the inbox, the tasks and the results; the folders are the only state.
//!
//! The server runs on threads of its own and shares nothing with the pipeline but those folders, so neither can hold
//! the other up.

mod answer;
mod cached;
mod catalog;
mod connections;
mod guard;
mod rate;
mod routes;
mod upload;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::door;
use crate::tokens::Tokens;
use crate::ui::{Event, Events};
use crate::workspace::Workspace;
use routes::Doors;

/// Threads that answer requests, and threads that wait for disks on their behalf.
const THREADS: usize = 2;
const DISK_THREADS: usize = 32;

/// How long a request in progress may take once the server is to stop.
const LEAVE: Duration = Duration::from_secs(5);

/// A server at work; dropping it ends it at once, [`stop`](Server::stop) in good order.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Opens the doors of the folder `dir`.
    ///
    /// # Errors
    /// The address can't be had, or is open to other machines and there are no tokens.
    pub fn start(dir: &Path, workspace: &Workspace, events: &Events) -> anyhow::Result<Self> {
        let settings = &workspace.pipeline.serve;
        let tokens = Tokens::load(&settings.tokens)?;
        if tokens.is_empty() && !settings.listen.ip().is_loopback() {
            bail!(
                "{} can be reached from other machines, and there are no tokens: anybody could hand in for anybody; \
                 make one with: agentmill token add MINER",
                settings.listen
            );
        }
        let listener = TcpListener::bind(settings.listen)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("can't listen on {}", settings.listen))?;
        let address = listener.local_addr().context("can't listen")?;
        door::tidy(&workspace.pipeline.inbox).context("the inbox can't be read")?;
        let doors = Doors::open(dir, workspace, !tokens.is_empty())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(DISK_THREADS)
            .thread_name("doors")
            .enable_all()
            .build()
            .context("can't start the server's threads")?;
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(connections::accept(listener, routes::router(doors), settings.timeout, stopped));
        events.send(Event::Note(format!("listening on http://{address}")));
        Ok(Self { address, runtime, stop })
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
