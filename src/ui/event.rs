//! Events: messages of workers to the person at the terminal.

use std::sync::mpsc;

use crate::model::miner_id::Miner;
use crate::model::report::Verdict;

/// A message to the person at the terminal.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step on the way to having the image.
    Image(String),
    /// Something that a person may want to know, such as an address.
    Note(String),
    /// So many more agents are going to be evaluated.
    Due {
        /// Number of agents.
        agents: usize,
    },
    /// A run begins.
    Runs {
        /// The agent's miner.
        miner: Miner,
        /// The task's id.
        task: String,
    },
    /// A run was judged; None means unscored.
    Ran {
        /// The agent's miner.
        miner: Miner,
        /// The task's id.
        task: String,
        /// Verdict of the run.
        verdict: Option<Verdict>,
    },
    /// An agent's evaluation came to an end.
    Finished {
        /// The agent's miner.
        miner: Miner,
    },
    /// The results are complete for now: the ranking as text, some lines.
    Ranking(String),
    /// Something that the person should look at; nothing stopped.
    Warning(String),
}

/// Sender of events.
#[derive(Debug, Clone)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// A sender and its receiver.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Sends an event; nobody listening is no error.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
    }
}
