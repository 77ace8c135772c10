//! Stages, rewards and kinds of cells.

mod testenv;

use std::collections::BTreeMap;

use testenv::TestEnv;

/// Scores as many of four points as it is told.
fn worth(points: usize) -> String {
    format!("# {points}\ndef points():\n    return {points}\n")
}

const POINTS: &str = "prompt: score\ntests:\n  - assert points() >= 1\n  - assert points() >= 2\n  - assert points() >= 3\n  - assert points() >= 4\n";

fn rewards(env: &TestEnv) -> BTreeMap<String, String> {
    env.rankings().into_iter().map(|(miner, line)| (miner, line["reward"].clone())).collect()
}

fn expect(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(miner, reward)| ((*miner).to_owned(), (*reward).to_owned())).collect()
}

#[test]
fn who_misses_a_pass_mark_stays_behind_and_earns_nothing() {
    let env = TestEnv::new()
        .pipeline("stages:\n  - {name: screening, tasks: [easy/*], pass_mark: 80}\n  - {name: main, tasks: [hard], sandbox: {timeout: 1s}}\n")
        .task("easy/a", &(POINTS.to_owned() + "timeout: 2s\n"))
        .task("hard", &POINTS.replace(">=", "*10 >= 10*"))
        .agent("ann", &worth(4))
        .agent("ben", &worth(3))
        .agent("cid", &worth(2))
        .agent("dee", "def points():\n    while True: pass\n");
    let env = env.task("easy/b", "prompt: quick\ntimeout: 2s\ntests:\n  - assert points()\n");
    let before = env.agentmill(&["run"]).code(0);
    let stages: Vec<String> = env
        .csv("rankings.csv")
        .iter()
        .map(|line| format!("{} {} {}", line["rank"], line["miner"], line["stage"]))
        .collect();
    assert_eq!(stages, ["1 ann main", "2 ben main", "3 cid screening", "4 dee screening"], "{before}");
    let runs: Vec<String> = env
        .csv("scores.csv")
        .iter()
        .map(|line| format!("{} {} {}", line["miner"], line["stage"], line["task"]))
        .collect();
    assert!(
        runs.contains(&"ben main hard".to_owned()) && !runs.contains(&"cid main hard".to_owned()),
        "{runs:#?}"
    );
    assert_eq!(rewards(&env)["cid"], "0");

    // With a lower mark, what was done counts and the rest is made up for.
    let pipeline = env.read("pipeline.yaml").replace("80", "50");
    env.write("pipeline.yaml", &pipeline);
    let before = env.traces();
    env.run();
    assert_eq!(testenv::anew(&before, &env.traces()), ["cid hard"]);
    assert_eq!(env.rankings()["cid"]["stage"], "main");

    // A stage that is called otherwise: nothing is run again, and whatever tells of its runs tells them by its name.
    env.write("pipeline.yaml", &pipeline.replace("name: main", "name: finals"));
    let before = env.traces();
    env.run();
    assert_eq!(testenv::anew(&before, &env.traces()), [""; 0]);
    let shown = env.agentmill(&["show", "ann"]).code(0).prints(&["stage finals"]);
    assert!(shown.stdout.contains("finals     hard") && !shown.stdout.contains("main"), "{shown}");

    // What its stage holds no more is not told of.
    env.write("pipeline.yaml", &pipeline.replace("[easy/*]", "[easy/a]"));
    env.run();
    let shown = env.agentmill(&["show", "ann"]).code(0);
    assert!(shown.stdout.contains("easy/a") && !shown.stdout.contains("easy/b"), "{shown}");
}

