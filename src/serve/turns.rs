//! Turns to have a source compiled: a few at the same time, and of each miner's one, so that nobody has them all.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::model::miner_id::Miner;

/// Cells that look at uploads at the same time.
const CELLS: usize = 4;

/// Lanes that miners stand in. Two in the same one wait for each other.
const LANES: usize = 256;

/// Turns that are free.
#[derive(Debug)]
pub(super) struct Turns {
    cells: Semaphore,
    lanes: Vec<Semaphore>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let lanes = (0..LANES).map(|_| Semaphore::new(1)).collect();
        Self { cells: Semaphore::new(CELLS), lanes, hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits for a miner's turn, which lasts until it is dropped; None if there are none any more.
    pub(super) async fn next(&self, miner: &Miner) -> Option<[SemaphorePermit<'_>; 2]> {
        let lane = &self.lanes[self.hasher.hash_one(miner) as usize % LANES];
        Some([lane.acquire().await.ok()?, self.cells.acquire().await.ok()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_miner_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let miner = |id: &str| id.parse::<Miner>().unwrap();
        let held = turns.next(&miner("ann")).await.unwrap();
        let again = miner("ann");
        let waits = turns.next(&again);
        tokio::pin!(waits);
        let now = tokio::time::timeout(std::time::Duration::ZERO, &mut waits).await;
        assert!(now.is_err(), "ann is looked at already");
        drop(held);
        assert!(waits.await.is_some());
    }
}
