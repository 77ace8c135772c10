//! Orphans: what a runtime leaves behind becomes our child, as we are the subreaper of all that we start.
//!
//! runc's container is its own child, so it is ours once runc has ended. crun forks twice into a session of its own, and
//! the last of these processes is the container's parent for a moment more; nobody but us waits for any of them.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, waitid};

/// Between two looks.
const PAUSE: Duration = Duration::from_micros(500);

/// A process as the kernel tells of it.
#[derive(Debug, PartialEq, Eq)]
struct Kin {
    parent: i32,
    session: i32,
}

impl Kin {
    fn of(process: &Path) -> io::Result<Self> {
        let stat = fs::read_to_string(process.join("stat"))?;
        Self::parse(&stat).ok_or_else(|| io::Error::other("the kernel tells nothing of it"))
    }

    /// Out of a line whose second field, the name in parentheses, may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let parent = fields.nth(1)?.parse().ok()?;
        Some(Self { parent, session: fields.nth(1)?.parse().ok()? })
    }
}

fn folder(process: impl std::fmt::Display) -> std::path::PathBuf {
    Path::new("/proc").join(process.to_string())
}

/// Waits until a process is our child.
///
/// # Errors
/// It has ended and been waited for by its parent, or is somebody else's for longer than `patience`.
pub fn adopt(pid: Pid, patience: Duration) -> io::Result<()> {
    let (us, deadline) = (getpid().as_raw_pid(), Instant::now() + patience);
    while Kin::of(&folder(pid.as_raw_pid()))?.parent != us {
        if Instant::now() > deadline {
            return Err(io::Error::other("its parent does not end"));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Waits until nothing is left of what a runtime has left to us, at most for `patience`; looks at least once. It is in a
/// session of its own, which our other children are not, and in no namespace, which containers are.
pub fn reap(patience: Duration) {
    let (us, deadline) = (folder("self"), Instant::now() + patience);
    // The session is asked of /proc: 0, where its leader is in another namespace, is none that getsid(2) may give.
    let Ok(session) = Kin::of(&us).map(|kin| kin.session) else { return };
    let ours = namespaces(&us);
    let is_orphan = |pid: &i32| is_orphan(*pid, session, ours);
    while children().into_iter().filter(is_orphan).filter(|pid| !has_ended(*pid)).count() > 0
        && Instant::now() < deadline
    {
        thread::sleep(PAUSE * 4);
    }
}

/// Our children, or all processes where the kernel does not tell. Orphans become the first thread's.
fn children() -> Vec<i32> {
    let us = folder("self/task").join(getpid().as_raw_pid().to_string());
    match fs::read_to_string(us.join("children")) {
        Ok(pids) => pids.split_whitespace().flat_map(str::parse).collect(),
        Err(_) => {
            let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
        }
    }
}

fn is_orphan(pid: i32, session: i32, ours: usize) -> bool {
    let (us, place) = (getpid().as_raw_pid(), folder(pid));
    Kin::of(&place).is_ok_and(|it| it.parent == us && it.session != session) && namespaces(&place) == ours
}

/// Waits for a child if it has ended, and tells whether it had.
fn has_ended(pid: i32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    Pid::from_raw(pid).is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
}

/// How many namespaces of processes one is in, below that of `/proc`.
fn namespaces(process: &Path) -> usize {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.map_or(0, |numbers| numbers.split_whitespace().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        let kin = Kin { parent: 7, session: 9 };
        assert_eq!(Kin::parse("5 (a) S 1 (b) Z 7 8 9 0 -1"), Some(kin));
        assert_eq!(Kin::parse("5 (a"), None);
    }

    #[test]
    fn a_child_is_adopted_at_once_and_another_ones_never() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert!(adopt(Pid::from_child(&child), Duration::ZERO).is_ok());
        drop(child.stdin.take());
        child.wait().unwrap();
        let parent = rustix::process::getppid().unwrap();
        assert!(adopt(parent, Duration::from_millis(1)).is_err());
    }
}
