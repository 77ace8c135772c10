//! Channel to a container: frames in and out, with deadlines, over a transport of either kind.

pub mod frame;
pub mod piped;

use std::fmt::Debug;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::sandbox::channel::frame::Frame;

/// Bytes of stderr kept: the last words of an engine's client, or of a container.
const LOG_TAIL: usize = 4096;

/// Result of waiting for a frame.
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
pub trait Transport: Debug + Send {
    /// Descriptors to wait for before bytes can be moved; that of the way in only if something is to be written.
    fn poll_fds(&self, writing: bool) -> Vec<PollFd<'_>>;

    /// Appends what has come.
    fn read(&mut self, into: &mut Vec<u8>);

    /// Sends what can be sent at this time; tells how much.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Tells whether anything may still come.
    fn is_open(&self) -> bool;

    /// The last words beside the frames.
    fn log(&mut self) -> &[u8];

    /// Ends the way in, by which a container ends.
    fn close_input(&mut self);

    /// A handle that ends it from any thread.
    fn handle(&self) -> Arc<dyn End>;

    /// Waits up to `patience` until nothing of it is left, and tells whether that is so. Its output is lost.
    fn is_gone(&mut self, patience: Duration) -> bool;
}

/// Frames that pass beside the dialogue, such as those of an agent's connections.
pub trait Side: Debug + Send {
    /// Readable when there is something to send, or nothing more to wait for.
    fn ready(&self) -> BorrowedFd<'_>;

    /// Takes a frame if it is one of its own.
    fn take(&mut self, frame: &Frame) -> bool;

    /// Appends the frames that are to be sent.
    fn give(&mut self, outbox: &mut Vec<u8>);

    /// Tells whether there is nothing more to wait for, on the channel either.
    fn is_over(&self) -> bool;
}

/// Ends a wire at once, from any thread.
pub trait End: Debug + Send + Sync {
    /// Does it, unless it has ended by itself.
    fn end(&self);
}

/// Something that frames go to and come from.
#[derive(Debug)]
pub struct Channel {
    transport: Box<dyn Transport>,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    side: Option<Box<dyn Side>>,
}

impl Channel {
    /// A channel over this transport.
    pub fn over(mut transport: impl Transport + 'static) -> Self {
        let mut inbox = Vec::new();
        transport.read(&mut inbox); // nothing more may come than what has come with it
        Self { transport: Box::new(transport), outbox: Vec::new(), inbox, side: None }
    }

    /// A handle by which other threads may end it.
    pub fn handle(&self) -> Arc<dyn End> {
        self.transport.handle()
    }

    /// Lets frames of another kind pass beside those that are received.
    pub fn set_side(&mut self, side: Option<Box<dyn Side>>) {
        self.side = side;
    }

    /// Queues a frame; it goes out while [`receive`](Self::receive) waits.
    pub fn send(&mut self, kind: impl Into<u8>, payload: &[u8]) {
        frame::put(&mut self.outbox, kind, payload);
    }

    /// The next frame, at the latest at `deadline`, or when the side is over.
    pub fn receive(&mut self, deadline: Instant) -> Received {
        loop {
            match frame::take(&mut self.inbox) {
                Ok(Some(frame)) if self.side.as_mut().is_some_and(|side| side.take(&frame)) => continue,
                Ok(Some(frame)) => return Received::Frame(frame),
                Err(frame::Oversize) => return Received::Gone,
                Ok(None) if !self.transport.is_open() => return Received::Gone,
                Ok(None) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.side.as_ref().is_some_and(|side| side.is_over()) {
                return Received::Late;
            }
            self.serve(left);
        }
    }

    /// Tells whether the container is there and has said nothing.
    pub fn is_silent(&mut self) -> bool {
        self.transport.read(&mut self.inbox);
        self.transport.is_open() && self.inbox.is_empty()
    }

    /// Waits until the wire is ready, at most `left`, and moves what can be moved.
    fn serve(&mut self, left: Duration) {
        let mut fds = self.transport.poll_fds(!self.outbox.is_empty());
        fds.extend(self.side.iter().map(|side| PollFd::from_borrowed_fd(side.ready(), PollFlags::IN)));
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => self.move_bytes(),
        }
    }

    // Nothing blocks, so trying both ways is as good as asking which one was meant.
    fn move_bytes(&mut self) {
        if let Some(side) = &mut self.side {
            side.give(&mut self.outbox);
        }
        if !self.outbox.is_empty() {
            let written = self.transport.write(&self.outbox);
            self.outbox.drain(..written);
        }
        self.transport.read(&mut self.inbox);
    }

    /// The last that was said beside the frames, as one line.
    pub fn last_words(&mut self) -> String {
        String::from_utf8_lossy(self.transport.log()).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Ends its input, which ends a cell or a judge.
    pub fn close_stdin(&mut self) {
        self.transport.close_input();
    }

    /// Waits up to `patience` for the container's end and tells whether it came; its last output is lost.
    pub fn ends(&mut self, patience: Duration) -> bool {
        self.transport.is_gone(patience)
    }
}

/// Tells whether an operation may succeed the next time.
pub fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Keeps the end of what was said.
pub fn keep_tail(log: &mut Vec<u8>) {
    let surplus = log.len().saturating_sub(LOG_TAIL);
    log.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::cli::client::Client;

    fn start(plan: &str) -> Channel {
        Channel::over(Client::spawn(&["/bin/sh".into(), "-c".into(), plan.into()], ".").unwrap())
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_frame_goes_in_and_out() {
        let mut channel = start("cat");
        let large = vec![b'x'; 300_000];
        channel.send(b'v', &large);
        assert!(matches!(channel.receive(soon()), Received::Frame(frame) if frame.payload == large));
    }

    #[test]
    fn silence_is_late_and_an_ended_process_is_gone() {
        let mut channel = start("read line");
        assert!(matches!(channel.receive(Instant::now() + Duration::from_millis(20)), Received::Late));
        channel.close_stdin();
        assert!(matches!(channel.receive(soon()), Received::Gone));
        assert!(channel.ends(Duration::from_secs(20)));
    }

    #[test]
    fn killing_the_group_ends_its_children_too() {
        let mut channel = start("sleep 1000 & cat");
        channel.handle().end();
        assert!(matches!(channel.receive(soon()), Received::Gone), "a child would hold the pipe open");
    }

    #[test]
    fn stderr_is_kept_for_the_reason() {
        let mut channel = start("echo cannot connect >&2");
        assert!(matches!(channel.receive(soon()), Received::Gone));
        assert_eq!(channel.last_words(), "cannot connect");
    }
}
