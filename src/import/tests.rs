//! Tests of the import: entries of both benchmarks, sound and broken.

use std::io::Write;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::task;

const HUMANEVAL: &str = include_str!("../../tests/samples/humaneval.jsonl");
const MBPP: &str = include_str!("../../tests/samples/mbpp.jsonl");
const SANITIZED: &str = include_str!("../../tests/samples/sanitized-mbpp.json");

fn drafts(benchmark: Benchmark, text: impl AsRef<[u8]>) -> Drafts {
    let convert = match benchmark {
        Benchmark::Mbpp => mbpp::convert,
        _ => humaneval::convert,
    };
    super::drafts(&entries::split(text.as_ref()).unwrap(), entries::MAX_ENTRY, convert)
}

fn codes(draft: &Draft) -> Vec<&str> {
    draft.tests.iter().map(|test| test.code.as_str()).collect()
}

fn refusals(benchmark: Benchmark, text: &str) -> Vec<String> {
    drafts(benchmark, text).refused.into_iter().map(|note| format!("{}: {}", note.place, note.text)).collect()
}

/// An entry with one field of another value, or without it.
fn entry(field: &str, value: serde_json::Value) -> String {
    let mut entry: serde_json::Value = serde_json::from_str(HUMANEVAL.lines().next().unwrap()).unwrap();
    match value.is_null() {
        true => entry.as_object_mut().unwrap().remove(field),
        false => entry.as_object_mut().unwrap().insert(field.into(), value),
    };
    entry.to_string()
}

fn tests_of(test: &str) -> Vec<String> {
    let drafts = drafts(Benchmark::HumanEval, entry("test", test.into()));
    assert_eq!(drafts.refused, []);
    codes(&drafts.drafts[0]).into_iter().map(str::to_owned).collect()
}

#[test]
fn an_assertion_becomes_a_test_under_the_functions_own_name() {
    let drafts = drafts(Benchmark::HumanEval, HUMANEVAL);
    assert_eq!((drafts.refused.as_slice(), drafts.drafts.len()), (&[][..], 4));
    let expected = [
        "assert double([1, 2]) == [2, 4]",
        "assert double([]) == [], \"the candidate\"",
        "assert double([\n    3,\n]) == [6]",
    ];
    assert_eq!(codes(&drafts.drafts[0]), expected);
    assert_eq!(drafts.drafts[0].setup, "");
    assert!(
        drafts.drafts[0].prompt.starts_with("Complete the function `double`:\n\nfrom typing import List\n")
    );
}

#[test]
fn helpers_of_the_prompt_and_a_seed_go_into_the_setup() {
    let draft = &drafts(Benchmark::HumanEval, HUMANEVAL).drafts[1];
    let setup: Vec<&str> = draft.setup.lines().collect();
    assert_eq!((setup[0], setup[1]), ("import string", "def shift(s: str):"));
    assert_eq!(
        setup[4..],
        [
            "from random import choice",
            "import copy",
            "import random",
            "random.seed(0)  # the same numbers for every agent"
        ]
    );
    let loops = "for _ in range(20):\n    str = ''.join(choice(string.ascii_lowercase) for i in range(9))\n    \
                 assert unshift(copy.deepcopy(shift(str))) == str";
    assert_eq!(codes(draft), [loops]);
}

#[test]
fn what_was_prepared_goes_with_every_test_behind_it() {
    let drafts = drafts(Benchmark::HumanEval, HUMANEVAL);
    let last = "sides = list(range(4))\nside = sides[-1]\nassert area(side, side) == 4.5, \"a # b: c\"";
    assert_eq!(codes(&drafts.drafts[2]), ["assert area(5, 3) == 7.5", last]);
    let text = "left out 1 assertions that compare area with itself".to_owned();
    assert_eq!(drafts.notes, [Note { place: "line 3".into(), text }]);
}

#[test]
fn what_can_not_be_split_safely_stays_whole() {
    let whole = |body: &str| format!("def check(candidate):\n{body}");
    for body in [
        "    for n in range(3):\n        assert candidate([n])\n    assert candidate([n])",
        "    if candidate([1]): return\n    assert False",
        "    assert candidate([1]); assert candidate([2])",
    ] {
        let test = whole(body);
        assert_eq!(tests_of(&test), [format!("{test}\n\ncheck(double)")]);
    }
}

