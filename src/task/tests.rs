//! Tests of task files: sound ones, every kind of mistake, mutated files.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"# A comment.
prompt: |
  Reverse a text.
setup: |

  def same(a, b):
      return a == b
weight: 2
timeout: 2s
memory: 64MiB
solution: reverse.py
tests:
  - assert reverse("ab") == "ba"
  - name: empty
    assert: reverse("") == ""
    weight: 2.5
    public: true
  - |
    # a comment first
    for text in ["", "a"]:
        assert same(reverse(text), text)
  - "assert reverse(\"a: b\") == \"b :a\""
  - assert: >-
      reverse("abc")
      == "cba"
"#;

/// A folder of files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    dir
}

/// The problems with paths below the folder.
fn problems_in(dir: &TempDir) -> Vec<String> {
    let problems = load(dir.path()).err().map_or(Vec::new(), |problems| problems.0);
    let prefix = format!("{}/", dir.path().display());
    problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
}

/// The only problem of a file `t.yaml`.
fn problem(text: &str) -> String {
    let dir = folder(&[("t.yaml", text), ("t.py", "")]);
    let problems = problems_in(&dir);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    problems.concat().replacen("t.yaml:", "", 1)
}

fn ids(dir: &TempDir) -> Vec<String> {
    load(dir.path()).unwrap().into_iter().map(|task| task.id).collect()
}

const MINIMAL: &str = "prompt: p\ntests: [assert x]\n";

#[test]
fn a_whole_task() {
    let dir = folder(&[("strings/reverse.yaml", GOOD), ("strings/reverse.py", "")]);
    let task = load(dir.path()).unwrap().remove(0);
    assert_eq!(task.id, "strings/reverse");
    assert_eq!(task.path, dir.path().join("strings/reverse.yaml"));
    assert_eq!(task.prompt, "Reverse a text.\n");
    let setup = task.setup.unwrap();
    assert_eq!((setup.text.as_str(), setup.line), ("\ndef same(a, b):\n    return a == b\n", 5));
    assert_eq!((task.weight, task.memory), (2.0, Some(64 << 20)));
    assert_eq!(task.timeout, Some(Duration::from_secs(2)));
    assert_eq!(task.solution, Some(dir.path().join("strings/reverse.py")));
    let seen: Vec<_> = task
        .tests
        .iter()
        .map(|test| (test.name.as_str(), test.assertion.line, test.form.clone(), test.weight, test.public))
        .collect();
    let expected = [
        // Public, so that it is asked before anything hidden is.
        ("empty", 15, Form::AssertField, 2.5, true),
        ("test 1", 13, Form::Statement, 1.0, false),
        ("test 3", 19, Form::Statement, 1.0, false),
        ("test 4", 22, Form::Statement, 1.0, false),
        ("test 5", 24, Form::AssertField, 1.0, false),
    ];
    assert_eq!(seen, expected);
    let fields: Vec<String> = task.tests.iter().map(Test::field).collect();
    assert_eq!(fields[..3], ["tests[1]", "tests[0]", "tests[2]"], "as they stand in the file");
    assert_eq!(task.tests[4].assertion.text, "reverse(\"abc\") == \"cba\"");
}

#[test]
fn the_least_task() {
    let dir = folder(&[("a.yml", MINIMAL)]);
    let task = load(dir.path()).unwrap().remove(0);
    assert_eq!((task.id.as_str(), task.weight, task.tests.len()), ("a", 1.0, 1));
    assert!(task.setup.is_none() && task.timeout.is_none() && task.solution.is_none());
}

#[test]
fn files_are_found_sorted_and_hidden_ones_skipped() {
    let names =
        ["b.yaml", "a/z.yml", "a/b/c.yaml", ".h.yaml", ".git/x.yaml", "a.yaml", "readme.md", "9-x_y.z.yaml"];
    let dir = folder(&names.map(|name| (name, MINIMAL)));
    assert_eq!(ids(&dir), ["9-x_y.z", "a", "a/b/c", "a/z", "b"]);
}

#[test]
fn links_to_files_are_followed_and_links_to_folders_are_not() {
    let elsewhere = folder(&[("x.yaml", MINIMAL)]);
    let dir = folder(&[("a.yaml", MINIMAL)]);
    symlink(elsewhere.path().join("x.yaml"), dir.path().join("linked.yaml")).unwrap();
    assert_eq!(ids(&dir), ["a", "linked"]);
    symlink(".", dir.path().join("loop")).unwrap();
    symlink("gone", dir.path().join("dangling.yaml")).unwrap();
    assert_eq!(
        problems_in(&dir),
        ["dangling.yaml: no such file", "loop: links to folders are not followed; link the files"]
    );
}

