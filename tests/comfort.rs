//! Comfort of the command line: JSON, tables, colours, diagnostics, silence.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

fn agentmill(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
    command.env_remove("AGENTMILL_LOG").env_remove("RUST_LOG").env_remove("NO_COLOR");
    command.arg("-C").arg(dir).args(args);
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    agentmill(dir, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The last value of JSON that was printed.
fn json(output: &Output) -> Value {
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    let values = values.collect::<Result<Vec<Value>, _>>();
    values.unwrap_or_else(|error| panic!("{error}: {output:?}")).pop().expect("something was printed")
}

/// A folder with the demo's results.
fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        // Not a temporary folder: nothing would remove it at the end of the process.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join("comfort");
        let _ = std::fs::remove_dir_all(&path);
        let output = run(folder, &["--quiet", "demo", path.to_str().unwrap()]);
        assert_eq!(
            (output.status.code(), output.stdout.len(), output.stderr.len()),
            (Some(0), 0, 0),
            "{output:?}"
        );
        path
    })
}

#[test]
fn what_is_printed_can_be_had_as_json() {
    let dir = demo();
    let ranking = json(&run(dir, &["show", "--json"]));
    assert_eq!(ranking["rankings"][0]["miner"], "alice");
    assert_eq!(ranking["rejected"][0]["miner"], "frank");
    let carol = json(&run(dir, &["show", "carol", "--json"]));
    assert_eq!((&carol["row"]["rank"], &carol["report"]["file"]), (&4.into(), &"carol.py".into()));
    let runs = json(&run(dir, &["show", "carol", "times_table", "--json"]));
    assert_eq!((&runs[0]["verdict"], runs.as_array().unwrap().len()), (&"failed".into(), 1));
    let task = json(&run(dir, &["show", "--task", "times_table", "--json"]));
    assert_eq!((task.as_array().unwrap().len(), &task[0]["miner"]), (5, &"alice".into()));
    let tasks = json(&run(dir, &["tasks", "--json"]));
    assert_eq!(tasks.as_array().unwrap().len(), 4);
    assert!(json(&run(dir, &["tasks", "times_table", "--json"]))["public_tests"].is_array());
}

#[test]
fn everybody_on_one_task() {
    let dir = demo();
    let output = run(dir, &["show", "--task", "parse_duration"]);
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[0].starts_with("MINER") && lines[5].starts_with("dave"), "{lines:?}");
    let output = run(dir, &["show", "--task", "parse_durations"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean \"parse_duration\"?"));
}

#[test]
fn a_file_gets_no_colours_unless_they_are_forced() {
    let dir = demo();
    let colours = |name: &str, value: &str| {
        let output = agentmill(dir, &["show", "carol"]).env(name, value).output().unwrap();
        text(&output.stdout).contains('\x1b')
    };
    assert!(!colours("TERM", "xterm"));
    assert!(colours("CLICOLOR_FORCE", "1"));
    assert!(!colours("NO_COLOR", "1"));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let dir = demo();
    let mut child =
        agentmill(dir, &["show", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn runs_say_what_they_are_asked_for() {
    let dir = demo();
    let again = run(dir, &["run", "--json"]);
    assert_eq!((again.status.code(), &json(&again)["pending"]), (Some(1), &0.into()), "one is refused");
    let logged = |filter: &str| {
        let output = agentmill(dir, &["--quiet", "run"]).env("AGENTMILL_LOG", filter).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, err) = logged("");
    assert_eq!((code, err.as_str()), (Some(1), ""), "the file that is refused was told before");
    let (_, err) = logged("agentmill=debug");
    assert!(err.contains("results published"), "{err}");
    let (code, err) = logged("x=y=z");
    assert!(code == Some(1) && err.contains("is not understood"), "{err}");
}

#[test]
fn check_looks_at_the_machine() {
    let dir = demo();
    let output = run(dir, &["check"]);
    let out = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{out}");
    for what in ["engine", "memory   ", "inbox", "results", "disk", "clock"] {
        assert!(out.lines().any(|line| line.starts_with(what)), "no {what} in\n{out}");
    }
    assert!(out.ends_with('\n') && out.contains("\nok: 4 tasks, 4 reference solutions score 100"), "{out}");

    let found = json(&run(dir, &["check", "--json"]));
    let memory = found["found"]["findings"].as_array().unwrap().iter().find(|one| one["what"] == "memory");
    assert_eq!(memory.unwrap()["health"], "ok", "the engine does not enforce a cell's memory: {memory:?}");
}

#[test]
fn check_as_json_holds_every_mistake() {
    let demo = demo();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("tasks")).unwrap();
    std::fs::write(dir.path().join("pipeline.yaml"), "sandbox: {memry: 1}\n").unwrap();
    let output = run(dir.path(), &["check", "--json"]);
    let found = json(&output);
    assert_eq!((output.status.code(), &found["ok"]), (Some(2), &false.into()));
    assert_eq!(
        (&found["problems"][0]["line"], &found["problems"][0]["field"]),
        (&1.into(), &"sandbox.memry".into())
    );

    let frank = demo.join("inbox/frank.py");
    let output = run(demo, &["check", "--json", frank.to_str().unwrap()]);
    assert_eq!((output.status.code(), &json(&output)["line"]), (Some(2), &5.into()));
}

#[test]
fn shells_and_man_know_every_command() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&run(dir.path(), &["completions", shell]).stdout);
        assert!(script.contains("import") && script.contains("completions"), "{shell}: {script}");
    }
    let page = text(&run(dir.path(), &["man"]).stdout);
    assert!(page.contains(".TH agentmill 1") && page.contains("Exit codes"), "{page}");
    let folder = dir.path().join("man1");
    assert!(run(dir.path(), &["man", folder.to_str().unwrap()]).status.success());
    for name in ["agentmill.1", "agentmill-run.1", "agentmill-show.1"] {
        assert!(folder.join(name).is_file(), "no {name}");
    }
}

#[test]
fn every_command_stands_in_its_page() {
    let page = include_str!("../docs/commands.md");
    let help = text(&run(Path::new("."), &["--help"]).stdout);
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    for name in
        commands.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
    {
        assert!(page.contains(&format!("`{name}")), "docs/commands.md lacks {name}");
    }
}
