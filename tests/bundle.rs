//! The bundle of a container that no engine starts, line by line beside the one that Docker writes for the same container; and
//! what a process sees of the two from inside.

mod common;
mod ignorable;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use agentmill::config::{EngineKind, Limits};
use agentmill::sandbox::{Opened, Sandbox};
use common::{LIMITS, Lab, Outcome, messages, task, verdicts};
use ignorable::{Missing, Tested, tests};
use serde_json::{Value, json};

fn main() -> ExitCode {
    ignorable::main(tests![
        a_bundle_says_what_dockers_says,
        nothing_is_allowed_that_docker_refuses,
        a_process_sees_the_same_of_both,
    ])
}

/// Fine where both can be had.
fn needed() -> Tested {
    if !rustix::process::geteuid().is_root() {
        return Err(Missing("Docker's bundles and runc are root's".into()));
    }
    let installed = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let missing = ["docker", "runc"].into_iter().find(|program| !installed(program));
    missing.map_or(Ok(()), |program| Err(Missing(format!("{program} is not installed"))))
}

/// The bundle's configuration of a living cell.
fn config(engine: EngineKind, limits: &Limits) -> Result<Value, Missing> {
    let lab = Lab::with(engine, None);
    let Opened::Ready(cell) = lab.sandbox.open(b"x = 1".into(), limits).expect("a cell") else {
        panic!("refused")
    };
    let name = lab.containers("cell").remove(0);
    let roots = ["/run", "/var/run"].map(Path::new);
    let file = roots.iter().find_map(|root| below(root, &name, 8));
    let text = file.map(|file| fs::read_to_string(file).expect("readable"));
    drop(cell);
    drop(lab);
    let text = text.ok_or_else(|| Missing("Docker keeps its bundles where they are not found".into()))?;
    Ok(serde_json::from_str(&text).expect("it is JSON"))
}

/// The configuration in a folder of that name, at most so deep.
fn below(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let file = folder.join("config.json");
    if folder.ends_with(name) && file.exists() {
        return Some(file);
    }
    let entries = fs::read_dir(folder).ok().filter(|_| depth > 0)?.flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).find_map(|path| below(&path, name, depth - 1))
}

/// All that it says, a line for each: lists of things with a name by that name.
fn lines(value: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    collect("", value, &mut lines);
    lines
}

fn collect(path: &str, value: &Value, lines: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(&format!("{path}/{name}"), value, lines));
        }
        Value::Array(values) if path.ends_with("/args") => {
            values.iter().enumerate().for_each(|(at, value)| collect(&format!("{path}[{at}]"), value, lines));
        }
        Value::Array(values) => values.iter().for_each(|value| {
            let named = value.get("destination").or_else(|| value.get("type")).and_then(Value::as_str);
            collect(&format!("{path}[{}]", named.unwrap_or_default()), value, lines);
        }),
        Value::Null => {}
        other => drop(lines.insert(format!("{path} {other}"))),
    }
}

/// The configuration without what is each container's own.
fn comparable(mut config: Value) -> BTreeSet<String> {
    for own in [
        "/root/path",
        "/hostname",
        "/process/user/uid",
        "/linux/cgroupsPath",
        "/linux/seccomp",
        "/ociVersion",
    ] {
        if let Some(value) = config.pointer_mut(own) {
            *value = Value::Null;
        }
    }
    let env = config["process"]["env"].as_array_mut().expect("a list");
    env.retain(|variable| !variable.as_str().expect("text").starts_with("HOSTNAME="));
    lines(&config)
}

fn only<'a>(these: &'a BTreeSet<String>, others: &'a BTreeSet<String>) -> Vec<&'a str> {
    these.difference(others).map(String::as_str).collect()
}

/// Lines that Docker's has and ours has not, by their beginnings, and why.
const THEIRS: [(&str, &str); 12] = [
    ("/linux/resources/blockIO", "0 says nothing"),
    ("/linux/resources/cpu/shares 0", "0 says nothing"),
    ("/linux/resources/cpu/realtime", "0 says nothing"),
    ("/linux/resources/devices[c]", "devices that the runtime grants by itself, and one that it does not"),
    ("/linux/resources/memory/disableOOMKiller false", "as it is anyway"),
    ("/linux/resources/unified", "nothing in it"),
    ("/linux/sysctl/net.ipv4.ping_group_range", "nobody pings"),
    ("/mounts[/dev/shm]/source \"shm\"", "a name that the kernel does not look at"),
    ("/mounts[/etc/host", "the host's name is always the same, and nobody else has one"),
    ("/mounts[/sys/fs/cgroup]/options[] \"rprivate\"", "a tmpfs has nothing that could spread"),
    ("/mounts[/sys]/options[] \"rprivate\"", "the same"),
    ("/mounts[/tmp]/options[] ", "the same"),
];

/// Lines that ours has and Docker's has not.
const OURS: [&str; 3] = [
    "/linux/namespaces[cgroup]/type \"cgroup\"",
    "/mounts[/dev/shm]/source \"tmpfs\"",
    "/process/terminal false",
];

