//! A container in the words of Docker Engine's API. `tests/cell.rs` holds it to be the same as by the command line.

use serde_json::{Map, Value, json};

use crate::sandbox::engine::dialect::Dialect;
use crate::sandbox::engine::spec::{
    CAPABILITIES, ENTRYPOINT, GROUP, HIDDEN, HIDING, LOG_DRIVER, MASKED, NETWORK, SECURITY, STOP_SIGNAL,
    SYSCTLS, Spec, WORKDIR, ulimits,
};

/// The body of `POST /containers/create`.
pub fn create(spec: &Spec<'_>) -> Value {
    json!({
        "Image": spec.image,
        "Entrypoint": [ENTRYPOINT],
        "Cmd": spec.command().collect::<Vec<_>>(),
        "Env": spec.env(),
        "User": format!("{}:{GROUP}", spec.uid),
        "WorkingDir": WORKDIR,
        "StopSignal": STOP_SIGNAL,
        // The runtime then makes the empty network, and none of the engine's helpers is started for it: 260 ms of CPU time
        // a start instead of 410 (docs/performance.md).
        "NetworkDisabled": true,
        "Labels": object(spec.labels.map(|(key, value)| (key, value.into()))),
        // Its input ends with our connection, however that ends: the cell's dead-man switch.
        "OpenStdin": true,
        "StdinOnce": true,
        "AttachStdin": true,
        "AttachStdout": true,
        "AttachStderr": true,
        "HostConfig": host(spec),
    })
}

/// Everything that keeps what runs inside away from the machine.
fn host(spec: &Spec<'_>) -> Value {
    let bounds = spec.bounds;
    let limit = |limit: Option<u64>| limit.map_or(-1, u64::cast_signed);
    let limits =
        ulimits().map(|it| json!({ "Name": it.name, "Soft": limit(it.soft), "Hard": limit(it.hard) }));
    json!({
        "AutoRemove": true,
        "RestartPolicy": { "Name": "no" },
        "NetworkMode": NETWORK,
        "Runtime": spec.runtime,
        "ReadonlyRootfs": true,
        "MaskedPaths": *MASKED,
        "CapDrop": [CAPABILITIES],
        "SecurityOpt": [SECURITY],
        "LogConfig": { "Type": LOG_DRIVER },
        "Memory": bounds.memory,
        "MemorySwap": bounds.memory, // the sum of both: no swap
        "NanoCpus": (bounds.cpus * 1e9).round() as u64,
        "PidsLimit": bounds.pids,
        "ShmSize": bounds.tmp,
        "Sysctls": object(SYSCTLS.map(|(name, value)| (name, value.into()))),
        "Tmpfs": object([(WORKDIR, Dialect::Docker.tmpfs(bounds).into())].into_iter().chain(HIDDEN.map(|it| (it, HIDING.into())))),
        "Ulimits": limits,
    })
}

fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
