//! The seccomp filter of a container that no engine starts: only what is listed may be called, on the machine's own
//! architecture only.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

/// Says at its top which they are.
const ALLOWED: &str = include_str!("syscalls.txt");

/// Flags of `clone` that ask for new namespaces.
const NAMESPACES: u64 = 0x7E02_0000;

/// Linux as it is, as 4.x would seem, and with 2.6's version number; none of the rest, which turns protections off.
const PERSONALITIES: [u64; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF];

/// The family of sockets by which a virtual machine speaks to its host: no namespace holds it.
const VSOCK: u64 = 40;

/// The number by which the kernel says that it knows no such call, so that the C library takes an older one.
const ENOSYS: u32 = 38;

/// Calls that lock files, or watch them.
const LOCKING: [&str; 5] = ["fcntl", "flock", "inotify_add_watch", "inotify_init", "inotify_init1"];

/// Commands of `fcntl` that lock.
const LOCKS: [u64; 4] = [6, 7, 37, 38];

/// All others.
const OTHERS: [RangeInclusive<u64>; 5] = [0..=5, 8..=11, 15..=17, 36..=36, 1024..=1039];

/// The filter, as the OCI runtime specification has it.
pub fn filter() -> Value {
    of_calls(allowed(), [].into())
}

/// The filter of a container whose devices are the machine's: what one cell locks or watches of them the others would see. A lock is
/// granted and does nothing, as no filter can tell a device from a file of the cell's own; nothing can be watched.
pub fn filter_beside_shared_devices() -> Value {
    let granted = |condition: &[Value]| {
        let name = if condition.is_empty() { "flock" } else { "fcntl" };
        json!({ "names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": 0, "args": condition })
    };
    let command = |value: u64| json!({ "index": 1, "value": value, "op": "SCMP_CMP_EQ" });
    let mut calls = vec![granted(&[])];
    calls.extend(LOCKS.map(|it| granted(&[command(it)])));
    calls.extend(OTHERS.into_iter().flatten().map(|it| allowed_if("fcntl", &command(it))));
    of_calls(allowed().filter(|name| !LOCKING.contains(name)), calls)
}

fn of_calls<'a>(allowed: impl Iterator<Item = &'a str>, more: Vec<Value>) -> Value {
    let mut calls = vec![
        json!({ "names": allowed.collect::<Vec<_>>(), "action": "SCMP_ACT_ALLOW" }),
        allowed_if("clone", &json!({ "index": 0, "value": NAMESPACES, "op": "SCMP_CMP_MASKED_EQ" })),
        allowed_if("socket", &json!({ "index": 0, "value": VSOCK, "op": "SCMP_CMP_NE" })),
        // What it asks for lies in memory, out of a filter's sight.
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS }),
    ];
    let personality = |value| json!({ "index": 0, "value": value, "op": "SCMP_CMP_EQ" });
    calls.extend(PERSONALITIES.map(|value| allowed_if("personality", &personality(value))));
    calls.extend(more);
    json!({ "defaultAction": "SCMP_ACT_ERRNO", "architectures": [architecture()], "syscalls": calls })
}

fn allowed() -> impl Iterator<Item = &'static str> {
    ALLOWED.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

fn allowed_if(name: &str, condition: &Value) -> Value {
    json!({ "names": [name], "action": "SCMP_ACT_ALLOW", "args": [condition] })
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "SCMP_ARCH_AARCH64" } else { "SCMP_ARCH_X86_64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_reach_far_into_the_kernel_are_not_listed() {
        let refused = [
            "bpf",
            "clone",
            "clone3",
            "io_uring_setup",
            "keyctl",
            "kexec_load",
            "mount",
            "open_by_handle_at",
            "perf_event_open",
            "personality",
            "pivot_root",
            "process_vm_readv",
            "ptrace",
            "reboot",
            "setns",
            "shmget",
            "socket",
            "swapon",
            "unshare",
            "userfaultfd",
        ];
        let listed: Vec<&str> = allowed().collect();
        assert!(listed.len() > 250, "{}", listed.len());
        for name in refused {
            assert!(!listed.contains(&name), "{name}");
        }
    }

    #[test]
    fn beside_shared_devices_nothing_is_locked_or_watched() {
        let filter = filter_beside_shared_devices();
        let calls = filter["syscalls"].as_array().unwrap();
        let plainly: Vec<&str> =
            calls[0]["names"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        assert!(!LOCKING.iter().any(|name| plainly.contains(name)));
        assert_eq!(plainly.len() + LOCKING.len(), allowed().count(), "each of them is listed otherwise");
        let commands = |action: &str| -> Vec<u64> {
            let rules =
                calls.iter().filter(|rule| rule["names"] == json!(["fcntl"]) && rule["action"] == action);
            rules.filter_map(|rule| rule["args"][0]["value"].as_u64()).collect()
        };
        assert_eq!(commands("SCMP_ACT_ERRNO"), LOCKS);
        assert!(!commands("SCMP_ACT_ALLOW").iter().any(|command| LOCKS.contains(command)));
    }

    #[test]
    fn no_call_is_listed_twice() {
        let mut listed: Vec<&str> = allowed().collect();
        let all = listed.len();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed.len(), all);
    }
}
