//! The binary at work, and what it leaves.

use std::fs;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use wait_timeout::ChildExt;

use super::PATIENCE;

/// A started agentmill; ended when dropped.
pub struct Running {
    child: Child,
    /// Holds what it prints: files can be read at any time, and don't keep anybody waiting.
    printed: TempDir,
}

impl Running {
    /// Ends it in good order.
    pub fn end(self) {
        self.signal(Signal::TERM);
        self.wait().code(143);
    }

    pub(super) fn spawn(mut command: Command) -> Self {
        let printed = tempfile::tempdir().unwrap();
        let file = |name: &str| Stdio::from(fs::File::create(printed.path().join(name)).unwrap());
        let child =
            command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap();
        Self { child, printed }
    }

    pub fn is_running(&self) -> bool {
        let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.child)), only_look).unwrap().is_none()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(self.printed.path().join("stdout")).unwrap()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.printed.path().join("stderr")).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Finished {
        let status = self.child.wait_timeout(PATIENCE).unwrap();
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let status = status.unwrap_or_else(|| panic!("it does not end\n{stdout}\n{stderr}"));
        Finished { stdout, stderr, code: status.code() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code and output of a command that has ended.
#[derive(Debug)]
pub struct Finished {
    pub stdout: String,
    pub stderr: String,
    /// None if a signal ended it.
    pub code: Option<i32>,
}

impl Finished {
    /// Ended with this exit code.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Printed nothing at all.
    pub fn silent(self) -> Self {
        assert!(self.stdout.is_empty() && self.stderr.is_empty(), "{self}");
        self
    }

    /// Printed all of these.
    pub fn prints(self, texts: &[&str]) -> Self {
        texts.iter().for_each(|text| assert!(self.stdout.contains(text), "no {text:?} in {self}"));
        self
    }

    /// Complained with all of these on stderr.
    pub fn complains(self, texts: &[&str]) -> Self {
        texts.iter().for_each(|text| assert!(self.stderr.contains(text), "no {text:?} in {self}"));
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
