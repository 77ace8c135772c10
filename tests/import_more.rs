//! `agentmill import` of folders, packages and samples, proved in real cells.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A folder made by `init`, without the task that comes with it, and a place for what is imported.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        assert!(folder.agentmill(&["init", folder.path("mill").to_str().unwrap()]).status.success());
        fs::remove_dir_all(folder.path("mill/tasks")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn agentmill(&self, args: &[&str]) -> Output {
        let command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        { command }.arg("-C").arg(self.path("mill")).args(args).output().unwrap()
    }

    /// The exit code, what was printed, and what was told.
    fn import(&self, kind: &str, place: &Path) -> (i32, String, String) {
        let output = self.agentmill(&["import", kind, place.to_str().unwrap()]);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    fn task(&self, id: &str) -> String {
        fs::read_to_string(self.path(&format!("mill/tasks/{id}.yaml"))).unwrap()
    }

    fn prove(&self, solutions: usize) {
        let output = self.agentmill(&["check"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let expected = format!(", {solutions} reference solution");
        assert!(text(&output.stdout).contains(&expected), "{}", text(&output.stdout));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn folders_of_pairs_become_tasks() {
    let folder = Folder::new();
    for (name, content) in [
        ("sets/sum/1.in", "1 2"),
        ("sets/sum/1.out", "3"),
        ("sets/sum/2.in", "5"),
        ("sets/sum/2.ans", "5"),
        ("sets/sum/3.in", "alone"),
        ("sets/sum/prompt.md", "Print the sum.\n"),
        ("sets/sum/solution.py", "print(sum(map(int, input().split())))\n"),
        ("sets/Max Of/input01.txt", "1 2"),
        ("sets/Max Of/output01.txt", "2"),
        ("sets/Max Of/7", "3 9 1"),
        ("sets/Max Of/7.a", "9"),
        ("sets/Max Of/solution.py", "print(max(map(int, input().split())))\n"),
        ("sets/none/notes.txt", "nothing"),
    ] {
        folder.write(name, content);
    }
    let (code, out, err) = folder.import("cases", &folder.path("sets"));
    assert_eq!((code, out.contains("2 written")), (1, true), "{out}{err}");
    assert!(err.contains("sum: 3.in has no output"), "{err}");
    assert!(err.contains("Max Of: no prompt.md is there: write what max_of asks for"), "{err}");
    assert!(
        folder
            .task("cases/sum")
            .starts_with("prompt: |\n  Print the sum.\ncases:\n  - folder: \"data/sum\"\n")
    );
    folder.prove(2);
    let (code, _, err) = folder.import("cases", &folder.path("sets/none"));
    assert_eq!((code, err.contains("no pair of files such as 1.in with 1.out in it")), (2, true), "{err}");
}

const ADD: &str = "a, b = map(int, input().split())\nprint('SUM', a + b)\n";

/// Three problems: words whatever their case, a validator, and a dialogue.
fn packages(folder: &Folder) {
    for (name, content) in [
        ("adding/problem.yaml", "name: Adding\nlimits: {time_limit: 2, memory: 128}\n"),
        ("adding/problem_statement/problem.en.tex", "Add \\emph{two} numbers.\n"),
        ("adding/data/sample/1.in", "1 2\n"),
        ("adding/data/sample/1.ans", "Sum 3\n"),
        ("adding/data/secret/big/1.in", "100 200\n"),
        ("adding/data/secret/big/1.ans", "sum 300\n"),
        ("adding/submissions/accepted/add.py", ADD),
        ("parts/problem.yaml", "name: Parts\nvalidation: custom\nvalidator_flags: 2\nlimits: {output: 1}\n"),
        ("parts/statement/problem.md", "Print two numbers of that sum.\n"),
        ("parts/data/secret/1.in", "7\n"),
        ("parts/data/secret/1.ans", "\n"),
        (
            "parts/output_validators/check/check.py",
            "import sys\n\nwords = sys.stdin.read().split()\ntotal = int(open(sys.argv[1]).read())\n\
             right = len(words) == int(sys.argv[4]) and sum(map(int, words)) == total\nsys.exit(42 if right else 43)\n",
        ),
        ("parts/submissions/accepted/parts.py", "n = int(input())\nprint(n - 1, 1)\n"),
        ("guess/problem.yaml", "name: Guess\nvalidation: custom interactive\nlimits: {output: 1}\n"),
        ("guess/statement/problem.md", "Guess.\n"),
        ("guess/data/secret/1.in", "9\n"),
        ("guess/data/secret/1.ans", "\n"),
        (
            "guess/output_validators/talk.py",
            "import sys\n\nsecret = int(open(sys.argv[1]).read())\nfor _ in range(10):\n    guess = int(input())\n    \
             print('right' if guess == secret else 'wrong')\n    if guess == secret:\n        sys.exit(42)\nsys.exit(43)\n",
        ),
        (
            "guess/submissions/accepted/guess.py",
            "for n in range(10):\n    print(n, flush=True)\n    if input() == 'right':\n        break\n",
        ),
    ] {
        folder.write(name, content);
    }
}

#[test]
fn packages_become_tasks_and_their_submissions_prove_them() {
    let folder = Folder::new();
    packages(&folder);
    for name in ["adding", "parts", "guess"] {
        let (code, out, err) = folder.import("kattis", &folder.path(name));
        assert_eq!((code, out.contains("1 written")), (0, true), "{name}: {err}");
    }
    let adding = folder.task("kattis/adding");
    for part in [
        "Add \\emph{two} numbers.",
        "folder: \"data/adding/sample\"\n    compare: {checker: validators/adding.py}\n    timeout: 2000ms\n    public: true",
        "folder: \"data/adding/secret-big\"",
        "memory: 128MiB",
        "output: 7MiB",
    ] {
        assert!(adding.contains(part), "{part}\n{adding}");
    }
    assert!(folder.task("kattis/guess").contains("interactor: validators/guess.py"));
    folder.prove(3);
}

#[test]
fn a_zip_is_a_package_and_what_can_not_be_said_is_refused_with_its_reason() {
    let folder = Folder::new();
    packages(&folder);
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path("parts.zip")).unwrap());
    for name in ["problem.yaml", "data/secret/1.in", "data/secret/1.ans", "output_validators/check/check.py"]
    {
        zip.start_file(format!("parts/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(folder.path("parts").join(name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let (code, out, err) = folder.import("kattis", &folder.path("parts.zip"));
    assert_eq!((code, out.contains("1 written")), (0, true), "{err}");
    assert!(err.contains("no accepted submission in Python"), "{err}");

    folder.write("parts/output_validators/check/more.cpp", "int main() {}");
    folder.write("guess/problem.yaml", "type: scoring\n");
    fs::remove_dir_all(folder.path("adding/data")).unwrap();
    for (name, reason) in [
        ("parts", "parts: its output validator is not one Python file but check.py, more.cpp"),
        ("guess", "guess: it is scored by points of test groups"),
        ("adding", "adding: it has no data/sample and no data/secret with files"),
    ] {
        let (code, _, err) = folder.import("kattis", &folder.path(name));
        let found = err.replace("check.py", "@").replace("more.cpp", "@");
        let wanted = reason.replace("check.py", "@").replace("more.cpp", "@");
        assert_eq!((code, found.contains(&wanted)), (1, true), "{err}");
    }
    let (code, _, err) = folder.import("kattis", &folder.path("mill"));
    assert_eq!((code, err.contains("there is no problem.yaml in it")), (2, true), "{err}");
}

#[test]
fn odd_limits_of_a_package_are_bounded_and_deep_nesting_is_refused() {
    let folder = Folder::new();
    packages(&folder);
    folder.write("adding/problem.yaml", "limits: {memory: 1e300, time_limit: .nan, output: .inf}\n");
    folder.write("adding/.timelimit", "nan\n");
    let (code, _, err) = folder.import("kattis", &folder.path("adding"));
    assert_eq!(code, 0, "{err}");
    let adding = folder.task("kattis/adding");
    assert!(adding.contains("memory: 65536MiB") && adding.contains("timeout: 10000ms"), "{adding}");
    folder.write("parts/problem.yaml", format!("limits: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    let (code, _, err) = folder.import("kattis", &folder.path("parts"));
    assert_eq!((code, err.contains("problem.yaml:1") && err.contains("deep")), (1, true), "{err}");
}

#[test]
fn a_zip_of_too_many_entries_or_of_one_twice_is_no_package() {
    let folder = Folder::new();
    let zip = |names: &mut dyn Iterator<Item = String>| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let many = zip(&mut (0..50_001).map(|number| format!("p/{number}")));
    let (code, _, err) = folder.import("kattis", &folder.write("many.zip", many));
    assert_eq!((code, err.contains("50001 entries, of at most 50000")), (2, true), "{err}");
    let twice = zip(&mut ["p/problem.yaml", "p/./problem.yaml"].map(str::to_owned).into_iter());
    let (code, _, err) = folder.import("kattis", &folder.write("twice.zip", twice));
    assert_eq!((code, err.contains("p/problem.yaml is in it twice")), (2, true), "{err}");
}

#[test]
fn only_files_of_the_folder_itself_are_read() {
    let folder = Folder::new();
    let secret = folder.write("secret.txt", "of somebody else\n");
    packages(&folder);
    folder.write("sets/sum/1.in", "1 2");
    folder.write("bugs/python_testcases/test_first.py", "");
    type Put<'a> = &'a dyn Fn(&Path);
    let link = |to: &Path| std::os::unix::fs::symlink(to, folder.path("odd")).unwrap();
    let odd: [(Put<'_>, &str); 4] = [
        (&|_| link(&secret), "leads out of the folder"),
        (&|_| link(Path::new("/nowhere")), "leads nowhere"),
        (&|place| link(place.parent().unwrap()), "is a link to a folder"),
        (
            &|_| {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let fifo = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, folder.path("odd"), fifo, mode, 0).unwrap();
            },
            "is neither a file nor a folder",
        ),
    ];
    for (kind, name, root) in [
        ("cases", "sets/sum/1.out", "sets"),
        ("kattis", "parts/data/secret/2.ans", "parts"),
        ("quixbugs", "bugs/python_programs/first.py", "bugs"),
    ] {
        let place = folder.path(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        for (put, reason) in odd {
            put(&place);
            fs::rename(folder.path("odd"), &place).unwrap();
            let (code, _, err) = folder.import(kind, &folder.path(root));
            let told = format!("{} {reason}", place.display());
            assert_eq!((code, err.contains(&told)), (2, true), "{told}\n{err}");
            fs::remove_file(&place).unwrap();
        }
    }
    std::os::unix::fs::symlink("1.in", folder.path("sets/sum/1.out")).unwrap();
    assert_eq!(folder.import("cases", &folder.path("sets")).0, 0, "a link inside of it is fine");
}

#[test]
fn two_of_one_name_are_told_and_none_replaces_the_other() {
    let folder = Folder::new();
    for (name, content) in [
        ("sets/Max Of/1.in", "1"),
        ("sets/Max Of/1.out", "1"),
        ("sets/max_of/1.in", "2"),
        ("sets/max_of/1.out", "2"),
        ("sets/twice/1.in", "1"),
        ("sets/twice/1.out", "1"),
        ("sets/twice/input1.txt", "2"),
        ("sets/twice/output1.txt", "2"),
    ] {
        folder.write(name, content);
    }
    let (code, out, err) = folder.import("cases", &folder.path("sets"));
    assert_eq!((code, out.contains("1 written")), (1, true), "{out}{err}");
    assert!(err.contains("max_of: Max Of has the id max_of, too"), "{err}");
    for part in ["sets/twice/1.in and ", "sets/twice/input1.txt would both become data/twice/1.in"] {
        assert!(err.contains(part), "{err}");
    }

    packages(&folder);
    for name in ["parts/data/secret/a-b/1", "parts/data/secret/a/b/1"] {
        folder.write(&format!("{name}.in"), "7\n");
        folder.write(&format!("{name}.ans"), "\n");
    }
    let (code, _, err) = folder.import("kattis", &folder.path("parts"));
    assert_eq!(code, 1, "{err}");
    for part in ["data/secret/a/b/1.ans and ", "a-b/1.ans would both become data/parts/secret-a-b/1.ans"] {
        assert!(err.contains(part), "{err}");
    }
}

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
