//! What happens, as events; `watch` and `run` show them as lines. Workers never print.

use std::sync::mpsc;

use crate::pipeline::intake::Miner;
use crate::report::Verdict;

/// Something worth telling the person at the terminal.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step on the way to having the image.
    Image(String),
    /// So many agents are about to be evaluated, with so many runs in all.
    Planned {
        /// Agents.
        agents: usize,
        /// Runs of all of them.
        runs: usize,
    },
    /// A run was judged; None means unscored.
    Ran {
        /// Whose.
        miner: Miner,
        /// On which task.
        task: String,
        /// What came of it.
        verdict: Option<Verdict>,
    },
    /// An agent's evaluation is complete.
    Finished {
        /// Whose.
        miner: Miner,
        /// One line about it.
        summary: String,
    },
    /// Something that the person should look at; nothing stopped.
    Warning(String),
}

/// Where workers send events to.
#[derive(Debug, Clone)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// A sender and what it feeds.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Sends an event; nobody listening is no error.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
    }
}
