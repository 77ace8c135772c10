//! Events -> bars on a terminal, lines elsewhere. Workers never print, they send events.

mod pace;
mod screen;
mod spinner;

use std::sync::mpsc;

use crate::pipeline::intake::Miner;
use crate::report::Verdict;

pub use screen::{Display, Talk, display};
pub use spinner::Spinner;

/// Something worth telling the person at the terminal.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step on the way to having the image.
    Image(String),
    /// Something that a person may want to know, such as an address.
    Note(String),
    /// So many more agents are going to be evaluated.
    Due {
        /// How many.
        agents: usize,
    },
    /// A run begins.
    Runs {
        /// Whose.
        miner: Miner,
        /// On which task.
        task: String,
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
    /// An agent's evaluation came to an end.
    Finished {
        /// Whose.
        miner: Miner,
    },
    /// The results are complete for now: the ranking as text, some lines.
    Ranking(String),
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