fn a_bundle_says_what_dockers_says() -> Tested {
    needed()?;
    let limits = Limits { cpus: 0.7, pids: 40, ..LIMITS };
    let (theirs, ours) = (config(EngineKind::Docker, &limits)?, config(EngineKind::Runc, &limits)?);
    let (theirs, ours) = (comparable(theirs), comparable(ours));
    let explained = |line: &&&str| THEIRS.iter().any(|(start, _)| line.starts_with(start));
    let missing: Vec<&str> = only(&theirs, &ours).iter().filter(|line| !explained(line)).copied().collect();
    assert_eq!(missing, [""; 0], "Docker's says so, ours does not");
    let more: Vec<&str> = only(&ours, &theirs).into_iter().filter(|line| !OURS.contains(line)).collect();
    assert_eq!(more, [""; 0], "ours says so, Docker's does not");
    Ok(())
}

/// Calls that a filter lets through under any condition, with their conditions; `""` where there are none.
fn allowed(seccomp: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in seccomp["syscalls"].as_array().expect("a list") {
        let condition =
            rule.get("args").filter(|args| **args != json!(null)).map_or(String::new(), Value::to_string);
        for name in rule["names"].as_array().expect("a list") {
            if rule["action"] == "SCMP_ACT_ALLOW" {
                allowed.entry(name.as_str().expect("text").to_owned()).or_default().insert(condition.clone());
            }
        }
    }
    allowed
}

fn nothing_is_allowed_that_docker_refuses() -> Tested {
    needed()?;
    let (theirs, ours) = (config(EngineKind::Docker, &LIMITS)?, config(EngineKind::Runc, &LIMITS)?);
    let [theirs, ours] = [theirs, ours].map(|config| config["linux"]["seccomp"].clone());
    assert_eq!(theirs["defaultAction"], ours["defaultAction"]);
    let architectures = |filter: &Value| lines(&filter["architectures"]);
    assert_eq!(only(&architectures(&ours), &architectures(&theirs)), [""; 0]);
    let (theirs, ours) = (allowed(&theirs), allowed(&ours));
    assert!(ours.len() > 250);
    for (name, conditions) in &ours {
        let known = theirs.get(name).unwrap_or_else(|| panic!("Docker refuses {name}"));
        assert!(
            known.contains("") || conditions.is_subset(known),
            "{name}: {conditions:?}, Docker's {known:?}"
        );
    }
    Ok(())
}

const LOOKER: &[u8] = b"
import os, resource, sys
def lines(path, fields=None):
    with open(path) as file:
        return sorted(line.strip() for line in file)
def mount(line):
    before, after = line.split(' - ')
    place, options = before.split()[4:6]
    kind, rights = after.split()[0], {'ro', 'rw', 'nosuid', 'nodev', 'noexec'} & set(options.split(','))
    return place + ' ' + ('files' if place == '/' else kind) + ' ' + str(sorted(rights)).replace(', ', ' ')
def look(name):
    if name == 'rights':
        keys = 'Cap', 'NoNewPrivs', 'Seccomp', 'Groups', 'Gid', 'Umask', 'Speculation'
        return str([line for line in lines('/proc/self/status') if line.startswith(keys)])
    if name == 'limits':
        return str([' '.join(line.split()) for line in lines('/proc/self/limits') if 'pending signals' not in line])
    if name == 'mounts':  # Docker's hold the machine's name, too
        found = (mount(line) for line in open('/proc/self/mountinfo'))
        return str(sorted(line for line in found if not line.startswith('/etc/host')))
    if name == 'environment':
        return str([sorted(k + '=' + v for k, v in os.environ.items() if k != 'HOSTNAME'), os.getcwd(), sys.argv, sys.flags])
    if name == 'devices':
        return str(sorted((name, os.lstat('/dev/' + name).st_mode) for name in os.listdir('/dev')))
    if name == 'network':
        names = [line.split(':')[0] for line in lines('/proc/net/dev') if ':' in line]
        return str([names, open('/proc/sys/net/ipv4/ip_unprivileged_port_start').read()])
    if name == 'score':
        return str([open('/proc/self/oom_score_adj').read(), os.sched_getscheduler(0)])
";

const LOOKS: [&str; 7] = ["rights", "limits", "mounts", "environment", "devices", "network", "score"];

/// The parts of its cell that a process sees, in pieces, by its own stderr: messages are cut short.
fn seen(engine: EngineKind) -> Vec<BTreeSet<String>> {
    let lab = Lab::with(engine, None);
    let source = [
        LOOKER,
        b"if __name__ == '__main__': print(look(sys.argv[1]).replace(', ', '\\n'), file=sys.stderr)",
    ]
    .concat();
    let look = |name| {
        let look = task(&format!("prompt: look\ntests:\n  - assert agent.run('{name}').returncode == 0\n"));
        let Outcome::Judged(runs) = lab.run(&source, &look, &LIMITS, 1) else { panic!("refused") };
        assert_eq!(verdicts(&runs[0]), ["passed"], "{:?}", messages(&runs[0]));
        runs[0].stderr.lines().map(str::to_owned).collect()
    };
    let told = LOOKS.map(look).into();
    assert_eq!(lab.close(), Vec::<String>::new());
    told
}

fn a_process_sees_the_same_of_both() -> Tested {
    needed()?;
    let (theirs, ours) = (seen(EngineKind::Docker), seen(EngineKind::Runc));
    for (name, (theirs, ours)) in LOOKS.iter().zip(theirs.iter().zip(&ours)) {
        assert!(!ours.is_empty(), "{name}");
        assert_eq!(only(ours, theirs), only(theirs, ours), "{name}");
    }
    Ok(())
}
