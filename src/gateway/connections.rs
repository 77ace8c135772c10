//! Connections of one attempt of a run, as bytes that come and go, and HTTP on each of them.
//!
//! Both sides of a connection promise to send no more than a window ahead of what the other one has taken, so that nothing
//! that an agent does, or leaves undone, fills the memory of the host or of the supervisor.

use std::collections::HashMap;
use std::future::poll_fn;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::gateway::http;
use crate::gateway::session::Session;
use crate::model::model_use::ModelUse;

/// Bytes that may be on their way in one direction of a connection.
pub const WINDOW: usize = 64 << 10;

/// Bytes that are taken before the other side is told, which takes every process on the way some work: half of a window, so
/// most requests and answers need no word.
const TOLD: usize = WINDOW / 2;

/// Connections at the same time.
pub const MOST_LINKS: usize = 16;

/// Bytes that are sent at a time.
const CHUNK: usize = 16 << 10;

/// Longest head of a request, in bytes, and its most fields.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_FIELDS: usize = 100;

/// Something that goes to the cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Parcel {
    /// Bytes for a connection; none: it ends.
    Bytes(u32, Vec<u8>),
    /// So many bytes of a connection were taken.
    Taken(u32, usize),
}

/// One attempt's connections.
#[derive(Debug)]
pub struct Connections {
    runtime: Handle,
    links: Mutex<Links>,
    out: Arc<Outbound>,
}

#[derive(Debug, Default)]
struct Links {
    open: HashMap<u32, Link>,
    /// The last one that was opened: a late word on an ended one opens none.
    last: Option<u32>,
}

#[derive(Debug)]
struct Link {
    /// None once the agent has said that it sends nothing more.
    inward: Option<UnboundedSender<Bytes>>,
    /// Bytes that have come and were not taken.
    ahead: Arc<AtomicUsize>,
    /// Bytes that may be sent.
    credit: Arc<Semaphore>,
    task: AbortHandle,
}

/// Parcels that wait for the cell.
#[derive(Debug)]
struct Outbound {
    parcels: Mutex<Vec<Parcel>>,
    session: Arc<Session>,
}

impl Outbound {
    fn put(&self, parcel: Parcel) {
        self.post(parcel);
        self.tell();
    }

    /// Puts a parcel that nobody is told of yet: others may follow at once, and go with it.
    fn post(&self, parcel: Parcel) {
        self.parcels.lock().push(parcel);
    }

    /// Tells of parcels that wait.
    fn tell(&self) {
        if !self.parcels.lock().is_empty() {
            self.session.news.signal();
        }
    }
}

impl Connections {
    /// None yet.
    pub fn new(session: Session, runtime: Handle) -> Self {
        let out = Arc::new(Outbound { parcels: Mutex::default(), session: Arc::new(session) });
        Self { runtime, links: Mutex::default(), out }
    }

    /// Time that answers have taken so far, which is not the agent's.
    pub fn waited(&self) -> Duration {
        self.out.session.budget.waited()
    }

    /// The fault of somebody else's that ends the run.
    pub fn fault(&self) -> Option<&str> {
        self.out.session.fault()
    }

