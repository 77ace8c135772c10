//! A container by the engine's socket: one connection, with its input on the way there and both outputs on the way back.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper::body::Bytes;
use rustix::event::{PollFd, PollFlags};
use tracing::debug;

use crate::sandbox::channel::{End, Transport, is_transient, keep_tail};
use crate::sandbox::engine::api::Api;
use crate::sandbox::engine::api::body;
use crate::sandbox::engine::api::demux::Demux;
use crate::sandbox::engine::api::http::Failure;
use crate::sandbox::engine::spec::Spec;

/// A container that was started, and the connection to it.
#[derive(Debug)]
pub struct Attached {
    api: Api,
    name: String,
    /// None once the container has ended or says what no container could.
    stream: Option<Arc<UnixStream>>,
    takes_input: bool,
    /// Bytes that came together with the engine's consent.
    early: Bytes,
    demux: Demux,
    log: Vec<u8>,
}

/// Ends the connection as long as there is one; must not keep it open.
impl End for Weak<UnixStream> {
    fn end(&self) {
        if let Some(stream) = self.upgrade() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Attached {
    /// Starts a container.
    ///
    /// # Errors
    /// The engine can't be reached, or won't.
    pub fn start(api: &Api, spec: &Spec<'_>) -> Result<Self, Failure> {
        let (stream, early) = api.run(spec.name, &body::create(spec))?;
        Ok(Self::over(api, spec.name, stream, early))
    }

    fn over(api: &Api, name: &str, stream: UnixStream, early: Bytes) -> Self {
        Self {
            api: api.clone(),
            name: name.to_owned(),
            stream: Some(Arc::new(stream)),
            takes_input: true,
            early,
            demux: Demux::default(),
            log: Vec::new(),
        }
    }

    fn hang_up(&mut self) {
        if let Some(stream) = self.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn sort(&mut self, bytes: &[u8], into: &mut Vec<u8>) {
        if self.demux.sort(bytes, into, &mut self.log).is_err() {
            self.hang_up();
        }
        keep_tail(&mut self.log);
    }
}

impl Transport for Attached {
    fn poll_fds(&self, writing: bool) -> Vec<PollFd<'_>> {
        let output = if writing && self.takes_input { PollFlags::OUT } else { PollFlags::empty() };
        let stream = self.stream.iter().map(|stream| &**stream);
        stream.map(|stream| PollFd::new(stream, PollFlags::IN | output)).collect()
    }

    fn read(&mut self, into: &mut Vec<u8>) {
        let early = std::mem::take(&mut self.early);
        self.sort(&early, into);
        let mut chunk = [0; 1 << 16];
        let Some(stream) = &self.stream else { return };
        match (&**stream).read(&mut chunk) {
            Ok(count @ 1..) => self.sort(&chunk[..count], into),
            Err(error) if is_transient(&error) => {}
            Ok(0) | Err(_) => self.hang_up(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(stream) = self.stream.as_ref().filter(|_| self.takes_input) else { return 0 };
        match (&**stream).write(bytes) {
            Ok(written) => return written,
            Err(error) if is_transient(&error) => {}
            Err(_) => self.takes_input = false,
        }
        0
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    fn log(&mut self) -> &[u8] {
        &self.log
    }

    fn close_input(&mut self) {
        self.takes_input = false;
        if let Some(stream) = &self.stream {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    fn handle(&self) -> Arc<dyn End> {
        Arc::new(self.stream.as_ref().map_or_else(Weak::new, Arc::downgrade))
    }

    fn is_gone(&mut self, patience: Duration) -> bool {
        // Nobody reads its output any more: the engine must not block on it.
        self.hang_up();
        let gone = self.api.is_gone(&self.name, patience);
        gone.inspect_err(|failure| debug!(self.name, %failure, "nobody knows whether it ended"))
            .unwrap_or(false)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.hang_up();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::sandbox::channel::{Channel, Received};

    /// A frame of kind `k` with the payload `ab`, in two pieces with a last word in between.
    const SAID: &[u8] = b"\x01\0\0\0\0\0\0\x06\0\0\0\x02ka\x02\0\0\0\0\0\0\x03oh\n\x01\0\0\0\0\0\0\x01b";

    /// A container, and the engine's end of the connection to it.
    fn container(early: &'static [u8]) -> (Channel, UnixStream) {
        let (ours, engine) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let api = Api::new("/nowhere/docker.sock".into());
        (Channel::over(Attached::over(&api, "a", ours, Bytes::from_static(early))), engine)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn expect_frame(channel: &mut Channel) {
        assert!(matches!(channel.receive(soon()), Received::Frame(frame) if frame.payload == b"ab"));
        assert_eq!(channel.last_words(), "oh");
    }

    #[test]
    fn frames_come_in_pieces_and_the_end_of_the_input_gets_there() {
        let (mut channel, mut engine) = container(&SAID[..10]);
        channel.send(b'x', b"");
        engine.write_all(&SAID[10..]).unwrap();
        expect_frame(&mut channel);
        channel.close_stdin();
        let mut sent = Vec::new();
        engine.read_to_end(&mut sent).unwrap();
        assert_eq!(sent, b"\0\0\0\0x");
    }

    #[test]
    fn what_came_with_the_consent_is_not_waited_for() {
        let (mut channel, _engine) = container(SAID);
        expect_frame(&mut channel);
    }

    #[test]
    fn nonsense_is_gone_and_so_is_what_was_ended_from_elsewhere() {
        let (mut channel, mut engine) = container(b"");
        engine.write_all(b"HTTP/1.1 500 no").unwrap();
        assert!(matches!(channel.receive(soon()), Received::Gone));

        let (mut channel, _engine) = container(b"");
        let handle = channel.handle();
        assert!(channel.is_silent());
        handle.end();
        assert!(matches!(channel.receive(soon()), Received::Gone));
        drop(channel);
        handle.end(); // nothing is left of it
    }
}
