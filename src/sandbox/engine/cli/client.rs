//! A container by the engine's command line: a child process in a group of its own, and three pipes.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt;

use crate::sandbox::channel::End;
use crate::sandbox::channel::piped::{Peer, Piped, Pipes};

/// A running client of the engine, and the pipes to it.
pub type Client = Piped<ClientProcess>;

/// A running client of the engine.
#[derive(Debug)]
pub struct ClientProcess {
    child: Child,
    group: Arc<Group>,
}

/// The process group of a [`Client`] that has not been reaped.
#[derive(Debug)]
struct Group(Mutex<Option<Pid>>);

impl End for Group {
    // Does nothing when the process has been reaped, as its number may be another's by then.
    fn end(&self) {
        if let Some(pid) = *self.0.lock() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Client {
    /// Starts `argv` in that folder and in a process group of its own, so that a Ctrl-C meant for us does not reach it.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn spawn(argv: &[String], folder: &str) -> io::Result<Self> {
        let mut command = Command::new(&argv[0]);
        let (child, pipes) = Pipes::spawn(command.args(&argv[1..]).current_dir(folder).process_group(0))?;
        let group = Arc::new(Group(Mutex::new(Some(Pid::from_child(&child)))));
        Ok(Self::new(pipes, ClientProcess { child, group }))
    }
}

impl Peer for ClientProcess {
    fn handle(&self) -> Arc<dyn End> {
        Arc::clone(&self.group) as Arc<dyn End>
    }

    fn is_gone(&mut self, patience: Duration) -> bool {
        let ended = matches!(self.child.wait_timeout(patience), Ok(Some(_)));
        if ended {
            *self.group.0.lock() = None;
        }
        ended
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        self.group.end();
        self.is_gone(Duration::from_secs(5));
    }
}
