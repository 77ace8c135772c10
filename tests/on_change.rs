//! `on_change`: the organiser's command is told of changes, and stops nothing.

mod testenv;

use serde_json::{Value, json};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

const HALF: &str = "def double(x):\n    return 4\n";

/// Notes each change in a file.
const NOTE: &str = "title: Programming 101\non_change: [sh, -c, 'cat >> changes']\n";

fn env(pipeline: &str) -> TestEnv {
    TestEnv::new().pipeline(pipeline).task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("bo", HALF)
}

fn changes(env: &TestEnv) -> Vec<Value> {
    let text = std::fs::read_to_string(env.path("changes")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Miners that moved in a change, and how.
fn moved(change: &Value) -> Vec<String> {
    let moved = change["moved"].as_array().unwrap().iter();
    moved.map(|one| format!("{} {}", one["miner"].as_str().unwrap(), one["how"].as_str().unwrap())).collect()
}

#[test]
fn each_change_is_told_once() {
    let env = env(NOTE);
    env.run();
    env.run();
    let told = changes(&env);
    assert_eq!((told.len(), moved(&told[0])), (1, vec!["ann entered".to_owned(), "bo entered".to_owned()]));
    let change = &told[0];
    assert_eq!(
        (&change["title"], &change["token"], &change["frozen"]),
        (&json!("Programming 101"), &json!("TAO"), &json!(false))
    );
    assert_eq!((&change["before"], &change["after"][0]["miner"]), (&json!([]), &json!("ann")));

    env.drop_agent("bo", &format!("{DOUBLE_AGENT}# bo's\n"));
    env.remove("inbox/ann.py");
    env.run();
    let told = changes(&env);
    assert_eq!((told.len(), moved(&told[1])), (2, vec!["bo up".to_owned(), "ann left".to_owned()]));
    assert_eq!(told[1]["before"], told[0]["after"]);
    let bo = &told[1]["moved"][0];
    assert_eq!(
        [&bo["rank_before"], &bo["rank_after"], &bo["score_before"], &bo["score_after"]],
        [&json!(2), &json!(1), &json!(50.0), &json!(100.0)]
    );
}

#[test]
fn a_failure_is_told_and_stops_nothing_and_the_change_comes_with_the_next() {
    let failing = "on_change: [sh, -c, 'cat >> changes; echo no luck >&2; test -e working']\n";
    let env = env(failing);
    let told = "on_change: sh: failed (exit status: 1): no luck";
    env.run().prints(&["1. ann: 100"]).complains(&[told]);
    // Nothing is due, and still nobody was told.
    env.run().complains(&[told]);
    env.write("working", "");
    env.remove("inbox/bo.py");
    assert!(!env.run().stderr.contains("on_change"));
    let told = changes(&env);
    assert_eq!((told.len(), moved(&told[2])), (3, vec!["ann entered".to_owned()]));

    env.write("pipeline.yaml", "on_change: [notify/nobody.sh]\n");
    env.drop_agent("bo", HALF);
    env.run().complains(&["on_change: notify/nobody.sh: No such file or directory"]);
}

#[test]
fn watch_tells_while_it_works() {
    let env = env(NOTE);
    let daemon = env.watch();
    wait_until("the first change is told", || changes(&env).len() == 1);
    env.drop_agent("bo", DOUBLE_AGENT);
    wait_until("the second one is", || changes(&env).len() == 2);
    daemon.end();
}

#[test]
fn watch_ends_the_command_with_itself() {
    let env = env("on_change: [sh, -c, 'cat > begun; sleep 600']\n");
    let daemon = env.watch();
    wait_until("it is being told", || env.path("begun").exists());
    daemon.end();
}
