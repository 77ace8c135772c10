//! Limit of connections: how many each other machine may have at the same time. One with IPv6 has many addresses, and is its network.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::serve::peer::{Network, Peer};

/// How many connections each other machine has, and may have.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimit {
    counts: Arc<Mutex<HashMap<Network, usize>>>,
    most_of_one: usize,
}

impl ConnectionLimit {
    pub(super) fn new(most_of_one: usize) -> Self {
        Self { counts: Arc::default(), most_of_one }
    }

    /// None if it has too many already. This machine may have all: a proxy may stand here for everybody.
    pub(super) fn enter(&self, peer: Peer) -> Option<ConnectionPlace> {
        let mut counts = self.counts.lock();
        let network = peer.network();
        let count = counts.entry(network).or_default();
        if *count >= self.most_of_one && !peer.is_local() {
            return None;
        }
        *count += 1;
        Some(ConnectionPlace { limit: self.clone(), network })
    }
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    limit: ConnectionLimit,
    network: Network,
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut counts = self.limit.counts.lock();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 16;

    #[test]
    fn one_machine_can_t_take_every_place() {
        let limit = ConnectionLimit::new(MOST);
        let peer = |address: &str| Peer::new(address.parse().unwrap());
        let there = peer("192.0.2.1");
        let mut places: Vec<ConnectionPlace> = (0..MOST).filter_map(|_| limit.enter(there)).collect();
        assert_eq!(places.len(), MOST);
        assert!(limit.enter(there).is_none());
        assert!(limit.enter(peer("::ffff:192.0.2.1")).is_none(), "the same machine by IPv6");
        assert!(limit.enter(peer("192.0.2.2")).is_some());
        places.pop();
        assert!(limit.enter(there).is_some());
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(peer) {
            assert_eq!((0..2 * MOST).filter_map(|_| limit.enter(here)).collect::<Vec<_>>().len(), 2 * MOST);
        }
        drop(places);
        assert!(limit.counts.lock().is_empty());
    }

    #[test]
    fn a_machine_with_many_addresses_is_one() {
        let limit = ConnectionLimit::new(MOST);
        let peer = |number: usize| Peer::new(format!("2001:db8::{number:x}").parse().unwrap());
        let places: Vec<ConnectionPlace> =
            (0..4 * MOST).filter_map(|number| limit.enter(peer(number))).collect();
        assert_eq!(places.len(), MOST);
        assert!(limit.enter(Peer::new("2001:db8:0:1::1".parse().unwrap())).is_some());
    }
}