#[test]
fn the_pool_is_shared_as_the_pipeline_says() {
    let env = TestEnv::new()
        .task("t", POINTS)
        .agent("ann", &worth(4))
        .agent("ben", &worth(3))
        .agent("cid", &(worth(3) + "#"));
    let env = env.agent("dee", &worth(0));
    let share = |split: &str| {
        env.write("pipeline.yaml", &format!("rewards: {{pool: 100, split: {split}}}\n"));
        let (_, started) = env.starts(|| env.run());
        (rewards(&env), started.is_empty())
    };
    assert_eq!(share("proportional").0, expect(&[("ann", "40"), ("ben", "30"), ("cid", "30"), ("dee", "0")]));
    assert_eq!(share("winner"), (expect(&[("ann", "100"), ("ben", "0"), ("cid", "0"), ("dee", "0")]), true));
    assert_eq!(
        share("[50, 30, 20]"),
        (expect(&[("ann", "50"), ("ben", "25"), ("cid", "25"), ("dee", "0")]), true)
    );
}

#[test]
fn a_cell_for_each_task_gives_the_same_verdicts() {
    let env = TestEnv::new()
        .task("output", "prompt: p\ntests:\n  - assert output == 'hi\\n'\n")
        .task("state", "prompt: p\ntests:\n  - assert count() == 1\n  - assert count() == 2\n")
        .task("tight", "prompt: p\nmemory: 64MiB\ntimeout: 3s\ntests:\n  - assert fill(1) == 1\n  - assert fill(200) == 200\n  - assert count() == 1\n")
        .task("zombie", "prompt: p\ntimeout: 1s\ntests:\n  - assert count() == 1\n  - assert spin()\n")
        .agent("ann", "N = []\ndef count():\n    N.append(1)\n    return len(N)\ndef fill(mib):\n    return len(bytearray(mib << 20)) >> 20\ndef spin():\n    while True: pass\nif __name__ == '__main__': print('hi')\n")
        .agent("ben", "import os\ndef count(): os._exit(1)\ndef fill(mib): return mib\nprint('hi')\n");
    let evaluate = |cell_per: &str| {
        env.write("pipeline.yaml", &format!("sandbox: {{cell_per: {cell_per}}}\n"));
        let (_, started) = env.starts(|| env.agentmill(&["run", "--force"]).code(0));
        let tests = |miner: &str, task: &str| {
            env.report(miner, task)
                .iter()
                .map(|test| test.split(' ').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let tight = tests("ann", "tight");
        (env.verdicts(), tight, started.iter().filter(|name| name.contains("-cell-")).count())
    };
    let (together, tight, cells) = evaluate("agent");
    assert_eq!(tight, ["passed", "out_of_memory", "passed"]);
    assert_eq!(together[&("ann".into(), "zombie".into())], "timeout");
    assert_eq!(together[&("ben".into(), "state".into())], "crashed");
    let (apart, same, more_cells) = evaluate("task");
    assert_eq!((apart, same), (together, tight));
    assert!(more_cells >= 8 && more_cells > cells, "{more_cells} cells for 8 runs, after {cells}");
}

/// Such as next week's, which lie there already.
#[test]
fn a_task_in_no_stage_is_told_of_and_not_run() {
    let env = TestEnv::new()
        .pipeline("stages: [{name: all, tasks: [once]}]\n")
        .task("once", POINTS)
        .task("later/twice", POINTS)
        .agent("ann", &worth(4));
    let told = "task \"later/twice\" is in no stage, and so not run";
    env.agentmill(&["check"]).code(0).prints(&[&format!("pipeline.yaml: stages: {told}\n"), "ok: 2 tasks"]);
    let ran = env.run();
    assert_eq!(ran.stderr.matches(told).count(), 1, "{ran}");
    assert!(!env.agentmill(&["run", "--quiet"]).stderr.contains(told));
    env.agentmill(&["tasks"]).code(0).prints(&["later/twice", told]);
    let listed: serde_json::Value =
        serde_json::from_str(&env.agentmill(&["tasks", "--json"]).stdout).unwrap();
    assert_eq!([&listed[0]["stage"], &listed[1]["stage"]], [&serde_json::Value::Null, &"all".into()]);
    for show in [&["show", "--task", "twice"][..], &["show", "ann", "later/twice"]] {
        let why =
            "no miner has a run on task \"later/twice\": it is in no stage of pipeline.yaml, and so not run";
        env.agentmill(show).complains(&[why]);
    }
    let daemon = env.watch();
    testenv::wait_until("it says so", || daemon.stderr().contains(told));
    daemon.end();
}
