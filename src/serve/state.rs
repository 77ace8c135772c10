//! Server state: all that requests share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::RwLock;

use crate::model::miner_id::Miner;
use crate::serve::answer::Failure;
use crate::serve::listeners::Listeners;
use crate::serve::peer::Network;
use crate::serve::rate::Rate;
use crate::serve::snapshot::Snapshot;
use crate::serve::turns::Turns;
use crate::submission::Submitter;

/// State of a server from its start to its end.
#[derive(Debug)]
pub(super) struct ServerState {
    snapshot: RwLock<Arc<Snapshot>>,
    pub(super) per_address: Rate<Network>,
    pub(super) per_miner: Rate<Miner>,
    pub(super) submitter: Submitter,
    /// Places for those who listen to events.
    pub(super) listeners: Listeners,
    /// Turns to have a source compiled.
    pub(super) turns: Turns,
    /// True if submitting takes a token: from the first token on, even if the last one has been removed.
    pub(super) guarded: AtomicBool,
}

pub(super) type Shared = Arc<ServerState>;

impl ServerState {
    pub(super) fn new(snapshot: Snapshot, guarded: bool) -> Self {
        Self {
            snapshot: RwLock::new(Arc::new(snapshot)),
            per_address: Rate::default(),
            per_miner: Rate::default(),
            submitter: Submitter::default(),
            listeners: Listeners::default(),
            turns: Turns::default(),
            guarded: AtomicBool::new(guarded),
        }
    }

    /// The snapshot in force.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read())
    }

    /// Puts another snapshot into force for requests to come.
    pub(super) fn replace(&self, snapshot: Snapshot) {
        *self.snapshot.write() = Arc::new(snapshot);
    }
}

/// Runs work that waits for a disk off the threads that answer.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::ours())
}
