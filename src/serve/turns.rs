//! Turns to have a source compiled: a few at the same time, and of each miner's one, so that nobody has them all.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use crate::model::miner_id::Miner;

/// Cells that look at uploads at the same time.
const CELLS: usize = 4;

/// Lanes that miners stand in. Two in the same one wait for each other.
const LANES: usize = 256;

/// A miner's turn, given back when dropped.
type Turn = [OwnedSemaphorePermit; 2];

/// Turns that are free.
#[derive(Debug)]
pub(super) struct Turns {
    cells: Arc<Semaphore>,
    lanes: Vec<Arc<Semaphore>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let lanes = (0..LANES).map(|_| Arc::new(Semaphore::new(1))).collect();
        Self { cells: Arc::new(Semaphore::new(CELLS)), lanes, hasher: RandomState::new() }
    }
}

impl Turns {
    /// Does work that waits, off the threads that answer, in a miner's turn; None if that does not come within this time. The turn lasts until the work is done: its
    /// request may end before, as its client may leave.
    ///
    /// # Errors
    /// The work has panicked.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        miner: &Miner,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, JoinError> {
        let Ok(Some(turn)) = timeout(patience, self.next(miner)).await else { return Ok(None) };
        let in_turn = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        in_turn.await.map(Some)
    }

    /// Waits for a miner's turn; None if there are none any more.
    async fn next(&self, miner: &Miner) -> Option<Turn> {
        let lane = &self.lanes[self.hasher.hash_one(miner) as usize % LANES];
        let lane = Arc::clone(lane).acquire_owned().await.ok()?;
        Some([lane, Arc::clone(&self.cells).acquire_owned().await.ok()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miner(id: &str) -> Miner {
        id.parse().unwrap()
    }

    #[tokio::test]
    async fn a_miner_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let ann = miner("ann");
        let held = turns.next(&ann).await.unwrap();
        let waits = turns.next(&ann);
        tokio::pin!(waits);
        let now = timeout(Duration::ZERO, &mut waits).await;
        assert!(now.is_err(), "ann is looked at already");
        drop(held);
        assert!(waits.await.is_some());
    }

    #[tokio::test]
    async fn a_client_that_leaves_does_not_end_the_turn_of_its_work() {
        let turns = Turns::default();
        let ann = miner("ann");
        let (done, until) = std::sync::mpsc::channel::<()>();
        let request = turns.work(&ann, Duration::from_secs(10), move || until.recv());
        assert!(timeout(Duration::ZERO, request).await.is_err(), "it is compiled for a while");
        assert!(
            timeout(Duration::ZERO, turns.next(&ann)).await.is_err(),
            "and ann has no other turn meanwhile"
        );
        drop(done);
        assert!(turns.next(&ann).await.is_some());
    }
}
