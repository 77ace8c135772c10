//! runc and crun without root: as a user to whom control groups are delegated, and who has users and groups of its own.
//!
//! Root runs each test again as such a user, who is gone afterwards: `tests/rootless/as_user.sh`.

mod ignorable;
mod testenv;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::Duration;

use agentmill::sandbox::engine::oci::Runtime;
use ignorable::{Missing, Tested, tests};
use rustix::process::{Signal, geteuid};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

const RUNTIMES: [&str; 2] = ["runc", "crun"];

fn main() -> ExitCode {
    ignorable::main(tests![
        agents_are_judged_within_their_limits,
        auto_takes_a_runtime_where_no_engine_is,
        no_cell_leaves_a_mark_on_the_machines_devices,
        who_kills_agentmill_leaves_nothing,
        without_control_groups_it_is_refused_first,
    ])
}

/// Runs `test` as it is where we are not root, and again as a user where we are.
fn as_user(name: &str, variables: &[(&str, &str)], test: impl FnOnce() -> Tested) -> Tested {
    if !geteuid().is_root() {
        return test();
    }
    for program in ["newuidmap", "setpriv", "unshare", "runc"] {
        needed(program)?;
    }
    // A comma, and two such paths in one option are more than mounts hand on: options name no path of a user's.
    let home = tempfile::Builder::new().prefix("agentmill,user-").tempdir_in("/var/tmp").unwrap();
    bring_image(home.path());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rootless/as_user.sh");
    let us = std::env::current_exe().unwrap();
    let mut again = Command::new("unshare");
    again.args(["--mount", "sh", script]).arg(home.path()).arg(us).args(["--exact", name, "--nocapture"]);
    let output = again.envs(variables.iter().copied()).env("AGENTMILL_TESTS_MUST_RUN", "1").output().unwrap();
    let said = said(&output);
    match output.status.code() {
        Some(77) => Err(Missing(said)),
        code => {
            assert_eq!(code, Some(0), "{said}");
            Ok(())
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).trim().to_owned()
}

fn needed(program: &str) -> Tested {
    let is_there =
        Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().unwrap().status.success();
    is_there.then_some(()).ok_or_else(|| Missing(format!("{program} is not installed")))
}

/// Has root take the image, and gives the user a copy of it: an engine's store may be closed to who is not root.
fn bring_image(home: &Path) {
    folder("runc").agent("ann", DOUBLE_AGENT).run();
    let cache = home.join(".cache/agentmill");
    fs::create_dir_all(&cache).unwrap();
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--preserve=mode,links", "/var/cache/agentmill"]).arg(cache.join("rootfs"));
    assert!(copy.status().unwrap().success());
}

/// Fine where this user may start containers by the runtime.
fn usable(runtime: &str) -> Tested {
    Runtime::is_usable(runtime).map_err(|reason| Missing(format!("{runtime}: {reason}")))
}

/// The runtimes by which this user may start containers.
fn runtimes() -> Result<Vec<&'static str>, Missing> {
    let found: Vec<&str> = RUNTIMES.into_iter().filter(|runtime| usable(runtime).is_ok()).collect();
    match found.is_empty() {
        true => usable("runc").map(|()| found),
        false => Ok(found),
    }
}

/// A folder whose containers this runtime starts.
fn folder(runtime: &str) -> TestEnv {
    let pipeline = format!("sandbox: {{engine: {runtime}}}\n");
    TestEnv::new().directly().pipeline(&pipeline).task("double", DOUBLE_TASK)
}

fn agents_are_judged_within_their_limits() -> Tested {
    as_user("agents_are_judged_within_their_limits", &[], || {
        for runtime in runtimes()? {
            let greedy = "def double(x):\n    return len(b'x' * (1 << 30))\n";
            let forking =
                "import os, time\ndef double(x):\n    while True:\n        os.fork() or time.sleep(9)\n";
            // A slow machine gets at so little memory, too, before time runs out.
            let limits = format!("sandbox: {{engine: {runtime}, memory: 64MiB, timeout: 60s}}\n");
            let env = folder(runtime).pipeline(&limits).agent("ann", DOUBLE_AGENT);
            let env = env.agent("bob", greedy).agent("cyd", forking);
            let told = env.agentmill(&["check"]).code(0);
            told.prints(&[
                "without an engine",
                "  memory, swap, CPU time and processes",
                "was stopped when it wanted 256",
            ]);
            env.run();
            let scores = ["ann", "bob", "cyd"].map(|miner| env.score(miner).unwrap());
            assert_eq!(scores, ["100", "0", "0"], "{runtime}");
            assert!(
                env.report("bob", "double")[0].starts_with("out_of_memory"),
                "{:?}",
                env.report("bob", "double")
            );
            env.expect_nothing_left();
        }
        Ok(())
    })
}

