//! The engine's own record of this session's containers: which died, which ran out of memory, and whether the engine
//! itself was there all the time. Verdicts rest on this and never on what a cell says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::Fault;
use super::engine::Engine;

/// How long the engine may take to tell of something that has happened already.
const DELAY: Duration = Duration::from_secs(10);

/// How much later than a death by SIGKILL the engine may tell that memory was its cause: it hears of the two on
/// different ways.
const OOM_DELAY: Duration = Duration::from_millis(500);

/// Runs its arguments until its input ends: a client that only prints would outlive us if we were killed. Only the
/// client keeps the output open, so that its end is seen.
const UNTIL_EOF: &str = "\"$@\" & client=$!; exec >&-; cat >/dev/null; kill $client";

/// Follows the engine's events; ended when dropped.
#[derive(Debug)]
pub struct Record {
    shared: Arc<Shared>,
    client: Child,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    containers: HashMap<String, Seen>,
    /// The stream ended: the engine is, or was, not there.
    broken: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    out_of_memory: bool,
    dead: bool,
    killed: bool,
}

/// How a container came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Memory ran out.
    OutOfMemory,
    /// Its processes ended.
    Ended,
    /// The engine failed, or knows nothing of it.
    EngineFailed,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Action", alias = "Status")]
    action: String,
    #[serde(rename = "Actor", default)]
    actor: Actor,
    #[serde(rename = "Name", default)]
    name: String,
}

#[derive(Deserialize, Default)]
struct Actor {
    #[serde(rename = "Attributes", default)]
    attributes: HashMap<String, String>,
}

impl Record {
    /// Starts to follow the events of the engine's session.
    ///
    /// # Errors
    /// The engine's client can't be started.
    pub fn follow(engine: &Engine) -> Result<Self, Fault> {
        let mut client = Command::new("/bin/sh")
            .args(["-c", UNTIL_EOF, "sh"])
            .args(engine.events_argv())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| Fault::Engine(format!("the engine's events can't be followed: {error}")))?;
        let lines = BufReader::new(client.stdout.take().expect("stdout is piped")).lines();
        let shared = Arc::new(Shared::default());
        let reader = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                lines.map_while(Result::ok).for_each(|line| shared.note(&line));
                shared.lock().broken = true;
                shared.changed.notify_all();
            }
        });
        Ok(Self { shared, client, reader: Some(reader) })
    }

    /// Whether the engine has gone away since this record began.
    pub fn is_broken(&self) -> bool {
        self.shared.lock().broken
    }

    /// Whether the engine recorded that the container ran out of memory; waits for the record if it must come.
    pub fn ran_out_of_memory(&self, name: &str) -> bool {
        self.shared.wait(name, DELAY, |seen| seen.out_of_memory).is_some()
    }

    /// How the container ended, once its stream has.
    pub fn death(&self, name: &str) -> Death {
        let out_of_memory = |seen: Seen| seen.out_of_memory;
        match self.shared.wait(name, DELAY, |seen| seen.dead) {
            None => Death::EngineFailed,
            Some(seen) if seen.out_of_memory => Death::OutOfMemory,
            Some(seen) if seen.killed && self.shared.wait(name, OOM_DELAY, out_of_memory).is_some() => {
                Death::OutOfMemory
            }
            Some(_) => Death::Ended,
        }
    }

    /// Forgets a container that is used no more.
    pub fn forget(&self, name: &str) {
        self.shared.lock().containers.remove(name);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        drop(self.client.stdin.take());
        let _ = self.client.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, line: &str) {
        let Ok(mut line) = serde_json::from_str::<Line>(line) else { return };
        let killed = line.actor.attributes.get("exitCode").is_some_and(|code| code == "137");
        let name = line.actor.attributes.remove("name").unwrap_or(line.name);
        let mut state = self.lock();
        let seen = state.containers.entry(name).or_default();
        match line.action.as_str() {
            "oom" => seen.out_of_memory = true,
            "die" | "died" => (seen.dead, seen.killed) = (true, killed),
            _ => {}
        }
        self.changed.notify_all();
    }

    /// Waits until `enough` is recorded of the container; None if the engine fails or stays silent.
    fn wait(&self, name: &str, patience: Duration, enough: impl Fn(Seen) -> bool) -> Option<Seen> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            match state.containers.get(name) {
                Some(seen) if enough(*seen) => return Some(*seen),
                _ if state.broken => return None,
                _ => {}
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(lines: &[&str]) -> Shared {
        let shared = Shared::default();
        lines.iter().for_each(|line| shared.note(line));
        shared.lock().broken = true;
        shared
    }

    const OOM: &str =
        r#"{"status":"oom","Type":"container","Action":"oom","Actor":{"ID":"1","Attributes":{"name":"a"}}}"#;
    const DIE: &str = r#"{"Type":"container","Action":"die","Actor":{"ID":"1","Attributes":{"exitCode":"137","name":"a"}}}"#;

    #[test]
    fn an_exit_code_of_137_alone_is_not_out_of_memory() {
        let seen = shared(&[DIE]).wait("a", DELAY, |seen| seen.dead).unwrap();
        assert!(!seen.out_of_memory);
    }

    #[test]
    fn out_of_memory_is_what_the_engine_says() {
        assert!(shared(&[OOM, DIE]).wait("a", DELAY, |seen| seen.dead).unwrap().out_of_memory);
    }

    #[test]
    fn a_broken_stream_knows_nothing_of_a_container_it_did_not_name() {
        assert!(shared(&[OOM, "junk"]).wait("b", DELAY, |seen| seen.dead).is_none());
    }
}
