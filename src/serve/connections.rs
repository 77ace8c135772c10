//! Connections: how many, from where, how long, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::serve::limit::ConnectionLimit;
use crate::serve::peer::Peer;
use crate::serve::state::Shared;

/// Connections at the same time, all in all and from one other machine.
const MOST: usize = 1024;
const MOST_OF_ONE: usize = 128;

/// Tells those who answer without an end that the server is to stop.
#[derive(Debug, Clone)]
pub(super) struct Stopped(pub(super) watch::Receiver<bool>);

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
    let (slots, limit) = (Arc::new(Semaphore::new(MOST)), ConnectionLimit::new(MOST_OF_ONE));
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
        let router = router.clone().layer(Extension(peer)).layer(Extension(Stopped(stopped.clone())));
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
