//! Differences between Docker's command line and Podman's; all that is not here is the same.

use crate::sandbox::engine::spec::{Bounds, MASKED};

/// An engine with a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

/// Threads that a runtime itself needs of a container's processes: one that puts a kernel of its own in between, as gVisor does,
/// runs that in there, and a thread of the machine's for each that it has.
pub fn own_threads(runtime: Option<&str>) -> u32 {
    match runtime {
        None | Some("runc" | "crun") => 0,
        Some(_) => 128,
    }
}

/// Source of the word that memory ran out in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The engine: it records an event for it.
    Engine,
    /// The kernel: the engine records only that a container died. PID 1 of a cell is out of reach of all that runs in
    /// it, so a SIGKILL that the engine was not told to send is the kernel's, for want of memory.
    Kernel,
}

impl Dialect {
    /// The command.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// The source of the word that memory ran out.
    pub fn witness(self) -> Witness {
        match self {
            Self::Docker => Witness::Engine,
            Self::Podman => Witness::Kernel,
        }
    }

    /// How a /tmp within these bounds is mounted.
    pub fn tmpfs(self, bounds: Bounds) -> String {
        let Bounds { tmp, inodes, .. } = bounds;
        let options = format!("rw,noexec,nosuid,nodev,mode=1777,size={tmp}");
        match self {
            Self::Docker => format!("{options},nr_inodes={inodes}"),
            Self::Podman => options, // it can't bound inodes, which count as memory anyway
        }
    }

    /// The flag for shared memory of so many bytes. Podman 5 makes its own read-only where it may not make other folders
    /// writable, so it is given the tmpfs that Docker gives.
    pub fn shared_memory(self, size: u64) -> String {
        match self {
            Self::Docker => format!("--shm-size={size}"),
            Self::Podman => format!("--tmpfs=/dev/shm:rw,noexec,nosuid,nodev,mode=1777,size={size}"),
        }
    }

    /// Flags of `run` that only this engine needs or knows.
    pub fn flags(self) -> Vec<String> {
        match self {
            Self::Docker => Vec::new(),
            // It would make /run and /var/tmp writable, and raise the number of processes, which only root may, and not
            // everywhere.
            Self::Podman => vec![
                "--read-only-tmpfs=false".into(),
                "--http-proxy=false".into(), // it would hand the host's over, with their passwords
                format!("--security-opt=mask={}", MASKED.join(":")), // Docker has no word for it on its command line
                "--unsetenv=TERM".into(),
                "--unsetenv=container".into(),
            ],
        }
    }

    /// The command that removes containers at once. Those that are gone already are an error to Podman.
    pub fn removal(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &["rm", "--force"],
            Self::Podman => &["rm", "--force", "--ignore"],
        }
    }

    /// The name of a death's events.
    pub fn death(self) -> &'static str {
        match self {
            Self::Docker => "die",
            Self::Podman => "died",
        }
    }
}
