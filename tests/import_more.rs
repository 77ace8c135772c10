//! `agentmill import` of folders, packages and samples, proved in real cells.

#[path = "import/folder.rs"]
mod folder;
#[path = "import/published.rs"]
mod published;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use folder::{Folder, text};

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
        ("sets/two/statement.txt", "Print it again.\n"),
        ("sets/two/sub1/1.in", "1"),
        ("sets/two/sub1/1.out", "1"),
        ("sets/two/sub2/1.in", "2"),
        ("sets/two/sub2/1.out", "2"),
        ("sets/two/sub2/test_it.py", "def test_it(): assert 1"),
    ] {
        folder.write(name, content);
    }
    let (code, out, err) = folder.import("cases", &folder.path("sets"));
    assert_eq!((code, out.contains("4 written")), (1, true), "{out}{err}");
    assert!(err.contains("sum: 3.in has no output"), "{err}");
    assert!(err.contains("Max Of: no prompt.md is there: write what max_of asks for"), "{err}");
    assert!(folder.task("cases/sum").starts_with(
        "prompt: |\n  Print the sum.\ncases:\n  - folder: \"data/sum\"\n    timeout: 10s\ntimeout: 20s\n"
    ));
    for name in ["sub1", "sub2"] {
        let task = folder.task(&format!("cases/two-{name}"));
        assert!(task.starts_with("prompt: |\n  Print it again.\n"), "{task}");
        assert!(err.contains(&format!("{name}: no prompt.md is there: took two/statement.txt")), "{err}");
    }
    let passed_over =
        "2 files: passed over, as no input with its output: none/notes.txt, two/sub2/test_it.py";
    assert!(err.contains(passed_over), "{err}");
    folder.prove(2);
    let none = folder.path("sets/none");
    let (code, _, err) = folder.import("cases", &none);
    let told = "no pair of files such as 1.in with 1.out in it, only notes.txt";
    assert_eq!((code, err.contains(told)), (2, true), "{err}");
    for kind in ["cases", "quixbugs"] {
        let file = none.join("notes.txt");
        let (code, _, err) = folder.import(kind, &file);
        let told = format!("agentmill: can't read {}: it is no folder\n", file.display());
        assert_eq!((code, err), (2, told));
    }
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
        "folder: \"data/adding/sample\"\n    compare: {checker: validators/adding.py}\n    timeout: 2s\n    public: true",
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
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path("d.zip")).unwrap());
    for name in ["problem.yaml", "data/secret/1.in", "data/secret/1.ans", "output_validators/check/check.py"]
    {
        zip.start_file(format!("parts/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(folder.path("parts").join(name)).unwrap()).unwrap();
    }
    let options = zip::write::SimpleFileOptions::default();
    zip.add_symlink("parts/data/secret/2.in", "1.in", options).unwrap();
    zip.finish().unwrap();
    let (code, out, err) = folder.import("kattis", &folder.path("d.zip"));
    assert_eq!((code, out.contains("1 written")), (0, true), "{err}");
    assert!(err.contains("no accepted submission in Python"), "{err}");
    assert!(err.contains("parts/data/secret/2.in: is a symbolic link and left out"), "{err}");
    assert!(folder.task("kattis/parts").contains("prompt:"), "named by its folder, not by the zip");

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
    let (code, _, err) = folder.import("kattis", &folder.path("mistyped"));
    assert_eq!((code, err.contains("No such file")), (2, true), "{err}");
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
    assert!(adding.contains("memory: 65536MiB") && adding.contains("timeout: 10s"), "{adding}");
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

/// An inbox is others': a pipe there would be waited for, and a link read.
#[test]
fn agents_take_the_place_of_pipes_and_links() {
    let folder = Folder::new();
    folder.write("mill/tasks/one.yaml", "prompt: f\ntests: [assert f() == 1]\n");
    let samples = folder.write("m.jsonl", "{\"task_id\": \"one\", \"completion\": \"f = lambda: 1\"}\n");
    let inbox = folder.path("mill/inbox");
    for name in ["m.py", "m-1.py"] {
        assert!(Command::new("mkfifo").arg(inbox.join(name)).status().unwrap().success());
    }
    let import = |more: &[&str]| {
        let mut command = Command::new("timeout");
        command.args(["60", env!("CARGO_BIN_EXE_agentmill"), "-C"]).arg(folder.path("mill"));
        let output = command.args(["import", "samples"]).arg(&samples).args(more).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = import(&[]);
    assert!(code == Some(1) && told.contains("a file is there; --force replaces it"), "{code:?} {told}");
    assert_eq!(import(&["--force"]), (Some(0), String::new()));
    fs::remove_file(inbox.join("m.py")).unwrap();
    let elsewhere = folder.write("elsewhere", "x");
    symlink(&elsewhere, inbox.join("m.py")).unwrap();
    assert_eq!(import(&["--force"]), (Some(0), String::new()));
    assert!(inbox.join("m.py").symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "x");
}
