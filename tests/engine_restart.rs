//! An engine that goes away in the middle of a run costs nothing but time.

mod ignorable;
mod testenv;

use std::process::ExitCode;

use ignorable::{Tested, tests};
use rustix::process::Signal;
use testenv::dockerd::{Address, Dockerd};
use testenv::{Running, TestEnv, wait_until};

const MINERS: usize = 6;

/// Every agent takes some time over each task, so that the engine never goes away between two of them.
const AGENT: &str = "import time\ndef double(x):\n    time.sleep(0.3)\n    return 2 * x\n";
const TASK: &str = "prompt: double it\ntests:\n  - assert double(2) == 4\n  - assert double(3) == 6\n";

fn main() -> ExitCode {
    ignorable::main(tests![
        an_engine_that_is_killed_and_started_again_costs_nothing_but_time,
        an_engine_that_is_stopped_and_started_again_costs_nothing_but_time,
        an_engine_that_stays_away_leaves_the_rest_to_the_next_run,
    ])
}

fn env(engine: &Dockerd, wait: &str) -> TestEnv {
    let pipeline = format!("parallel: 2\nsandbox: {{wait_for_engine: {wait}}}\n");
    let env = TestEnv::new().pipeline(&pipeline).engine(engine.host());
    (0..3).for_each(|task| env.write(&format!("tasks/t{task}.yaml"), TASK));
    (0..MINERS).for_each(|miner| env.drop_agent(&format!("m{miner}"), &format!("# {miner}\n{AGENT}")));
    env
}

fn finished(env: &TestEnv) -> usize {
    let reports = env.path("results/agents").read_dir();
    let names = reports.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().is_some_and(|name| name.ends_with(".json"))).count()
}

/// Starts a run; it is in the middle when this comes back.
fn run_to_the_middle(env: &TestEnv) -> Running {
    let run = env.start(&["run"]);
    wait_until("an agent is evaluated", || {
        assert!(run.is_running(), "{}", run.stderr());
        finished(env) > 0
    });
    assert!(finished(env) < MINERS, "it is no longer in the middle");
    run
}

fn expect_all_scored(env: &TestEnv) {
    let rankings = env.csv("rankings.csv");
    let right =
        |line: &testenv::Line| line["score"] == "100" && line["unscored"] == "0" && line["rank"] == "1";
    assert!(rankings.len() == MINERS && rankings.iter().all(right), "{rankings:#?}");
    let verdicts = env.verdicts();
    assert!(verdicts.len() == 3 * MINERS && verdicts.values().all(|it| it == "passed"), "{verdicts:#?}");
}

fn goes_away_and_comes_back(signal: Signal) -> Tested {
    let mut engine = Dockerd::start(Address::Socket, "{}")?;
    let env = env(&engine, "2m");
    let run = run_to_the_middle(&env);
    engine.end(signal);
    assert!(run.is_running(), "it did not wait for the engine: {}", run.stderr());
    engine.start_again();
    run.wait().code(0).complains(&["the engine went away", "the engine is back"]);
    expect_all_scored(&env);
    env.expect_nothing_left();
    Ok(())
}

fn an_engine_that_is_killed_and_started_again_costs_nothing_but_time() -> Tested {
    goes_away_and_comes_back(Signal::KILL)
}

fn an_engine_that_is_stopped_and_started_again_costs_nothing_but_time() -> Tested {
    goes_away_and_comes_back(Signal::TERM)
}

fn an_engine_that_stays_away_leaves_the_rest_to_the_next_run() -> Tested {
    let mut engine = Dockerd::start(Address::Socket, "{}")?;
    let env = env(&engine, "1s");
    let run = run_to_the_middle(&env);
    engine.end(Signal::KILL);
    run.wait().code(1).prints(&["unscored"]);

    let verdicts = env.verdicts();
    let (passed, others): (Vec<_>, Vec<_>) = verdicts.iter().partition(|(_, verdict)| *verdict == "passed");
    assert_eq!(verdicts.len(), 3 * MINERS, "{verdicts:#?}");
    assert!(passed.len() >= 3, "what was finished is lost: {verdicts:#?}");
    assert!(others.iter().all(|(_, verdict)| *verdict == "unscored"), "{verdicts:#?}");
    let ((miner, _), _) = others.first().expect("it was in the middle");
    let report = env.json(&format!("agents/{miner}.json")).to_string();
    assert!(report.contains("the engine went away and was not back within 1s"), "{report}");

    let before = env.traces();
    engine.start_again();
    env.run();
    expect_all_scored(&env);
    let after = env.traces();
    assert!(passed.iter().all(|(run, _)| before[*run] == after[*run]), "what was finished was made again");
    env.expect_nothing_left();
    Ok(())
}
