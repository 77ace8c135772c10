//! `agentmill import` of published benchmarks and of samples.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::folder::{Folder, text};

/// Replaces the solution of an imported task, which then must not score 100 for this reason.
fn refute(folder: &Folder, solution: &str, text: &str, reason: &str) {
    folder.write(&format!("mill/tasks/{solution}"), text);
    let output = folder.agentmill(&["check"]);
    let told = text_of(&output);
    assert!(!output.status.success() && told.contains(reason), "{told}");
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn nothing_is_near_to_what_is_not_finite() {
    let folder = Folder::new();
    for (name, content) in [
        ("far/problem.yaml", "name: Far\nvalidator_flags: float_tolerance 1e-6\nlimits: {output: 1}\n"),
        ("far/statement/problem.md", "Go far.\n"),
        ("far/data/secret/1.in", "\n"),
        ("far/data/secret/1.ans", "inf 1.0\n"),
        ("far/submissions/accepted/far.py", "print('Infinity', 1.0000001)\n"),
    ] {
        folder.write(name, content);
    }
    assert_eq!(folder.import("kattis", &folder.path("far")).0, 0);
    folder.prove(1);
    refute(&folder, "kattis/solutions/far.py", "print(5, 1)\n", "expected 'inf', got '5'");
    fs::remove_dir_all(folder.path("mill/tasks")).unwrap();
    let line = plus("HumanEval/1", "far", "    return [float(given[0]), 1.0]\n", json!([["inf"]]), json!([]));
    assert_eq!(folder.import("evalplus", &folder.write("plus.jsonl", line)).0, 0);
    folder.prove(1);
    let near = "def far(given):\n    return [5.0, 1.0]\n";
    refute(&folder, "evalplus/solutions/humaneval-1.py", near, "not [5.0, 1.0]");
}

/// An entry as EvalPlus publishes it.
fn plus(id: &str, name: &str, code: &str, base: Value, plus: Value) -> String {
    let entry = json!({
        "task_id": id, "prompt": format!("def {name}(*given):\n    \"\"\"Do it.\"\"\"\n"), "entry_point": name,
        "canonical_solution": code, "contract": "", "base_input": base, "plus_input": plus, "atol": 0,
    });
    format!("{entry}\n")
}

#[test]
fn evalplus_is_judged_by_its_references() {
    let folder = Folder::new();
    let many: Vec<Value> = (0..150).map(|number| json!([[number, 0.5]])).collect();
    let lines = plus("HumanEval/1", "total", "    return sum(given[0])\n", json!([[[1, 2]]]), json!(many))
        + &plus(
            "Mbpp/2",
            "similar_elements",
            "    return tuple(set(given[0]) & set(given[1]))\n",
            json!([[[1], [1]]]),
            json!({}),
        )
        + &plus(
            "Mbpp/106",
            "join",
            "    return given[1] + tuple(given[0])\n",
            json!([[[1], [2]]]),
            json!([[[], [1]]]),
        )
        + &plus("Mbpp/599", "once", "    return given[0]\n", json!([[1]]), json!({}))
        + &plus("Mbpp/255", "twice", "    return given[0] * 2\n", json!([[1]]), json!([["x"]]))
            .replace("\"x\"", "-Infinity")
        + &plus("Mbpp/4", "twice", "    return given[0] * 2\n", json!([[1]]), json!([["x"]]))
            .replace("\"x\"", "NaN");
    let (code, out, err) = folder.import("evalplus", &folder.write("plus.jsonl", lines));
    assert_eq!((code, out.contains("5 written")), (1, true), "{err}");
    assert!(folder.task("evalplus/mbpp-599").contains("\ntimeout: 2m\n"));
    assert!(folder.task("evalplus/mbpp-255").contains("\nvalue: 16MiB\n"));
    assert!(err.contains("line 6: an input holds NaN, which equals nothing"), "{err}");
    let task = folder.task("evalplus/humaneval-1");
    for name in ["name: \"base\"", "name: \"plus 1-20\"", "name: \"plus 141-150\""] {
        assert!(task.contains(name), "{task}");
    }
    folder.prove(5);
}

#[test]
fn livecodebench_has_functions_and_programs() {
    let folder = Folder::new();
    let case =
        |input: &str, output: &str, kind: &str| json!({"input": input, "output": output, "testtype": kind});
    let hidden = json!([case("3\n4", "7", "stdin")]).to_string();
    // One text as Python pickles it, packed as it is published.
    let length = u32::try_from(hidden.len()).unwrap().to_le_bytes();
    let pickle = [b"\x80\x04\x95\0\0\0\0\0\0\0\0X", &length[..], hidden.as_bytes(), b"\x94."].concat();
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&pickle).unwrap();
    let packed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, packer.finish().unwrap());
    let entry = |id: &str, starter: &str, public: Value, hidden: &str, metadata: &str| {
        let entry = json!({
            "question_id": id, "question_title": "T", "question_content": "C", "platform": "x", "starter_code": starter,
            "public_test_cases": public.to_string(), "private_test_cases": hidden, "metadata": metadata,
        });
        format!("{entry}\n")
    };
    let lines = entry("abc_a", "", json!([case("1\n2", "3\n", "stdin")]), &packed, "{}")
        + &entry(
            "two-sum",
            "class Solution:\n    def twoSum(self, nums, target):\n        ",
            json!([case("[2,7]\n9", "[0,1]", "functional")]),
            "[]",
            "{\"func_name\": \"twoSum\"}",
        )
        + &entry("bad", "", json!([case("1", "1", "stdin")]), "bm8=", "{}");
    let (code, out, err) = folder.import("livecodebench", &folder.write("lcb.jsonl", lines));
    assert_eq!((code, out.contains("2 written")), (1, true), "{err}");
    assert!(err.contains("line 3: its hidden tests can't be unpacked"), "{err}");
    assert_eq!(
        fs::read_to_string(folder.path("mill/tasks/livecodebench/data/abc_a/secret/1.in")).unwrap(),
        "3\n4"
    );
    let task = folder.task("livecodebench/two-sum");
    let assertion =
        "assert listed(Solution().twoSum(json.loads(\"[2,7]\"), json.loads(\"9\"))) == json.loads(\"[0,1]\")";
    assert!(task.contains(assertion) && task.contains("public: true"), "{task}");
    // Samples as its own evaluator takes them: to the starter code, without imports, and numbers by value.
    let two = "class Solution:\n    def twoSum(self, nums: List[int], target) -> List[int]:\n        return [0, 1] if floor(2.5) == 2 else nums\n";
    let samples = json!([
        {"question_id": "two-sum", "code_list": [two, "raise SystemExit(1)"]},
        {"question_id": "abc_a", "code_list": ["print(float(int(input()) + int(input())))", "print(' 8 ')"]},
    ]);
    let (code, _, err) = folder.import("samples", &folder.write("able.json", samples.to_string()));
    assert_eq!(code, 0, "{err}");
    let file = folder.path("able.json").to_str().unwrap().to_owned();
    let output = folder.agentmill(&["bench-model", "--file", &file, "--json"]);
    let (code, out, err) = (output.status.code(), text(&output.stdout), text(&output.stderr));
    let rows: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!(
        (code, &rows[0]["pass_at_1"], &rows[0]["samples"]),
        (Some(0), &50.0.into(), &4.into()),
        "{err}{out}"
    );
    let failure = |task: usize| rows[0]["by_task"][task]["first_failure"].to_string();
    assert!(failure(0).contains("line 1: expected '3', got '8'"), "{}", failure(0));
    assert!(failure(1).contains("ended with exit code 1"), "{}", failure(1));
}