#[test]
fn bad_names_are_reported() {
    let dir = folder(&[
        ("Upper/a.yaml", MINIMAL),
        ("b c.yaml", MINIMAL),
        ("d.YAML", MINIMAL),
        ("-e.yaml", MINIMAL),
        ("Größter Teiler.yaml", MINIMAL),
    ]);
    let problems = problems_in(&dir);
    assert_eq!(problems.len(), 5);
    for name in ["upper/a.yaml", "b_c.yaml", "d.yaml", "e.yaml", "groesster_teiler.yaml"] {
        let told = format!("beginning with a letter or digit; call it {name}");
        assert_eq!(problems.iter().filter(|problem| problem.ends_with(&told)).count(), 1, "{problems:?}");
    }
    let twice = folder(&[("a.yaml", MINIMAL), ("a.yml", MINIMAL)]);
    assert!(problems_in(&twice).concat().starts_with("a.yml: task \"a\" exists already as "));
}

#[test]
fn a_folder_needs_tasks() {
    let empty = tempfile::tempdir().unwrap();
    assert!(problems_in(&empty).concat().ends_with("no task (*.yaml) in this folder"));
    let missing = load(Path::new("/nowhere/tasks")).unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/tasks: no such folder");
    let file = folder(&[("a.yaml", MINIMAL)]);
    assert!(load(&file.path().join("a.yaml")).unwrap_err().to_string().ends_with("not a folder"));
}

#[test]
fn mistakes_are_named() {
    let long = format!("prompt: {}\ntests: [assert x]", "x".repeat(65537));
    let cases = [
        ("", "1:1: prompt: missing"),
        ("[]", "1:1: expected a mapping of fields, found a list"),
        ("prompt: ''\ntests: [assert x]", "1:9: prompt: expected a prompt, found no text"),
        ("prompt: 5\ntests: [assert x]", "1:9: prompt: expected text, found 5; quote it"),
        ("prompt: \"a\\0\"\ntests: [assert x]", "1:9: prompt: must not contain a NUL"),
        (&long, "1:9: prompt: expected at most 64KiB of text, found 65537 bytes"),
        ("prompt: p", "1:1: tests: missing, such as tests: [assert double(2) == 4]"),
        ("prompt: p\ntests: []", "2:8: tests: expected at least one test"),
        ("prompt: p\ntests: assert x", "2:8: tests: expected a list, found \"assert x\""),
        ("prompt: p\ntests: ['']", "2:9: tests[0]: expected an assertion, found no code"),
        ("prompt: p\ntests:\n- '# x'", "3:3: tests[0]: expected an assertion, found no code"),
        ("prompt: p\ntests:\n- name: a\n  assert: |\n", "tests[0].assert: expected an assertion"),
        ("prompt: p\ntests:\n- name: a", "3:3: tests[0].assert: missing"),
        (
            "prompt: p\ntests:\n- assert: f(1)\n  score: f(1)",
            "4:10: tests[0].score: a score stands instead of assert",
        ),
        ("prompt: p\ntests: [true]", "2:9: tests[0]: expected text, found true; quote it"),
        ("prompt: p\ntests: [[x]]", "2:9: tests[0]: expected an assertion or a mapping"),
        ("prompt: p\ntests:\n- assert f(\"a: b\") == 1", "3:3: tests[0]: \": \" makes this a mapping"),
        ("prompt: p\ntests:\n- with raises(ValueError): f(0)", "3:3: tests[0]: \": \" makes this a mapping"),
        (
            "prompt: p\ntests:\n- {stdin: '1', stdout: '2'}",
            "3:3: tests[0]: is no assertion: inputs and outputs are files",
        ),
        ("prompt: p\ntests:\n- assert: x\n  wieght: 1", "4:3: tests[0].wieght: unknown field; did you mean"),
        (
            "prompt: p\ntests:\n- {assert: x, weight: 0}",
            "tests[0].weight: expected a number above 0, found 0; remove what is not to count",
        ),
        ("prompt: p\ntests:\n- {assert: x, weight: .inf}", "expected 0.001 to 1000000, found inf"),
        ("prompt: p\ntests:\n- {assert: x, weight: .nan}", "expected a number above 0, found NaN"),
        ("prompt: p\ntests:\n- {assert: x, public: 1}", "public: expected true or false, found 1"),
        ("prompt: p\ntests:\n- {assert: x, name: ''}", "expected a line of 1 to 200 characters"),
        (
            "prompt: p\ntests:\n- {assert: x, name: a}\n- {name: a, assert: y}",
            "4:10: tests[1].name: tests[0] is called \"a\", too",
        ),
        (
            "prompt: p\ntests:\n- {assert: x, name: test 2}\n- assert y",
            "4:3: tests[1]: tests[0] is called \"test 2\", too",
        ),
        ("prompt: p\nweight: -1\ntests: [assert x]", "2:9: weight: expected a number above 0"),
        ("prompt: p\ntimeout: 5\ntests: [assert x]", "timeout: expected a duration such as \"10s\""),
        ("prompt: p\nmemory: 1MiB\ntests: [assert x]", "memory: expected 32MiB to 1TiB"),
        ("prompt: p\nsolution: x.py\ntests: [assert x]", "2:11: solution: no such file"),
        (
            "prompt: p\nsolution: \"x\\e[31m.py\"\ntests: [assert x]",
            "2:11: solution: no such file: \"x\\u{1b}[31m.py\"",
        ),
        ("prompt: p\nsolution: .\ntests: [assert x]", "2:11: solution: not a regular file"),
        ("prompt: p\nsolution: /etc/passwd\ntests: [assert x]", "expected a path relative to this file"),
        (
            "prompt: p\nsolution: ../../../../../../../../etc/passwd\ntests: [assert x]",
            "must lie in the tasks folder",
        ),
        ("prompt: p\nprompt: q\ntests: [assert x]", "2:1: prompt: given twice; first on line 1"),
        ("prompt: p\ntests: [assert x]\nsetup: 1", "3:8: setup: expected text, found 1"),
        ("prompt: p\ntest: [assert x]", "test: unknown field; did you mean \"tests\"?"),
    ];
    for (text, expected) in cases {
        let dir = folder(&[("t.yaml", text), ("t.py", "")]);
        let problems = problems_in(&dir).join("\n");
        let short = &text[..text.len().min(80)];
        assert!(problems.contains(expected), "{short}\n  {problems}\n  {expected}");
    }
    assert!(problem("prompt: p\ntests: [assert x]\nsetup: !x").contains("tags"));
}

