//! Transport over three pipes: a process's input and both outputs, none of which blocks.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;

use crate::sandbox::channel::{End, Transport, is_transient, keep_tail};

/// Processes at the other end of the pipes.
pub trait Peer: std::fmt::Debug + Send {
    /// A handle that ends them from any thread.
    fn handle(&self) -> Arc<dyn End>;

    /// Waits up to `patience` until nothing of them is left, and tells whether that is so.
    fn is_gone(&mut self, patience: Duration) -> bool;
}

/// Our ends of the pipes.
#[derive(Debug)]
pub struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    log: Vec<u8>,
}

/// Processes and the pipes to them.
#[derive(Debug)]
pub struct Piped<P> {
    /// Its ends are closed before the processes are ended.
    pipes: Pipes,
    peer: P,
}

impl Pipes {
    /// Starts a command with pipes to it.
    ///
    /// # Errors
    /// It can't be started.
    pub fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pipes = Self { stdin, stdout, stderr, log: Vec::new() };
        for pipe in [pipes.stdin(), pipes.stdout(), pipes.stderr()] {
            ioctl_fionbio(pipe.expect("all three are piped"), true)?;
        }
        Ok((child, pipes))
    }

    fn stdin(&self) -> Option<rustix::fd::BorrowedFd<'_>> {
        self.stdin.as_ref().map(AsFd::as_fd)
    }

    fn stdout(&self) -> Option<rustix::fd::BorrowedFd<'_>> {
        self.stdout.as_ref().map(AsFd::as_fd)
    }

    fn stderr(&self) -> Option<rustix::fd::BorrowedFd<'_>> {
        self.stderr.as_ref().map(AsFd::as_fd)
    }

    /// The end of what has been said on stderr.
    pub fn log(&mut self) -> &[u8] {
        read_some(&mut self.stderr, &mut self.log);
        keep_tail(&mut self.log);
        &self.log
    }
}

impl<P: Peer> Piped<P> {
    /// Joins the pipes with those at the other end.
    pub fn new(pipes: Pipes, peer: P) -> Self {
        Self { pipes, peer }
    }

    /// Its stderr, for another to read; there are no last words then.
    ///
    /// # Errors
    /// As of `ioctl`.
    pub fn take_stderr(&mut self) -> io::Result<Option<ChildStderr>> {
        let stderr = self.pipes.stderr.take();
        if let Some(stderr) = &stderr {
            ioctl_fionbio(stderr, false)?;
        }
        Ok(stderr)
    }
}

impl<P: Peer> Transport for Piped<P> {
    fn poll_fds(&self, writing: bool) -> Vec<PollFd<'_>> {
        let pipes = [
            (self.pipes.stdin().filter(|_| writing), PollFlags::OUT),
            (self.pipes.stdout(), PollFlags::IN),
            (self.pipes.stderr(), PollFlags::IN),
        ];
        pipes.into_iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd(fd?, flags))).collect()
    }

    fn read(&mut self, into: &mut Vec<u8>) {
        read_some(&mut self.pipes.stdout, into);
        self.pipes.log();
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(stdin) = &mut self.pipes.stdin else { return 0 };
        match stdin.write(bytes) {
            Ok(written) => return written,
            Err(error) if is_transient(&error) => {}
            Err(_) => self.pipes.stdin = None,
        }
        0
    }

    fn is_open(&self) -> bool {
        self.pipes.stdout.is_some()
    }

    fn log(&mut self) -> &[u8] {
        self.pipes.log()
    }

    fn close_input(&mut self) {
        self.pipes.stdin = None;
    }

    fn handle(&self) -> Arc<dyn End> {
        self.peer.handle()
    }

    fn is_gone(&mut self, patience: Duration) -> bool {
        // Nobody reads its output any more: it must not block on a full pipe.
        (self.pipes.stdin, self.pipes.stdout, self.pipes.stderr) = (None, None, None);
        self.peer.is_gone(patience)
    }
}

fn read_some(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) {
    let mut chunk = [0; 1 << 16];
    let Some(reader) = pipe else { return };
    match reader.read(&mut chunk) {
        Ok(0) => *pipe = None,
        Ok(count) => into.extend_from_slice(&chunk[..count]),
        Err(error) if is_transient(&error) => {}
        Err(_) => *pipe = None,
    }
}
