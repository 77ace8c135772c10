//! Rewards of improvements and by stage, over several runs.

mod testenv;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

const HALF: &str = "def double(x):\n    return 4\n";

fn rewards(env: &TestEnv) -> Vec<(String, String)> {
    let lines = env.csv("rankings.csv").into_iter();
    lines.map(|line| (line["miner"].clone(), line["reward"].clone())).collect()
}

fn paid(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(miner, reward)| ((*miner).to_owned(), (*reward).to_owned())).collect()
}

#[test]
fn an_improvement_is_paid_once_and_stays_to_be_beaten() {
    let rules = "rewards: {split: winner, improvement: {percent: 50, margin: 1, half_life: 30d}}\n";
    let env = TestEnv::new().pipeline(rules).task("double", DOUBLE_TASK).agent("ann", HALF);
    env.run();
    assert_eq!(rewards(&env), paid(&[("ann", "75")]));
    env.drop_agent("bo", DOUBLE_AGENT);
    env.run();
    assert_eq!(rewards(&env), paid(&[("bo", "75"), ("ann", "25")]));
    // As good, by other bytes: nothing new, and nothing lost.
    env.drop_agent("bo", &format!("{DOUBLE_AGENT}# the same\n"));
    env.run();
    assert_eq!(rewards(&env), paid(&[("bo", "75"), ("ann", "25")]));
    env.remove("inbox/ann.py");
    env.run();
    assert_eq!(rewards(&env), paid(&[("bo", "75")]), "ann's part stays in the pool");
}

#[test]
fn each_stage_has_a_pool() {
    let rules = "stages:\n  - {name: easy, tasks: [easy], pass_mark: 50}\n  - {name: hard, tasks: [hard], pass_mark: 100}\n\
                 rewards: {per_stage: {easy: 40, hard: 60}}\n";
    let env = TestEnv::new().pipeline(rules).task("easy", DOUBLE_TASK).task("hard", DOUBLE_TASK);
    let env = env.agent("ann", DOUBLE_AGENT).agent("bo", HALF);
    env.run();
    // 100 and 50 points in the first stage; only ann passes the second.
    assert_eq!(rewards(&env), paid(&[("ann", "86.666667"), ("bo", "13.333333")]));
}
