//! Other engines, other runtimes, another machine: the same verdicts. docs/engines.md has the figures.
//!
//! Tests of an engine that is not installed are ignored, and say so. The whole corpus on each of them takes minutes:
//! `cargo test --test engines -- --ignored --nocapture`.

mod common;
#[path = "gateway/elsewhere.rs"]
mod elsewhere;
mod ignorable;
mod testenv;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use agentmill::config::EngineKind;
use common::{Lab, corpus};
use ignorable::{Missing, Tested, tests};
use rustix::process::Signal;
use testenv::dockerd::{Address, Dockerd};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

/// Where gVisor comes from: its own network stack needs to be told that there is no network, on new kernels.
const GVISOR: &str =
    r#"{"runtimes": {"runsc": {"path": "runsc", "runtimeArgs": ["--platform=ptrace", "--network=none"]}}}"#;

/// Cases of each kind: values, exits, memory, processes, output, files, ways out.
const SOME: [&str; 20] = [
    "cheats/always_equal",
    "cheats/exit_in_call",
    "cheats/fake_out_of_memory",
    "cheats/forged_frames",
    "cheats/hard_exit_zero",
    "cheats/kill_itself",
    "cheats/late_daemon",
    "cheats/state_in_files",
    "escapes/environment",
    "escapes/mounts",
    "escapes/namespaces",
    "escapes/network",
    "escapes/privileges",
    "harms/cpu_loop",
    "harms/daemons",
    "harms/fork_bomb",
    "harms/kill_supervisor",
    "harms/memory_list",
    "harms/stdout_flood",
    "harms/sparse_file",
];

fn main() -> ExitCode {
    let mut tests = tests![
        podman_gives_the_same_verdicts,
        gvisor_gives_the_same_verdicts,
        agents_ask_a_model_by_podman_and_by_no_engine,
        another_engine_is_reached_over_the_network,
        limits_of_the_daemon_reach_no_cell,
        crun_gives_the_same_verdicts_and_leaves_nothing,
        crun_leaves_nothing_where_our_session_is_led_from_elsewhere,
        what_a_dead_agentmill_left_goes_at_the_next_start_of_any,
        auto_passes_over_a_podman_that_cannot_run_here,
        a_podman_that_cannot_run_here_is_refused_at_once,
        who_is_not_root_is_told_so_before_an_image_is_looked_for,
        docker_is_checked_and_used_by_its_socket_alone,
    ];
    tests.push(ignorable::on_request(
        "takes a minute",
        "the_whole_corpus_on_podman",
        the_whole_corpus_on_podman,
    ));
    ignorable::main(tests)
}

/// In a container beside its cells agentmill has the socket, and no client of Docker's.
fn docker_is_checked_and_used_by_its_socket_alone() -> Tested {
    needed("docker")?;
    let env = TestEnv::new().pipeline("sandbox: {engine: docker}\n").no_programs();
    let env =
        env.engine("unix:///var/run/docker.sock").task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.agentmill(&["check"]).code(0).prints(&["ok", " docker ", "runc ", "limits", "engine's disk"]);
    env.run().prints(&["1. ann: 100 "]);
    Ok(())
}

/// Fine where the program is installed.
fn needed(program: &str) -> Tested {
    let is_there =
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    is_there.then_some(()).ok_or_else(|| Missing(format!("{program} is not installed")))
}

/// Podman's own runtime, crun, refuses machines with controllers in both versions of control groups, and gives no cell the signals it needs
/// where it has an AppArmor profile of its own.
fn podman_runtime() -> Option<&'static str> {
    let controllers = fs::read_to_string("/sys/fs/cgroup/unified/cgroup.controllers").unwrap_or_default();
    (!controllers.trim().is_empty() || crun_has_a_profile()).then_some("runc")
}

fn crun_has_a_profile() -> bool {
    let profiles = fs::read_to_string("/sys/kernel/security/apparmor/profiles").unwrap_or_default();
    profiles.lines().any(|line| line.starts_with("crun ("))
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
    env.agentmill(&["run", "--force", "--quiet"]).code(1);
    assert_eq!(env.csv("rejected.csv").len(), 1, "told before, and refused again");
    assert_eq!(here, scores(&env));
}

