//! A disk that is full or forbids to write costs a run or a daemon nothing but time: messages name file and reason, and
//! nothing is lost. Only root can mount such a disk.

mod ignorable;
mod testenv;

use std::process::ExitCode;

use ignorable::{Tested, tests};
use testenv::disk::Disk;
use testenv::{DOUBLE_AGENT, Running, TestEnv, anew, wait_until};

fn main() -> ExitCode {
    ignorable::main(tests![
        a_full_disk_costs_a_run_nothing_but_time,
        results_that_nobody_may_write_cost_a_run_nothing_but_time,
        a_full_disk_costs_a_daemon_nothing_but_time,
        results_that_nobody_may_write_cost_a_daemon_nothing_but_time,
    ])
}

/// How many agents it has begun to evaluate.
fn evaluated(daemon: &Running) -> usize {
    let told = daemon.stderr();
    told.lines()
        .filter_map(|line| line.strip_prefix("evaluating ")?.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

/// The miners of `rankings.json`, which is written behind all others.
fn ranked_last(env: &TestEnv) -> Vec<String> {
    let text = std::fs::read(env.path("results/rankings.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let rows = json["rankings"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| Some(row["miner"].as_str()?.to_owned())).collect()
}

fn reported(env: &TestEnv, miner: &str) -> bool {
    env.path(&format!("results/agents/{miner}.json")).exists()
}

/// Breaks the disk under results/ between two runs, and repairs it.
fn run_on_a_broken_disk(reason: &str, break_it: impl Fn(&Disk), repair: impl Fn(&Disk)) -> Tested {
    let env = TestEnv::moody();
    let disk = Disk::mount(env.path("results"), 256)?;
    env.run();
    let (before, ranking) = (env.traces(), env.read("results/rankings.csv"));

    env.drop_agent("ben", DOUBLE_AGENT);
    break_it(&disk);
    env.agentmill(&["run"]).code(74).complains(&["results", reason]);
    assert_eq!(env.read("results/rankings.csv"), ranking, "the old ranking is whole");

    repair(&disk);
    env.run();
    assert_eq!(env.score("ben").as_deref(), Some("100"));
    assert!(reported(&env, "ben"));
    let after = env.traces();
    assert_eq!(anew(&before, &after), ["ben double"], "ann's runs are remembered");
    assert_eq!(env.csv("history.csv").len(), 2);
    Ok(())
}

fn a_full_disk_costs_a_run_nothing_but_time() -> Tested {
    run_on_a_broken_disk("No space left on device", Disk::fill, Disk::empty)
}

fn results_that_nobody_may_write_cost_a_run_nothing_but_time() -> Tested {
    run_on_a_broken_disk("Read-only file system", |disk| disk.read_only(true), |disk| disk.read_only(false))
}

/// The same while a daemon works there.
fn watch_on_a_broken_disk(
    reason: &str,
    break_it: impl Fn(&Disk) -> Result<(), String>,
    repair: impl Fn(&Disk),
) -> Tested {
    let env = TestEnv::moody();
    let disk = Disk::mount(env.path("results"), 256)?;
    let daemon = env.watch();
    // The last file of a publication: nothing that it still writes may find the disk full, and leave room when it gives up.
    wait_until("ann is ranked", || ranked_last(&env) == ["ann"]);

    if let Err(reason) = break_it(&disk) {
        daemon.end();
        return Err(reason.into());
    }
    env.drop_agent("ben", DOUBLE_AGENT);
    wait_until("it is told", || daemon.stderr().contains(reason));
    assert!(daemon.stderr().contains("results"), "{}", daemon.stderr());
    env.drop_agent("cid", DOUBLE_AGENT);
    wait_until("cid is evaluated, too", || evaluated(&daemon) == 3);
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ann"], "the old ranking is whole");

    repair(&disk);
    wait_until("both are ranked", || env.rankings().len() == 3);
    assert!(reported(&env, "ben") && reported(&env, "cid"), "what could not be written is not forgotten");
    assert_eq!(env.csv("history.csv").len(), 3);
    let complaints = daemon.stderr().lines().filter(|line| line.contains(reason)).count();
    assert!((1..=6).contains(&complaints), "told again and again: {}", daemon.stderr());
    daemon.end();
    Ok(())
}

fn a_full_disk_costs_a_daemon_nothing_but_time() -> Tested {
    let fill = |disk: &Disk| {
        disk.fill();
        Ok(())
    };
    watch_on_a_broken_disk("No space left on device", fill, Disk::empty)
}

fn results_that_nobody_may_write_cost_a_daemon_nothing_but_time() -> Tested {
    // Its lock, which is open for writing, keeps the disk from becoming read-only, but not the folders.
    watch_on_a_broken_disk("Operation not permitted", Disk::freeze, Disk::thaw)
}
