//! `bench-model` problem by problem: what a part of the tasks costs, what each came to, and what is told meanwhile.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{SHOUT, bench, folder, reply, rows};
use crate::support::{Folder, GOOD, Model, PATIENCE, said};

/// Answers `shout`, then the other task, for ever.
fn able() -> Model {
    Model::new([SHOUT, GOOD, SHOUT, GOOD].map(|source| reply(source, 1)))
}

fn lines_of(folder: &Folder, kind: &str) -> Vec<serde_json::Value> {
    let text = folder.read("results/models/m.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

#[test]
fn code_that_the_platform_refuses_is_told_with_the_reason() {
    let model = Model::new([reply("```python\nimport numpy as np\ndef shout(s):\n    return s\n```\n", 1)]);
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["shout", "--model", "m"]);
    assert_eq!(code, 0, "{text}");
    let tasks = folder.read("results/models_tasks.csv");
    assert!(tasks.contains("no usable code in the reply: imports numpy; only"), "{tasks}");
}

#[test]
fn it_is_told_on_which_tasks_models_differ() {
    let large = [SHOUT, GOOD, SHOUT, GOOD];
    let small = [SHOUT, "def reverse_string(s):\n    return s\n", "I can't.", GOOD];
    let model = Model::new(small.into_iter().chain(large).map(|source| reply(source, 1)));
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["--model", "small", "--model", "large", "--samples", "2"]);
    assert_eq!(code, 0, "{text}");
    let tasks = folder.read("results/models_tasks.csv");
    let expected = [
        "model,task,samples,passed,pass_at_1,pass_at_k,score,first_failure",
        "large,shout,2,2,100,100,100,",
        "large,strings/reverse,2,2,100,100,100,",
        "small,shout,2,1,50,100,50,no usable code in the reply",
        "small,strings/reverse,2,1,50,100,50,word: ",
    ];
    assert_eq!(tasks.lines().count(), expected.len(), "{tasks}");
    tasks.lines().zip(expected).for_each(|(line, begin)| assert!(line.starts_with(begin), "{tasks}"));
    assert!(tasks.contains("'olleh'") && text.contains("models_tasks.csv"), "{tasks}{text}");
    let page = folder.read("results/models.html");
    assert!(
        page.contains("<th scope=\"row\">small") && page.contains("2 / 2") && !page.contains("olleh"),
        "{page}"
    );
    // Messages tell of hidden tests.
    for (name, mode) in [
        ("models_tasks.csv", 0o600),
        ("models_samples.csv", 0o600),
        ("models.json", 0o600),
        ("models", 0o700),
    ] {
        let path = folder.path().join("results").join(name);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let task = &rows(&folder)[1]["by_task"][1];
    assert_eq!((&task["task"], &task["passed"]), (&"strings/reverse".into(), &1.into()));
    let shown = said(&folder.run(&["show"]));
    assert!(shown.contains("models were benchmarked here: ") && shown.contains("models.csv"), "{shown}");
}

#[test]
fn tasks_in_no_stage_are_not_paid_for() {
    let model = able();
    let folder = folder(&model);
    let stages = model.pipeline() + "stages: [{name: first, tasks: [shout]}]\n";
    folder.write("pipeline.yaml", &stages);
    let (code, text) = bench(&folder, &["--model", "m"]);
    assert_eq!((code, model.requests().len()), (0, 1), "{text}");
    assert!(text.contains("1 task is in no stage of pipeline.yaml and left out: strings/reverse"), "{text}");
    let (code, text) = bench(&folder, &["--model", "m", "shout", "strings/*"]);
    assert_eq!((code, model.requests().len()), (2, 1), "{text}");
    assert!(
        text.contains("pipeline.yaml: no stage has strings/reverse, so no reply can be judged"),
        "{text}"
    );
}

#[test]
fn a_part_is_named_by_patterns_and_nothing_else_is_judged() {
    let model = able();
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["--model", "m", "sh*", "str*/*", "strings/reverse"]);
    assert_eq!((code, model.requests().len()), (0, 2), "{text}");
    for name in ["shout", "strings/reverse"] {
        let changed = folder.read(&format!("tasks/{name}.yaml")) + "weight: 2\n";
        folder.write(&format!("tasks/{name}.yaml"), &(changed + "timeout: 9s\n"));
    }
    let before = lines_of(&folder, "judged");
    assert_eq!(before.len(), 2);
    assert_eq!((&before[0]["task"].is_string(), &before[0]["sample"]), (&true, &1.into()), "{before:?}");
    let (code, text) = bench(&folder, &["--model", "m", "sh*"]);
    assert_eq!((code, lines_of(&folder, "judged").len()), (0, 3), "{text}");
    let (code, text) = bench(&folder, &["--model", "m", "shut*"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no task is called \"shut*\"; `agentmill tasks` lists them"), "{text}");
}

#[test]
fn it_is_told_what_is_due_and_what_is_kept_at_a_stop() {
    let folder = Folder::new("llm: {command: [sh, model.sh]}\n");
    folder.write("tasks/shout.yaml", "prompt: shout(s)\ntests: [\"assert shout('a') == 'A'\"]\n");
    folder.write("model.sh", "test -e asked && exec sleep 600\ntouch asked\necho 'def shout(s): return s'\n");
    let args = ["bench-model", "--model", "m", "--requests", "1", "--samples", "2"];
    let mut command = folder.command(&args);
    command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let memory = folder.path().join("results/models/m.jsonl");
    while !std::fs::read_to_string(&memory).is_ok_and(|text| text.contains("\"kind\":\"sample\"")) {
        assert!(Instant::now() < deadline, "no reply is kept");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("asking m for 4 replies (2 tasks x 2)"), "{text}");
    assert!(
        text.contains(
            "stopped: 1 of 4 replies are kept, and the tables are as they were; the same command goes on"
        ),
        "{text}"
    );
    assert!(!text.contains("1 of 4 replies\n") && !text.contains("missing"), "{text}");
}
