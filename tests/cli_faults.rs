//! Faults of the machine around it: files and folders that change under its hands, a clock that jumps (the disk's own:
//! cli_disk.rs). Messages name file and reason; nothing is lost, and nothing else stops.

mod testenv;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, mkfifoat};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, MOODY_AGENT, TestEnv, anew, wait_until};

fn reported(env: &TestEnv, miner: &str) -> bool {
    env.path(&format!("results/agents/{miner}.json")).exists()
}

/// Keeps the others from being written: a folder lies where the report belongs.
#[test]
fn one_report_that_cannot_be_written_stops_nothing_else() {
    let env = TestEnv::moody().agent("ben", DOUBLE_AGENT);
    fs::create_dir_all(env.path("results/agents/ann.json")).unwrap();
    env.agentmill(&["run"]).code(74).complains(&["agents/ann.json: "]);
    assert_eq!(env.rankings().len(), 2, "the ranking is complete");

    fs::remove_dir(env.path("results/agents/ann.json")).unwrap();
    env.run();
    assert!(reported(&env, "ann"));
}

#[test]
fn an_inbox_that_is_removed_and_made_anew_is_seen() {
    let env = TestEnv::moody();
    let daemon = env.watch();
    wait_until("ann is ranked", || env.score("ann").is_some());
    let before = env.traces();

    fs::remove_dir_all(env.path("inbox")).unwrap();
    wait_until("it is missed", || daemon.stderr().contains("inbox"));
    assert_eq!(env.traces(), before, "nobody withdrew");

    env.drop_agent("ann", MOODY_AGENT);
    env.drop_agent("ben", DOUBLE_AGENT);
    wait_until("ben is ranked", || env.score("ben").is_some());
    assert_eq!(anew(&before, &env.traces()), ["ben double"], "ann is the same as ever");
    daemon.end();
}

/// Takes long enough for its file to be changed meanwhile, and says which file it was.
fn slow(answer: &str) -> String {
    format!("import time\ndef double(x):\n    time.sleep(1)\n    return {answer}\n")
}

/// The results after `change` of ann's file in the middle of ann's evaluation.
fn run_with_a_change_in_the_middle(change: impl Fn(&TestEnv)) -> TestEnv {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", &slow("2 * x"));
    let run = env.start(&["run"]);
    wait_until("ann is at work", || env.containers().iter().any(|name| name.contains("-cell-")));
    change(&env);
    run.wait().code(0);
    env
}

#[test]
fn a_file_replaced_while_it_is_evaluated_is_ranked_by_its_new_bytes_only() {
    let env = run_with_a_change_in_the_middle(|env| env.drop_agent("ann", &slow("4")));
    let digest = agentmill::util::digest::sha256(slow("4").as_bytes());
    assert_eq!(env.rankings()["ann"]["sha256"], digest);
    assert_eq!(env.score("ann").as_deref(), Some("50"));
    assert_eq!(env.json("agents/ann.json")["sha256"], *digest);
}

#[test]
fn a_file_removed_while_it_is_evaluated_is_not_ranked() {
    let env = run_with_a_change_in_the_middle(|env| env.remove("inbox/ann.py"));
    assert_eq!(env.rankings().len(), 0);
    assert_eq!(env.csv("scores.csv"), []);
}

/// Somebody who never stops writing keeps nobody waiting for the ranking.
#[test]
fn a_file_that_never_stands_still_does_not_hold_up_a_run() {
    let env = TestEnv::moody();
    let run = env.start(&["run"]);
    wait_until("it ends all the same", || {
        fs::write(env.path("inbox/restless.py"), DOUBLE_AGENT).unwrap();
        !run.is_running()
    });
    run.wait().code(1).prints(&["left to the next run: a file in the inbox that is still being written\n"]);
    assert!(env.score("ann").is_some());
    env.run();
    assert!(env.score("restless").is_some());
}

