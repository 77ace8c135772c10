//! `serve`: the HTTP doors, alone. `watch --serve` opens them beside the daemon.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;

use crate::cli::Exit;
use crate::pipeline::Wake;
use crate::serve::Server;
use crate::signals::Signals;
use crate::ui::{self, Events, Talk};
use crate::workspace::Workspace;

/// Serves until a signal comes. It needs no lock: it writes into the inbox only.
///
/// # Errors
/// Mistakes in the configuration, or the address can't be served.
pub fn serve(dir: &Path, listen: Option<SocketAddr>, quiet: bool) -> anyhow::Result<Exit> {
    let mut workspace = Workspace::open(dir)?;
    workspace.pipeline.serve.listen = listen.unwrap_or(workspace.pipeline.serve.listen);
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker)?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, false));
    let served = Server::start(dir, &workspace, &events).map(|server| {
        while !matches!(wakes.recv(), Ok(Wake::Stop) | Err(_)) {}
        server.stop();
    });
    drop(events);
    display.join();
    served?;
    Ok(signals.received().map_or(Exit::Done, Exit::Signal))
}
