//! Faults of the machine around it: a full disk, results that nobody may write, files and folders that change under its
//! hands, a clock that jumps. What is told names file and reason; nothing is lost, and nothing else stops.

mod testenv;

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use testenv::disk::Disk;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Running, TestEnv, anew, wait_until};

/// Never gives the same answer twice, so that a run made anew shows in the report.
const MOODY: &str = "import os\ndef double(x):\n    return os.urandom(8).hex()\n";

fn ready() -> TestEnv {
    TestEnv::new().task("double", DOUBLE_TASK).agent("ann", MOODY)
}

fn end(daemon: Running) {
    daemon.signal(Signal::TERM);
    daemon.wait().code(143);
}

/// How many agents it has begun to evaluate.
fn evaluated(daemon: &Running) -> usize {
    let told = daemon.stderr();
    told.lines()
        .filter_map(|line| line.strip_prefix("evaluating ")?.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

fn reported(env: &TestEnv, miner: &str) -> bool {
    env.path(&format!("results/agents/{miner}.json")).exists()
}

/// Breaks the disk under results/ between two runs, and mends it.
fn run_on_a_broken_disk(reason: &str, break_it: impl Fn(&Disk), mend_it: impl Fn(&Disk)) {
    let env = ready();
    let Some(disk) = Disk::mount(env.path("results"), 256) else { return };
    env.run();
    let (before, ranking) = (env.traces(), env.read("results/rankings.csv"));

    env.drop_agent("ben", DOUBLE_AGENT);
    break_it(&disk);
    env.agentmill(&["run"]).code(2).complains(&["results", reason]);
    assert_eq!(env.read("results/rankings.csv"), ranking, "the old ranking is whole");

    mend_it(&disk);
    env.run();
    assert_eq!(env.score("ben").as_deref(), Some("100"));
    assert!(reported(&env, "ben"));
    let after = env.traces();
    assert_eq!(anew(&before, &after), ["ben double"], "ann's runs are remembered");
    assert_eq!(env.csv("history.csv").len(), 2);
}

#[test]
fn a_full_disk_costs_a_run_nothing_but_time() {
    run_on_a_broken_disk("No space left on device", Disk::fill, Disk::empty);
}

#[test]
fn results_that_nobody_may_write_cost_a_run_nothing_but_time() {
    run_on_a_broken_disk("Read-only file system", |disk| disk.read_only(true), |disk| disk.read_only(false));
}

/// The same while a daemon works there.
fn watch_on_a_broken_disk(reason: &str, break_it: impl Fn(&Disk) -> bool, mend_it: impl Fn(&Disk)) {
    let env = ready();
    let Some(disk) = Disk::mount(env.path("results"), 256) else { return };
    let daemon = env.watch();
    wait_until("ann is ranked", || env.score("ann").is_some());

    if !break_it(&disk) {
        return end(daemon);
    }
    env.drop_agent("ben", DOUBLE_AGENT);
    wait_until("it is told", || daemon.stderr().contains(reason));
    assert!(daemon.stderr().contains("results"), "{}", daemon.stderr());
    env.drop_agent("cid", DOUBLE_AGENT);
    wait_until("cid is evaluated, too", || evaluated(&daemon) == 3);
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ann"], "the old ranking is whole");

    mend_it(&disk);
    wait_until("both are ranked", || env.rankings().len() == 3);
    assert!(reported(&env, "ben") && reported(&env, "cid"), "what could not be written is not forgotten");
    assert_eq!(env.csv("history.csv").len(), 3);
    let complaints = daemon.stderr().lines().filter(|line| line.contains(reason)).count();
    assert!((1..=6).contains(&complaints), "told again and again: {}", daemon.stderr());
    end(daemon);
}

#[test]
fn a_full_disk_costs_a_daemon_nothing_but_time() {
    let fill = |disk: &Disk| {
        disk.fill();
        true
    };
    watch_on_a_broken_disk("No space left on device", fill, Disk::empty);
}

#[test]
fn results_that_nobody_may_write_cost_a_daemon_nothing_but_time() {
    // Its lock, which is open for writing, keeps the disk from becoming read-only, but not the folders.
    watch_on_a_broken_disk("Operation not permitted", Disk::freeze, Disk::thaw);
}

/// Keeps the others from being written: a folder lies where the report belongs.
#[test]
fn one_report_that_cannot_be_written_stops_nothing_else() {
    let env = ready().agent("ben", DOUBLE_AGENT);
    fs::create_dir_all(env.path("results/agents/ann.json")).unwrap();
    env.agentmill(&["run"]).code(2).complains(&["agents/ann.json: "]);
    assert_eq!(env.rankings().len(), 2, "the ranking is complete");

    fs::remove_dir(env.path("results/agents/ann.json")).unwrap();
    env.run();
    assert!(reported(&env, "ann"));
}

#[test]
fn an_inbox_that_is_removed_and_made_anew_is_seen() {
    let env = ready();
    let daemon = env.watch();
    wait_until("ann is ranked", || env.score("ann").is_some());
    let before = env.traces();

    fs::remove_dir_all(env.path("inbox")).unwrap();
    wait_until("it is missed", || daemon.stderr().contains("inbox"));
    assert_eq!(env.traces(), before, "nobody withdrew");

    env.drop_agent("ann", MOODY);
    env.drop_agent("ben", DOUBLE_AGENT);
    wait_until("ben is ranked", || env.score("ben").is_some());
    assert_eq!(anew(&before, &env.traces()), ["ben double"], "ann is the same as ever");
    end(daemon);
}

/// Takes long enough for its file to be changed meanwhile, and says which file it was.
fn slow(answer: &str) -> String {
    format!("import time\ndef double(x):\n    time.sleep(1)\n    return {answer}\n")
}

/// What stands in the results after `change` of ann's file, in the middle of ann's evaluation.
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
    let digest = agentmill::digest::sha256(slow("4").as_bytes());
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
    let env = ready();
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
