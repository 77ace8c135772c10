//! The seccomp filter of a container that no engine starts: only what is listed may be called, on the machine's own
//! architecture only.

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

/// The filter, as the OCI runtime specification has it.
pub fn filter() -> Value {
    let mut calls = vec![
        json!({ "names": allowed().collect::<Vec<_>>(), "action": "SCMP_ACT_ALLOW" }),
        allowed_if("clone", &json!({ "index": 0, "value": NAMESPACES, "op": "SCMP_CMP_MASKED_EQ" })),
        allowed_if("socket", &json!({ "index": 0, "value": VSOCK, "op": "SCMP_CMP_NE" })),
        // What it asks for lies in memory, out of a filter's sight.
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS }),
    ];
    let personality = |value| json!({ "index": 0, "value": value, "op": "SCMP_CMP_EQ" });
    calls.extend(PERSONALITIES.map(|value| allowed_if("personality", &personality(value))));
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
    fn no_call_is_listed_twice() {
        let mut listed: Vec<&str> = allowed().collect();
        let all = listed.len();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed.len(), all);
    }
}
