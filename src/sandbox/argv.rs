//! A container in the words of an engine's command line.

use super::spec::{
    CAPABILITIES, ENTRYPOINT, ENV, LOG_DRIVER, NETWORK, SECURITY, STOP_SIGNAL, Spec, ULIMITS, USER, WORKDIR,
};
use crate::config;

/// The command that starts it; `carried` is what one needs besides that runs elsewhere.
pub fn run(engine: config::Engine, spec: &Spec<'_>, carried: &[&str]) -> Vec<String> {
    let start = [engine.program(), "run", "--interactive", "--rm", "--name", spec.name];
    let mut argv: Vec<String> = start.iter().chain(carried).map(|word| (*word).to_owned()).collect();
    argv.extend(spec.labels.map(|(key, value)| format!("--label={key}={value}")));
    argv.push(format!("--network={NETWORK}"));
    argv.extend(isolation(engine, spec));
    argv.extend(spec.runtime.map(|runtime| format!("--runtime={runtime}")));
    argv.extend([format!("--entrypoint={ENTRYPOINT}"), spec.image.to_owned()]);
    argv.extend(spec.command().map(str::to_owned));
    argv
}

/// Everything that keeps what runs inside away from the machine.
fn isolation(engine: config::Engine, spec: &Spec<'_>) -> impl Iterator<Item = String> {
    let bounds = spec.bounds;
    let fixed = [
        "--read-only".to_owned(),
        format!("--cap-drop={CAPABILITIES}"),
        format!("--security-opt={SECURITY}"),
        format!("--user={USER}"),
        format!("--log-driver={LOG_DRIVER}"),
        format!("--stop-signal={STOP_SIGNAL}"),
        format!("--workdir={WORKDIR}"),
        format!("--env={ENV}"),
    ];
    let bounded = [
        format!("--memory={}", bounds.memory),
        format!("--memory-swap={}", bounds.memory), // the sum of both: no swap
        format!("--cpus={}", bounds.cpus),
        format!("--pids-limit={}", bounds.pids),
        format!("--shm-size={}", bounds.tmp),
        format!("--tmpfs={WORKDIR}:{}", engine.tmpfs(bounds.tmp)),
    ];
    let ulimits = ULIMITS.map(|(name, limit)| format!("--ulimit={name}={limit}:{limit}"));
    fixed.into_iter().chain(ulimits).chain(bounded).chain(engine.flags())
}