    /// Readable when there is something for the cell, or the run is at its end by somebody else's fault.
    pub fn ready(&self) -> BorrowedFd<'_> {
        self.out.session.news.as_fd()
    }

    /// All that goes to the cell now.
    pub fn parcels(&self) -> Vec<Parcel> {
        self.out.session.news.clear();
        let parcels = std::mem::take(&mut *self.out.parcels.lock());
        let ended = parcels.iter().filter_map(|parcel| match parcel {
            Parcel::Bytes(link, bytes) if bytes.is_empty() => Some(*link),
            _ => None,
        });
        let mut links = self.links.lock();
        ended.for_each(|link| drop(links.open.remove(&link)));
        parcels
    }

    /// Takes bytes of a connection, which begins with its first ones. None end what the agent sends, and once more the
    /// whole of it.
    pub fn take_bytes(&self, link: u32, bytes: &[u8]) {
        let mut links = self.links.lock();
        if !links.open.contains_key(&link) && links.last.is_none_or(|last| last < link) {
            links.last = Some(link);
            match links.open.len() < MOST_LINKS {
                true => drop(links.open.insert(link, self.open(link))),
                false => self.out.put(Parcel::Bytes(link, Vec::new())),
            }
        }
        let Some(known) = links.open.get_mut(&link) else { return };
        if bytes.is_empty() && known.inward.is_none() {
            known.task.abort(); // said twice, it has gone
            links.open.remove(&link);
        } else if bytes.is_empty() {
            known.inward = None;
        } else if known.ahead.fetch_add(bytes.len(), Ordering::SeqCst) + bytes.len() > WINDOW {
            // Our own code in the cell sends no such thing.
            known.task.abort();
            self.out.put(Parcel::Bytes(link, Vec::new()));
        } else if let Some(inward) = &known.inward {
            let _ = inward.send(Bytes::copy_from_slice(bytes));
        }
    }

    /// Takes note that so many bytes of a connection have got to the agent.
    pub fn take_credit(&self, link: u32, count: usize) {
        if let Some(link) = self.links.lock().open.get(&link) {
            let lacking = WINDOW.saturating_sub(link.credit.available_permits());
            link.credit.add_permits(count.min(lacking));
        }
    }

    fn open(&self, link: u32) -> Link {
        let (inward, received) = unbounded_channel();
        let (credit, ahead) = (Arc::new(Semaphore::new(WINDOW)), Arc::default());
        let ends =
            Ends { link, credit: Arc::clone(&credit), ahead: Arc::clone(&ahead), out: Arc::clone(&self.out) };
        let task = self.runtime.spawn(serve(ends, received));
        Link { inward: Some(inward), ahead, credit, task: task.abort_handle() }
    }

    /// Ends all connections and tells what was used. Waits up to `patience` for questions that are open, as they will be
    /// paid for.
    pub fn close(&self, patience: Duration) -> ModelUse {
        self.links.lock().open.drain().for_each(|(_, link)| link.task.abort());
        self.out.session.budget.close(patience)
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

/// A connection's surroundings, for the task that serves it.
struct Ends {
    link: u32,
    credit: Arc<Semaphore>,
    ahead: Arc<AtomicUsize>,
    out: Arc<Outbound>,
}

/// Serves a connection. What comes of one step of it is told in one piece: mostly an answer, and its end.
async fn serve(ends: Ends, received: UnboundedReceiver<Bytes>) {
    let out = Arc::clone(&ends.out);
    let mut work = pin!(speak(ends, received));
    poll_fn(|context| {
        let step = work.as_mut().poll(context);
        out.tell();
        step
    })
    .await;
}

async fn speak(ends: Ends, received: UnboundedReceiver<Bytes>) {
    let (ours, theirs) = tokio::io::duplex(WINDOW);
    let (from_http, to_http) = tokio::io::split(theirs);
    let service = service_fn(|request| http::answer(Arc::clone(&ends.out.session), request));
    let mut builder = http1::Builder::new();
    builder.keep_alive(false).half_close(true).max_buf_size(LONGEST_HEAD).max_headers(MOST_FIELDS);
    builder.timer(TokioTimer::new()).header_read_timeout(http::PATIENCE);
    let connection = builder.serve_connection(TokioIo::new(ours), service);
    let inward = async {
        pass_in(received, to_http, &ends).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = async { tokio::join!(connection, pass_out(from_http, &ends)) } => {}
        () = inward => {}
    }
    ends.out.post(Parcel::Bytes(ends.link, Vec::new()));
}

async fn pass_in(mut received: UnboundedReceiver<Bytes>, mut to: WriteHalf<DuplexStream>, ends: &Ends) {
    let mut untold = 0;
    while let Some(bytes) = received.recv().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
        ends.ahead.fetch_sub(bytes.len(), Ordering::SeqCst);
        untold += bytes.len();
        if untold >= TOLD {
            ends.out.post(Parcel::Taken(ends.link, std::mem::take(&mut untold)));
        }
    }
    let _ = to.shutdown().await;
}

async fn pass_out(mut from: ReadHalf<DuplexStream>, ends: &Ends) {
    let mut chunk = [0; CHUNK];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        let Ok(credit) = ends.credit.acquire_many(count as u32).await else { return };
        credit.forget();
        ends.out.post(Parcel::Bytes(ends.link, chunk[..count].to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    /// All parcels of the only connection, by how they came: those that came in one piece are together.
    fn answer(runtime: &tokio::runtime::Runtime, request: &[u8]) -> Vec<Vec<Parcel>> {
        let connections = Connections::new(Session::sample(), runtime.handle().clone());
        request.chunks(CHUNK).for_each(|bytes| connections.take_bytes(1, bytes));
        let mut told = Vec::new();
        let is_end = |parcel: &Parcel| matches!(parcel, Parcel::Bytes(1, bytes) if bytes.is_empty());
        while !told.iter().flatten().any(is_end) {
            let mut ready = [PollFd::from_borrowed_fd(connections.ready(), PollFlags::IN)];
            poll(&mut ready, None).unwrap();
            told.push(connections.parcels());
        }
        told
    }

    #[test]
    fn an_answer_and_its_end_come_in_one_piece_and_only_large_requests_are_told_to_be_taken() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let told = answer(&runtime, b"GET /v1/budget HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(matches!(&told[..], [one] if one.len() == 2), "{told:?}");
        let body = "x".repeat(WINDOW - 1000);
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let told = answer(&runtime, format!("{head}{body}").as_bytes());
        let taken = |parcel: &Parcel| match parcel {
            Parcel::Taken(1, count) => *count,
            _ => 0,
        };
        let taken: Vec<usize> = told.iter().flatten().map(taken).filter(|count| *count > 0).collect();
        assert!(matches!(taken[..], [count] if count >= TOLD), "{taken:?}");
    }
}
