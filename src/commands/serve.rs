//! `serve`: the HTTP API, alone. `watch --serve` serves it beside the daemon.

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
    let workspace = Workspace::open(dir)?;
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker)?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, false));
    let served = start(dir, &workspace, listen, &events).map(|server| {
        while !matches!(wakes.recv(), Ok(Wake::Stop) | Err(_)) {}
        server.stop();
    });
    drop(events);
    display.join();
    served?;
    Ok(signals.received().map_or(Exit::Done, Exit::Signal))
}

fn start(
    dir: &Path,
    workspace: &Workspace,
    listen: Option<SocketAddr>,
    events: &Events,
) -> anyhow::Result<Server> {
    let mut server = Server::start(workspace, listen, events)?;
    server.follow(dir, workspace)?;
    Ok(server)
}
