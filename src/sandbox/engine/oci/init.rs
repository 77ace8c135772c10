//! A container's first process, which is our child: how it ends is told by the kernel alone.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, waitid};

use crate::sandbox::channel::End;
use crate::sandbox::channel::piped::Peer;

/// A container's first process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Init(Arc<Life>);

/// The life of a container, from its start to the removal of the last that is left of it.
#[derive(Debug)]
pub struct Life {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// None once it has been reaped: its number may be another's by then.
    pid: Option<Pid>,
    /// Somebody has told us to end it.
    ordered: bool,
    /// Nothing of it is left.
    gone: bool,
}

impl Life {
    /// Of this child.
    pub fn new(pid: Pid) -> Arc<Self> {
        let state = State { pid: Some(pid), ordered: false, gone: false };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Kills it, and with it all that runs in the container.
    pub fn kill(&self) {
        let mut state = self.state.lock();
        if let Some(pid) = state.pid {
            state.ordered = true;
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Waits for its end. Gives the exit code (128 and the signal's number if one ended it) and tells whether the end was
    /// ordered.
    ///
    /// # Errors
    /// It is not our child.
    pub fn wait(&self) -> io::Result<(i32, bool)> {
        let Some(pid) = self.state.lock().pid else { return Err(io::Error::other("has been waited for")) };
        // It is left a zombie until nobody can send it a signal any more.
        let ended = wait_for(pid, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let mut state = self.state.lock();
        // Nobody else's process may be killed in its place, reaped by us or never ours.
        state.pid = None;
        ended?;
        let status = wait_for(pid, WaitIdOptions::EXITED)?;
        let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
        Ok((code.unwrap_or_default(), state.ordered))
    }

    /// Says that nothing of the container is left.
    pub fn is_over(&self) {
        self.state.lock().gone = true;
        self.changed.notify_all();
    }

    /// Waits up to `patience` until nothing of the container is left, and tells whether that is so.
    pub fn is_gone(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock();
        while !state.gone {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return state.gone;
            }
        }
        true
    }
}

fn wait_for(pid: Pid, options: WaitIdOptions) -> io::Result<WaitIdStatus> {
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Ok(Some(status)) => return Ok(status),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ends the container from any thread.
#[derive(Debug)]
struct Killer(Arc<Life>);

impl End for Killer {
    fn end(&self) {
        self.0.kill();
    }
}

impl Init {
    /// Of this life.
    pub fn new(life: Arc<Life>) -> Self {
        Self(life)
    }
}

impl Peer for Init {
    fn handle(&self) -> Arc<dyn End> {
        Arc::new(Killer(Arc::clone(&self.0)))
    }

    fn is_gone(&mut self, patience: Duration) -> bool {
        self.0.is_gone(patience)
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// Does `work` once the child has ended, on a thread of its own.
pub fn after(life: Arc<Life>, work: impl FnOnce(io::Result<(i32, bool)>) + Send + 'static) {
    thread::spawn(move || {
        let ended = life.wait();
        work(ended);
        life.is_over();
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn who_is_not_our_child_is_nobody_to_kill() {
        let mut child = Command::new("true").spawn().unwrap();
        let life = Life::new(Pid::from_child(&child));
        child.wait().unwrap();
        assert!(life.wait().is_err());
        assert_eq!(life.state.lock().pid, None);
    }
}
