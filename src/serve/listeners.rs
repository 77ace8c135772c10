//! Listeners: how many may listen to events at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::serve::limit::{ConnectionLimit, ConnectionPlace};
use crate::serve::peer::Peer;

/// Listeners at the same time, all in all and from one other machine.
const MOST: usize = 256;
const MOST_OF_ONE: usize = 16;

/// Places for those who listen.
#[derive(Debug)]
pub(super) struct Listeners {
    slots: Arc<Semaphore>,
    limit: ConnectionLimit,
}

/// A listener's place; given back when dropped.
pub(super) type Place = (OwnedSemaphorePermit, ConnectionPlace);

impl Default for Listeners {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(MOST)), limit: ConnectionLimit::new(MOST_OF_ONE) }
    }
}

impl Listeners {
    /// None if there is no place.
    pub(super) fn enter(&self, peer: Peer) -> Option<Place> {
        Arc::clone(&self.slots).try_acquire_owned().ok().zip(self.limit.enter(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_bounded() {
        let listeners = Listeners::default();
        let enter = |address: &str, count: usize| -> Vec<Place> {
            (0..count).filter_map(|_| listeners.enter(Peer::new(address.parse().unwrap()))).collect()
        };
        let there = enter("192.0.2.1", MOST);
        assert_eq!(there.len(), MOST_OF_ONE);
        let here = enter("127.0.0.1", MOST);
        assert_eq!(here.len(), MOST - MOST_OF_ONE, "a proxy's");
        assert_eq!(enter("192.0.2.2", 1).len(), 0);
        drop(there);
        assert_eq!(enter("192.0.2.2", 1).len(), 1);
    }
}
