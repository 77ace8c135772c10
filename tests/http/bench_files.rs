//! `bench-model` by files of samples, which nobody is asked for.

use std::fs;

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
        (&["m.jsonl"], "3", "--k 3 takes at least as many --samples, of which there are 1"),
    ] {
        let (code, text) = of_files(&folder, names, &["--k", k]);
        assert!(code != 0 && text.contains(told), "{names:?} {code} {text}");
    }
}