fn auto_takes_a_runtime_where_no_engine_is() -> Tested {
    as_user("auto_takes_a_runtime_where_no_engine_is", &[], || {
        usable("runc")?;
        usable("crun")?;
        let env =
            TestEnv::new().directly().no_programs().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
        fs::create_dir(env.path("bin")).unwrap();
        for program in ["runc", "unshare", "newuidmap", "newgidmap", "sh", "mount", "cat", "chmod"] {
            std::os::unix::fs::symlink(found(program), env.path(&format!("bin/{program}"))).unwrap();
        }
        env.run();
        assert_eq!(env.json("rankings.json")["engine"], "runc");
        std::os::unix::fs::symlink(found("crun"), env.path("bin/crun")).unwrap();
        let env = env.agent("bob", DOUBLE_AGENT);
        env.run();
        assert_eq!(env.json("rankings.json")["engine"], "crun", "the faster of both");
        Ok(())
    })
}

fn found(program: &str) -> PathBuf {
    let output = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Tries to leave a mark on devices that every cell has, and to see one.
const MARKER: &str = "
import ctypes, fcntl, os
DEVICES = ['/dev/' + name for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty')]
def tried(what, *args):
    try:
        what(*args)
        return 'done'
    except OSError as error:
        return error.strerror
def times():
    return sorted({tried(os.utime, path) for path in DEVICES})
def watch():
    return ctypes.CDLL(None, use_errno=True).inotify_init1(0)
def locks():
    files = [open('/dev/null', 'r+b') for _ in range(2)]
    seen = [tried(fcntl.flock, file, fcntl.LOCK_EX | fcntl.LOCK_NB) for file in files]
    if (child := os.fork()) == 0:
        os._exit([tried(fcntl.lockf, file, fcntl.LOCK_EX | fcntl.LOCK_NB) for file in files] != ['done'] * 2)
    return seen + [os.waitpid(child, 0)[1]]
def database():
    import sqlite3
    with sqlite3.connect('/tmp/data') as data:
        data.execute('create table t (x)')
        data.execute('insert into t values (7)')
    return sqlite3.connect('/tmp/data').execute('select x from t').fetchone()[0]
def discarded():
    with open('/dev/null', 'wb') as null, open('/dev/urandom', 'rb') as chance:
        return null.write(chance.read(9))
";

fn no_cell_leaves_a_mark_on_the_machines_devices() -> Tested {
    as_user("no_cell_leaves_a_mark_on_the_machines_devices", &[], || {
        let task = "prompt: p\ntests:\n  - assert times() == ['Read-only file system']\n  - assert watch() == -1\n  \
                    - assert locks() == ['done', 'done', 0]\n  - assert database() == 7\n  - assert discarded() == 9\n";
        let times =
            || ["null", "zero"].map(|name| fs::metadata(format!("/dev/{name}")).unwrap().modified().unwrap());
        let before = times();
        for runtime in runtimes()? {
            let env =
                folder(runtime).task("devices", task).agent("ann", &format!("{MARKER}\n{DOUBLE_AGENT}"));
            env.run();
            assert_eq!(
                env.score("ann").as_deref(),
                Some("100"),
                "{runtime}: {:?}",
                env.report("ann", "devices")
            );
            assert_eq!(times(), before, "{runtime}");
        }
        Ok(())
    })
}

/// Agents that are still at work when agentmill is killed.
const SLOW: &str = "import time\ndef double(x):\n    time.sleep(0.3)\n    return 2 * x\n";

fn who_kills_agentmill_leaves_nothing() -> Tested {
    as_user("who_kills_agentmill_leaves_nothing", &[], || {
        usable("runc")?;
        let env = folder("runc");
        (0..6).for_each(|n| env.drop_agent(&format!("m{n}"), &format!("# {n}\n{SLOW}")));
        for turn in 0..10 {
            let running = env.start(&["run", "--force"]);
            wait_until("a container is there", || {
                assert!(running.is_running(), "{}", running.stderr());
                !env.containers().is_empty()
            });
            std::thread::sleep(Duration::from_millis(60 * turn));
            running.signal(Signal::KILL);
            running.wait();
            env.expect_nothing_runs();
        }
        folder("runc").agent("ann", DOUBLE_AGENT).run(); // whoever starts next removes what it has left
        env.expect_nothing_left();
        Ok(())
    })
}

fn without_control_groups_it_is_refused_first() -> Tested {
    as_user("without_control_groups_it_is_refused_first", &[("UNDELEGATED", "1")], || {
        if std::env::var_os("UNDELEGATED").is_none() {
            return Err(Missing("only root can take control groups away".into()));
        }
        expect_refusal(
            "runc can't start containers without root: control groups are not delegated: ",
            "Delegate=yes",
        );
        Ok(())
    })
}

/// Both commands say so, and no image is looked for.
fn expect_refusal(reason: &str, remedy: &str) {
    for command in ["run", "check"] {
        let env = folder("runc").agent("ann", DOUBLE_AGENT);
        let ended = env.agentmill(&[command]).code(69);
        assert!(!ended.stderr.contains("docker"), "{}", ended.stderr);
        ended.complains(&[reason, remedy]);
    }
}
