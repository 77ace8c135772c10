//! A container in the words of the OCI runtime specification: the `config.json` of a bundle. `tests/bundle.rs` holds it to what
//! Docker writes for the same container.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;

use serde_json::{Value, json};

use crate::sandbox::engine::oci::seccomp;
use crate::sandbox::engine::spec::{
    ENTRYPOINT, GROUP, HIDDEN, HIDING, HOSTNAME, MASKED, PERIOD, SYSCTLS, Spec, WORKDIR, ulimits,
};

/// Files of /proc that can be read and, but for this, changed.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Of each kind it has its own.
const NAMESPACES: [&str; 6] = ["pid", "network", "ipc", "uts", "mount", "cgroup"];

/// The configuration; `env` is the image's, `root` the folder of its files, `groups` the path of its control groups.
pub fn config(spec: &Spec<'_>, env: &[String], root: &Path, groups: &str) -> Value {
    json!({
        "ociVersion": "1.0.2",
        "process": process(spec, env),
        "root": { "path": root, "readonly": true },
        "hostname": HOSTNAME,
        "mounts": mounts(spec),
        "linux": {
            "sysctl": BTreeMap::from_iter(SYSCTLS.into_iter().chain([("net.ipv4.ip_unprivileged_port_start", "0")])),
            "resources": resources(spec),
            "cgroupsPath": groups,
            "namespaces": NAMESPACES.map(|kind| json!({ "type": kind })),
            "seccomp": seccomp::filter(),
            "maskedPaths": *MASKED,
            "readonlyPaths": READ_ONLY,
        },
    })
}

/// Masks files with an empty one of the container's own. crun would take the machine's `/dev/null` for it, a file on which all
/// containers could hold locks that the others see.
pub fn mask_files(config: &mut Value, nothing: &Path) {
    let masked = config["linux"]["maskedPaths"].take();
    let masked = masked.as_array().map_or(&[][..], Vec::as_slice);
    let (files, rest): (Vec<&Value>, Vec<&Value>) =
        masked.iter().partition(|path| path.as_str().is_some_and(|path| Path::new(path).is_file()));
    let options = ["bind", "ro", "nosuid", "noexec", "nodev"];
    let binds = files
        .iter()
        .map(|path| json!({ "destination": path, "type": "bind", "source": nothing, "options": options }));
    let mounts = config["mounts"].as_array().into_iter().flatten().cloned().chain(binds).collect();
    config["linux"]["maskedPaths"] = json!(rest);
    config["mounts"] = Value::Array(mounts);
}

fn process(spec: &Spec<'_>, env: &[String]) -> Value {
    let limit = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    let limits = ulimits().map(|it| {
        let name = format!("RLIMIT_{}", it.name.to_uppercase());
        json!({ "type": name, "soft": limit(it.soft), "hard": limit(it.hard) })
    });
    json!({
        "terminal": false,
        "user": { "uid": spec.uid, "gid": GROUP, "additionalGids": [GROUP] },
        "args": iter::once(ENTRYPOINT).chain(spec.command()).collect::<Vec<_>>(),
        "env": environment(env, &spec.env()),
        "cwd": WORKDIR,
        "capabilities": {},
        "rlimits": limits,
        "noNewPrivileges": true,
        "oomScoreAdj": 0,
    })
}

/// The image's variables under ours.
fn environment(image: &[String], ours: &[String]) -> Vec<String> {
    let hostname = format!("HOSTNAME={HOSTNAME}");
    let all = image.iter().chain([&hostname]).chain(ours).map(String::as_str);
    let named: BTreeMap<&str, &str> = all.filter_map(|variable| variable.split_once('=')).collect();
    named.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// Mounts: the kernel's file systems with as few rights as they can do with, and two folders to write to.
fn mounts(spec: &Spec<'_>) -> Value {
    let mount = |place: &str, kind: &str, options: &str| {
        let options: Vec<&str> = options.split(',').collect();
        json!({ "destination": place, "type": kind, "source": kind, "options": options })
    };
    let (size, inodes) = (spec.bounds.tmp, spec.bounds.inodes);
    json!([
        mount("/proc", "proc", "nosuid,noexec,nodev"),
        mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
        mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
        mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
        mount("/dev/shm", "tmpfs", &format!("nosuid,noexec,nodev,mode=1777,size={size}")),
        mount(WORKDIR, "tmpfs", &format!("nosuid,noexec,nodev,mode=1777,size={size},nr_inodes={inodes}")),
        mount(HIDDEN[0], "tmpfs", HIDING),
        mount(HIDDEN[1], "tmpfs", HIDING),
    ])
}

fn resources(spec: &Spec<'_>) -> Value {
    let bounds = spec.bounds;
    json!({
        "devices": [{ "allow": false, "access": "rwm" }], // the runtime adds those that every container has
        "memory": { "limit": bounds.memory, "swap": bounds.memory }, // the sum of both: no swap
        "cpu": { "quota": bounds.quota(), "period": PERIOD },
        "pids": { "limit": bounds.pids },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_files_are_bound_to_an_empty_one_and_folders_stay() {
        let mut config = json!({
            "mounts": [{ "destination": "/proc" }],
            "linux": { "maskedPaths": ["/proc/version", "/proc/sys", "/proc/of/no/such/name"] },
        });
        mask_files(&mut config, Path::new("/nothing"));
        assert_eq!(config["linux"]["maskedPaths"], json!(["/proc/sys", "/proc/of/no/such/name"]));
        let (mounts, bind) = (config["mounts"].as_array().unwrap(), &config["mounts"][1]);
        assert_eq!(
            (mounts.len(), &bind["destination"], &bind["source"]),
            (2, &json!("/proc/version"), &json!("/nothing"))
        );
    }

    #[test]
    fn the_images_variables_give_way_to_ours() {
        let image = ["PATH=/bin".to_owned(), "HOME=/root".to_owned(), "LANG=C.UTF-8".to_owned()];
        let expected = ["HOME=/tmp", "HOSTNAME=cell", "LANG=C.UTF-8", "PATH=/bin", "PYTHONHASHSEED=0"];
        let ours = ["PYTHONHASHSEED=0", "HOME=/tmp"].map(str::to_owned);
        assert_eq!(environment(&image, &ours), expected);
    }
}
