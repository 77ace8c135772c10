//! `init` and `tasks`: a folder to start from, and what it asks for.

mod testenv;

use std::fs;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

#[test]
fn an_own_task_and_an_own_agent_are_scored_in_a_new_folder() {
    let env = TestEnv::empty();
    env.agentmill(&["init"]).code(0).prints(&[
        "wrote ",
        "pipeline.yaml\n",
        "tasks/reverse_string.yaml\n",
        "/inbox, put your tasks into ",
        "in the place of the example, which counts too, then: agentmill",
    ]);

    env.write("tasks/double.yaml", DOUBLE_TASK);
    env.drop_agent("ann", DOUBLE_AGENT);
    env.run().prints(&["1. ann: 50 (reward: 100 TAO)\n"]);
    assert_eq!(env.verdicts()[&("ann".into(), "double".into())], "passed");
    assert_eq!(env.verdicts()[&("ann".into(), "reverse_string".into())], "error");
    env.agentmill(&["check"])
        .code(0)
        .prints(&["ok: 2 tasks, 1 reference solution scores 100 (none of double), image sha256:"]);
}

#[test]
fn a_folder_with_a_space_in_its_name_is_told_in_quotes() {
    let env = TestEnv::empty();
    let told = env.agentmill(&["init", env.path("Week 1").to_str().unwrap()]).code(0);
    assert!(told.stdout.ends_with("Week 1' run\n") && told.stdout.contains("then: agentmill -C '"), "{told}");
}

#[test]
fn init_never_changes_what_is_there() {
    let env = TestEnv::empty().pipeline("parallel: 1 # mine\n");
    let out = env.agentmill(&["init"]).code(0).prints(&["kept  "]);
    assert_eq!(out.stdout.matches("kept ").count(), 1, "{out}");
    assert_eq!(env.read("pipeline.yaml"), "parallel: 1 # mine\n");

    env.write("tasks/reverse_string.yaml", DOUBLE_TASK);
    let again = || env.agentmill(&["init"]).code(0);
    assert!(!again().stdout.contains("wrote"), "{}", again());
    assert_eq!(env.read("tasks/reverse_string.yaml"), DOUBLE_TASK);
    // The example would count beside a task of one's own.
    fs::rename(env.path("tasks/reverse_string.yaml"), env.path("tasks/own.yaml")).unwrap();
    assert!(!again().stdout.contains("example"), "{}", again());
    assert!(!env.path("tasks/reverse_string.yaml").exists());
}

#[test]
fn init_writes_to_the_folder_it_is_given() {
    let env = TestEnv::empty();
    let folder = env.path("deep/down");
    env.agentmill(&["init", folder.to_str().unwrap(), "--quiet"]).code(0);
    for name in [
        "pipeline.yaml",
        "tasks/reverse_string.yaml",
        "tasks/solutions/reverse_string.py",
        "inbox",
        "results",
    ] {
        assert!(folder.join(name).exists(), "{name}");
    }
    assert!(!env.path("pipeline.yaml").exists());
    assert_eq!(env.read("deep/down/pipeline.yaml"), agentmill::config::DEFAULT);
}

#[test]
fn tasks_lists_and_prints_what_is_public() {
    let secret = "prompt: |\n  Add up.\n  All of it.\ntests:\n  - {name: shown, assert: \"add(1, 2) == 3\", public: true}\n  - assert add(4, 4) == 8\n";
    let env = TestEnv::new().task("add", secret).task("more/double", DOUBLE_TASK);
    env.agentmill(&["tasks"]).code(0).prints(&[
        "TASK         TESTS  PROMPT\n",
        "add              2  Add up.\n",
        "more/double      2  double it\n",
    ]);

    let add = env.agentmill(&["tasks", "add"]).code(0).prints(&[
        "Add up.\nAll of it.\n",
        "\nlimits: 10s, 256 MiB of memory\n",
        "# shown\nadd(1, 2) == 3\n",
        "1 more",
    ]);
    assert!(!add.stdout.contains("add(4, 4)"), "a test that is not public was shown: {add}");
    env.agentmill(&["tasks", "sub"]).code(2).complains(&["no task \"sub\"", "add, more/double"]);
}
