//! agentmill killed at any moment: the next run makes everything good.

mod testenv;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

/// How often it is killed; AGENTMILL_KILLS says otherwise.
const KILLS: usize = 20;

/// Kills go on side by side, each lane in a folder of its own.
const LANES: usize = 2;

const MINERS: usize = 5;

/// Kills come within so many times what a whole run takes, so that they meet every part of one, and now and then come
/// too late.
const SPAN: f64 = 1.1;

#[test]
fn a_run_after_a_kill_makes_everything_good() {
    let kills = std::env::var("AGENTMILL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let hits: usize = thread::scope(|scope| {
        let lane = || kill_again_and_again(kills.div_ceil(LANES));
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    });
    println!("{kills} kills, {hits} of them in the middle of a run; nothing lost, doubled or left");
}

/// Tells how often it was not too late.
fn kill_again_and_again(rounds: usize) -> usize {
    let mut hits = 0;
    let env = TestEnv::new().task("double", DOUBLE_TASK).task("more/double", DOUBLE_TASK);
    env.drop_agent("bad", "import numpy\n");
    drop_all(&env, 0);
    let start = Instant::now();
    env.run();
    let whole = start.elapsed();
    for round in 1..=rounds {
        drop_all(&env, round);
        let moment = whole.mul_f64(SPAN * random_share());
        let run = env.start(&["run"]);
        thread::sleep(moment);
        run.signal(Signal::KILL);
        hits += usize::from(run.wait().code.is_none());
        expect_whole_files(&env);

        env.run();
        expect_all_results(&env, round + 1);
        env.expect_nothing_left();
    }
    hits
}

/// Cells end by themselves when there is nobody who speaks to them, and take all that they hold along.
#[test]
fn cells_do_not_outlive_a_killed_agentmill() {
    let slow = "import time\ndef double(x):\n    time.sleep(9)\n    return 2 * x\n";
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", slow);
    let run = env.start(&["run"]);
    let roles = ["-cell-", "-judge-"];
    let is_there = |role: &str| env.containers().iter().any(|name| name.contains(role));
    wait_until("the agent is at work", || roles.iter().all(|role| is_there(role)));
    thread::sleep(Duration::from_secs(1));
    run.signal(Signal::KILL);
    run.wait();
    env.expect_nothing_runs();
    env.drop_agent("ann", DOUBLE_AGENT);
    env.run();
    env.expect_nothing_left();
}

/// An agent that takes all the time of each task: what it has finished is kept before it is through with all of them.
#[test]
fn finished_runs_of_an_unfinished_agent_are_not_made_again() {
    const TASKS: usize = 8;
    let env = (0..TASKS).fold(TestEnv::new(), |env, task| {
        env.task(&format!("t{task}"), &format!("prompt: p\ntests:\n  - assert double({task}) == 1\n"))
    });
    let env = env.pipeline("sandbox: {timeout: 2s}\n");
    env.drop_agent("ann", "def double(x):\n    while True: pass\n");
    let kept = || {
        let folder = fs::read_dir(env.path("results/reports")).into_iter().flatten().flatten();
        let reports = folder.filter(|file| file.path().extension().is_some_and(|ending| ending == "json"));
        let texts = reports.filter_map(|file| fs::read(file.path()).ok());
        texts.filter_map(|text| serde_json::from_slice::<Value>(&text).ok()).next()
    };
    let run = env.start(&["run"]);
    wait_until("a run is kept", || kept().is_some());
    run.signal(Signal::KILL);
    run.wait();
    let before = kept().unwrap();
    let finished = before["runs"].as_array().unwrap();
    assert!((1..TASKS).contains(&finished.len()), "{before}");
    let left = TASKS - finished.len();
    env.agentmill(&["run", "--dry-run"]).prints(&[&format!("{left} run")]);
    env.run();
    let after = env.json("agents/ann.json");
    let runs = after["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[..finished.len()]), (TASKS, &finished[..]));
    let claims = env.read("results/claims/ann.jsonl");
    assert!(claims.lines().count() == TASKS && kept().is_none(), "{claims}");
    env.expect_nothing_left();
}

fn drop_all(env: &TestEnv, round: usize) {
    (0..MINERS).for_each(|miner| env.drop_agent(&format!("m{miner}"), &agent(round, miner)));
}

/// Differs from round to round, so that every agent is evaluated in each.
fn agent(round: usize, miner: usize) -> String {
    format!("# {round} {miner}\ndef double(x):\n    return 2 * x\n")
}

fn random_share() -> f64 {
    f64::from(RandomState::new().hash_one(0) as u32) / f64::from(u32::MAX)
}

/// Whatever is there can be read; `csv` and `json` panic otherwise.
fn expect_whole_files(env: &TestEnv) {
    let there = |name: &&str| env.path("results").join(name).exists();
    let tables = ["rankings.csv", "scores.csv", "rejected.csv", "history.csv"];
    tables.iter().filter(|name| there(name)).for_each(|name| drop(env.csv(name)));
    Some("rankings.json").filter(there).map(|name| env.json(name));
    for report in env.path("results/agents").read_dir().into_iter().flatten() {
        let name = report.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".json") {
            env.json(&format!("agents/{name}"));
        }
    }
}

fn expect_all_results(env: &TestEnv, rounds: usize) {
    expect_whole_files(env);
    let rankings = env.csv("rankings.csv");
    assert_eq!((rankings.len(), env.rankings().len()), (MINERS, MINERS), "{rankings:#?}");
    assert!(rankings.iter().all(|line| line["score"] == "100" && line["reward"] == "20"), "{rankings:#?}");
    let scores = env.csv("scores.csv");
    assert_eq!((scores.len(), env.verdicts().len()), (2 * MINERS, 2 * MINERS), "{scores:#?}");
    assert_eq!(env.csv("rejected.csv").len(), 1);

    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in env.csv("history.csv") {
        *times.entry((line["miner"].clone(), line["sha256"].clone())).or_default() += 1;
    }
    assert_eq!(times.len(), MINERS * rounds, "each submission stands in the history");
    assert!(times.values().all(|times| *times == 1), "and only once: {times:#?}");

    let strays = |folder: &str| {
        let names = env
            .path(folder)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| {
                const FINISHED: [&str; 7] =
                    [".lock", ".ledger.lock", ".planned", ".looked", ".image.json", ".basis", ".published"];
                let is_finished = FINISHED.contains(&name.as_str());
                !is_finished && (name.starts_with('.') || name.ends_with(".tmp"))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!([strays("results"), strays("results/agents")].concat(), [""; 0], "no unfinished file stays");
}
