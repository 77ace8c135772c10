//! A child process that speaks frames: its own process group, bounded pipes, deadlines.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt;

use super::protocol::{self, Frame};

/// Bytes of stderr kept: the last words of an engine's client.
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

/// A running client of the engine, with frames going in and out.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Arc<Group>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    log: Vec<u8>,
}

/// The process group of a [`Process`], to be killed from any thread while it has not been reaped.
#[derive(Debug)]
pub struct Group(Mutex<Option<Pid>>);

impl Group {
    /// Ends the group at once; does nothing when the process has been reaped, as its number may be another's by then.
    pub fn kill(&self) {
        if let Some(pid) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Process {
    /// Starts `argv` in a process group of its own, so that a Ctrl-C meant for us does not reach it.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn spawn(argv: &[String]) -> io::Result<Self> {
        let mut child = Command::new(&argv[0])
            .args(&argv[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        for pipe in [
            stdin.as_ref().map(AsFd::as_fd),
            stdout.as_ref().map(AsFd::as_fd),
            stderr.as_ref().map(AsFd::as_fd),
        ] {
            ioctl_fionbio(pipe.expect("all three are piped"), true)?;
        }
        let group = Arc::new(Group(Mutex::new(Pid::from_raw(child.id().cast_signed()))));
        Ok(Self {
            child,
            group,
            stdin,
            stdout,
            stderr,
            outbox: Vec::new(),
            inbox: Vec::new(),
            log: Vec::new(),
        })
    }

    /// The handle that other threads may end it by.
    pub fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Its stderr, for another to read; there are no last words then.
    ///
    /// # Errors
    /// As of `ioctl`.
    pub fn take_stderr(&mut self) -> io::Result<Option<ChildStderr>> {
        let stderr = self.stderr.take();
        if let Some(stderr) = &stderr {
            ioctl_fionbio(stderr, false)?;
        }
        Ok(stderr)
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
                Ok(None) if self.stdout.is_none() => return Received::Gone,
                Ok(None) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::Late;
            }
            self.serve_pipes(left);
        }
    }

    /// Whether it is there and has said nothing.
    pub fn is_silent(&mut self) -> bool {
        read_some(&mut self.stdout, &mut self.inbox);
        self.stdout.is_some() && self.inbox.is_empty()
    }

    /// Waits until a pipe is ready, at most `left`, and moves what can be moved.
    fn serve_pipes(&mut self, left: Duration) {
        let writing = if self.outbox.is_empty() { None } else { self.stdin.as_ref().map(AsFd::as_fd) };
        let pipes: [(Option<BorrowedFd<'_>>, PollFlags); 3] = [
            (writing, PollFlags::OUT),
            (self.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        let mut fds: Vec<PollFd<'_>> =
            pipes.iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd((*fd)?, *flags))).collect();
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => self.move_bytes(),
        }
    }

    // The descriptors don't block, so trying all three is as good as asking which one was meant.
    fn move_bytes(&mut self) {
        if let Some(stdin) = &mut self.stdin {
            match stdin.write(&self.outbox) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if is_transient(&error) => {}
                Err(_) => self.stdin = None,
            }
        }
        read_some(&mut self.stdout, &mut self.inbox);
        read_some(&mut self.stderr, &mut self.log);
        let surplus = self.log.len().saturating_sub(LOG_TAIL);
        self.log.drain(..surplus);
    }

    /// The last that the process wrote to stderr, as one line.
    pub fn last_words(&mut self) -> String {
        read_some(&mut self.stderr, &mut self.log);
        String::from_utf8_lossy(&self.log).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Ends its input, which ends a cell or a judge.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits at most `patience` for it to end; None if it has not.
    ///
    /// # Errors
    /// As of `waitpid`.
    pub fn reap(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        // Nobody reads its output any more: it must not block on a full pipe.
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
        let status = self.child.wait_timeout(patience)?;
        if status.is_some() {
            *self.group.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.kill();
        let _ = self.reap(Duration::from_secs(5));
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Process {
        Process::spawn(&["/bin/sh".into(), "-c".into(), script.into()]).unwrap()
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
        assert!(process.reap(Duration::from_secs(20)).unwrap().is_some());
    }

    #[test]
    fn killing_the_group_ends_its_children_too() {
        let mut process = start("sleep 1000 & cat");
        process.group().kill();
        assert!(matches!(process.receive(soon()), Received::Gone), "a child would hold the pipe open");
    }

    #[test]
    fn stderr_is_kept_for_the_reason() {
        let mut process = start("echo cannot connect >&2");
        assert!(matches!(process.receive(soon()), Received::Gone));
        assert_eq!(process.last_words(), "cannot connect");
    }
}
