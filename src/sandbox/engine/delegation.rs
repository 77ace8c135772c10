//! Delegated control groups: the part of the machine's in which a user who is not root may make groups, and move its processes
//! into them. It is what agentmill itself has been started in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::sandbox::engine::control_groups::ControlGroups;

/// Controllers of the bounds that containers have.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// The group into which agentmill moves itself: with version 2, no process may be in a group above those that have limits.
const SUPERVISOR: &str = "agentmill.supervisor";

/// How often processes are moved that were started meanwhile.
const ROUNDS: usize = 100;

const REMEDY: &str = "start it by `systemd-run --user --scope --property=Delegate=yes agentmill …`, or as a service with Delegate=yes";

/// Groups that a process is in, as `/proc/self/cgroup` tells.
#[derive(Debug, PartialEq, Eq)]
enum Membership<'a> {
    /// One path in all hierarchies of version 1.
    Version1(&'a str),
    /// The path in the one hierarchy of version 2.
    Version2(&'a str),
    /// Paths that differ, so that no path could be given to a runtime.
    Several,
}

impl<'a> Membership<'a> {
    fn parse(text: &'a str) -> Self {
        let lines = || text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        let mut first = lines().filter(|(controllers, _)| !controllers.is_empty()).map(|(_, path)| path);
        let unified = lines().find(|(controllers, _)| controllers.is_empty()).map(|(_, path)| path);
        // Named hierarchies have no controllers, and are there beside those of version 2 on some machines.
        let has_controllers = lines().any(|(it, _)| it.split(',').any(|name| CONTROLLERS.contains(&name)));
        match (has_controllers, first.next(), unified) {
            (true, Some(path), _) if first.all(|other| other == path) => Self::Version1(path),
            (false, _, Some(path)) => Self::Version2(path),
            _ => Self::Several,
        }
    }
}

/// The path of the delegated group, after seeing to it that groups with limits can be made in its group `name`.
///
/// # Errors
/// None is delegated, or not all of it; what to do about it.
pub fn group(name: &str) -> Result<String, String> {
    let text =
        fs::read_to_string("/proc/self/cgroup").map_err(|error| format!("/proc/self/cgroup: {error}"))?;
    match Membership::parse(&text) {
        Membership::Version1(path) => version_1(path),
        Membership::Version2(path) => version_2(path, name),
        Membership::Several => {
            Err("it is in groups of different names in the hierarchies of version 1".to_owned())
        }
    }
    .map_err(|reason| format!("control groups are not delegated: {reason}; {REMEDY}"))
}

fn version_1(path: &str) -> Result<String, String> {
    let groups = ControlGroups::at(path);
    let there: Vec<&PathBuf> = groups.folders().iter().filter(|folder| folder.exists()).collect();
    match there.iter().find(|folder| !may_write(folder)) {
        Some(folder) => Err(format!("{} can't be written", folder.display())),
        None => Ok(path.trim_end_matches('/').to_owned()),
    }
}

fn version_2(path: &str, name: &str) -> Result<String, String> {
    let path = path.strip_suffix(SUPERVISOR).unwrap_or(path).trim_end_matches('/');
    let folder = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    for place in [folder.clone(), folder.join("cgroup.procs"), folder.join("cgroup.subtree_control")] {
        if !may_write(&place) {
            return Err(format!("{} can't be written", place.display()));
        }
    }
    let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let is_missing = |name: &&&str| !controllers.split_whitespace().any(|it| it == **name);
    if let Some(missing) = CONTROLLERS.iter().find(is_missing) {
        let remedy = "user@.service may need Delegate=cpu memory pids";
        return Err(format!("{} is without the controller {missing} ({remedy})", folder.display()));
    }
    settle(&folder, name).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(path.to_owned())
}

/// Moves all processes of a group into one below it, and has the kernel keep limits in another one below.
fn settle(folder: &Path, name: &str) -> io::Result<()> {
    let (itself, ours) = (folder.join(SUPERVISOR), folder.join(name));
    make(&itself)?;
    for _ in 0..ROUNDS {
        let processes = fs::read_to_string(folder.join("cgroup.procs"))?;
        if processes.is_empty() {
            break;
        }
        for process in processes.lines() {
            match fs::write(itself.join("cgroup.procs"), process) {
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {} // it has ended
                moved => moved?,
            }
        }
    }
    enable(folder)?;
    make(&ours)?;
    enable(&ours)
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Has the kernel keep limits of the groups below.
fn enable(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("cgroup.subtree_control"), CONTROLLERS.map(|name| format!("+{name}")).join(" "))
}

fn may_write(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_either_version_are_told_apart() {
        let legacy = "9:name=systemd:/a\n4:memory:/a\n3:cpu,cpuacct:/a\n2:pids:/a\n0::/\n";
        assert_eq!(Membership::parse(legacy), Membership::Version1("/a"));
        assert_eq!(
            Membership::parse("0::/user.slice/a.scope\n"),
            Membership::Version2("/user.slice/a.scope")
        );
        assert_eq!(Membership::parse("1:name=systemd:/b\n0::/a\n"), Membership::Version2("/a"));
        assert_eq!(Membership::parse("4:memory:/a\n2:pids:/b\n0::/\n"), Membership::Several);
        assert_eq!(Membership::parse(""), Membership::Several);
    }

    #[test]
    fn who_may_not_write_is_told_so() {
        let refusal = version_2("/of/no/such/name", "agentmill").unwrap_err();
        assert!(refusal.contains("/sys/fs/cgroup/of/no/such/name can't be written"), "{refusal}");
    }
}
