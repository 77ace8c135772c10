//! The engine's own record of this session's containers: which died, which ran out of memory, and whether the engine
//! itself was there all the time. Verdicts rest on this and never on what a cell says.
//!
//! A cell on another machine brings a record of its own: what `carry.sh` tells of it from there.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::Deserialize;

use crate::sandbox::Fault;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::dialect::Witness;
use crate::sandbox::engine::events::{self, Source};

/// How long the engine may take to tell of something that has happened already.
const DELAY: Duration = Duration::from_secs(10);

/// How much later than a death by SIGKILL the engine may tell that memory was its cause: it hears of the two on
/// different ways.
const OOM_DELAY: Duration = Duration::from_millis(500);

/// How long the machine that a cell was carried to may be silent. It says that it is there every two seconds.
const SILENCE: Duration = Duration::from_secs(20);

/// How much later than its output the client's last words may come.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Bytes kept of what was said beside the deaths.
const WORDS: usize = 4096;

/// The engine's events of this session's containers, as they come.
#[derive(Debug)]
pub struct DeathLog {
    shared: Arc<Shared>,
    /// None where the cell's own client tells.
    follower: Option<Follower>,
}

/// The source of the engine's events, and the thread that reads them; ended when dropped.
#[derive(Debug)]
struct Follower {
    engine: Arc<Engine>,
    source: Option<Source>,
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
    /// The machine that a cell was carried to, by its own word.
    node: Option<String>,
    /// How often that machine has said that it is there.
    beats: u64,
    /// Other words, most likely the reason why something went wrong.
    words: String,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    out_of_memory: bool,
    dead: bool,
    /// By SIGKILL.
    killed: bool,
    /// By somebody's order to the engine, or because its input ended: nothing that an agent could bring about.
    ended_from_outside: bool,
}

/// How a container came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Memory ran out.
    OutOfMemory,
    /// Its processes ended.
    Ended,
    /// The engine failed or knows nothing of it, or somebody else ended it.
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
    #[serde(rename = "ContainerExitCode", default)]
    exit_code: i32,
}

#[derive(Deserialize, Default)]
struct Actor {
    #[serde(rename = "Attributes", default)]
    attributes: HashMap<String, String>,
}

impl DeathLog {
    /// Starts to follow the events of the engine's session.
    ///
    /// # Errors
    /// The engine can't be reached, or its client not be started.
    pub fn follow(engine: &Arc<Engine>) -> Result<Self, Fault> {
        let (source, events) = events::follow(engine)?;
        let shared = Arc::new(Shared::default());
        let reader = Some(thread::spawn(read(Arc::clone(&shared), events)));
        let follower = Follower { engine: Arc::clone(engine), source: Some(source), reader };
        Ok(Self { shared, follower: Some(follower) })
    }

    /// The record of one cell, as its client tells it on stderr.
    pub fn of_carried(stderr: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        thread::spawn(read(Arc::clone(&shared), stderr));
        Self { shared, follower: None }
    }

    /// The machine that the cell was carried to, once it has said so.
    pub fn node(&self) -> Option<String> {
        self.shared.lock().node.clone()
    }

