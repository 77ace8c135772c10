//! Containers that no engine knows: seen by what agentmill and the kernel have of them.

#![allow(dead_code, reason = "every test program uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agentmill::config::EngineKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Test programs about engines, their containers and their faults, and those that do what a newcomer does: by Docker.
const BY_DOCKER: [&str; 19] = [
    "bundle",
    "cell",
    "cli_demo",
    "cli_disk",
    "cli_errors",
    "cli_faults",
    "cli_incremental",
    "cli_kill",
    "cli_watch",
    "engine_restart",
    "engines",
    "hostile",
    "isolation",
    "judge",
    "load",
    "on_change",
    "outage",
    "readme",
    "slurm",
];

/// The engine that the environment names in AGENTMILL_ENGINE. Unless it does, Docker for programs that are [about it](BY_DOCKER); for
/// all others runc where it is there, as its containers start in a fifth of the time.
pub fn engine() -> EngineKind {
    match std::env::var("AGENTMILL_ENGINE").as_deref() {
        Ok("podman") => EngineKind::Podman,
        Ok("runc") => EngineKind::Runc,
        Ok("crun") => EngineKind::Crun,
        Ok("docker") => EngineKind::Docker,
        Err(_) => engine_of(env!("CARGO_CRATE_NAME")),
        Ok(other) => panic!("AGENTMILL_ENGINE is docker, podman, runc or crun, not {other}"),
    }
}

fn engine_of(test_program: &str) -> EngineKind {
    let has_engine = is_installed("docker") || is_installed("podman");
    let is_light = rustix::process::geteuid().is_root() && !BY_DOCKER.contains(&test_program);
    match is_installed("runc") && (is_light || !has_engine) {
        true => EngineKind::Runc,
        false => EngineKind::Docker,
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The image that the environment names in AGENTMILL_IMAGE; the default one unless it does.
pub fn image() -> String {
    std::env::var("AGENTMILL_IMAGE").unwrap_or_else(|_| "python:3.11-slim".to_owned())
}

/// Where the containers of a results folder's label are: root's, or the user's.
pub fn place(label: &str) -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = match rustix::process::geteuid().is_root() {
        true => "/run/agentmill".into(),
        false => match variable("XDG_RUNTIME_DIR") {
            Some(session) => session.join("agentmill"),
            None => variable("HOME").expect("there is a home").join(".cache/agentmill/run"),
        },
    };
    folder.join(label)
}

/// The path of the control groups that are delegated to us, without a slash at its beginning; root has all.
fn delegated() -> String {
    let groups = fs::read_to_string("/proc/self/cgroup").expect("there are control groups");
    let path = |line: &str| Some(line.split_once(":memory:").or(line.split_once("0::"))?.1.to_owned());
    let path = match rustix::process::geteuid().is_root() {
        true => String::new(),
        false => groups.lines().find_map(path).expect("memory has a group"),
    };
    path.trim_end_matches("agentmill.supervisor").trim_matches('/').to_owned()
}

/// Folders of the control groups above a label's containers, in all hierarchies.
fn groups(label: &str) -> Vec<PathBuf> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").expect("there are control groups").flatten();
    let hierarchies = hierarchies.map(|entry| entry.path()).chain([PathBuf::from("/sys/fs/cgroup")]);
    hierarchies.map(|folder| folder.join(delegated()).join("agentmill").join(label)).collect()
}

/// Processes in the label's containers.
pub fn processes(label: &str) -> Vec<String> {
    let groups = groups(label);
    let containers =
        groups.iter().flat_map(|group| subfolders(group).into_iter().map(|name| group.join(name)));
    let lists = containers.map(|folder| fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default());
    lists.flat_map(|list| list.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Names of containers of which something is there: a folder, a control group or a mount.
pub fn containers(label: &str) -> Vec<String> {
    let mut folders = groups(label);
    folders.push(place(label));
    let mut found: Vec<String> = folders.iter().flat_map(|folder| subfolders(folder)).collect();
    let mounts = fs::read_to_string("/proc/self/mounts").expect("there are mounts");
    found.extend(mounts.lines().filter_map(|line| {
        let below = line.split(' ').nth(1)?.strip_prefix(place(label).to_str()?)?;
        below.split('/').nth(1).map(str::to_owned)
    }));
    found.sort();
    found.dedup();
    found
}

fn subfolders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Containers that are started for a label, from the making of this on.
pub struct Starts {
    place: PathBuf,
    names: Arc<Mutex<Vec<String>>>,
    _watcher: RecommendedWatcher,
}

impl Starts {
    pub fn follow(label: &str) -> Self {
        let place = place(label);
        fs::create_dir_all(&place).expect("the folder can be made");
        // As long as it is there, agentmill can't remove the folder that is watched.
        fs::write(place.join(".watched"), "").expect("written");
        let names = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&names);
        let note = move |event: notify::Result<notify::Event>| {
            let event = event.expect("it can be watched");
            if matches!(event.kind, EventKind::Create(_)) {
                let made =
                    event.paths.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
                seen.lock().unwrap().extend(made);
            }
        };
        let mut watcher = notify::recommended_watcher(note).expect("it can be watched");
        watcher.watch(&place, RecursiveMode::NonRecursive).expect("it can be watched");
        Self { place, names, _watcher: watcher }
    }

    /// The names so far. A file of our own, made last, tells that all have come.
    pub fn names(&self) -> Vec<String> {
        let fence = format!(".fence-{}", self.names.lock().unwrap().len());
        fs::write(self.place.join(&fence), "").expect("written");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.names.lock().unwrap().contains(&fence) {
            assert!(Instant::now() < deadline, "the kernel does not tell of a new file");
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::remove_file(self.place.join(&fence)).expect("removed");
        let names = self.names.lock().unwrap();
        names.iter().filter(|name| !name.starts_with('.')).cloned().collect()
    }
}

impl Drop for Starts {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.place.join(".watched"));
        let _ = fs::remove_dir(&self.place);
    }
}
