//! Control groups of a container, in both versions: what the kernel counts in them, and their end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::engine::spec::Bounds;

/// How long the kernel may take to let go of a group whose processes have ended.
const LET_GO: Duration = Duration::from_secs(10);

/// A group's folders: one in each hierarchy that is mounted.
#[derive(Debug, Clone)]
pub struct ControlGroups {
    folders: Vec<PathBuf>,
}

impl ControlGroups {
    /// The groups at this path, which begins with a slash, of all hierarchies.
    pub fn at(path: &str) -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        Self { folders: hierarchies(&mounts).map(|root| root.join(&path[1..])).collect() }
    }

    /// The groups that a process is in.
    pub fn of_process(pid: &str) -> Self {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let folders = groups.lines().filter_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
            [_, "", path] => Some(format!("/sys/fs/cgroup{path}").into()),
            [_, "memory", path] => Some(format!("/sys/fs/cgroup/memory{path}").into()),
            _ => None,
        });
        Self { folders: folders.collect() }
    }

    /// How many of its processes the kernel has killed for want of memory; None if it does not count them.
    pub fn oom_kills(&self) -> Option<u64> {
        let files =
            self.folders.iter().flat_map(|it| [it.join("memory.events"), it.join("memory.oom_control")]);
        let texts = files.filter_map(|file| fs::read_to_string(file).ok());
        texts.flat_map(|text| kills(&text)).max()
    }

    /// A bound that the kernel does not keep for this process, as its name for people.
    pub fn unbound(&self, pid: Pid, bounds: &Bounds) -> Option<&'static str> {
        let has = |folder: &&PathBuf| {
            let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            processes.lines().any(|line| line == pid.as_raw_pid().to_string())
        };
        let its_own: Vec<&PathBuf> = self.folders.iter().filter(has).collect();
        let at_most = |file: &str, most: u64| {
            its_own.iter().any(|folder| number(&folder.join(file)).is_some_and(|set| set <= most))
        };
        let quota = bounds.quota();
        let kept = [
            (
                "memory",
                at_most("memory.max", bounds.memory) || at_most("memory.limit_in_bytes", bounds.memory),
            ),
            ("swap", at_most("memory.swap.max", 0) || at_most("memory.memsw.limit_in_bytes", bounds.memory)),
            ("CPU time", at_most("cpu.max", quota) || at_most("cpu.cfs_quota_us", quota)),
            ("processes", at_most("pids.max", bounds.pids.into())),
        ];
        kept.into_iter().find(|(_, is_kept)| !is_kept).map(|(name, _)| name)
    }

    /// The folders, be they there or not.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Kills all processes in them.
    pub fn kill(&self) {
        for folder in &self.folders {
            let pids = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            for pid in pids.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Removes the groups, after the end of all that runs in them.
    ///
    /// # Errors
    /// Something in them does not end, or they may not be removed.
    pub fn remove(&self) -> io::Result<()> {
        let (deadline, mut pause) = (Instant::now() + LET_GO, Duration::from_millis(1));
        loop {
            let Some(error) = self.folders.iter().find_map(|folder| gone(fs::remove_dir(folder)).err())
            else {
                return Ok(());
            };
            if Instant::now() > deadline {
                return Err(error);
            }
            self.kill();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Removes the groups and those below them, as far as nothing runs in them.
    pub fn remove_if_empty(&self) {
        for folder in &self.folders {
            for below in fs::read_dir(folder).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(below.path());
            }
            let _ = fs::remove_dir(folder);
        }
    }

    /// Names of the groups below them.
    pub fn below(&self) -> Vec<String> {
        let folders = self.folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let folders = folders.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut names: Vec<String> = folders.filter_map(|it| it.file_name().into_string().ok()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Bounds that the kernel of this machine can't set, as their names for people.
pub fn lacking() -> Vec<&'static str> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let unified = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let swap = Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists();
    let swap = swap || unified.contains("memory");
    let bounds = [("memory", "memory"), ("cpu", "CPU time"), ("pids", "processes")];
    let missing = bounds.into_iter().filter(|(name, _)| !has_controller(name, &mounts, &unified));
    missing.map(|(_, bound)| bound).chain((!swap).then_some("swap")).collect()
}

/// Fails with the reason, a verb and its remedy, if an OCI runtime can't start containers in this machine's groups.
///
/// # Errors
/// It is crun, and controllers are in both versions at the same time.
pub fn suit(runtime: &str) -> Result<(), String> {
    let beside = fs::read_to_string("/sys/fs/cgroup/unified/cgroup.controllers").unwrap_or_default();
    let is_crun = Path::new(runtime).file_name().is_some_and(|name| name == "crun");
    match is_crun && !beside.trim().is_empty() {
        true => {
            Err("refuses control groups of both versions: boot with systemd.unified_cgroup_hierarchy=1"
                .into())
        }
        false => Ok(()),
    }
}

/// Tells whether a controller is in one of the hierarchies of version 1, or in that of version 2.
fn has_controller(name: &str, mounts: &str, unified: &str) -> bool {
    let of_mount = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [_, _, "cgroup", options, ..] => options.split(',').any(|option| option == name),
        _ => false,
    };
    unified.split_whitespace().any(|it| it == name) || mounts.lines().any(of_mount)
}

/// Success where nothing is there to be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Roots of all hierarchies in the text of `/proc/self/mounts`.
fn hierarchies(mounts: &str) -> impl Iterator<Item = &Path> {
    mounts.lines().filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        [_, place, "cgroup" | "cgroup2", ..] => Some(Path::new(place)),
        _ => None,
    })
}

/// The number that a file begins with; None where it is "max", or less than nothing, which mean no limit.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.split_whitespace().next()?.parse().ok()
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

    #[test]
    fn every_hierarchy_is_known() {
        let mounts = "proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup2 /sys/fs/cgroup/unified \
                      cgroup2 rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n";
        let roots: Vec<&Path> = hierarchies(mounts).collect();
        assert_eq!(roots, [Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup/unified")]);
    }

    #[test]
    fn a_controller_is_in_either_version() {
        let mounts = "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n";
        assert!(has_controller("memory", mounts, "") && has_controller("pids", mounts, "cpu pids\n"));
        assert!(!has_controller("cpu", mounts, "cpuset pids\n"));
    }

    #[test]
    fn a_bound_is_kept_where_it_is_set_and_the_process_is() {
        let place = tempfile::tempdir().unwrap();
        let groups = ControlGroups { folders: vec![place.path().to_owned()] };
        let (pid, other) = (Pid::from_raw(41).unwrap(), Pid::from_raw(4).unwrap());
        let bounds = Bounds { memory: 4096, cpus: 0.5, pids: 7, tmp: 0, inodes: 0 };
        let set = |file: &str, text: &str| fs::write(place.path().join(file), text).unwrap();
        assert_eq!(groups.unbound(pid, &bounds), Some("memory"));
        set("cgroup.procs", "41\n43\n");
        set("memory.max", "4096\n");
        assert_eq!(groups.unbound(pid, &bounds), Some("swap"));
        set("memory.swap.max", "0\n");
        set("cpu.max", "max 100000\n");
        assert_eq!(groups.unbound(pid, &bounds), Some("CPU time"));
        set("cpu.max", "50000 100000\n");
        set("pids.max", "8\n");
        assert_eq!(groups.unbound(pid, &bounds), Some("processes"));
        set("pids.max", "7\n");
        assert_eq!((groups.unbound(pid, &bounds), groups.unbound(other, &bounds)), (None, Some("memory")));
        for (file, text) in [
            ("memory.limit_in_bytes", "4096"),
            ("memory.memsw.limit_in_bytes", "4096"),
            ("cpu.cfs_quota_us", "-1"),
        ] {
            set(file, text);
        }
        for file in ["memory.max", "memory.swap.max", "cpu.max"] {
            fs::remove_file(place.path().join(file)).unwrap();
        }
        assert_eq!(groups.unbound(pid, &bounds), Some("CPU time"));
        set("cpu.cfs_quota_us", "50000");
        assert_eq!(groups.unbound(pid, &bounds), None);
    }

    #[test]
    fn groups_that_are_not_there_are_removed_already() {
        let groups = ControlGroups { folders: vec!["/nowhere/of/this/name".into()] };
        groups.kill();
        assert!(groups.remove().is_ok());
        assert_eq!((groups.oom_kills(), groups.below()), (None, Vec::new()));
    }
}