    /// The words beside the deaths, as one line; all of them, if the end is near.
    pub fn words(&self) -> String {
        self.shared.wait_for::<()>(LAST_WORDS, |_| None);
        self.shared.lock().words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Tells whether the place where the container runs is there now, by another's word than the container's.
    pub fn is_there(&self) -> bool {
        let before = self.shared.lock().beats;
        let told = |state: &State| (self.follower.is_some() || state.beats > before).then_some(());
        self.shared.wait_for(SILENCE, told).is_some()
    }

    /// Tells whether the engine has gone away since this log began.
    pub fn is_broken(&self) -> bool {
        self.shared.lock().broken
    }

    /// Tells whether memory ran out in the living container: the kernel's word if it is to be had, else the engine's, for which
    /// it waits a little.
    pub fn ran_out_of_memory(&self, name: &str) -> bool {
        let kernels_word =
            self.follower.as_ref().and_then(|it| it.engine.oom_kills(name)).map(|kills| kills > 0);
        kernels_word.unwrap_or_else(|| self.shared.wait(name, OOM_DELAY, |seen| seen.out_of_memory).is_some())
    }

    /// How the container ended, once its stream has.
    pub fn death(&self, name: &str) -> Death {
        let out_of_memory = |seen: Seen| seen.out_of_memory;
        match self.shared.wait(name, DELAY, |seen| seen.dead) {
            None => Death::EngineFailed,
            Some(seen) if seen.out_of_memory => Death::OutOfMemory,
            Some(seen) if seen.ended_from_outside => Death::EngineFailed,
            Some(seen) if seen.killed && self.records_none() => Death::OutOfMemory,
            Some(seen) if seen.killed && self.shared.wait(name, OOM_DELAY, out_of_memory).is_some() => {
                Death::OutOfMemory
            }
            Some(_) => Death::Ended,
        }
    }

    /// Tells whether the engine records no out-of-memory kills.
    fn records_none(&self) -> bool {
        self.follower.as_ref().is_some_and(|it| it.engine.witness() == Witness::Kernel)
    }

    /// Forgets a container that is used no more.
    pub fn forget(&self, name: &str) {
        self.shared.lock().containers.remove(name);
    }
}

/// Notes all lines that come, and their end.
fn read(shared: Arc<Shared>, stream: impl Read) -> impl FnOnce() {
    move || {
        let lines = BufReader::new(stream).split(b'\n').map_while(Result::ok);
        lines.for_each(|line| shared.note(&String::from_utf8_lossy(&line)));
        shared.lock().broken = true;
        shared.changed.notify_all();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.source.take());
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn note(&self, line: &str) {
        let mut state = self.lock();
        match serde_json::from_str::<Line>(line) {
            Ok(line) => state.enter(line),
            Err(_) => state.overhear(line),
        }
        self.changed.notify_all();
    }

    /// Waits until `enough` is recorded of the container; None if the engine fails or stays silent.
    fn wait(&self, name: &str, patience: Duration, enough: impl Fn(Seen) -> bool) -> Option<Seen> {
        self.wait_for(patience, |state| state.containers.get(name).copied().filter(|seen| enough(*seen)))
    }

    fn wait_for<T>(&self, patience: Duration, found: impl Fn(&State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            match found(&state) {
                Some(it) => return Some(it),
                None if state.broken => return None,
                None => {}
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            self.changed.wait_for(&mut state, left);
        }
    }
}

impl State {
    fn enter(&mut self, mut line: Line) {
        let code = line.actor.attributes.remove("exitCode").and_then(|code| code.parse().ok());
        let code = code.unwrap_or(line.exit_code);
        let name = line.actor.attributes.remove("name").unwrap_or(line.name);
        match line.action.as_str() {
            "node" => return self.node = Some(name),
            "beat" => return self.beats += 1,
            _ => {}
        }
        let seen = self.containers.entry(name).or_default();
        match line.action.as_str() {
            "oom" => seen.out_of_memory = true,
            "kill" => seen.ended_from_outside = true,
            "die" | "died" => {
                (seen.dead, seen.killed) = (true, code == 137);
                // The supervisor ends with 0 when its input does and never otherwise, and we have not ended it.
                seen.ended_from_outside |= code == 0;
            }
            _ => {}
        }
    }

    fn overhear(&mut self, words: &str) {
        self.words.push_str(words);
        self.words.push('\n');
        let surplus = self.words.len().saturating_sub(WORDS);
        self.words.drain(..self.words.ceil_char_boundary(surplus));
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
    fn a_container_that_somebody_else_ended_is_no_agents_doing() {
        let deaths = |lines: &[&str]| DeathLog { shared: Arc::new(shared(lines)), follower: None };
        let kill = DIE.replace("die", "kill");
        let stdin_ended = DIE.replace("137", "0");
        assert_eq!(deaths(&[DIE]).death("a"), Death::Ended);
        assert_eq!(deaths(&[&kill, DIE]).death("a"), Death::EngineFailed);
        assert_eq!(deaths(&[&stdin_ended]).death("a"), Death::EngineFailed);
        assert_eq!(deaths(&[OOM, &kill, DIE]).death("a"), Death::OutOfMemory);
    }

    #[test]
    fn a_carried_cell_tells_its_node_and_what_went_wrong_there() {
        let said = "{\"Action\":\"node\",\"Name\":\"n7\"}\ndocker: No such image\nsrun: error\n";
        let deaths = DeathLog::of_carried(std::io::Cursor::new(said));
        assert!(!deaths.is_there(), "no beat has come");
        assert_eq!(deaths.node().as_deref(), Some("n7"));
        assert_eq!(deaths.words(), "docker: No such image srun: error");
        assert_eq!(deaths.death("a"), Death::EngineFailed);
    }

    #[test]
    fn podman_tells_the_same_in_other_words() {
        let died = r#"{"ContainerExitCode":137,"ID":"1","Name":"a","Status":"died","Type":"container"}"#;
        assert!(shared(&[died]).wait("a", DELAY, |seen| seen.dead).unwrap().killed);
        let ended = r#"{"ID":"1","Name":"a","Status":"died","Type":"container"}"#;
        assert!(!shared(&[ended]).wait("a", DELAY, |seen| seen.dead).unwrap().killed);
    }

    #[test]
    fn a_broken_stream_knows_nothing_of_a_container_it_did_not_name() {
        assert!(shared(&[OOM, "junk"]).wait("b", DELAY, |seen| seen.dead).is_none());
    }
}
