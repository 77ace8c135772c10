//! A container to be: all that an engine is told of it, before it is put into a command line's words ([`crate::sandbox::engine::cli::argv`]),
//! into those of Docker Engine's API (`api::body`) or of an OCI runtime's bundle (`oci::bundle`). docs/security.md says against what each bound is.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rustix::process::{Resource, getrlimit};

use crate::config::{Judge, Limits};

/// Nobody's group.
pub const GROUP: u32 = 65534;

/// Users of containers: each has one of its own, as far as they go, because the kernel counts much of what a user may have
/// over all containers. They fit into the range that a user namespace is usually given.
pub const USERS: std::ops::Range<u32> = 10_000..60_000;

/// Entries of /proc, beside those of processes, that stay: none tells anything that changes, but of the container's own.
const SEEN: [&str; 11] = [
    "cmdline",
    "cpuinfo",
    "devices",
    "filesystems",
    "mounts",
    "net",
    "self",
    "sys",
    "sysvipc",
    "thread-self",
    "version",
];

/// Entries of /proc that tell of the whole machine, of all kernels. What one attempt, or one agent, makes them count the next
/// one could read. Those of this machine that are not among them are masked, too.
const KNOWN: [&str; 64] = [
    "acpi",
    "allocinfo",
    "asound",
    "bootconfig",
    "buddyinfo",
    "bus",
    "cgroups",
    "config.gz",
    "consoles",
    "crypto",
    "diskstats",
    "dma",
    "driver",
    "dynamic_debug",
    "execdomains",
    "fb",
    "fs",
    "interrupts",
    "iomem",
    "ioports",
    "irq",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "loadavg",
    "lock_stat",
    "lockdep",
    "lockdep_chains",
    "lockdep_stats",
    "locks",
    "mdstat",
    "meminfo",
    "misc",
    "modules",
    "mtrr",
    "pagetypeinfo",
    "partitions",
    "pressure",
    "sched_debug",
    "schedstat",
    "scsi",
    "slabinfo",
    "softirqs",
    "spl",
    "stat",
    "swaps",
    "sysrq-trigger",
    "timer_list",
    "timer_stats",
    "tty",
    "uptime",
    "version_signature",
    "vmallocinfo",
    "vmstat",
    "vz",
    "xen",
    "zoneinfo",
    "zram",
];

/// Other places that tell of the whole machine: settings that count, and terminals, whose number is the machine's.
const ELSEWHERE: [&str; 3] = ["/dev/pts", "/proc/sys/fs", "/proc/sys/kernel/pty"];

/// All paths that a container finds empty. An engine that is told of any masks none of its own accord.
pub static MASKED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let here = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let here = here.filter_map(|entry| entry.file_name().into_string().ok());
    masked(here)
});

/// Those where /proc has these entries.
fn masked(here: impl Iterator<Item = String>) -> Vec<String> {
    let of_machine =
        |name: &String| !name.starts_with(|c: char| c.is_ascii_digit()) && !SEEN.contains(&&**name);
    let names: BTreeSet<String> =
        KNOWN.map(str::to_owned).into_iter().chain(here.filter(of_machine)).collect();
    names.into_iter().map(|name| format!("/proc/{name}")).chain(ELSEWHERE.map(str::to_owned)).collect()
}

/// The name of the machine that a container without an engine sees, always the same; an engine gives each its own.
pub const HOSTNAME: &str = "cell";

/// The one folder that can be written to.
pub const WORKDIR: &str = "/tmp";

/// Files and folders that an agent may make there.
const INODES: u32 = 1024;

/// Out of sight, under empty folders: what devices and control groups count outlasts a run, and would tell the next one, or
/// another's, of it. The second is named for the engines that would mount the control groups there.
pub const HIDDEN: [&str; 2] = ["/sys", "/sys/fs/cgroup"];

/// How those folders are mounted.
pub const HIDING: &str = "ro,noexec,nosuid,nodev,size=4k";

/// Settings of the container's own network: how much may wait in a socket of TCP, which no option changes (guest/seccomp.py).
/// Control groups of version 1 don't count it.
pub const SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.tcp_rmem", "4096 65536 131072"), ("net.ipv4.tcp_wmem", "4096 65536 131072")];

/// A limit of each process, which none of the engine's or of agentmill's own may stand in for; None is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    /// Its name in engines' words.
    pub name: &'static str,
    /// The limit that holds.
    pub soft: Option<u64>,
    /// The limit up to which a process may raise its own.
    pub hard: Option<u64>,
}

/// Processes of one user that Podman itself goes down to where the kernel numbers no more; a cell may have as many.
const MOST_PROCESSES: u64 = 32768;

/// All that are set. The stack is what a shell has, as the depth of recursion follows from it.
pub fn ulimits() -> [Ulimit; 7] {
    let exactly = |name, limit| Ulimit { name, soft: Some(limit), hard: Some(limit) };
    let unlimited = |name| Ulimit { name, soft: None, hard: None };
    // As many as we may have ourselves: who may not raise a limit can't give more.
    let processes =
        getrlimit(Resource::Nproc).maximum.map_or(MOST_PROCESSES, |most| most.min(MOST_PROCESSES));
    [
        exactly("core", 0),
        unlimited("cpu"),
        unlimited("data"),
        unlimited("fsize"),
        exactly("nofile", 256),
        exactly("nproc", processes),
        Ulimit { name: "stack", soft: Some(8 << 20), hard: None },
    ]
}

