//! A task that no agent can pass counts for nobody, is named everywhere, and stops nothing else.

mod testenv;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

/// Faults of three kinds: setup that raises, one that ends Python, and a test that takes too much memory.
const FAULTY: [(&str, &str, &str); 3] = [
    ("raises", "setup: 'x = 1 / 0'\n", "raised ZeroDivisionError"),
    ("ends", "setup: 'import os; os._exit(0)'\n", "ends Python"),
    ("eats", "", "`judge: memory`"),
];

fn faulty(id: &str, setup: &str) -> String {
    let big = if id == "eats" { "    big = list(range(10**8))\n" } else { "" };
    format!("prompt: p\n{setup}tests:\n  - |\n{big}    assert double(1) == 2\n")
}

#[test]
fn a_solution_that_fails_is_told_by_each_run_and_costs_the_exit_code() {
    let solved = |name: &str| format!("{DOUBLE_TASK}solution: {name}.py\n");
    let env = TestEnv::new().agent("alice", DOUBLE_AGENT).task("good", &solved("good"));
    let env = env.task("wrong", &solved("wrong")).task("other", &solved("other"));
    // Of these, one is right as one of several in an agent, and one only alone.
    let env = env.task("one", "prompt: one\nsolution: one.py\ntests: [assert one() == 1]\n");
    let env = env.task(
        "tells",
        "prompt: tells\nsolution: tells.py\ntests: [\"assert agent.run('a').stdout.split() == ['a']\"]\n",
    );
    env.write("tasks/one.py", "def one():\n    return 1\n");
    env.write("tasks/tells.py", "import sys\nif __name__ == '__main__':\n    print(sys.argv[1])\n");
    env.write("tasks/good.py", DOUBLE_AGENT);
    env.write("tasks/wrong.py", "def double(x):\n    return 4\n");
    env.write("tasks/other.py", "def twice(x):\n    return 2 * x\n");
    for told in [&["run"][..], &["--quiet", "run"], &["run", "--json"]] {
        let ran = env.agentmill(told).code(1).complains(&[
            "task wrong: its reference solution ",
            "wrong.py does not score 100: ",
            "task other: its reference solution ",
            "agentmill check wrong",
        ]);
        assert!(
            ["good", "one", "tells"].iter().all(|task| !ran.stderr.contains(&format!("task {task}:"))),
            "{ran}"
        );
        assert_eq!(ran.stderr.matches("task wrong").count(), 1, "{ran}");
    }
    assert_eq!(env.verdicts()[&("alice".to_owned(), "good".to_owned())], "passed");
    // Mended, and nothing else changed; then something is due.
    env.write("tasks/wrong.py", DOUBLE_AGENT);
    env.write("tasks/other.py", DOUBLE_AGENT);
    env.run();
    env.drop_agent("bob", DOUBLE_AGENT);
    env.run();
    env.agentmill(&["check"]).code(0).prints(&["5 reference solutions score 100"]);
}

#[test]
fn a_faulty_task_counts_for_nobody_and_is_named() {
    let mut env = TestEnv::new().pipeline("judge: {memory: 128MiB}\n").task("double", DOUBLE_TASK);
    for (id, setup, _) in FAULTY {
        env = env.task(id, &faulty(id, setup));
    }
    let env = env.agent("alice", DOUBLE_AGENT).agent("bob", "def double(x):\n    return x\n");
    let checked = env.agentmill(&["check"]).code(2);
    let ran = env.agentmill(&["run"]).code(1).prints(&["1. alice: 100 ", "2. bob: 0 "]);
    for (id, _, said) in FAULTY {
        checked
            .stderr
            .lines()
            .find(|line| line.contains(&format!("tasks/{id}.yaml:")) && line.contains(said))
            .unwrap();
        assert!(ran.stderr.contains(said), "{ran}");
        assert!(ran.stdout.contains(&format!("task_fault: task {id} counts for nobody")), "{ran}");
    }
    env.agentmill(&["show", "alice"]).code(0).prints(&["task_fault", "raised ZeroDivisionError"]);
    env.agentmill(&["show", "bob", "raises"]).code(0).prints(&["task_fault", "setup (line 2)"]);
    let scores = std::fs::read_to_string(env.path("results/scores.csv")).unwrap();
    assert!(scores.contains("alice,all,raises,,task_fault,"), "{scores}");

    // It is remembered: nothing is due, and it is still said.
    let report = std::fs::read(env.path("results/agents/alice.json")).unwrap();
    env.agentmill(&["run"]).code(1).prints(&["task_fault: task raises counts for nobody"]);
    assert_eq!(std::fs::read(env.path("results/agents/alice.json")).unwrap(), report);

    // Mended, it counts.
    for (id, ..) in FAULTY {
        env.write(&format!("tasks/{id}.yaml"), DOUBLE_TASK);
    }
    let ran = env.agentmill(&["run"]).code(0).prints(&["1. alice: 100 "]);
    assert!(!ran.stdout.contains("task_fault"), "{ran}");
}

#[test]
fn a_task_that_asks_the_agent_nothing_is_refused() {
    let env = TestEnv::new().task("largest", "prompt: the largest\ntests:\n  - assert max([1, 2]) == 2\n");
    let env = env.agent("alice", DOUBLE_AGENT);
    env.agentmill(&["check"])
        .code(2)
        .complains(&["tasks/largest.yaml:3: tests[0]: ", "ask the agent nothing"]);
    env.agentmill(&["run"]).code(2).complains(&["ask the agent nothing"]);
}

#[test]
fn of_very_many_faulty_tasks_the_rest_is_counted() {
    let mut env = TestEnv::new().task("double", DOUBLE_TASK).agent("alice", DOUBLE_AGENT);
    for number in 0..22 {
        env = env.task(&format!("t{number}"), "prompt: p\nsetup: import nope\ntests: [assert f() == 1]\n");
    }
    let ran = env.agentmill(&["run"]).code(1).prints(&["task_fault: and 2 more"]);
    assert_eq!(ran.stdout.matches("counts for nobody").count(), 20, "{ran}");
    ran.complains(&["and 2 more; `agentmill check --json` tells all"]);
}
