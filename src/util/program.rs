//! Programs that are given a text: their output, within a time limit. All that one has started ends with it.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// The most that is kept of what a program prints on stdout and on stderr, in bytes.
pub const STDOUT: u64 = 4 << 20;
const STDERR: u64 = 64 << 10;

/// How long the rest of its output is waited for once it has ended.
const REST: Duration = Duration::from_secs(1);

/// Programs at work, each with all that it has started, in a process group of its own.
#[derive(Debug, Clone, Default)]
pub struct Children(Arc<Mutex<Groups>>);

#[derive(Debug, Default)]
struct Groups {
    at_work: HashSet<Pid>,
    /// True if no more may start.
    ended: bool,
}

/// End of a program.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// As much of what it printed as is kept; None if something that it had started held the pipe.
    pub stdout: Option<Vec<u8>>,
    /// The same of its complaints.
    pub stderr: Vec<u8>,
}

/// A program without an end of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It can't be started.
    #[error("{0}")]
    Start(io::Error),
    /// It did not end in time.
    #[error("no end within {} s", .0.as_secs_f64())]
    Late(Duration),
    /// The system failed.
    #[error("{0}")]
    System(io::Error),
}

impl Children {
    /// Ends them all, and starts no more.
    pub fn end(&self) {
        let mut groups = self.0.lock();
        groups.ended = true;
        for group in &groups.at_work {
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    /// True once they were ended.
    pub fn are_ended(&self) -> bool {
        self.0.lock().ended
    }

    /// True if none is at work.
    pub fn is_empty(&self) -> bool {
        self.0.lock().at_work.is_empty()
    }

    /// Runs a program once, with this text on its stdin.
    ///
    /// # Errors
    /// It can't be started, or does not end within `patience`.
    pub fn run(&self, command: &mut Command, text: Vec<u8>, patience: Duration) -> Result<Output, Failure> {
        let mut group = self.start(command).map_err(Failure::Start)?;
        let mut stdin = group.child.stdin.take();
        // It may well end without reading all of it.
        thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(&text)));
        let stdout = drain(group.child.stdout.take(), STDOUT);
        let stderr = drain(group.child.stderr.take(), STDERR);
        let status = group.end(patience).map_err(Failure::System)?.ok_or(Failure::Late(patience))?;
        let (stdout, stderr) = (stdout.recv_timeout(REST).ok(), stderr.recv_timeout(REST));
        Ok(Output { status, stdout, stderr: stderr.unwrap_or_default() })
    }

    fn start(&self, command: &mut Command) -> io::Result<Group> {
        // Under the lock, so that none starts unseen while they are ended.
        let mut known = self.0.lock();
        if known.ended {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "it was stopped"));
        }
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).spawn()?;
        let id = Pid::from_child(&child);
        known.at_work.insert(id);
        Ok(Group { child, id, children: self.clone() })
    }
}

impl Output {
    /// The last line of its complaints.
    pub fn last_words(&self) -> String {
        let complaint = String::from_utf8_lossy(&self.stderr);
        complaint.trim_end().lines().last().unwrap_or_default().to_owned()
    }
}

/// A program's process and its children; ended when dropped.
struct Group {
    child: Child,
    id: Pid,
    children: Children,
}

impl Group {
    /// Waits for the program's own end; None if that takes longer than `patience`. Its children end with it.
    fn end(mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let process = pidfd_open(self.id, PidfdFlags::empty())?;
        let timeout = Timespec::try_from(patience).ok();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], timeout.as_ref())? > 0;
        // As long as it is not waited for, its number is nobody else's.
        let _ = kill_process_group(self.id, Signal::KILL);
        let status = self.child.wait()?;
        Ok(ended.then_some(status))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.children.0.lock().at_work.remove(&self.id);
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(self.id, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Reads on a thread of its own: a full pipe must not hold the program up.
fn drain(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = (&mut pipe).take(limit).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            // So that it need not stop at a full pipe.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
    });
    receiver
}