/// All of them are taken away.
pub const CAPABILITIES: &str = "ALL";

/// The one option; any other could turn seccomp off.
pub const SECURITY: &str = "no-new-privileges";

/// It sees nothing but a loopback device of its own.
pub const NETWORK: &str = "none";

/// An engine that is stopped need not wait for who ignores anything milder.
pub const STOP_SIGNAL: &str = "KILL";

/// Agents' output belongs to nobody's log.
pub const LOG_DRIVER: &str = "none";

/// The program, found by the image's search path.
pub const ENTRYPOINT: &str = "python";

/// Not -I or -E: they would drop PYTHONHASHSEED. The container's environment holds nothing of the host's.
const PYTHON: [&str; 4] = ["-s", "-P", "-B", "-Xutf8"];

/// Installed packages are not found.
const NO_PACKAGES: &str = "-S";

/// Purpose of a container.
#[derive(Debug, Clone, Copy)]
pub enum Role<'a> {
    /// Hostile code, within the limits; chance begins with the seed.
    Cell(&'a Limits, u32),
    /// Trusted code that looks at values from hostile code, within the bounds.
    Judge(&'a Judge),
    /// The survey of an image, within the bounds of a judge.
    Survey(&'a Judge, ImageOf),
}

/// The containers that an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageOf {
    /// Cells.
    Cells,
    /// Judges.
    Judges,
}

impl Role<'_> {
    /// The image that it takes.
    pub fn image(self) -> ImageOf {
        match self {
            Role::Cell(..) => ImageOf::Cells,
            Role::Judge(_) => ImageOf::Judges,
            Role::Survey(_, of) => of,
        }
    }

    /// The seed that the order of sets begins with.
    pub fn seed(self) -> u32 {
        match self {
            Role::Cell(_, seed) => seed,
            Role::Judge(_) | Role::Survey(..) => 0,
        }
    }

    /// In names and labels.
    pub fn word(self) -> &'static str {
        match self {
            Role::Cell(..) => "cell",
            Role::Judge(_) => "judge",
            Role::Survey(..) => "survey",
        }
    }
}

/// Microseconds in which a container has its share of CPU time, where they are said.
pub const PERIOD: u64 = 100_000;

/// Bounds of what a container may use of the machine.
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
    /// Files and folders in /tmp.
    pub inodes: u32,
}

impl Bounds {
    /// Those of a role; a runtime needs so many threads of its own.
    pub fn new(role: Role<'_>, own_threads: u32) -> Self {
        let (memory, cpus, pids, tmp, entries) = match role {
            Role::Cell(limits, _) => (limits.memory, limits.cpus, limits.pids, limits.tmp, limits.entries),
            Role::Judge(bounds) | Role::Survey(bounds, _) => (bounds.memory, 1.0, 64, 1 << 20, 0),
        };
        Self { memory, cpus, pids: pids + own_threads, tmp, inodes: INODES + entries }
    }

    /// Microseconds of CPU time in each [`PERIOD`].
    pub fn quota(&self) -> u64 {
        (self.cpus * PERIOD as f64).round() as u64
    }
}

/// A container that runs a program with the image's Python, fed on stdin. What is the same for all of them is above.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// No other container has it.
    pub name: &'a str,
    /// The user that it runs as.
    pub uid: u32,
    /// By which its own are found.
    pub labels: [(&'a str, &'a str); 3],
    /// Its bounds.
    pub bounds: Bounds,
    /// Another runtime than the engine's own.
    pub runtime: Option<&'a str>,
    /// The image that its files are of.
    pub image: &'a str,
    /// True if Python finds the packages that are installed there.
    pub packages: bool,
    /// The seed that the order of sets begins with.
    pub seed: u32,
    /// The program's text, for Python.
    pub program: &'a str,
}

impl Spec<'_> {
    /// The environment: the same order of sets in every process of a seed, a home that can be written to, and a name of the user,
    /// as its number stands in no list of users.
    pub fn env(&self) -> [String; 3] {
        [format!("PYTHONHASHSEED={}", self.seed), format!("HOME={WORKDIR}"), "USER=agent".to_owned()]
    }

    /// The arguments behind the entrypoint.
    pub fn command(&self) -> impl Iterator<Item = &str> {
        let more = (!self.packages).then_some(NO_PACKAGES);
        PYTHON.into_iter().chain(more).chain(["-c", self.program])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_proc_is_masked_but_what_is_known_to_tell_nothing() {
        let here = ["1", "4711", "self", "mounts", "version", "vmstat", "of_a_new_kernel"].map(str::to_owned);
        let masked = masked(here.into_iter());
        for path in ["/proc/of_a_new_kernel", "/proc/vmstat", "/proc/locks", "/proc/sys/fs"] {
            assert_eq!(masked.iter().filter(|masked| *masked == path).count(), 1, "{path}");
        }
        for path in ["/proc/1", "/proc/self", "/proc/mounts", "/proc/version"] {
            assert!(!masked.iter().any(|masked| masked == path), "{path}");
        }
    }
}