fn podman_lab() -> Lab {
    Lab::with(EngineKind::Podman, podman_runtime().map(str::to_owned))
}

/// Podman's lines of `sandbox`, with this between them.
fn podman_settings(between: &str) -> String {
    let runtime = podman_runtime().map_or_else(String::new, |runtime| format!("{between}runtime: {runtime}"));
    format!("engine: podman{runtime}")
}

fn podman_gives_the_same_verdicts() -> Tested {
    needed("podman")?;
    demo(TestEnv::empty().podman(), &podman_settings("\n  "));
    corpus::play(podman_lab, |name| SOME.contains(&name));
    Ok(())
}

fn gvisor_gives_the_same_verdicts() -> Tested {
    needed("runsc")?;
    let engine = Dockerd::start(Address::Socket, GVISOR)?;
    demo(TestEnv::empty().engine(engine.host()), "runtime: runsc");
    Ok(())
}

fn agents_ask_a_model_by_podman_and_by_no_engine() -> Tested {
    needed("podman")?;
    needed_by_root("runc")?;
    elsewhere::a_model_is_asked(TestEnv::new().podman(), &podman_settings(", "));
    elsewhere::a_model_is_asked(TestEnv::new().directly(), "engine: runc");
    Ok(())
}

fn another_engine_is_reached_over_the_network() -> Tested {
    let engine = Dockerd::start(Address::Tcp, "{}")?;
    let env = TestEnv::new().engine(engine.host()).task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let (_, started) = env.starts(|| env.run());
    assert!(started.iter().any(|name| name.starts_with("agentmill-cell-")), "not there: {started:?}");
    assert_eq!(env.score("ann").as_deref(), Some("100"));
    Ok(())
}

