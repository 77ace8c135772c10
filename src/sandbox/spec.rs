//! A container to be: all that an engine is told of it, before it is put into a command line's words ([`super::argv`])
//! or into those of Docker Engine's API ([`super::body`]). docs/security.md says against what each bound is.

use crate::config::Limits;

/// Memory of a judge: it holds an agent's values (1 MiB as JSON) and what an assertion makes of them.
const JUDGE_MEMORY: u64 = 512 << 20;

/// Nobody.
pub(super) const USER: &str = "65534:65534";

/// The one folder that can be written to.
pub(super) const WORKDIR: &str = "/tmp";

/// The same answers whenever a set or dict order decides them.
pub(super) const ENV: &str = "PYTHONHASHSEED=0";

/// Soft and hard ones.
pub(super) const ULIMITS: [(&str, u64); 2] = [("core", 0), ("nofile", 256)];

/// All of them are taken away.
pub(super) const CAPABILITIES: &str = "ALL";

/// The one option; any other could turn seccomp off.
pub(super) const SECURITY: &str = "no-new-privileges";

/// It sees nothing but a loopback device of its own.
pub(super) const NETWORK: &str = "none";

/// An engine that is stopped need not wait for who ignores anything milder.
pub(super) const STOP_SIGNAL: &str = "KILL";

/// Agents' output belongs to nobody's log.
pub(super) const LOG_DRIVER: &str = "none";

/// What runs, by the image's search path.
pub(super) const ENTRYPOINT: &str = "python";

/// Not -I or -E: they would drop PYTHONHASHSEED. The container's environment holds nothing of the host's.
const PYTHON: [&str; 6] = ["-s", "-S", "-P", "-B", "-Xutf8", "-c"];

/// What a container is for.
#[derive(Debug, Clone, Copy)]
pub enum Role<'a> {
    /// Hostile code, within the limits.
    Cell(&'a Limits),
    /// Trusted code that looks at values from hostile code.
    Judge,
}

impl Role<'_> {
    /// In names and labels.
    pub fn word(self) -> &'static str {
        match self {
            Role::Cell(_) => "cell",
            Role::Judge => "judge",
        }
    }
}

/// What a container may use of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// In bytes; there is no swap beside it.
    pub memory: u64,
    /// CPUs' worth of time.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes of /tmp, and of shared memory.
    pub tmp: u64,
}

impl Bounds {
    /// Those of a role; a runtime needs so many threads of its own.
    pub fn new(role: Role<'_>, own_threads: u32) -> Self {
        let (memory, cpus, pids, tmp) = match role {
            Role::Cell(limits) => (limits.memory, limits.cpus, limits.pids, limits.tmp),
            Role::Judge => (JUDGE_MEMORY, 1.0, 16, 1 << 20),
        };
        Self { memory, cpus, pids: pids + own_threads, tmp }
    }
}

/// A container that runs a program with the image's Python, fed on stdin. What is the same for all of them is above.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// No other container has it.
    pub name: &'a str,
    /// By which its own are found.
    pub labels: [(&'a str, &'a str); 3],
    /// What it may use.
    pub bounds: Bounds,
    /// Another runtime than the engine's own.
    pub runtime: Option<&'a str>,
    /// What its files are.
    pub image: &'a str,
    /// What Python runs.
    pub program: &'a str,
}

impl Spec<'_> {
    /// What follows the entrypoint.
    pub(super) fn command(&self) -> impl Iterator<Item = &str> {
        PYTHON.into_iter().chain([self.program])
    }
}
