//! Reaper: waits for ended containers off the workers' way, and removes by force those that stay.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::warn;

use crate::sandbox::containers::running::RunningContainer;
use crate::sandbox::engine::Engine;

/// How long a container may take to end once its input has; past it, it is removed by force.
const LEAVE: Duration = Duration::from_secs(10);

/// Waits for ended containers off the workers' way, and removes by force those that stay.
#[derive(Debug)]
pub struct Reaper {
    queue: Option<mpsc::Sender<RunningContainer>>,
    thread: Option<JoinHandle<()>>,
}

impl Reaper {
    /// A reaper with a thread of its own.
    pub fn new(engine: Arc<Engine>) -> Self {
        let (queue, ended) = mpsc::channel::<RunningContainer>();
        let thread = thread::spawn(move || {
            for RunningContainer { mut channel, name, .. } in ended {
                if !channel.ends(LEAVE) {
                    warn!(name, "container does not end; removing it");
                    engine.launch().cancel(&[&name]);
                    engine.remove(&[&name]);
                    channel.handle().end();
                    channel.ends(LEAVE);
                }
            }
        });
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Ends a container's input and waits for its end elsewhere.
    pub fn take(&self, mut started: RunningContainer) {
        started.channel.close_stdin();
        if let Some(queue) = &self.queue {
            let _ = queue.send(started);
        }
    }

    /// Waits until all that were taken have gone.
    pub fn finish(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