/// The results say that it is the day after tomorrow: the clock has been set back since.
#[test]
fn a_clock_that_is_set_back_makes_no_copy_an_original() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("zoe", DOUBLE_AGENT);
    env.run();
    let mut report = env.json("agents/zoe.json");
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    report["first_seen"] = ahead.to_string().into();
    env.write("results/agents/zoe.json", &report.to_string());
    let mut first: serde_json::Value = serde_json::from_str(&env.read("results/ledger.jsonl")).unwrap();
    first["at"] = ahead.to_string().into();
    env.write("results/ledger.jsonl", &format!("{first}\n"));

    env.drop_agent("abe", DOUBLE_AGENT);
    env.run().prints(&["1. zoe: 100 (reward: 100 TAO)\n", "1. abe: 100 (reward: 0 TAO) [copy of zoe]\n"]);
}

#[test]
fn files_of_any_time_are_evaluated() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let days = |days: u64| Duration::from_secs(86_400 * days);
    let times = [
        ("ancient", SystemTime::UNIX_EPOCH - days(1)),
        ("ahead", SystemTime::now() + days(2)),
        ("afar", SystemTime::UNIX_EPOCH + days(150_000)),
    ];
    for (miner, time) in times {
        env.drop_agent(miner, &format!("# {miner}\n{DOUBLE_AGENT}"));
        let file = fs::File::options().write(true).open(env.path(&format!("inbox/{miner}.py"))).unwrap();
        file.set_modified(time).unwrap();
    }
    env.run();
    assert_eq!(env.rankings().len(), 3);
    let before = env.read("results/rankings.csv");
    env.run();
    assert_eq!(env.read("results/rankings.csv"), before);
}

/// The owner of the inbox sets traps in it, and holds locks on all that others can open.
#[test]
fn traps_and_locks_in_the_inbox_stop_and_overwrite_nothing() {
    let env = TestEnv::moody();
    env.run();
    let ranking = env.read("results/rankings.json");
    symlink("../results", env.path("inbox/.uploads")).unwrap();
    mkfifoat(CWD, env.path("inbox/ben.py"), Mode::RUSR | Mode::WUSR).unwrap();
    let locked = ["", "inbox", "results", "tasks"].map(|name| {
        let folder = File::open(env.path(name)).unwrap();
        folder.lock().unwrap();
        folder
    });
    env.write("rankings.py", DOUBLE_AGENT);
    let file = env.path("rankings.py");
    for miner in ["ben", "rankings"] {
        env.agentmill(&["submit", file.to_str().unwrap(), "--miner", miner]).code(0);
    }
    assert_eq!(env.read("results/rankings.json"), ranking);
    env.agentmill(&["token", "add", "ann"]).code(0);
    env.run();
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ann", "ben", "rankings"]);
    drop(locked);
}

/// A lock that others can open is theirs to hold for ever.
#[test]
fn the_lock_of_the_results_is_closed_to_others() {
    let env = TestEnv::moody();
    let lock = env.path("results/.lock");
    env.write("results/.lock", "");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).unwrap();
    env.run();
    assert_eq!(fs::metadata(&lock).unwrap().mode() & 0o777, 0o600);
    fs::remove_file(&lock).unwrap();
    env.run();
    assert_eq!(fs::metadata(&lock).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn result_files_are_no_more_readable_than_the_umask_lets_them() {
    for (umask, expected) in [("022", 0o644), ("077", 0o600)] {
        let env = TestEnv::moody();
        let script = format!("umask {umask}; exec \"$@\"");
        env.start_by(&["sh", "-c", &script, "sh"], &["run"]).wait().code(0);
        for file in ["rankings.json", "rankings.csv", "index.html", "agents/ann.json", "history.csv"] {
            let mode = fs::metadata(env.path(&format!("results/{file}"))).unwrap().mode();
            assert_eq!(mode & 0o777, expected, "{file} with {umask}");
        }
    }
}
