//! What runs in a container, as its host speaks to it: frames in and out, with deadlines, over a wire of either kind.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, Timespec, poll};
use rustix::io::Errno;

use super::protocol::{self, Frame};

/// Bytes of stderr kept: the last words of an engine's client, or of a container.
const LOG_TAIL: usize = 4096;

/// What waiting for a frame came to.
#[derive(Debug)]
pub enum Received {
    /// A whole frame.
    Frame(Frame),
    /// The deadline passed.
    Late,
    /// The stream ended, or what came is no frame.
    Gone,
}

/// A way to what runs in a container, by which bytes go in and come out. Nothing blocks.
pub trait Wire: Debug + Send {
    /// What to wait for before bytes can be moved; for the way in only if something is to be written.
    fn poll_fds(&self, writing: bool) -> Vec<PollFd<'_>>;

    /// Appends what has come.
    fn read(&mut self, into: &mut Vec<u8>);

    /// Sends what can be sent at this time; tells how much.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Whether anything may still come.
    fn is_open(&self) -> bool;

    /// What was last said beside the frames.
    fn log(&mut self) -> &[u8];

    /// Ends the way in, by which a container ends.
    fn close_input(&mut self);

    /// What ends it from elsewhere.
    fn handle(&self) -> Arc<dyn End>;

    /// Whether nothing of it is left, within `patience`. Its output is lost.
    fn is_gone(&mut self, patience: Duration) -> bool;
}

/// Ends a wire at once, from any thread.
pub trait End: Debug + Send + Sync {
    /// Does it, unless it has ended by itself.
    fn end(&self);
}

/// Something that frames go to and come from.
#[derive(Debug)]
pub struct Process {
    wire: Box<dyn Wire>,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
}

impl Process {
    /// What is at the other end of this wire.
    pub fn over(mut wire: impl Wire + 'static) -> Self {
        let mut inbox = Vec::new();
        wire.read(&mut inbox); // nothing more may come than what has come with it
        Self { wire: Box::new(wire), outbox: Vec::new(), inbox }
    }

    /// What other threads may end it by.
    pub fn handle(&self) -> Arc<dyn End> {
        self.wire.handle()
    }

    /// Queues a frame; it goes out while [`receive`](Self::receive) waits.
    pub fn send(&mut self, kind: u8, payload: &[u8]) {
        protocol::put(&mut self.outbox, kind, payload);
    }

    /// The next frame, at the latest at `deadline`.
    pub fn receive(&mut self, deadline: Instant) -> Received {
        loop {
            match protocol::take(&mut self.inbox) {
                Ok(Some(frame)) => return Received::Frame(frame),
                Err(protocol::Oversize) => return Received::Gone,
                Ok(None) if !self.wire.is_open() => return Received::Gone,
                Ok(None) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::Late;
            }
            self.serve(left);
        }
    }

    /// Whether it is there and has said nothing.
    pub fn is_silent(&mut self) -> bool {
        self.wire.read(&mut self.inbox);
        self.wire.is_open() && self.inbox.is_empty()
    }

    /// Waits until the wire is ready, at most `left`, and moves what can be moved.
    fn serve(&mut self, left: Duration) {
        let mut fds = self.wire.poll_fds(!self.outbox.is_empty());
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => self.move_bytes(),
        }
    }

    // Nothing blocks, so trying both ways is as good as asking which one was meant.
    fn move_bytes(&mut self) {
        if !self.outbox.is_empty() {
            let written = self.wire.write(&self.outbox);
            self.outbox.drain(..written);
        }
        self.wire.read(&mut self.inbox);
    }

    /// The last that was said beside the frames, as one line.
    pub fn last_words(&mut self) -> String {
        String::from_utf8_lossy(self.wire.log()).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Ends its input, which ends a cell or a judge.
    pub fn close_stdin(&mut self) {
        self.wire.close_input();
    }

    /// Whether it ends within `patience`; what it still says is lost.
    pub fn ends(&mut self, patience: Duration) -> bool {
        self.wire.is_gone(patience)
    }
}

/// Whether it may work the next time.
pub(super) fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Keeps the end of what was said.
pub(super) fn keep_tail(log: &mut Vec<u8>) {
    let surplus = log.len().saturating_sub(LOG_TAIL);
    log.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::super::client::Client;
    use super::*;

    fn start(script: &str) -> Process {
        Process::over(Client::spawn(&["/bin/sh".into(), "-c".into(), script.into()]).unwrap())
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_frame_goes_in_and_out() {
        let mut process = start("cat");
        let large = vec![b'x'; 300_000];
        process.send(b'v', &large);
        assert!(matches!(process.receive(soon()), Received::Frame(frame) if frame.payload == large));
    }

    #[test]
    fn silence_is_late_and_an_ended_process_is_gone() {
        let mut process = start("read line");
        assert!(matches!(process.receive(Instant::now() + Duration::from_millis(20)), Received::Late));
        process.close_stdin();
        assert!(matches!(process.receive(soon()), Received::Gone));
        assert!(process.ends(Duration::from_secs(20)));
    }

    #[test]
    fn killing_the_group_ends_its_children_too() {
        let mut process = start("sleep 1000 & cat");
        process.handle().end();
        assert!(matches!(process.receive(soon()), Received::Gone), "a child would hold the pipe open");
    }

    #[test]
    fn stderr_is_kept_for_the_reason() {
        let mut process = start("echo cannot connect >&2");
        assert!(matches!(process.receive(soon()), Received::Gone));
        assert_eq!(process.last_words(), "cannot connect");
    }
}
