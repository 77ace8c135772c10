//! Error messages for people, and exit codes for scripts.

mod ignorable;
mod testenv;

use std::process::{Command, ExitCode};

use ignorable::{plain, with_docker};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            a_folder_without_a_pipeline,
            a_missing_inbox,
            an_empty_inbox_is_fine,
            missing_tasks,
            results_that_cannot_be_written,
            output_that_cannot_be_printed,
            no_engine,
            an_image_that_nobody_has,
            broken_assertions_are_reported_before_anything_runs,
            wrong_usage
        ],
        with_docker![
            an_engine_that_does_not_answer_to_us,
            an_image_with_nothing_in_it,
            an_image_without_python
        ],
    ])
}

fn ready() -> TestEnv {
    TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT)
}

fn a_folder_without_a_pipeline() {
    let env = TestEnv::empty();
    for command in ["run", "watch", "check", "tasks", "show"] {
        env.agentmill(&[command]).code(2).complains(&["pipeline.yaml: ", "no such file"]);
    }
    assert!(env.dir().read_dir().unwrap().next().is_none(), "an empty folder stays empty");
}

fn a_missing_inbox() {
    let env = ready();
    std::fs::remove_dir_all(env.path("inbox")).unwrap();
    env.agentmill(&["run"]).code(2).complains(&["inbox", "there is no such folder; make it"]);
}

fn an_empty_inbox_is_fine() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    env.run();
    assert_eq!(env.csv("rankings.csv"), []);
    assert_eq!(env.json("rankings.json")["rankings"], serde_json::json!([]));
}

fn missing_tasks() {
    let env = TestEnv::new().agent("ann", DOUBLE_AGENT);
    env.agentmill(&["run"]).code(2).complains(&["tasks: no task (*.yaml) in this folder"]);
    env.write("tasks/double", DOUBLE_TASK);
    env.write("tasks/notes.txt", "prompt: none\n");
    let told = env.agentmill(&["run"]).code(2);
    assert!(
        told.stderr.contains("tasks/double: looks like a task") && !told.stderr.contains("notes"),
        "{told}"
    );
}

fn results_that_cannot_be_written() {
    let env = ready();
    std::fs::remove_dir(env.path("results")).unwrap();
    env.write("results", "in the way");
    env.agentmill(&["run"]).code(74).complains(&["can't create", "results"]);

    let env = ready();
    std::fs::create_dir(env.path("results/rankings.csv")).unwrap();
    env.agentmill(&["run"]).code(74).complains(&["can't be written", "rankings.csv"]);
}

fn output_that_cannot_be_printed() {
    let env = ready();
    env.run();
    for args in [&["run"][..], &["run", "--json"], &["show"], &["tasks"]] {
        let words = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
        env.start_by(&words, args).wait().code(74).complains(&["can't print: No space left on device"]);
    }
}

fn no_engine() {
    let env = ready().no_programs();
    env.agentmill(&["run"]).code(69).complains(&["docker", "can't be started", "is docker installed?"]);
    env.agentmill(&["watch"]).code(69).complains(&["is docker installed?"]);
    env.agentmill(&["check"]).code(69).complains(&["is docker installed?"]);
}

fn an_engine_that_does_not_answer_to_us() {
    let env = ready().engine_script("echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    env.agentmill(&["run"]).code(69).complains(&["Cannot connect to the Docker daemon"]);
}

fn an_image_that_nobody_has() {
    let env = ready().pipeline("sandbox: {image: \"localhost:1/agentmill/nothing:1\"}\n");
    env.agentmill(&["run"])
        .code(69)
        .complains(&["localhost:1/agentmill/nothing:1", "not present and can't be pulled"]);
}

/// It is created and can't be started: over the engine's socket, what was created has to be removed.
fn an_image_with_nothing_in_it() {
    let image = "agentmill-test-nothing:1";
    let import = format!("tar --create --files-from=/dev/null | docker import - {image}");
    assert!(Command::new("sh").args(["-c", &import]).output().unwrap().status.success());
    let env = ready().pipeline(&format!("sandbox: {{image: \"{image}\"}}\n"));
    let run = env.agentmill(&["run"]);
    assert!(Command::new("docker").args(["rmi", image]).output().unwrap().status.success());
    run.code(69).complains(&["did not get ready", "python", "executable file not found"]);
    env.expect_nothing_left();
}

fn an_image_without_python() {
    let env = ready().engine_script("test \"$1\" = run && { echo 'exec: python: not found' >&2; exit 127; }");
    env.agentmill(&["run"]).code(69).complains(&["did not get ready", "python: not found"]);
}

fn broken_assertions_are_reported_before_anything_runs() {
    let env = ready().task("broken", "prompt: p\ntests:\n  - assert f(1) = 2\n");
    env.agentmill(&["run"]).code(2).complains(&["tasks/broken.yaml:3: tests[0]: "]);
    assert!(!env.path("results/agents").exists());
}

fn wrong_usage() {
    let env = TestEnv::new();
    env.agentmill(&["rum"]).code(2).complains(&["rum"]);
    env.agentmill(&["run", "--farce"]).code(2).complains(&["--farce"]);
    env.agentmill::<&str>(&[]).code(2).complains(&["Usage"]);
    env.agentmill(&["--help"]).code(0).prints(&["Exit codes: 0 done"]);
    let facts = env.agentmill(&["--version"]).code(0);
    facts.prints(&[
        concat!("agentmill ", env!("CARGO_PKG_VERSION"), "\n"),
        "commit: ",
        "build: debug, for ",
        "grader: ",
    ]);
    env.agentmill(&["-V"]).code(0).prints(&[concat!("agentmill ", env!("CARGO_PKG_VERSION"), "\n")]);
}