/// Limits that a daemon gives to every container that says nothing of them: cells have theirs from us.
fn limits_of_the_daemon_reach_no_cell() -> Tested {
    let limits = ["stack", "fsize", "nproc", "cpu", "data"];
    let settings =
        limits.map(|name| format!(r#""{name}": {{"Name": "{name}", "Soft": 65536, "Hard": 65536}}"#));
    let engine =
        Dockerd::start(Address::Socket, &format!(r#"{{"default-ulimits": {{{}}}}}"#, settings.join(", ")))?;
    let agent = "import resource\ndef limits():\n    names = 'STACK', 'FSIZE', 'NPROC', 'CPU', 'DATA'\n    \
                 return [resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in names]\n";
    let task = "prompt: p\ntests:\n  - assert all(65536 not in limit for limit in limits())\n";
    let env = TestEnv::new().engine(engine.host()).task("limits", task).agent("ann", agent);
    env.run();
    assert_eq!(env.score("ann").as_deref(), Some("100"), "{:?}", env.report("ann", "limits"));
    Ok(())
}

/// A folder whose containers this runtime starts without an engine.
fn direct(runtime: &str) -> TestEnv {
    let pipeline = format!("sandbox: {{engine: {runtime}}}\n");
    TestEnv::new().directly().pipeline(&pipeline).task("double", DOUBLE_TASK)
}

/// Fine where the runtime can be run by us.
fn needed_by_root(runtime: &str) -> Tested {
    needed(runtime)?;
    let is_root = rustix::process::geteuid().is_root();
    is_root.then_some(()).ok_or_else(|| Missing(format!("only root can run {runtime}")))
}

fn crun_gives_the_same_verdicts_and_leaves_nothing() -> Tested {
    needed_by_root("crun")?;
    let mounts = "prompt: p\ntests:\n  - assert kinds() == ['devpts', 'mqueue', 'overlay', 'proc', 'tmpfs']\n  \
                  - assert open_keys() == ''\n";
    let env = direct("crun").task("mounts", mounts);
    let looker = "def kinds():\n    return sorted({line.split()[2] for line in open('/proc/self/mounts')})\n\
                  def open_keys():\n    return open('/proc/keys').read()\n";
    let failing = "def double(x):\n    return x\n";
    (0..6).for_each(|n| {
        env.drop_agent(&format!("m{n}"), &format!("# {n}\n{looker}{}", [DOUBLE_AGENT, failing][n % 2]))
    });
    let daemon = env.start(&["watch"]);
    wait_until("all are ranked", || {
        assert!(daemon.is_running(), "{}", daemon.stderr());
        env.path("results/rankings.csv").exists() && env.rankings().len() == 6
    });
    let scores = (0..6).map(|n| env.score(&format!("m{n}")).unwrap());
    assert_eq!(
        scores.collect::<Vec<_>>(),
        ["100", "50", "100", "50", "100", "50"],
        "{:?}",
        env.report("m0", "mounts")
    );
    wait_until("nobody is left to be waited for", || zombies(daemon.id()).is_empty());
    daemon.end();
    env.expect_nothing_left();
    Ok(())
}

/// The kernel gives no number for a session whose leader is in another namespace, as that of what a machine starts first.
fn crun_leaves_nothing_where_our_session_is_led_from_elsewhere() -> Tested {
    needed_by_root("crun")?;
    let us = std::env::current_exe().unwrap();
    let mut there = Command::new("unshare");
    there.args(["--pid", "--fork", "--mount-proc"]).arg(us);
    let told = there.args(["--exact", "crun_gives_the_same_verdicts_and_leaves_nothing"]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
    Ok(())
}

/// Children of a process that have ended and that it has not waited for.
fn zombies(parent: u32) -> Vec<String> {
    children(parent).into_iter().filter(|(_, state)| state == "Z").map(|(pid, _)| pid).collect()
}

/// Children of a process, each with its state.
fn children(parent: u32) -> Vec<(String, String)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let of_parent = |stat: String| {
        let (start, rest) = stat.rsplit_once(") ")?;
        let (state, rest) = rest.split_once(' ')?;
        let is_child = rest.starts_with(&format!("{parent} "));
        is_child.then(|| (start.split(' ').next().unwrap().to_owned(), state.to_owned()))
    };
    stats.filter_map(of_parent).collect()
}

/// An agent that is still at work when agentmill is killed.
const SLOW_AGENT: &str = "import time\ndef double(x):\n    time.sleep(9)\n    return 2 * x\n";

fn what_a_dead_agentmill_left_goes_at_the_next_start_of_any() -> Tested {
    needed_by_root("runc")?;
    let living = direct("runc").agent("ann", DOUBLE_AGENT);
    let watch = living.watch();
    let judges =
        || living.containers().into_iter().filter(|name| name.contains("-judge-")).collect::<Vec<_>>();
    wait_until("it has a judge", || !judges().is_empty());
    let before = judges();

    let places = || fs::read_dir("/run/agentmill").unwrap().map(|it| it.unwrap().path()).collect::<Vec<_>>();
    let dead = direct("runc").agent("ann", SLOW_AGENT);
    let killed = [left_by(&dead, "run"), left_by(&dead, "check")];
    fs::remove_dir_all(dead.path("results")).unwrap();

    let next = direct("runc").agent("ann", DOUBLE_AGENT);
    next.run();
    assert!(!killed.iter().any(|place| places().contains(place)), "{killed:?}");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let groups = fs::read_to_string("/proc/self/mounts").unwrap();
    for place in killed {
        assert!(!mounts.contains(place.to_str().unwrap()), "{mounts}");
        let label = Path::new("agentmill").join(place.file_name().unwrap());
        let hierarchies = groups.lines().filter(|line| line.split(' ').nth(2).unwrap().starts_with("cgroup"));
        let mut groups = hierarchies.map(|line| Path::new(line.split(' ').nth(1).unwrap()).join(&label));
        assert!(groups.all(|group| !group.exists()), "{}", label.display());
    }
    assert_eq!(judges(), before, "a living one's stay");
    living.drop_agent("bob", DOUBLE_AGENT);
    wait_until("it goes on", || living.score("bob").is_some_and(|score| score == "100"));
    watch.end();
    Ok(())
}

/// Kills an agentmill that is at work; gives the place of what it has left.
fn left_by(env: &TestEnv, command: &str) -> PathBuf {
    env.write("tasks/double.yaml", &format!("{DOUBLE_TASK}solution: slow.txt\n"));
    env.write("tasks/slow.txt", SLOW_AGENT);
    let running = env.start(&[command]);
    let started = |pid: u32| {
        // Each of its containers is its child, in a control group of its name.
        let children = children(pid).into_iter().map(|(pid, _)| pid);
        let groups = children.filter_map(|it| fs::read_to_string(format!("/proc/{it}/cgroup")).ok());
        let cells = groups.filter_map(|text| {
            let path = text.lines().find_map(|line| Some(line.split_once(":/agentmill/")?.1.to_owned()))?;
            let (label, name) = path.split_once('/')?;
            name.contains("-cell-").then(|| Path::new("/run/agentmill").join(label))
        });
        cells.collect::<Vec<_>>()
    };
    let mut places = Vec::new();
    wait_until("an agent is at work", || {
        assert!(running.is_running(), "{}", running.stderr());
        places = started(running.id());
        !places.is_empty()
    });
    running.signal(Signal::KILL);
    running.wait();
    places.remove(0)
}

/// A Podman that answers, and takes crun.
const PODMAN_BY_CRUN: &str = "case $1 in info) echo crun ;; version) echo 4 ;; *) exit 1 ;; esac";

/// A program of the test's own, by its shell.
fn program(env: &TestEnv, name: &str, lines: &str) {
    let file = format!("bin/{name}");
    env.write(&file, &format!("#!/bin/sh\n{lines}\n"));
    fs::set_permissions(env.path(&file), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the rest where AppArmor has a profile of crun's, as far as one can see, and nothing else is in crun's way.
const WITH_PROFILE: [&str; 6] = [
    "/usr/bin/unshare",
    "--mount",
    "/bin/sh",
    "-c",
    "path=$PATH PATH=/usr/sbin:/usr/bin:/sbin:/bin; umount /sys/fs/cgroup/unified 2>/dev/null; \
     mount -t tmpfs none /sys/kernel/security && mkdir /sys/kernel/security/apparmor && \
     echo 'crun (unconfined)' > /sys/kernel/security/apparmor/profiles; PATH=$path; exec \"$@\"",
    "sh",
];

/// No container is started, in which the judge would fail with a traceback.
fn a_podman_that_cannot_run_here_is_refused_at_once() -> Tested {
    needed_by_root("unshare")?;
    let env = TestEnv::new().no_programs().variable("AGENTMILL_ENGINE", "podman");
    let env = env.task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    program(&env, "podman", PODMAN_BY_CRUN);
    let refusal = "podman can't run cells: its runtime crun has an AppArmor profile of its own, under which no process of a \
                   container can end another: unload it (apparmor_parser -R /etc/apparmor.d/crun), or set sandbox.runtime: runc\n";
    let folder = env.path("demo").display().to_string();
    for command in [&["check"][..], &["run"], &["watch"], &["demo", &folder]] {
        let ended = env.start_by(&WITH_PROFILE, command).wait().code(69);
        assert!(ended.stderr.ends_with(refusal), "{command:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().filter(|line| line.contains("crun")).count(), 1, "{}", ended.stderr);
    }
    Ok(())
}

/// Podman answers, and its runtime would refuse the machine.
fn auto_passes_over_a_podman_that_cannot_run_here() -> Tested {
    needed_by_root("runc")?;
    if podman_runtime().is_none() {
        return Ok(()); // crun runs here
    }
    direct("runc").agent("ann", DOUBLE_AGENT).run(); // the image is there from now on
    let env = TestEnv::new().directly().no_programs().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    program(&env, "podman", PODMAN_BY_CRUN);
    program(&env, "runc", "PATH=/usr/sbin:/usr/bin exec runc \"$@\"");
    let refusal = match crun_has_a_profile() {
        true => "podman: its runtime crun has an AppArmor profile of its own",
        false => "podman: its runtime crun refuses control groups of both versions",
    };
    env.agentmill(&["check"]).code(0).prints(&["without an engine", refusal]);
    env.run();
    assert_eq!(env.json("rankings.json")["engine"], "runc");
    Ok(())
}

fn who_is_not_root_is_told_so_before_an_image_is_looked_for() -> Tested {
    needed_by_root("runc")?;
    let env = direct("runc").agent("ann", DOUBLE_AGENT);
    let ended = env.start_by(&["unshare", "--user", "--map-user=1000"], &["run"]).wait();
    ended.code(69).complains(&["agents can't be run: runc can't start containers without root: "]);
    Ok(())
}

fn the_whole_corpus_on_podman() -> Tested {
    needed("podman")?;
    corpus::play(podman_lab, |_| true);
    Ok(())
}
