//! User namespaces: where agentmill is not root, each container is started as root of one of its own. Root in there is the user outside,
//! the container's user one of those that `/etc/subuid` gives to that one. Nothing of agentmill itself changes: its files, children and
//! rights are those of any program of that user's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::engine::oci::seccomp;
use crate::sandbox::engine::spec::GROUP;
use crate::util::command::ask;

/// Says at its top what it does.
const IN_NAMESPACE: &str = include_str!("in_namespace.sh");

/// The command that makes a namespace and becomes another one in it.
const UNSHARE: [&str; 6] = ["unshare", "--user", "--map-root-user", "--map-auto", "--mount", "--"];

/// Tells of users and groups, in place of a runtime.
const TRY: &str = "cat /proc/self/uid_map && echo && cat /proc/self/gid_map";

const REMEDY: &str = "needed are unshare of util-linux 2.38 or newer, newuidmap (package uidmap), 65536 users and groups of one's own \
                      (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME), a kernel from 5.11 on, and that it lets \
                      users make namespaces";

/// How long it may take to make one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Users, and groups, of a namespace: the first of each part, and how many. Root is the user outside, the others are those of `/etc/subuid`.
const PARTS: [[u32; 2]; 2] = [[0, 1], [1, GROUP]];

/// Signals that may wait for a container's processes. The kernel counts them for the user outside, over all its namespaces.
const SIGNALS: u64 = 256;

/// Fails with the reason, and what is needed, if no namespace can be made in which containers can be started. `place` is a folder of ours.
///
/// # Errors
/// As it says.
pub fn can_be_made(place: &Path) -> Result<(), String> {
    let refusal = |reason: String| format!("no user namespace can be made ({reason}); {REMEDY}");
    let folder = tempfile::tempdir_in(place).map_err(|error| refusal(error.to_string()))?;
    let image = folder.path().join("image");
    for name in ["masks", "root", "image/empty", "image/root"] {
        fs::create_dir_all(folder.path().join(name)).map_err(|error| refusal(error.to_string()))?;
    }
    let words = argv(folder.path(), &image, ["sh", "-c", TRY].map(str::to_owned).into());
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let told = ask(&words[0], &args, PATIENCE).map_err(refusal)?;
    match told.split_once("\n\n") {
        Some((users, groups)) if covers(users) && covers(groups) => Ok(()),
        _ => Err(format!("the user has too few users or groups of its own; {REMEDY}")),
    }
}

/// Tells whether a map of users or groups has all that containers use, in the two parts in which [`adapt`] hands them on.
fn covers(map: &str) -> bool {
    let has = |part: [u32; 2]| {
        map.lines().any(|line| {
            let numbers: Vec<u32> = line.split_whitespace().flat_map(str::parse).collect();
            matches!(numbers[..], [first, _, count] if first == part[0] && count >= part[1])
        })
    };
    PARTS.into_iter().all(has)
}

/// The command that does what `argv` does as root of a namespace, once the container of this folder has the image of that folder there.
pub fn argv(folder: &Path, image: &Path, argv: Vec<String>) -> Vec<String> {
    let [folder, image] = [folder, image].map(|path| path.display().to_string());
    let script = ["sh", "-c", IN_NAMESPACE, "in_namespace.sh", &folder, &image];
    UNSHARE.into_iter().chain(script).map(str::to_owned).chain(argv).collect()
}

/// Changes a container's configuration to what is allowed there. The container has another namespace of the same users, so that no runtime
/// can take back how our mounts are mounted, as crun would where it binds devices.
pub fn adapt(config: &mut Value) {
    let same =
        json!(PARTS.map(|[first, count]| json!({ "containerID": first, "hostID": first, "size": count })));
    if let Some(namespaces) = config["linux"]["namespaces"].as_array_mut() {
        namespaces.push(json!({ "type": "user" }));
    }
    config["linux"]["uidMappings"] = same.clone();
    config["linux"]["gidMappings"] = same;
    // Nobody but root can take back what a session's processes are given.
    let score = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    config["process"]["oomScoreAdj"] = json!(score.trim().parse().unwrap_or(0).max(0));
    if let Some(limits) = config["process"]["rlimits"].as_array_mut() {
        limits.push(json!({ "type": "RLIMIT_SIGPENDING", "soft": SIGNALS, "hard": SIGNALS }));
    }
    config["linux"]["seccomp"] = seccomp::filter_beside_shared_devices();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_all_users_of_containers_or_not() {
        assert!(covers("         0       1001          1\n         1     100000      65535\n"));
        assert!(covers("1 100000 65534\n0 1001 1\n"), "in any order");
        assert!(!covers("0 1001 1\n") && !covers("1 100000 65535\n") && !covers(""));
        assert!(!covers("0 1001 1\n1 100000 60000\n"), "too few");
        assert!(!covers("0 1001 1\n2 100000 65535\n"), "one is missing");
    }

    #[test]
    fn a_container_keeps_the_score_of_a_session_and_few_signals_wait_for_it() {
        let mut config = json!({ "process": { "rlimits": [] }, "linux": { "namespaces": [] } });
        adapt(&mut config);
        assert!(config["process"]["oomScoreAdj"].as_i64().unwrap() >= 0);
        assert_eq!(config["process"]["rlimits"][0]["type"], "RLIMIT_SIGPENDING");
        assert_eq!(config["linux"]["namespaces"], json!([{ "type": "user" }]));
    }
}