#[test]
fn strings_and_branches_are_taken_as_python_takes_them() {
    let test = "def check(f):\n    text = '''a\n    f(1)\n  b'''\n    try:\n        assert f(text)\n    except ValueError:\n        \
                raise\n";
    let expected =
        "text = '''a\n    f(1)\n  b'''\ntry:\n    assert double(text)\nexcept ValueError:\n    raise";
    assert_eq!(tests_of(test), [expected]);
    assert_eq!(
        tests_of("def check(f):\r\n\tassert x.f(1, \\\r\n\t\tf(2))\r\n"),
        ["assert x.f(1, \\\n\tdouble(2))"]
    );
}

#[test]
fn mbpp_shows_one_test_and_hides_the_others() {
    let drafts = drafts(Benchmark::Mbpp, MBPP);
    assert_eq!((drafts.drafts.len(), drafts.refused.as_slice()), (3, &[][..]));
    let draft = &drafts.drafts[0];
    assert!(draft.prompt.ends_with("One of the tests is:\n\nassert least([[1, 2], [3, 4]], 2, 2) == 1"));
    assert_eq!(draft.tests.iter().map(|test| test.public).collect::<Vec<_>>(), [true, false, false]);
    assert!(!draft.solution.as_ref().unwrap().contains('\r'));
    assert_eq!(drafts.drafts[1].setup, "import math");
    assert!(drafts.drafts[2].prompt.ends_with("\n\nWrite the function `sum` yourself."));
}

#[test]
fn what_the_tests_of_mbpp_use_of_the_codes_imports_is_imported_for_them() {
    let line = json!({
        "task_id": 596, "text": "Find the size.",
        "code": "import sys\r\nimport re\r\nfrom math import floor, ceil\r\ndef size(it):\r\n  return sys.getsizeof(it)",
        "test_list": ["assert size((1, 2)) == sys.getsizeof((1, 2))", "assert size(ceil(0.5)) > 0"],
    });
    let draft = &drafts(Benchmark::Mbpp, line.to_string()).drafts[0];
    assert_eq!(draft.setup.trim(), "import sys\nfrom math import floor, ceil");
}

#[test]
fn the_sanitized_mbpp_is_a_list_with_other_names() {
    let drafts = drafts(Benchmark::Mbpp, SANITIZED);
    let draft = &drafts.drafts[0];
    assert_eq!((draft.id.as_str(), draft.setup.as_str()), ("2", "import math"));
    assert!(draft.prompt.starts_with("Write a function to find the shared elements"));
}

#[test]
fn what_can_not_be_taken_is_named_by_line() {
    let cases = [
        (
            "{\"task_id\": 1".to_owned(),
            "line 1: not JSON (column 13: EOF while parsing an object); expected an object such as {\"task_id\": ...",
        ),
        (
            entry("test", json!(null)),
            "line 1: it has no test, but canonical_solution, entry_point, prompt, task_id",
        ),
        (entry("task_id", json!([])), "line 1: task_id: expected text or a number"),
        ("7".to_owned(), "line 1: not an object such as {\"task_id\": ..., \"prompt\": ..., \"test\": ...}"),
        (entry("prompt", 7.into()), "line 1: prompt: expected text, found a number"),
        (entry("task_id", "../../\u{1b}[2J".into()), ""),
        (entry("task_id", "/".into()), "line 1: task_id has no letter and no digit"),
        (entry("task_id", "x".repeat(65).into()), "line 1: task_id is longer than 64 characters"),
        (entry("entry_point", "other".into()), "line 1: its prompt and solution define no function other"),
        (
            entry("entry_point", "agent".into()),
            "line 1: in an assertion, agent does not mean the agent's function",
        ),
        (entry("entry_point", "os.system".into()), "line 1: the function's name is no Python name"),
        (entry("test", "assert double([1])".into()), "line 1: its test is not one function check(candidate)"),
        (
            entry("test", "def check(a, b): pass".into()),
            "line 1: its test is not one function check(candidate)",
        ),
        (entry("test", "def check(f):\n    assert True".into()), "line 1: its test asserts nothing"),
        (entry("prompt", "x".repeat(2 << 20).into()), "line 1: is longer than 1MiB"),
    ];
    for (line, expected) in cases {
        let found = refusals(Benchmark::HumanEval, &line).join("\n");
        assert!(
            found.starts_with(expected) && found.is_empty() == expected.is_empty(),
            "{found}\n{expected}"
        );
    }
    let twice = format!("{HUMANEVAL}\n# twice\n{}", entry("task_id", "humaneval/2".into()));
    assert_eq!(refusals(Benchmark::HumanEval, &twice), ["line 7: line 3 has the id 2, too"]);
}