#[test]
fn quixbugs_is_read_as_its_repository_lies() {
    let folder = Folder::new();
    let pytest = |name: &str| {
        format!(
            "import pytest\n\nif pytest.use_correct:\n    from a import {name}\nelse:\n    from b import {name}\n\n\n"
        )
    };
    let cases = format!(
        "{}testdata = load_json_testcases(third.__name__)\n\n\n@pytest.mark.parametrize(\"input_data,expected\", testdata)\n\
         def test_third(input_data, expected):\n    if input_data == [\n        9,\n    ]:\n        pytest.skip(\"slow\")\n\n    \
         assert third(*input_data) == pytest.approx(expected, abs=0.1)\n",
        pytest("third")
    );
    let plain = format!(
        "{}limit = 3\n\n\ndef test1():\n    \"\"\"One.\"\"\"\n    values = [1, 2]\n    assert first(values) < limit\n\n\n\
         def test2():\n    assert first([2]) == 2\n",
        pytest("first")
    );
    for (name, content) in [
        ("bugs/python_testcases/test_third.py", cases.as_str()),
        ("bugs/json_testcases/third.json", "[[3], 1.05]\n[[9], 3]\n[[6], 2.0]\n"),
        ("bugs/python_programs/third.py", "def third(n):\n    return n / 2\n"),
        ("bugs/correct_python_programs/third.py", "def third(n):\n    return n / 3\n"),
        ("bugs/python_testcases/test_first.py", &plain),
        ("bugs/python_programs/first.py", "def first(values):\n    return values[1]\n"),
        ("bugs/correct_python_programs/first.py", "def first(values):\n    return values[0]\n"),
        ("bugs/python_testcases/test_lost.py", "def test1():\n    assert lost()\n"),
    ] {
        folder.write(name, content);
    }
    let (code, out, err) = folder.import("quixbugs", &folder.path("bugs"));
    assert_eq!((code, out.contains("2 written")), (1, true), "{err}");
    assert!(err.contains("third: left out 1 case that its test skips as too slow"), "{err}");
    assert!(err.contains("lost: can't read python_programs/lost.py"), "{err}");
    let third = folder.task("quixbugs/third");
    assert!(
        third.contains("assert abs(third(*input_data) - expected) <= 0.1") && !third.contains("pytest"),
        "{third}"
    );
    folder.prove(2);
}

