//! Connections: how many, from where, how long, and how they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::serve::guard::Peer;
use crate::serve::state::Shared;

/// Connections at the same time, all in all and from one other machine.
const MOST: usize = 1024;
const MOST_OF_ONE: usize = 128;

/// How long a connection may be used again and again. It bounds what a client gains by reading slowly, too.
const LIFE: Duration = Duration::from_secs(300);

/// The pause after an error such as "too many open files".
const PAUSE: Duration = Duration::from_millis(100);

/// Largest head of a request.
const HEAD: usize = 32 << 10;

/// Takes connections until stopped.
pub(super) async fn accept(
    listener: std::net::TcpListener,
    router: Router,
    state: Shared,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let (slots, limit) = (Arc::new(Semaphore::new(MOST)), ConnectionLimit::default());
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, address)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let peer = Peer::new(address.ip());
        let Some(place) = limit.enter(peer) else { continue };
        let router = router.clone().layer(Extension(peer));
        let patience = state.snapshot().pipeline.serve.timeout;
        let stopped = stopped.clone();
        tokio::spawn(async move {
            serve(stream, router, patience, stopped).await;
            drop((slot, place));
        });
    }
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, router: Router, patience: Duration, mut stopped: watch::Receiver<bool>) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        () = sleep(LIFE) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(patience, connection).await;
}

/// How many connections each other machine has.
#[derive(Debug, Default, Clone)]
struct ConnectionLimit(Arc<Mutex<HashMap<Peer, usize>>>);

impl ConnectionLimit {
    /// None if it has too many already. This machine may have all: a proxy may stand here for everybody.
    fn enter(&self, peer: Peer) -> Option<ConnectionPlace> {
        let mut counts = self.0.lock();
        let count = counts.entry(peer).or_default();
        if *count >= MOST_OF_ONE && !peer.is_local() {
            return None;
        }
        *count += 1;
        Some(ConnectionPlace { limit: self.clone(), peer })
    }
}

/// One connection's place; given back when dropped.
struct ConnectionPlace {
    limit: ConnectionLimit,
    peer: Peer,
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut counts = self.limit.0.lock();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_can_t_take_every_place() {
        let limit = ConnectionLimit::default();
        let peer = |address: &str| Peer::new(address.parse().unwrap());
        let there = peer("192.0.2.1");
        let mut places: Vec<ConnectionPlace> = (0..MOST_OF_ONE).filter_map(|_| limit.enter(there)).collect();
        assert_eq!(places.len(), MOST_OF_ONE);
        assert!(limit.enter(there).is_none());
        assert!(limit.enter(peer("::ffff:192.0.2.1")).is_none(), "the same machine by IPv6");
        assert!(limit.enter(peer("192.0.2.2")).is_some());
        places.pop();
        assert!(limit.enter(there).is_some());
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(peer) {
            assert_eq!((0..MOST).filter_map(|_| limit.enter(here)).collect::<Vec<_>>().len(), MOST);
        }
        drop(places);
        assert!(limit.0.lock().is_empty());
    }
}
