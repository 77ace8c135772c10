//! `on_change`: a command of the organiser's that is told of each change of the ranking. It runs on the host, as agentmill
//! does, outside of any cell; no byte of an agent's gets into its arguments.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{Freeze, OnChange, Pipeline};
use crate::pipeline::change::{Change, Place, moves};
use crate::pipeline::freeze;
use crate::ui::{Event, Events};
use crate::util::program::Children;
use crate::util::{atomic_file, json, regular};

/// The ranking that was told last, in the results folder.
const TOLD: &str = ".told";

/// The most time that the command has.
const PATIENCE: Duration = Duration::from_secs(60);

/// Thread that tells the command; it waits for nobody, and nobody waits for it but the pass's end.
#[derive(Debug)]
pub struct Teller {
    rankings: Option<Sender<Vec<Place>>>,
    thread: Option<JoinHandle<()>>,
    children: Children,
    stopped: Arc<AtomicBool>,
}

/// All that the thread needs.
struct Told {
    on_change: OnChange,
    results: PathBuf,
    title: Option<String>,
    token: Option<String>,
    freeze: Option<Freeze>,
    patience: Duration,
    children: Children,
    stopped: Arc<AtomicBool>,
    events: Events,
}

impl Teller {
    /// None where nobody is to be told.
    pub fn new(pipeline: &Pipeline, events: &Events) -> Option<Self> {
        let (children, stopped) = (Children::default(), Arc::new(AtomicBool::new(false)));
        let told = Told {
            on_change: pipeline.on_change.clone()?,
            results: pipeline.results.clone(),
            title: pipeline.title.clone(),
            token: pipeline.rewards.as_ref().map(|rewards| rewards.token.clone()),
            freeze: pipeline.freeze,
            patience: PATIENCE,
            children: children.clone(),
            stopped: Arc::clone(&stopped),
            events: events.clone(),
        };
        let (rankings, coming) = mpsc::channel();
        let thread = thread::spawn(move || told.tell_all(&coming));
        Some(Self { rankings: Some(rankings), thread: Some(thread), children, stopped })
    }

    /// Has the command told, if this ranking is another one than it was told last.
    pub fn tell(&self, ranking: Vec<Place>) {
        let _ = self.rankings.as_ref().map(|rankings| rankings.send(ranking));
    }

    /// Ends the command, if it is at work. What it was not told is told in the next pass.
    pub fn stop(self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.children.end();
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.rankings = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Told {
    /// Tells of the newest ranking each time; those in between are no news any more.
    fn tell_all(&self, coming: &Receiver<Vec<Place>>) {
        while let Ok(mut ranking) = coming.recv() {
            while let Ok(newer) = coming.try_recv() {
                ranking = newer;
            }
            let is_stopped = || self.stopped.load(Ordering::SeqCst);
            if !is_stopped()
                && let Err(reason) = self.tell(&ranking)
                && !is_stopped()
            {
                let name = &self.on_change.command[0];
                self.events.send(Event::Warning(format!("on_change: {name}: {reason}")));
            }
        }
    }

    /// A ranking counts as told once the command has ended well: else the next change is told from where it stood.
    fn tell(&self, after: &[Place]) -> Result<(), String> {
        let path = self.results.join(TOLD);
        let before = last(&path);
        let (moved, now) = (moves(&before, after), Timestamp::now());
        if moved.is_empty() {
            return Ok(());
        }
        let change = Change {
            title: self.title.as_deref(),
            at: now,
            frozen: self.freeze.is_some_and(|freeze| freeze::is_in_force(&self.results, &freeze, now)),
            token: self.token.as_deref(),
            moved,
            before: &before,
            after,
        };
        let line = json::line(&change).map_err(|error| error.to_string())? + "\n";
        self.run(line.into_bytes())?;
        let told = json::bytes(&after).and_then(|bytes| atomic_file::replace(&path, &bytes));
        told.map(drop).map_err(|error| format!("it is told, but that can't be noted: {error}"))
    }

    fn run(&self, change: Vec<u8>) -> Result<(), String> {
        let OnChange { command, folder } = &self.on_change;
        let folder = std::path::absolute(folder).map_err(|error| error.to_string())?;
        let program = match command[0].contains('/') {
            true => folder.join(&command[0]),
            false => PathBuf::from(&command[0]),
        };
        let mut program = Command::new(program);
        program.args(&command[1..]).current_dir(folder);
        let ran = self.children.run(&mut program, change, self.patience);
        let output = ran.map_err(|failure| failure.to_string())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("failed ({}): {}", output.status, output.last_words())),
        }
    }
}

/// Nobody, if nothing was told yet.
fn last(path: &Path) -> Vec<Place> {
    let bytes = regular::read(path).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let told = Told {
            on_change: OnChange {
                command: ["sh", "-c", "sleep 600; :"].map(str::to_owned).to_vec(),
                folder: folder.path().to_owned(),
            },
            results: folder.path().to_owned(),
            title: None,
            token: None,
            freeze: None,
            patience: Duration::from_millis(100),
            children: Children::default(),
            stopped: Arc::default(),
            events: Events::channel().0,
        };
        let ann = Place { rank: None, miner: "ann".parse().unwrap(), score: None, reward: None };
        assert_eq!(told.tell(&[ann]).unwrap_err(), "no end within 0.1 s");
        assert!(told.children.is_empty() && !folder.path().join(TOLD).exists());
    }
}
