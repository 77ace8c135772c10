//! A container by the engine's command line: a child process in a group of its own, and three pipes.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt;

use super::process::{End, Wire, is_transient, keep_tail};

/// A running client of the engine.
#[derive(Debug)]
pub struct Client {
    child: Child,
    group: Arc<Group>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    log: Vec<u8>,
}

/// The process group of a [`Client`] that has not been reaped.
#[derive(Debug)]
struct Group(Mutex<Option<Pid>>);

impl End for Group {
    // Does nothing when the process has been reaped, as its number may be another's by then.
    fn end(&self) {
        if let Some(pid) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Client {
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
        Ok(Self { child, group, stdin, stdout, stderr, log: Vec::new() })
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
}

impl Wire for Client {
    fn poll_fds(&self, writing: bool) -> Vec<PollFd<'_>> {
        let stdin = self.stdin.as_ref().filter(|_| writing).map(AsFd::as_fd);
        let pipes = [
            (stdin, PollFlags::OUT),
            (self.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        pipes.into_iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd(fd?, flags))).collect()
    }

    fn read(&mut self, into: &mut Vec<u8>) {
        read_some(&mut self.stdout, into);
        read_some(&mut self.stderr, &mut self.log);
        keep_tail(&mut self.log);
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(stdin) = &mut self.stdin else { return 0 };
        match stdin.write(bytes) {
            Ok(written) => return written,
            Err(error) if is_transient(&error) => {}
            Err(_) => self.stdin = None,
        }
        0
    }

    fn is_open(&self) -> bool {
        self.stdout.is_some()
    }

    fn log(&mut self) -> &[u8] {
        read_some(&mut self.stderr, &mut self.log);
        &self.log
    }

    fn close_input(&mut self) {
        self.stdin = None;
    }

    fn handle(&self) -> Arc<dyn End> {
        Arc::clone(&self.group) as Arc<dyn End>
    }

    fn is_gone(&mut self, patience: Duration) -> bool {
        // Nobody reads its output any more: it must not block on a full pipe.
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
        let ended = matches!(self.child.wait_timeout(patience), Ok(Some(_)));
        if ended {
            *self.group.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        ended
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.group.end();
        self.is_gone(Duration::from_secs(5));
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
