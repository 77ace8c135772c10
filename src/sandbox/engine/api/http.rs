//! HTTP over a socket of this machine: one connection for each request, and a time by which it must have been answered.

use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Why there is no answer to a request, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody listens, or not to us.
    #[error("can't connect to the engine at unix://{0} ({1}); is it running, and may you use it?")]
    Unreachable(String, io::Error),
    /// Not done, and why, in the other's own words.
    #[error("{1}")]
    Refused(StatusCode, String),
    /// The connection ended first.
    #[error("the engine broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// It takes too long.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// Not what it should be.
    #[error("the engine's answer can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The kernel's doing.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Failure {
    /// Tells whether the engine has no such thing as was asked for.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Refused(StatusCode::NOT_FOUND, _))
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The result of `call`, if it comes in time.
///
/// # Errors
/// Its own, or that it took too long.
pub fn within<T>(patience: Duration, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(async { timeout(patience, call).await.unwrap_or(Err(Failure::Late(patience))) })
}

/// Sends a request over a connection of its own; the body of the answer is still to come.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub async fn ask(socket: &Path, request: Request<String>) -> Result<Response<Incoming>, Failure> {
    let unreachable = |error| Failure::Unreachable(socket.display().to_string(), error);
    let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let answer = sender.send_request(request).await?;
    match answer.status() {
        status if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS => Ok(answer),
        status => Err(Failure::Refused(status, reason(status, &whole(answer).await?))),
    }
}

/// Why the engine refuses, as one line.
fn reason(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let told = serde_json::from_slice(body).map(|refusal: Refusal| refusal.message);
    let told = told.unwrap_or_else(|_| status.to_string());
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The body of an answer.
///
/// # Errors
/// The connection broke off.
pub async fn whole(answer: Response<Incoming>) -> Result<Vec<u8>, Failure> {
    let (mut body, mut bytes) = (answer.into_body(), Vec::new());
    while let Some(piece) = next(&mut body).await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The next piece of a body; None at its end.
async fn next(body: &mut Incoming) -> hyper::Result<Option<Bytes>> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await.transpose()?;
    // What is no data are trailers, which nobody sends.
    Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

/// The connection that an answer came on, now no longer HTTP's, and what has come on it since. It does not block.
///
/// # Errors
/// The other one goes on with HTTP.
pub async fn hijack(answer: Response<Incoming>) -> Result<(std::os::unix::net::UnixStream, Bytes), Failure> {
    let runs = hyper::upgrade::on(answer).await?.downcast::<TokioIo<UnixStream>>();
    let runs = runs.map_err(|_| io::Error::other("another connection than it was"))?;
    Ok((runs.io.into_inner().into_std()?, runs.read_buf))
}

/// A body that comes bit by bit, for a thread that has nothing else to do; ends when the other end of `stop` does.
#[derive(Debug)]
pub struct Stream {
    runtime: Runtime,
    body: Incoming,
    stop: oneshot::Receiver<()>,
    rest: Bytes,
}

impl Stream {
    /// The stream of the answer to a request, which must begin within `patience`.
    ///
    /// # Errors
    /// As of [`ask`].
    pub fn open(
        socket: &Path,
        request: Request<String>,
        patience: Duration,
        stop: oneshot::Receiver<()>,
    ) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let answer = runtime.block_on(async { timeout(patience, ask(socket, request)).await });
        let body = answer.unwrap_or(Err(Failure::Late(patience)))?.into_body();
        Ok(Self { runtime, body, stop, rest: Bytes::new() })
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let piece = self.runtime.block_on(async {
                tokio::select! {
                    piece = next(&mut self.body) => piece.map_err(io::Error::other),
                    _ = &mut self.stop => Ok(None),
                }
            });
            let Some(piece) = piece? else { return Ok(0) };
            self.rest = piece;
        }
        let piece = self.rest.split_to(self.rest.len().min(into.len()));
        into[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}
