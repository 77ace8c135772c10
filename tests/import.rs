//! `agentmill import`, from a benchmark's file to tasks that real cells can solve.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");

/// A folder made by `init`, without the task that comes with it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        assert!(folder.agentmill(&["init"]).status.success());
        std::fs::remove_dir_all(folder.path().join("tasks")).unwrap();
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn agentmill(&self, args: &[&str]) -> Output {
        let command =
            Command::new(env!("CARGO_BIN_EXE_agentmill")).arg("-C").arg(self.path()).args(args).output();
        command.unwrap()
    }

    fn import(&self, benchmark: &str, file: &Path, args: &[&str]) -> (i32, String, String) {
        let output = self.agentmill(&[&["import", benchmark, file.to_str().unwrap()], args].concat());
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sample(name: &str) -> PathBuf {
    Path::new(SAMPLES).join(name)
}

#[test]
fn writes_tasks_once_and_replaces_them_only_by_force() {
    let folder = Folder::new();
    let file = sample("humaneval.jsonl");
    let (code, out, err) = folder.import("humaneval", &file, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("4 written"), "{out}");
    assert!(err.contains("line 3: left out 1 assertions"), "{err}");

    let (code, out, _) = folder.import("humaneval", &file, &[]);
    assert_eq!((code, out.contains("4 there already")), (0, true), "{out}");

    let mine = folder.path().join("tasks/humaneval/1.yaml");
    std::fs::write(&mine, "mine").unwrap();
    let (code, out, err) = folder.import("humaneval", &file, &[]);
    assert_eq!((code, out.contains("1 kept as they were")), (1, true), "{out}");
    assert!(err.contains("task 1: other files are there; --force replaces them"), "{err}");
    assert_eq!(std::fs::read(&mine).unwrap(), b"mine");

    let (code, out, _) = folder.import("humaneval", &file, &["--force"]);
    assert_eq!((code, out.contains("1 replaced")), (0, true), "{out}");
    assert_eq!(text(&folder.agentmill(&["tasks"]).stdout).matches("humaneval/").count(), 4);
}

#[test]
fn takes_the_good_lines_and_names_the_bad() {
    let folder = Folder::new();
    let good = std::fs::read_to_string(sample("mbpp.jsonl")).unwrap();
    let file = folder.path().join("mbpp.jsonl");
    std::fs::write(&file, format!("{{\"text\": \"\u{1b}[2J\n{good}\u{7f}\n")).unwrap();
    let (code, out, err) = folder.import("mbpp", &file, &["--quiet"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].contains("mbpp.jsonl: line 1: not JSON (column 11: control character"), "{err}");
    assert!(lines[1].contains("line 5: not JSON (column 1: expected value)"), "{err}");
    assert!(folder.path().join("tasks/mbpp/2.yaml").exists());
}

#[test]
fn a_file_of_another_kind_is_told_by_one_line_with_the_kind() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("tasks")).unwrap();
    std::fs::write(folder.path().join("tasks/own.yaml"), "prompt: p\ntests: [assert f(1)]\n").unwrap();
    for (kind, file, other) in [
        ("humaneval", "mbpp.jsonl", "mbpp"),
        ("samples", "mbpp.jsonl", "mbpp"),
        ("mbpp", "humaneval.jsonl", "humaneval"),
        ("livecodebench", "humaneval.jsonl", "humaneval"),
    ] {
        let (code, out, err) = folder.import(kind, &sample(file), &[]);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{err}");
        assert!(err.contains(&format!("agentmill import {other} ")), "{err}");
    }
}

#[test]
fn says_why_a_file_can_not_be_read() {
    let folder = Folder::new();
    for (name, content, expected) in [
        ("missing", None, "No such file"),
        ("empty", Some(""), "it is empty"),
        ("bad", Some("[1"), "not a JSON list"),
    ] {
        let file = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let (code, _, err) = folder.import("humaneval", &file, &[]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(expected) && err.contains(name), "{err}");
    }
}

#[test]
fn reference_solutions_score_100_in_cells() {
    let folder = Folder::new();
    for (benchmark, file) in [("humaneval", "humaneval.jsonl"), ("mbpp", "mbpp.jsonl")] {
        folder.import(benchmark, &sample(file), &[]);
    }
    prove(&folder, 7);
}

/// On request: `AGENTMILL_HUMANEVAL=HumanEval.jsonl.gz cargo test --test import -- --ignored`.
#[test]
#[ignore = "needs AGENTMILL_HUMANEVAL=FILE"]
fn all_of_humaneval_can_be_solved() {
    let file = std::env::var_os("AGENTMILL_HUMANEVAL").expect("AGENTMILL_HUMANEVAL names the published file");
    let folder = Folder::new();
    let (code, out, err) = folder.import("humaneval", Path::new(&file), &[]);
    assert_eq!((code, out.contains("164 written")), (0, true), "{err}");
    prove(&folder, 164);
}

fn prove(folder: &Folder, tasks: usize) {
    let output = folder.agentmill(&["check"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = format!("{tasks} reference solutions score 100");
    assert!(text(&output.stdout).contains(&expected), "{}", text(&output.stdout));
}
