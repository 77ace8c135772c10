//! `check` of some tasks: a verdict on them, whatever is wrong with others.

mod testenv;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

#[test]
fn tasks_are_checked_by_name_or_pattern() {
    let with_solution = |name: &str| format!("{DOUBLE_TASK}solution: {name}.py\n");
    let env = TestEnv::new().task("a/good", &with_solution("good")).task("b/poor", &with_solution("poor"));
    env.write("tasks/a/good.py", DOUBLE_AGENT);
    env.write("tasks/b/poor.py", "def double(x):\n    return 4\n");
    env.agentmill(&["check", "a/good"]).code(0).prints(&["ok: 1 task, 1 reference"]);
    env.agentmill(&["check", "a/*"]).code(0).prints(&["ok: 1 task"]);
    env.agentmill(&["check", "a/good", "b/*"]).code(2).complains(&["poor.py does not score 100"]);
    let file = env.path("tasks/b/poor.yaml");
    env.agentmill(&["check", file.to_str().unwrap()]).code(2).complains(&["poor.py does not score 100"]);
    env.agentmill(&["check", "tasks/a/good.yaml"]).code(0).prints(&["ok: 1 task, 1 reference"]);
    env.agentmill(&["check", "tasks/c.yaml"]).code(2).complains(&["no task is called \"tasks/c.yaml\""]);
    env.agentmill(&["check", "c"])
        .code(2)
        .complains(&["no task is called \"c\"; `agentmill tasks` lists them\n"]);
    env.write("inbox/c.py", DOUBLE_AGENT);
    env.agentmill(&["check", "c"])
        .code(2)
        .complains(&["; an agent is given as a file: agentmill check ", "inbox/c.py\n"]);
}

#[test]
fn a_mistake_in_another_task_is_a_remark() {
    let env = TestEnv::new()
        .task("two", DOUBLE_TASK)
        .task("poor", &format!("{DOUBLE_TASK}solution: poor.py\n"))
        .task("three", "prompt: x\n")
        .task("four", "prompt: x\ntests: []\n");
    env.write("tasks/poor.py", "def double(x):\n    return 4\n");
    let remarks = ["elsewhere: ", "tasks/three.yaml:1:1: tests: missing", "tasks/four.yaml:2:8: tests: "];
    let sound = env.agentmill(&["check", "two"]).code(0).prints(&["ok: 1 task, no reference solutions"]);
    assert!(remarks.iter().all(|remark| sound.stdout.contains(remark)) && sound.stderr.is_empty(), "{sound}");
    let found = env.agentmill(&["check", "poor"]).code(2).complains(&["tasks/poor.yaml: solution: "]);
    assert!(!found.stderr.contains("three"), "{found}");
    let json = env.agentmill(&["check", "two", "--json"]).code(0);
    let last: serde_json::Value = serde_json::from_str(json.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&last["ok"], last["elsewhere"].as_array().map(Vec::len)), (&true.into(), Some(2)), "{last}");

    // What is asked for decides.
    for asked in [&["check", "three"][..], &["check", "two", "t*"], &["check", "tasks/three.yaml", "two"]] {
        let found = env.agentmill(asked).code(2).complains(&["tasks/three.yaml:1:1: tests: missing"]);
        assert!(!found.stderr.contains("four.yaml"), "{found}");
    }
    let all = env.agentmill(&["check"]).code(2);
    assert!(all.stderr.contains("three.yaml") && all.stderr.contains("four.yaml"), "{all}");
    env.agentmill(&["check", "five"]).code(2).complains(&["three.yaml", "four.yaml"]);
}
