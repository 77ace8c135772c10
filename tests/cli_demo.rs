//! `demo`: sample agents, evaluated for real.

mod testenv;

use std::path::Path;

use testenv::{Finished, TestEnv};

/// The folder that a `demo` without one has made, as it says itself.
fn folder_of(demo: &Finished) -> &str {
    let place = demo.stdout.lines().find_map(|line| line.strip_prefix("results: ")).unwrap();
    place.strip_suffix("/results").unwrap()
}

#[test]
fn the_demo_ranks_its_agents_and_does_nothing_twice() {
    let env = TestEnv::empty();
    let demo = env
        .agentmill(&["demo"])
        .code(0)
        .prints(&["1. alice: 100 (reward: 50 TAO)\n", "1. bob: 100 (reward: 50 TAO)\n"]);
    let demo = demo.prints(&["refused: frank.py line 5: imports numpy"]);
    let folder = folder_of(&demo);
    assert!(Path::new(folder).starts_with(env.dir()), "not in the folder for temporary files: {folder}");

    let place = Path::new(folder).strip_prefix(env.dir()).unwrap().to_str().unwrap();
    let results = |name: &str| env.read(&format!("{place}/results/{name}"));
    let scores = results("scores.csv");
    assert!(scores.contains("erin,main,merge_intervals,0,timeout,0,8,"), "{scores}");
    let rejected = results("rejected.csv");
    assert!(rejected.contains("\nfrank.py,frank,5,"), "{rejected}");
    let rankings = results("rankings.csv");
    let order: Vec<&str> = rankings.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(order, ["alice", "bob", "erin", "carol", "dave"]);

    let (again, started) =
        env.starts_for(&Path::new(folder).join("results"), || env.agentmill(&["demo", folder]).code(0));
    assert_eq!(again.stdout, demo.stdout);
    assert_eq!(started, [""; 0]);
}

#[test]
fn quiet_says_nothing_and_the_exit_code_all() {
    let env = TestEnv::empty();
    env.agentmill(&["demo", "--quiet", env.dir().to_str().unwrap()]).code(0).silent();
    assert_eq!(env.score("alice").as_deref(), Some("100"));
}
