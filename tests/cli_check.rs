//! `check`: everything that is wrong, at once, with places.

mod testenv;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Finished, TestEnv};

/// The complaints, without the folder.
fn complaints(env: &TestEnv, finished: &Finished) -> Vec<String> {
    let folder = format!("{}/", env.dir().display());
    finished.stderr.lines().map(|line| line.replace(&folder, "")).collect()
}

#[test]
fn five_mistakes_are_named_with_their_lines() {
    let env = TestEnv::new()
        .pipeline("sandbox:\n  memry: 1GiB\n  timeout: ten seconds\n")
        .task("untested", "prompt: p\ntests: []\n")
        .task("twice", "prompt: p\ntests:\n  - {name: a, assert: f(1)}\n  - {name: a, assert: f(2)}\n")
        .task("broken", "prompt: p\ntests:\n  - assert f(1) == 1\n  - |\n    x = f(2)\n    assert x === 2\n")
        .task("fine", DOUBLE_TASK);
    let found = env.agentmill(&["check"]).code(2);
    let lines = complaints(&env, &found);
    let expect = [
        ("pipeline.yaml:2:3: sandbox.memry: ", "did you mean \"memory\"?"),
        ("pipeline.yaml:3:12: sandbox.timeout: ", "ten seconds"),
        ("tasks/broken.yaml:6: tests[1]: ", "invalid syntax"),
        ("tasks/twice.yaml:4:12: tests[1].name: ", "test 1 is called \"a\", too"),
        ("tasks/untested.yaml:2:8: tests: ", "at least one test"),
    ];
    assert_eq!(lines.len(), expect.len(), "{found}");
    for (line, (place, message)) in lines.iter().zip(expect) {
        assert!(line.starts_with(place) && line.contains(message), "{line:?} is not {place:?} {message:?}");
    }
    assert_eq!(found.stdout, "");
}

#[test]
fn mistakes_that_only_python_sees() {
    let task = "prompt: p\nsetup: |\n  import math\n  def helper(:\n    pass\ntests:\n  - f(1) == 1\n  - assert (f(1) == 1, 'message')\n  - |\n    assert f(1)\n    return\n";
    let env = TestEnv::new().task("t", task);
    let found = env.agentmill(&["check"]).code(2);
    let lines = complaints(&env, &found);
    let places = [
        "tasks/t.yaml:4: setup: ",
        "tasks/t.yaml:7: tests[0]: ",
        "tasks/t.yaml:8: tests[1]: ",
        "tasks/t.yaml:11: tests[2]: ",
    ];
    assert_eq!(lines.len(), places.len(), "{found}");
    for (line, place) in lines.iter().zip(places) {
        assert!(line.starts_with(place), "{line:?} is not at {place:?}");
    }
}

#[test]
fn stages_are_checked_against_the_tasks() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    env.write("pipeline.yaml", "stages:\n  - {name: a, tasks: [\"**\"]}\n  - {name: b, tasks: [none/*]}\n  - {name: c, tasks: [double]}\n");
    let found = env.agentmill(&["check"]).code(2);
    assert_eq!(complaints(&env, &found).len(), 2, "{found}");
    found.complains(&[
        "pipeline.yaml:3:",
        "no task belongs to stage \"b\"",
        "pipeline.yaml:4:",
        "already in stage \"a\"",
    ]);
}

#[test]
fn one_agent_is_checked_as_the_pipeline_would() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let check = |source: &str| {
        env.write("agent.py", source);
        env.agentmill(&["check", env.path("agent.py").to_str().unwrap()])
    };
    check(DOUBLE_AGENT).code(0).prints(&["agent.py would be evaluated"]);
    check("import os\n\nimport numpy\n").code(2).complains(&["agent.py:3: imports numpy"]);
    check("x = 1\ndef f(:\n    pass\n").code(2).complains(&["agent.py:2: ", "invalid syntax"]);
    check("# nothing\n").code(2).complains(&["agent.py: ", "no code"]);
    env.agentmill(&["check", "absent.py"]).code(2).complains(&["can't read absent.py"]);
    assert!(!env.path("results/rankings.json").exists());
}

#[test]
fn reference_solutions_must_score_100() {
    let with_solution = |name: &str| format!("{DOUBLE_TASK}solution: {name}.py\n");
    let env = TestEnv::new().task("good", &with_solution("good")).task("unsolved", DOUBLE_TASK);
    env.write("tasks/good.py", DOUBLE_AGENT);
    env.agentmill(&["check"]).code(0).prints(&["ok: 2 tasks, 1 reference solutions score 100"]);
    env.agentmill(&["check", "--quiet"]).code(0).silent();

    let env = env.task("poor", &with_solution("poor")).task("uncompiled", &with_solution("uncompiled"));
    env.write("tasks/poor.py", "def double(x):\n    return 4\n");
    env.write("tasks/uncompiled.py", "def double(x) return 4\n");
    let found = env.agentmill(&["check"]).code(2);
    assert_eq!(complaints(&env, &found).len(), 2, "{found}");
    found.complains(&[
        "tasks/poor.yaml: solution: ",
        "test 2: ",
        "double('a') returned 4",
        "tasks/uncompiled.yaml: solution: ",
    ]);
}

#[test]
fn the_shipped_tasks_and_the_shipped_pipeline_are_sound() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/tasks");
    let env = TestEnv::new();
    env.write(
        "pipeline.yaml",
        &agentmill::config::DEFAULT.replace("tasks: tasks ", &format!("tasks: {shipped} ")),
    );
    env.agentmill(&["check"]).code(0).prints(&["reference solutions score 100"]);
}
