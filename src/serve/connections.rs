//! Connections: how many, from where, how long, and how they end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::guard::Peer;

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
    patience: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let (slots, guests) = (Arc::new(Semaphore::new(MOST)), Guests::default());
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
        let Some(guest) = guests.enter(address.ip()) else { continue };
        let router = router.clone().layer(Extension(Peer(address.ip())));
        let stopped = stopped.clone();
        tokio::spawn(async move {
            serve(stream, router, patience, stopped).await;
            drop((slot, guest));
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
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Guests {
    /// None if it has too many already. This machine may have all: a proxy may stand here for everybody.
    fn enter(&self, address: IpAddr) -> Option<Guest> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MOST_OF_ONE && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest { guests: self.clone(), address })
    }
}

/// One connection's place; given back when dropped.
struct Guest {
    guests: Guests,
    address: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_can_t_take_every_place() {
        let guests = Guests::default();
        let (there, here) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([127, 0, 0, 1]));
        let mut places: Vec<Guest> = (0..MOST_OF_ONE).filter_map(|_| guests.enter(there)).collect();
        assert_eq!(places.len(), MOST_OF_ONE);
        assert!(guests.enter(there).is_none());
        assert!(guests.enter(IpAddr::from([192, 0, 2, 2])).is_some());
        places.pop();
        assert!(guests.enter(there).is_some());
        assert_eq!((0..MOST).filter_map(|_| guests.enter(here)).collect::<Vec<_>>().len(), MOST);
        drop(places);
        assert!(guests.0.lock().unwrap().is_empty());
    }
}
