//! Other engines, other runtimes, another machine: the same verdicts. docs/engines.md has the figures.
//!
//! What is not installed is passed over, and says so. The whole corpus on each of them takes minutes:
//! `cargo test --test engines -- --ignored --nocapture`.

mod common;
mod testenv;

use std::path::Path;
use std::process::Command;

use agentmill::config::Engine;
use common::{Lab, corpus};
use testenv::dockerd::{self, Address, Dockerd};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

/// Where gVisor comes from: its own network stack needs to be told that there is no network, on new kernels.
const GVISOR: &str =
    r#"{"runtimes": {"runsc": {"path": "runsc", "runtimeArgs": ["--platform=ptrace", "--network=none"]}}}"#;

/// Cases of each kind: values, exits, memory, processes, output, files, doors.
const SOME: [&str; 20] = [
    "cheats/always_equal",
    "cheats/exit_in_call",
    "cheats/fake_out_of_memory",
    "cheats/forged_frames",
    "cheats/hard_exit_zero",
    "cheats/kill_itself",
    "cheats/late_daemon",
    "cheats/state_in_files",
    "doors/environment",
    "doors/mounts",
    "doors/namespaces",
    "doors/network",
    "doors/privileges",
    "harms/cpu_loop",
    "harms/daemons",
    "harms/fork_bomb",
    "harms/kill_supervisor",
    "harms/memory_list",
    "harms/stdout_flood",
    "harms/sparse_file",
];

fn is_installed(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("SKIPPED: {program} is not installed");
    }
    there
}

/// Podman's own runtime, crun, refuses machines with both versions of control groups.
fn podman_runtime() -> Option<&'static str> {
    Path::new("/sys/fs/cgroup/unified").exists().then_some("runc")
}

/// The demo's lines of `scores.csv`, without what differs from run to run.
fn scores(env: &TestEnv) -> Vec<String> {
    let names = ["miner", "stage", "task", "score", "verdict", "passed", "tests"];
    let lines = env.csv("scores.csv").into_iter();
    lines.map(|line| names.map(|name| line[name].as_str()).join(" ")).collect()
}

/// Evaluates the demo, then again in this sandbox: line by line the same must come of it.
fn demo(env: TestEnv, sandbox: &str) {
    let folder = env.dir().to_str().unwrap().to_owned();
    env.agentmill(&["demo", &folder, "--quiet"]).code(0);
    let here = scores(&env);
    let pipeline = env.read("pipeline.yaml").replace("sandbox:\n", &format!("sandbox:\n  {sandbox}\n"));
    env.write("pipeline.yaml", &pipeline);
    env.agentmill(&["run", "--force", "--quiet"]).code(0);
    assert_eq!(here, scores(&env));
}

fn podman_lab() -> Lab {
    Lab::with(Engine::Podman, podman_runtime().map(str::to_owned))
}

#[test]
fn podman_gives_the_same_verdicts() {
    if !is_installed("podman") {
        return;
    }
    let runtime = podman_runtime().map_or_else(String::new, |runtime| format!("\n  runtime: {runtime}"));
    demo(TestEnv::empty().podman(), &format!("engine: podman{runtime}"));
    corpus::play(podman_lab(), |name| SOME.contains(&name));
}

#[test]
fn gvisor_gives_the_same_verdicts() {
    if !is_installed("runsc") || !dockerd::is_possible() {
        return;
    }
    let engine = Dockerd::start(Address::Socket, GVISOR);
    demo(TestEnv::empty().engine(engine.host()), "runtime: runsc");
}

#[test]
fn another_engine_is_reached_over_the_network() {
    if !dockerd::is_possible() {
        return;
    }
    let engine = Dockerd::start(Address::Tcp, "{}");
    let env = TestEnv::new().engine(engine.host()).task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let (_, started) = env.starts(|| env.run());
    assert!(started.iter().any(|name| name.starts_with("agentmill-cell-")), "not there: {started:?}");
    assert_eq!(env.score("ann").as_deref(), Some("100"));
}

#[test]
#[ignore = "takes a minute"]
fn the_whole_corpus_on_podman() {
    if is_installed("podman") {
        corpus::play(podman_lab(), |_| true);
    }
}