#[test]
fn ids_hold_only_what_tasks_may_be_called() {
    let id = |name: &str| drafts(Benchmark::HumanEval, entry("task_id", name.into())).drafts[0].id.clone();
    assert_eq!(id("HumanEval/12"), "12");
    assert_eq!(id("X/../ü.A b"), "x-ue.a_b", "another set's name stays");
    assert_eq!(id("Mine/0"), "mine-0");
    assert_eq!(id("\u{1b}[2J"), "2j");
}

#[test]
fn packed_files_are_unpacked_and_bombs_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let pack = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, packer.finish().unwrap()).unwrap();
        path
    };
    assert_eq!(read(Benchmark::HumanEval, &pack(HUMANEVAL.as_bytes())).unwrap().drafts.len(), 4);
    let error = read(Benchmark::HumanEval, &pack(&vec![b' '; 65 << 20])).unwrap_err();
    assert!(format!("{error:#}").contains("larger than 64MiB"), "{error:#}");
    let error = read(Benchmark::HumanEval, &pack(b"\n\n")).unwrap_err();
    assert!(format!("{error:#}").contains("it is empty"), "{error:#}");
}

#[test]
fn files_that_are_there_stay() {
    let dir = tempfile::tempdir().unwrap();
    let drafts = drafts(Benchmark::HumanEval, HUMANEVAL).drafts;
    let write = |force| write(dir.path(), &drafts[0], force).unwrap();
    assert_eq!(write(false), Wrote::New);
    assert_eq!(write(false), Wrote::Same);
    std::fs::write(dir.path().join("0.yaml"), "mine").unwrap();
    assert_eq!(write(false), Wrote::Kept);
    assert_eq!(std::fs::read_to_string(dir.path().join("0.yaml")).unwrap(), "mine");
    assert_eq!(write(true), Wrote::Replaced);
    std::fs::remove_file(dir.path().join("solutions/0.py")).unwrap();
    assert_eq!(write(false), Wrote::New);
}

/// Reads the file of a draft as a task.
fn reread(draft: &Draft) -> task::Task {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), draft, false).unwrap();
    let mut tasks = task::load(dir.path()).unwrap_or_else(|problems| panic!("{problems}\n{draft:#?}"));
    tasks.pop().unwrap()
}

fn check_reread(draft: &Draft) {
    let task = reread(draft);
    assert_eq!(task.prompt.trim_end(), draft.prompt.trim_end());
    assert_eq!(task.setup.map_or(String::new(), |code| code.text).trim_end(), draft.setup.trim_end());
    for (read, test) in task.tests.iter().zip(&draft.tests) {
        assert_eq!((read.assertion.text.trim_end(), read.public), (test.code.trim_end(), test.public));
    }
    assert_eq!(task.tests.len(), draft.tests.len());
    assert!(task.solution.is_some());
    assert_eq!(task.may_exit, !draft.limits.contains(&limits::no_exit()));
}

#[test]
fn what_is_written_reads_back_the_same() {
    for drafts in [drafts(Benchmark::HumanEval, HUMANEVAL), drafts(Benchmark::Mbpp, MBPP)] {
        drafts.drafts.iter().for_each(check_reread);
        let may_exit = |draft: &Draft| reread(draft).may_exit;
        assert!(!drafts.drafts.iter().any(may_exit), "a sample that ends itself has failed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_text_reads_back_the_same(
        prompt in r#"[ \t\n]{0,3}[-a:#|>'"\\{\[&*!%@` \n\t\u{85}\u{2028}\u{feff}\x7f\x1bé🦀]{0,40}p"#,
        code in r#"[ \n]{0,2}(assert )?x[a:#|>'"\\{\[ \n\té]{0,40}x"#,
        setup in r#"[ \n]{0,2}[a:#|>'"\\ \n\t]{0,20}x?"#,
        public: bool,
    ) {
        let tests = vec![DraftTest { code, public, name: None }];
        let solution = Some(String::new());
        check_reread(&Draft { id: "t".into(), prompt, setup, tests, solution, ..Draft::default() });
    }

    #[test]
    fn any_entry_is_taken_or_refused(test in r#"(def check\(f\):\n)?([ \t]{0,4}(assert|f|\(|"|'''|\\|;|for|#|=|é)[ \n]?){0,30}"#) {
        let drafts = drafts(Benchmark::HumanEval, entry("test", test.into()));
        prop_assert_eq!(drafts.drafts.len() + drafts.refused.len(), 1);
    }
}
