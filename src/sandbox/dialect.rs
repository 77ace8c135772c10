//! What tells Docker's command line from Podman's; all that is not here is the same.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::engine::Engine;
use crate::config;

/// Processes of one user that Podman itself goes down to where the kernel numbers no more; a cell may have as many.
const MOST_PROCESSES: u64 = 32768;

/// What a runtime itself needs of a container's processes: one that puts a kernel of its own in between, as gVisor does,
/// runs that in there, and a thread of the machine's for each that it has.
pub(super) fn own_threads(runtime: Option<&str>) -> u32 {
    match runtime {
        None | Some("runc" | "crun") => 0,
        Some(_) => 128,
    }
}

/// Who is to say that memory ran out in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The engine: it records an event for it.
    Engine,
    /// The kernel: the engine records only that a container died. PID 1 of a cell is out of reach of all that runs in
    /// it, so a SIGKILL that the engine was not told to send is the kernel's, for want of memory.
    Kernel,
}

impl config::Engine {
    /// The command.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// Who says that memory ran out.
    pub fn witness(self) -> Witness {
        match self {
            Self::Docker => Witness::Engine,
            Self::Podman => Witness::Kernel,
        }
    }

    /// How a /tmp of so many bytes is mounted.
    pub(super) fn tmpfs(self, size: u64) -> String {
        let options = format!("rw,noexec,nosuid,nodev,mode=1777,size={size}");
        match self {
            Self::Docker => options + ",nr_inodes=1024",
            Self::Podman => options, // it can't bound inodes, which count as memory anyway
        }
    }

    /// Flags of `run` that only this engine needs or knows.
    pub(super) fn flags(self) -> Vec<String> {
        match self {
            Self::Docker => Vec::new(),
            // It would make /run and /var/tmp writable, and raise the number of processes, which only root may, and not
            // everywhere.
            Self::Podman => vec![
                "--read-only-tmpfs=false".into(),
                "--http-proxy=false".into(), // it would hand the host's over, with their passwords
                "--unsetenv=TERM".into(),
                "--unsetenv=container".into(),
                format!("--ulimit=nproc={0}:{0}", processes_allowed()),
            ],
        }
    }

    /// The command that removes containers at once. Those that are gone already are an error to Podman.
    pub(super) fn removal(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &["rm", "--force"],
            Self::Podman => &["rm", "--force", "--ignore"],
        }
    }

    /// What events of a death are called.
    pub(super) fn death(self) -> &'static str {
        match self {
            Self::Docker => "die",
            Self::Podman => "died",
        }
    }
}

/// As many as we may have ourselves, but not more than Podman leaves to its own children.
fn processes_allowed() -> u64 {
    getrlimit(Resource::Nproc).maximum.map_or(MOST_PROCESSES, |most| most.min(MOST_PROCESSES))
}

/// Whether the kernel has killed in a running container for want of memory, by its own count.
pub fn kernel_killed_in(engine: &Engine, name: &str) -> bool {
    let pid = engine.ask(&["inspect", "--format={{.State.Pid}}", name]);
    pid.ok().and_then(|pid| oom_kills(&pid)).is_some_and(|kills| kills > 0)
}

/// The count of the control group that a process is in.
fn oom_kills(pid: &str) -> Option<u64> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let files = groups.lines().filter_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, "", path] => Some(format!("/sys/fs/cgroup{path}/memory.events")),
        [_, "memory", path] => Some(format!("/sys/fs/cgroup/memory{path}/memory.oom_control")),
        _ => None,
    });
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| kills(&text)).max()
}

fn kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_read() {
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), Some(2));
        assert_eq!(kills("low 0\nhigh 0\nmax 17\noom 1\noom_kill 1\noom_group_kill 0\n"), Some(1));
        assert_eq!(kills(""), None);
    }
}
