//! Following the engine's events as it records them: lines of JSON, by its client, over its socket, or from what this process
//! sees of its own children.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use tokio::sync::oneshot;

use crate::sandbox::Fault;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::api::Api;
use crate::sandbox::engine::backend::Backend;
use crate::sandbox::engine::oci::Runtime;
use crate::sandbox::engine::oci::deaths::Following;

/// Runs its arguments until its input ends: a client that only prints would outlive us if we were killed. Only the
/// client keeps the output open, so that its end is seen.
const UNTIL_EOF: &str = "\"$@\" & client=$!; exec >&-; cat >/dev/null; kill $client";

/// Source of the events; they end when it is dropped.
#[derive(Debug)]
pub enum Source {
    /// The shell around the engine's client.
    Client(Child),
    /// The engine itself, until the other end hears no more of this one.
    Socket(oneshot::Sender<()>),
    /// Our own children.
    Children(Following),
}

/// Starts to follow the events of the engine's session.
///
/// # Errors
/// The engine can't be reached, or its client not be started.
pub fn follow(engine: &Engine) -> Result<(Source, Box<dyn Read + Send>), Fault> {
    match engine.backend()? {
        Backend::Socket(api) => over_socket(engine, api),
        Backend::Client(_) => by_client(engine),
        Backend::Direct(runtime) => of_children(engine, runtime),
    }
}

fn over_socket(engine: &Engine, api: &Api) -> Result<(Source, Box<dyn Read + Send>), Fault> {
    let (stop, stopped) = oneshot::channel();
    let events = api.events(&engine.session_label(), &engine.events(), stopped);
    let events = events.map_err(|failure| engine.fault("events", &failure))?;
    Ok((Source::Socket(stop), Box::new(events)))
}

fn of_children(engine: &Engine, runtime: &Runtime) -> Result<(Source, Box<dyn Read + Send>), Fault> {
    let (following, deaths) = runtime.follow().map_err(|error| engine.fault("events", &error))?;
    Ok((Source::Children(following), Box::new(deaths)))
}

fn by_client(engine: &Engine) -> Result<(Source, Box<dyn Read + Send>), Fault> {
    let mut client = Command::new("/bin/sh")
        .args(["-c", UNTIL_EOF, "sh"])
        .args(engine.events_argv())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()
        .map_err(|error| Fault::Engine(format!("the engine's events can't be followed: {error}")))?;
    let events = client.stdout.take().expect("stdout is piped");
    Ok((Source::Client(client), Box::new(events)))
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Client(client) = self {
            drop(client.stdin.take());
            let _ = client.wait();
        }
    }
}