#[test]
fn samples_become_agents_in_which_nothing_clashes() {
    let folder = Folder::new();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/humaneval.jsonl");
    folder.import("humaneval", Path::new(samples));
    let entries = fs::read_to_string(samples).unwrap();
    let mut lines = String::new();
    for entry in entries.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        // Every sample brings a helper of the same name, and the second samples do nothing.
        let helper = format!("\n\ndef helper():\n    return {:?}\n", entry["task_id"].as_str().unwrap());
        let completion = entry["canonical_solution"].as_str().unwrap().trim_end().to_owned() + &helper;
        lines += &format!("{}\n", json!({"task_id": entry["task_id"], "completion": completion}));
        lines += &format!("{}\n", json!({"task_id": entry["task_id"], "completion": "    pass\n"}));
    }
    lines += "{\"task_id\": \"HumanEval/999\", \"completion\": \"    pass\"}\n";
    let file = folder.write("Model-4.jsonl", lines);
    folder.write("mill/tasks/own.yaml", "prompt: f()\ntests: [\"assert f() == 1\"]\n");
    let (code, out, err) = folder.import("samples", &file);
    assert_eq!(
        (code, out.contains("8 samples in 2 agents"), out.contains("model-4-1, model-4-2")),
        (1, true, true),
        "{out}"
    );
    assert!(err.contains("no task is made of \"HumanEval/999\"; import its benchmark first"), "{err}");
    assert!(
        err.contains("Model-4.jsonl: fewer than 2 samples for 1 of 5 tasks: what is not there counts as 0"),
        "{err}"
    );
    assert_eq!(folder.import("samples", &file).0, 1, "the agents are there and stay");
    let line =
        |text: &str| format!("{{\"task_id\": \"HumanEval/0\", \"completion\": \"    return {text}\\n\"}}\n");
    let [other, third] =
        [("a/other.jsonl", "1"), ("b/third.jsonl", "2")].map(|(name, text)| folder.write(name, line(text)));
    let several = |files: &[&Path]| {
        let files = files.iter().map(|file| file.to_str().unwrap());
        folder.agentmill(&["import", "samples"].into_iter().chain(files).collect::<Vec<_>>())
    };
    let both = several(&[&other, &third]);
    let told = text(&both.stdout);
    assert!(
        told.contains("1 sample in 1 agent") && told.contains(": other") && told.contains(": third"),
        "{told}"
    );
    // Fewer samples than before leave agents of before.
    let both = line("1") + &line("2");
    let fewer = folder.write("a/other.jsonl", both);
    folder.agentmill(&["import", "samples", fewer.to_str().unwrap()]);
    folder.write("a/other.jsonl", line("1"));
    let again = folder.agentmill(&["import", "samples", fewer.to_str().unwrap(), "--force"]);
    let stale = "other-1.py, other-2.py in ";
    assert!(text(&again.stderr).contains(stale), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("made by a file of this name before still count"));
    for miner in ["other-1", "other-2"] {
        fs::remove_file(folder.path(&format!("mill/inbox/{miner}.py"))).unwrap();
    }
    let same = several(&[&other, &folder.write("b/other.jsonl", line("3"))]);
    assert_eq!(same.status.code(), Some(2));
    assert!(text(&same.stderr).contains("would make the same agent other"), "{}", text(&same.stderr));
    for miner in ["other", "third"] {
        fs::remove_file(folder.path(&format!("mill/inbox/{miner}.py"))).unwrap();
    }
    assert_eq!(folder.agentmill(&["run"]).status.code(), Some(0));
    let scores = fs::read_to_string(folder.path("mill/results/scores.csv")).unwrap();
    let of = |miner: &str| -> Vec<&str> {
        let lines = scores.lines().filter(|line| line.starts_with(&format!("{miner},all,humaneval")));
        lines.map(|line| line.split(',').nth(3).unwrap()).collect()
    };
    assert_eq!(of("model-4-1"), ["100"; 4], "{scores}");
    assert_eq!(of("model-4-2"), ["0"; 4], "{scores}");
}