#[test]
fn a_solution_behind_a_link_must_lie_inside_too() {
    let dir = folder(&[("t.yaml", "prompt: p\nsolution: s.py\ntests: [assert x]")]);
    symlink("/etc/passwd", dir.path().join("s.py")).unwrap();
    assert_eq!(problems_in(&dir), ["t.yaml:2:11: solution: must lie in the tasks folder"]);
}

#[test]
fn all_files_are_reported_at_once_in_order() {
    let dir = folder(&[
        ("b.yaml", "prompt: ''\ntests: []"),
        ("a.yaml", "x: ["),
        ("c.yaml", MINIMAL),
        ("D.yaml", ""),
    ]);
    let places: Vec<String> =
        problems_in(&dir).iter().map(|problem| problem.split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(places, ["D.yaml", "a.yaml:1:5", "b.yaml:1:9", "b.yaml:2:8"]);
}

#[test]
fn many_tasks_load_fast() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..2000 {
        fs::write(dir.path().join(format!("t{number}.yaml")), GOOD.replace("solution: reverse.py\n", ""))
            .unwrap();
    }
    let start = std::time::Instant::now();
    assert_eq!(load(dir.path()).unwrap().len(), 2000);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_mutated_task_never_panics(
        edits in prop::collection::vec((0..GOOD.len(), prop::sample::select(b" \n:-[]{}\"'#*&!|>,0\xff\0".to_vec())), 1..8),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte) in edits {
            bytes[at] = byte;
        }
        let path = Path::new("tasks/t.yaml");
        let log = Log::new(path);
        let source = Source { dir: Path::new("tasks"), path, id: "t".to_owned() };
        let task = read(&log, &source, &bytes);
        let problems = log.into_problems();
        let lines = bytes.split(|byte| *byte == b'\n').count();
        prop_assert!(task.is_some() || !problems.is_empty());
        for problem in &problems {
            prop_assert!((1..=lines).contains(&problem.line) && problem.column > 0, "{}", problem);
        }
        for test in task.iter().flat_map(|task| &task.tests) {
            prop_assert!((1..=lines).contains(&test.assertion.line));
        }
    }
}
