//! `bench-model` by files of samples, which nobody is asked for.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{bench, rows};
use crate::support::Folder;

const HUMAN_EVAL: &str = concat!(
    r#"{"task_id": "HumanEval/0", "entry_point": "double", "prompt": "def double(n):\n    \"\"\"Twice n.\"\"\"\n", "#,
    r#""canonical_solution": "    return 2 * n\n", "test": "def check(candidate):\n    assert candidate(2) == 4\n"}"#,
    "\n",
    r#"{"task_id": "HumanEval/1", "entry_point": "half", "prompt": "def half(n):\n    \"\"\"Half of n.\"\"\"\n", "#,
    r#""canonical_solution": "    return n / 2\n", "test": "def check(candidate):\n    assert candidate(2) == 1\n"}"#,
    "\n"
);

/// A folder whose tasks are those two.
fn folder() -> Folder {
    let folder = Folder::new("rewards: none\n");
    fs::remove_dir_all(folder.path().join("tasks")).unwrap();
    fs::create_dir(folder.path().join("tasks")).unwrap();
    folder.write("two.jsonl", HUMAN_EVAL);
    let output = folder.run(&["import", "humaneval", &at(&folder, "two.jsonl")]);
    assert!(output.status.success(), "{output:?}");
    folder
}

fn at(folder: &Folder, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// `bench-model` by these files.
fn of_files(folder: &Folder, names: &[&str], more: &[&str]) -> (i32, String) {
    let files: Vec<String> = names.iter().map(|name| at(folder, name)).collect();
    let named = files.iter().flat_map(|file| ["--file", file]);
    bench(folder, &named.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// Lines of samples: the number of the task, and what follows the prompt.
fn write(folder: &Folder, name: &str, samples: &[(u32, &str)]) {
    let line = |(task, code): &(u32, &str)| {
        format!("{{\"task_id\": \"HumanEval/{task}\", \"completion\": \"    {code}\\n\"}}\n")
    };
    folder.write(name, &samples.iter().map(line).collect::<String>());
}

#[test]
fn files_are_ranked_by_pass_at_k_and_a_changed_one_replaces_the_one_before() {
    let folder = folder();
    let two = [(0, "return 2 * n"), (0, "return n"), (1, "return n / 2"), (1, "import numpy; return n")];
    write(&folder, "Two.jsonl", &two);
    write(&folder, "one.jsonl", &[(0, "return 3 * n"), (1, "return n / 2")]);
    let (code, text) = of_files(&folder, &["Two.jsonl", "one.jsonl"], &["--k", "2"]);
    assert_eq!(code, 0, "{text}");
    let header = "rank,model,pass_at_1,pass_at_k,k,score,tasks,samples,missing,prompt_tokens,completion_tokens,cost,cut_off,pass_at_1_low,pass_at_1_high,rank_low,rank_high\n";
    let expected = "1,Two,50,100,2,50,2,4,0,,,,0,,,1,2\n1,one,50,,2,50,2,2,0,,,,0,0,100,1,2\n";
    assert_eq!(folder.read("results/models.csv"), format!("{header}{expected}"), "{text}");
    assert!(folder.read("results/models_tasks.csv").contains("numpy"), "why a sample is refused");
    let samples = folder.read("results/models_samples.csv");
    let header = "model,task,sample,verdict,score,seconds,prompt_tokens,completion_tokens,cut_off,message\nTwo,humaneval/0,1,passed,100,,,,false,\n";
    assert!(
        samples.starts_with(header) && samples.contains("\nTwo,humaneval/1,2,refused,0,,,,false,"),
        "{samples}"
    );
    // Again, nothing is judged; and all of a file's samples count, be others' fewer.
    let (_, text) = of_files(&folder, &["one.jsonl"], &[]);
    assert!(!text.contains("judging") && rows(&folder)[0]["samples"] == 4, "{text}");
    let memory = || folder.read("results/models/one.jsonl").lines().count();
    let before = memory();
    write(&folder, "one.jsonl", &[(0, "return n + n"), (1, "return n / 2")]);
    let (_, text) = of_files(&folder, &["one.jsonl"], &[]);
    assert!(text.contains("judging 1 solution of one") && memory() == before + 3, "{text}");
    write(&folder, "one.jsonl", &[(0, "return 3 * n"), (1, "return n / 2")]);
    let (_, text) = of_files(&folder, &["one.jsonl"], &[]);
    let one = rows(&folder).into_iter().find(|row| row["model"] == "one").unwrap();
    assert_eq!((&one["samples"], &one["pass_at_1"]), (&2.into(), &50.0.into()), "as it was at first: {text}");
    write(&folder, "same.jsonl", &[(0, "return n * 2"), (0, "return n * 2")]);
    let (_, text) = of_files(&folder, &["same.jsonl"], &["humaneval/0"]);
    assert!(text.contains("judging 1 different solution of same"), "{text}");
    assert_eq!((&rows(&folder)[0]["model"], &rows(&folder)[0]["pass_at_1"]), (&"same".into(), &100.0.into()));
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let folder = folder();
    write(&folder, "m.jsonl", &[(0, "return 2 * n"), (7, "return 1")]);
    let (code, text) = of_files(&folder, &["m.jsonl"], &[]);
    assert!(code == 1 && text.contains("m.jsonl: line 2: no task is made of \"HumanEval/7\""), "{text}");
    assert_eq!(
        (&rows(&folder)[0]["missing"], rows(&folder)[0]["rank"].is_null()),
        (&1.into(), true),
        "{text}"
    );
    folder.write("other/m.jsonl", &folder.read("m.jsonl"));
    write(&folder, "none.jsonl", &[(7, "return 1")]);
    for (names, k, told) in [
        (&["m.jsonl", "other/m.jsonl"][..], "1", "stand for one model, m"),
        (&["none.jsonl"], "1", "none.jsonl: no sample can be taken; line 1: no task is made of"),
        (&["nope.jsonl"], "1", "nope.jsonl: No such file"),
        (&["m.jsonl"], "3", "m.jsonl has 1 sample of a task at most; pass@3 takes 3"),
    ] {
        let (code, text) = of_files(&folder, names, &["--k", k]);
        assert!(code != 0 && text.contains(told), "{names:?} {code} {text}");
    }
}

#[test]
fn a_file_of_uneven_numbers_is_ranked_by_all_that_it_has() {
    let folder = folder();
    write(
        &folder,
        "uneven.jsonl",
        &[(0, "return 2 * n"), (0, "return n"), (0, "return n"), (1, "return n / 2")],
    );
    write(&folder, "one.jsonl", &[(0, "return 2 * n"), (1, "return 1 * n / 2")]);
    let (code, text) = of_files(&folder, &["uneven.jsonl", "one.jsonl"], &[]);
    assert_eq!(code, 0, "{text}");
    let told = || -> Vec<(String, String, String, String)> {
        let all = rows(&folder).into_iter();
        all.map(|row| ["model", "rank", "pass_at_1", "missing"].map(|name| row[name].to_string()).into())
            .collect()
    };
    let row = |model: &str, rank: &str, share: &str, missing: &str| {
        (format!("{model:?}"), rank.to_owned(), share.to_owned(), missing.to_owned())
    };
    assert_eq!(told(), [row("one", "1", "100.0", "0"), row("uneven", "2", "66.67", "0")], "{text}");
    let (code, text) = of_files(&folder, &["uneven.jsonl"], &["--samples", "4"]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(told(), [row("one", "1", "100.0", "6"), row("uneven", "2", "66.67", "4")], "{text}");
    let missing = "uneven: 4 samples are missing, which the file does not have; it is ranked by what it has";
    assert!(text.contains(missing), "{text}");
}

#[test]
fn an_exit_at_import_and_a_task_at_fault_are_told() {
    let folder = folder();
    folder.write(
        "m.jsonl",
        concat!(
            r#"{"task_id": "HumanEval/0", "completion": "    return 2 * n\n\nraise SystemExit(1)\n"}"#,
            "\n",
            r#"{"task_id": "HumanEval/1", "completion": "    return n / 2\n"}"#,
        ),
    );
    let (code, text) = of_files(&folder, &["m.jsonl"], &[]);
    assert!(code == 0 && rows(&folder)[0]["pass_at_1"] == 50.0, "{text}");
    let tasks = folder.read("results/models_tasks.csv");
    assert!(tasks.contains("the agent ended with exit code 1 when it was imported"), "{tasks}");
    let broken =
        folder.read("tasks/humaneval/1.yaml").replace("tests:", "setup: raise ValueError(7)\ntests:");
    folder.write("tasks/humaneval/1.yaml", &broken);
    let (code, text) = of_files(&folder, &["m.jsonl"], &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the ranking is of 1 of 2 tasks: humaneval/1 is at fault"), "{text}");
}

#[test]
fn a_stop_while_samples_are_judged_leaves_the_tables_as_they_were() {
    let folder = folder();
    folder.write("pipeline.yaml", "rewards: none\nsandbox: {timeout: 60s}\n");
    write(&folder, "m.jsonl", &[(0, "return 2 * n"), (1, "return n / 2")]);
    assert_eq!(of_files(&folder, &["m.jsonl"], &[]).0, 0);
    let before = folder.read("results/models.csv");
    write(&folder, "n.jsonl", &[(0, "import time; time.sleep(50)"), (1, "return n / 2")]);
    let file = at(&folder, "n.jsonl");
    let mut command = folder.command(&["bench-model", "--file", &file]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("judging") {
        assert!(told.read_line(&mut text).unwrap() > 0, "{text}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    told.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    let stopped = "stopped: the tables are as they were; the same command goes on";
    assert!(text.contains(stopped) && !text.contains("not judged"), "{text}");
    assert_eq!(folder.read("results/models.csv"), before);
}
