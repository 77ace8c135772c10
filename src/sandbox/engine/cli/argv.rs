//! A container in the words of an engine's command line.

use crate::sandbox::engine::dialect::Dialect;
use crate::sandbox::engine::spec::{
    CAPABILITIES, ENTRYPOINT, GROUP, HIDDEN, HIDING, LOG_DRIVER, NETWORK, SECURITY, STOP_SIGNAL, SYSCTLS,
    Spec, WORKDIR, ulimits,
};

/// The command that starts it; `carried` is what one needs besides that runs elsewhere.
pub fn run(engine: Dialect, spec: &Spec<'_>, carried: &[&str]) -> Vec<String> {
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
fn isolation(engine: Dialect, spec: &Spec<'_>) -> impl Iterator<Item = String> {
    let bounds = spec.bounds;
    let fixed = [
        "--read-only".to_owned(),
        format!("--cap-drop={CAPABILITIES}"),
        format!("--security-opt={SECURITY}"),
        format!("--user={}:{GROUP}", spec.uid),
        format!("--log-driver={LOG_DRIVER}"),
        format!("--stop-signal={STOP_SIGNAL}"),
        format!("--workdir={WORKDIR}"),
    ];
    let bounded = [
        format!("--memory={}", bounds.memory),
        format!("--memory-swap={}", bounds.memory), // the sum of both: no swap
        format!("--cpus={}", bounds.cpus),
        format!("--pids-limit={}", bounds.pids),
        engine.shared_memory(bounds.tmp),
        format!("--tmpfs={WORKDIR}:{}", engine.tmpfs(bounds)),
    ];
    let hidden = HIDDEN.map(|folder| format!("--tmpfs={folder}:{HIDING}"));
    let settings = SYSCTLS.map(|(name, value)| format!("--sysctl={name}={value}"));
    let env = spec.env().map(|variable| format!("--env={variable}"));
    let limit = |limit: Option<u64>| limit.map_or("-1".to_owned(), |limit| limit.to_string());
    let ulimits = ulimits().map(|it| format!("--ulimit={}={}:{}", it.name, limit(it.soft), limit(it.hard)));
    fixed
        .into_iter()
        .chain(env)
        .chain(ulimits)
        .chain(bounded)
        .chain(hidden)
        .chain(settings)
        .chain(engine.flags())
}
