//! Files of tasks, and of agents, on the real engine: agents read them where they begin, and whatever they try, the next run finds the
//! same.

mod common;
mod testenv;

use std::fs;
use std::path::Path;

use agentmill::model::joined;
use agentmill::task::{self, Task};
use common::{LIMITS, Lab, Outcome, messages, side_by_side, verdicts};
use tempfile::TempDir;
use testenv::{TestEnv, anew, wait_until};

/// A folder of tasks with files beside them, which are there as long as it is.
fn tasks(files: &[(&str, &str)]) -> (TempDir, Vec<Task>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let tasks = load(folder.path());
    (folder, tasks)
}

fn load(folder: &Path) -> Vec<Task> {
    task::load(folder).unwrap_or_else(|problems| panic!("{problems}"))
}

fn told(outcome: Outcome) -> Vec<String> {
    let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
    runs.iter().map(|run| format!("{:?} {:?}", verdicts(run), messages(run))).collect()
}

const READER: &str = r#"
import os
def read(name):
    with open(name) as file:
        return file.read()
def tree(folder="."):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)
if __name__ == "__main__":
    print(os.getcwd(), read("a.txt"))
"#;

/// Which folder a task finds, be the runs made ahead in one cell or one by one, is the task's alone.
#[test]
fn each_task_finds_its_own_files_however_its_runs_are_made() {
    let test = "tests:\n  - assert tree()";
    let (_folder, tasks) = tasks(&[
        (
            "a.yaml",
            &format!(
                "prompt: a\nfiles: one\n{test} == ['a.txt', 'sub/b.txt']\n  - assert read('sub/b.txt') == 'beta'\n"
            ),
        ),
        (
            "b.yaml",
            &format!("prompt: b\nfiles: one\n{test}\n  - assert output.strip() == '/tmp/files alpha'\n"),
        ),
        (
            "c.yaml",
            &format!("prompt: c\nfiles: two\n{test} == ['a.txt']\n  - assert read('a.txt') == 'other'\n"),
        ),
        ("d.yaml", "prompt: d\ntests:\n  - assert tree() == ['agent.py']\n  - assert read('a.txt')\n"),
        ("e.yaml", "prompt: e\nfiles: one\ncases: cases\n"),
        ("one/a.txt", "alpha"),
        ("one/sub/b.txt", "beta"),
        ("two/a.txt", "other"),
        ("cases/1.in", ""),
        ("cases/1.out", "/tmp/files alpha"),
    ]);
    let lab = Lab::new();
    let order: Vec<&Task> = [0, 1, 2, 0, 3, 4, 1, 2, 2].map(|n| &tasks[n]).into();
    let each: Vec<String> =
        order.iter().flat_map(|task| told(lab.run(READER.as_bytes(), task, &LIMITS, 1))).collect();
    let passed =
        |n: usize| each[n].starts_with(r#"["passed", "passed"]"#) || each[n].starts_with(r#"["passed"] "#);
    assert!((0..9).all(|n| n == 4 || passed(n)), "{each:#?}");
    assert!(each[4].starts_with(r#"["passed", "error"]"#), "{}", each[4]);
    for _ in 0..2 {
        assert_eq!(told(lab.run_announced(READER.as_bytes(), &order, &LIMITS)), each);
    }
    assert_eq!(told(lab.run_all(READER.as_bytes(), &order, &LIMITS)), each);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Ways to change, replace, delete or fill. Each may raise an OSError.
const ATTACKS: &[(&str, &str)] = &[
    ("write", "open('a.txt', 'w')"),
    ("append", "open('sub/b.txt', 'a')"),
    ("truncate", "os.truncate('a.txt', 0)"),
    ("change the mode, then write", "os.chmod('a.txt', 0o666); open('a.txt', 'w').write('x')"),
    (
        "change an open file's mode",
        "os.fchmod(os.open('a.txt', os.O_RDONLY), 0o666); open('a.txt', 'w').write('x')",
    ),
    (
        "change the mode by the newest call",
        "libc.syscall(452, -100, b'a.txt', 0o666, 0); open('a.txt', 'w').write('x')",
    ),
    ("open the same file anew", "open(f\"/proc/self/fd/{os.open('a.txt', os.O_RDONLY)}\", 'w').write('x')"),
    ("an access list", "os.setxattr('a.txt', 'system.posix_acl_access', ACL); open('a.txt', 'w').write('x')"),
    ("a shared mapping", "mmap.mmap(os.open('a.txt', os.O_RDONLY), 4, prot=mmap.PROT_WRITE)[:] = b'xxxx'"),
    ("delete", "os.unlink('a.txt')"),
    ("delete all", "shutil.rmtree('/tmp/files')"),
    ("rename", "os.rename('a.txt', 'c.txt')"),
    ("put another in its place", "open('/tmp/x', 'w').write('x'); os.replace('/tmp/x', 'a.txt')"),
    ("put a link in its place", "os.symlink('/tmp/agent.py', '/tmp/l'); os.replace('/tmp/l', 'a.txt')"),
    ("add", "open('new.txt', 'w')"),
    ("add below", "os.mkdir('sub/more')"),
    ("change the folder's mode, then add", "os.chmod('.', 0o777); open('new.txt', 'w')"),
    ("fill", "[open(f'/tmp/{n}', 'wb').write(bytes(1 << 20)) for n in range(99)]"),
    ("fill with names", "[os.close(os.open(f'/tmp/{n}', os.O_CREAT)) for n in range(9999)]"),
    (
        "by a child",
        "subprocess.run([sys.executable, '-c', 'import os; os.chmod(\"a.txt\", 438); os.unlink(\"a.txt\")'])",
    ),
    // What follows succeeds, in this run: the folder itself lies in /tmp. None of it is there for the next run.
    ("set times", "os.utime('a.txt', (1, 1)); os.utime('.', (1, 1))"),
    ("link", "os.link('a.txt', '/tmp/linked')"),
    ("move the folder", "os.rename('/tmp/files', '/tmp/moved')"),
    ("move it away and back", "os.rename('/tmp/files', '/tmp/moved'); os.rename('/tmp/moved', '/tmp/files')"),
    (
        "put another folder in its place",
        "os.rename('/tmp/files', '/tmp/moved'); os.mkdir('/tmp/files'); open('/tmp/files/a.txt', 'w').write('x')",
    ),
    (
        "put a link to a folder in its place",
        "os.rename('/tmp/files', '/tmp/moved'); os.symlink('/dev', '/tmp/files')",
    ),
];

const ATTACKER: &str = r#"
import ctypes, mmap, os, resource, shutil, struct, subprocess, sys
libc = ctypes.CDLL(None)
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *it) for it in [(1, 6, 2**32 - 1), (4, 6, 2**32 - 1), (32, 6, 2**32 - 1)])
def appearance():
    found = []
    for name in ".", "a.txt", "sub", "sub/b.txt":
        it = os.stat(name)
        found.append([oct(it.st_mode & 0o7777), it.st_nlink, int(it.st_atime), int(it.st_mtime)])
    return found
def content():
    return [open("a.txt").read(), open("sub/b.txt").read(), sorted(os.listdir(".")), os.listdir("sub")]
def attack():
    try:
        ATTACK
    except (OSError, ValueError, shutil.Error):
        pass
"#;

const ATTACKED: &str = "
prompt: p
files: data
tests:
  - assert sorted(set(map(tuple, appearance()))) == [('0o444', 1, 4102444800, 315532800), ('0o555', 2, 4102444800, 315532800), ('0o555', 3, 4102444800, 315532800)]
  - assert content() == ['alpha', 'beta', ['a.txt', 'sub'], ['b.txt']]
  - assert attack() is None
  - assert content() == ['alpha', 'beta', ['a.txt', 'sub'], ['b.txt']]
";

/// One after the other in a cell that is kept as long as it is fit: nothing of a run is there for the next.
#[test]
fn no_agent_changes_its_files_for_itself_or_for_a_later_run() {
    let (_folder, tasks) =
        tasks(&[("t.yaml", ATTACKED), ("data/a.txt", "alpha"), ("data/sub/b.txt", "beta")]);
    let lab = Lab::new();
    side_by_side(ATTACKS, |(name, attack)| {
        let agent = ATTACKER.replace("ATTACK\n", &format!("{attack}\n"));
        let runs = [&tasks[0]; 3];
        for outcome in [
            lab.run_announced(agent.as_bytes(), &runs, &LIMITS),
            lab.run_all(agent.as_bytes(), &runs, &LIMITS),
        ] {
            let told = told(outcome);
            assert!(
                told.iter().all(|run| run.starts_with(r#"["passed", "passed", "passed", "passed"]"#)),
                "{name}: {told:#?}"
            );
        }
    });
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The harmless use a copy: it is theirs to change, and one cell serves all their runs.
#[test]
fn a_copy_can_be_changed_and_costs_no_cell() {
    const COPIER: &str = "
import os, shutil
def patched():
    work = shutil.copytree('.', '/tmp/work')
    with open(f'{work}/a.txt', 'a') as file:
        file.write('bet')
    os.chmod(f'{work}/a.txt', 0o600)
    text = open(f'{work}/a.txt').read()
    shutil.rmtree(work)
    return text
";
    let mut env = TestEnv::new().agent("ann", COPIER);
    for id in ["t", "u", "v"] {
        env =
            env.task(id, &format!("prompt: {id}\nfiles: data\ntests:\n  - assert patched() == 'alphabet'\n"));
    }
    env.write("tasks/data/a.txt", "alpha");
    env.write("tasks/data/sub/b.txt", "beta");
    let (_, started) = env.starts(|| env.run());
    assert_eq!(env.score("ann").as_deref(), Some("100"));
    assert_eq!(started.iter().filter(|name| name.contains("-cell-")).count(), 1, "{started:?}");
    env.expect_nothing_left();
}

/// More than /tmp and a frame hold, in files that take several pieces and files that share one; it comes on top of what a
/// run may take.
#[test]
fn large_and_many_files_arrive_whole() {
    const DIGESTER: &str = "
import hashlib, os
def digest():
    total = hashlib.sha256()
    for name in sorted(os.listdir()):
        total.update(open(name, 'rb').read())
    return [len(os.listdir()), total.hexdigest()]
def room():
    with open('/tmp/mine', 'wb') as file:
        return file.write(bytes(SIZE))
";
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let mut all = Vec::new();
    for n in 0..1000_usize {
        let size = [0, 1, 1 << 10, 40_000][n % 4] + if n % 500 == 499 { 20 << 20 } else { 0 };
        let bytes: Vec<u8> = (0..size).map(|place| (place * 31 / 7 + n) as u8).collect();
        fs::write(folder.path().join(format!("data/{n:04}")), &bytes).unwrap();
        all.extend(bytes);
    }
    let digest = agentmill::util::digest::sha256(&all);
    let task = format!(
        "prompt: p\nfiles: data\ntests:\n  - assert digest() == [1000, '{digest}']\n  - assert room() == {}\n",
        LIMITS.tmp
    );
    fs::write(folder.path().join("t.yaml"), task).unwrap();
    let (tasks, lab) = (load(folder.path()), Lab::new());
    let agent = DIGESTER.replace("SIZE", &LIMITS.tmp.to_string());
    let told = told(lab.run(agent.as_bytes(), &tasks[0], &LIMITS, 2));
    assert_eq!(told, vec![r#"["passed", "passed"] [""]"#; 2]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_file_that_has_changed_since_is_nobodys_failure() {
    let task = "prompt: p\nfiles: data\ntests:\n  - assert read('a.txt') == 'alpha'\n";
    let (folder, tasks) = tasks(&[("t.yaml", task), ("data/a.txt", "alpha")]);
    fs::write(folder.path().join("data/a.txt"), "omega").unwrap();
    let lab = Lab::with_workers(1);
    match lab.run(READER.as_bytes(), &tasks[0], &LIMITS, 1) {
        Outcome::TaskFault(fault) => assert!(fault.contains("data/a.txt has changed since"), "{fault}"),
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

const TASK: &str =
    "prompt: p\nfiles: data\nsolution: solutions/t.py\ntests:\n  - assert read('a.txt').startswith('a')\n";

/// Its report tells each evaluation from another.
const MOODY: &str =
    "import os\ndef read(name):\n    return open(name).read().upper() + os.urandom(8).hex()\n";

fn env() -> TestEnv {
    let env = TestEnv::new().task("t", TASK).agent("ann", MOODY);
    env.write("tasks/data/a.txt", "alpha");
    env.write("tasks/solutions/t.py", READER);
    env
}

#[test]
fn a_changed_file_is_seen_and_only_its_tasks_are_run_again() {
    let env = env().task("u", "prompt: p\ntests:\n  - assert read('/tmp/agent.py') == ''\n");
    env.run();
    let before = env.traces();
    env.run();
    assert_eq!(anew(&before, &env.traces()), [""; 0]);
    env.write("tasks/data/a.txt", "aleph");
    env.run();
    assert_eq!(anew(&before, &env.traces()), ["ann t"]);

    let daemon = env.watch();
    env.write("tasks/data/more.txt", "x");
    let known = env.traces();
    wait_until("the added file is seen", || anew(&known, &env.traces()) == ["ann t"]);
    daemon.signal(rustix::process::Signal::TERM);
    daemon.wait().code(143);
    env.expect_nothing_left();
}

#[test]
fn check_proves_solutions_with_the_files_and_says_what_is_wrong_with_them() {
    let env = env();
    env.agentmill(&["check"]).code(0).prints(&["1 reference solution scores 100"]);
    env.write("tasks/data/a.txt", "omega");
    env.agentmill(&["check"]).code(2).complains(&["does not score 100"]);
    env.write("pipeline.yaml", "sandbox: {files: 4B}\n");
    env.agentmill(&["check"])
        .code(2)
        .complains(&["t.yaml:2:8: files: holds 5B, and sandbox.files allows 4B"]);
    env.agentmill(&["run"]).code(2).complains(&["t.yaml:2:8: files: holds 5B, and sandbox.files allows 4B"]);
}

#[test]
fn where_one_file_is_taken_others_are_told_of() {
    let env = TestEnv::new().task("t", "prompt: p\ntests:\n  - assert add(1, 2) == 3\n");
    env.write("inbox/ann/agent.py", "def add(a, b): return a + b\n");
    env.write("inbox/ann/helpers.py", "import numpy\n");
    env.write("inbox/ann/notes.txt", "");
    env.write("inbox/bob/agent.py", "import helpers\n");
    env.write("inbox/bob/helpers.py", "");
    env.run().prints(&["not taken: ann/helpers.py, bob/helpers.py; validate.files: 1 takes agent.py alone"]);
    assert_eq!(env.score("ann").as_deref(), Some("100"));
    let reason = &env.csv("rejected.csv")[0]["reason"];
    assert!(
        reason.ends_with("an agent is one file, and helpers.py lies beside it: put its code into the agent"),
        "{reason}"
    );
}

/// An agent of several files, and the lines of its modules that a traceback tells.
const PARTS: [(&str, &str); 7] = [
    (
        "agent.py",
        r#"
import importlib, inspect, os, sys
import helpers, parts
from loose.deep import leaf
from parts.tree import Tree
def add(a, b):
    return helpers.add(a, b)
def names():
    modules = [helpers, parts, sys.modules["parts.tree"], leaf]
    return [(m.__name__, m.__file__, m.__package__) for m in modules] + [list(sys.modules["loose"].__path__)]
def source():
    return inspect.getsource(helpers.add)
def below():
    return sorted(os.path.relpath(os.path.join(at, name), "/tmp") for at, _, names in os.walk("/tmp") for name in names)
def spoil():
    for path in helpers.__file__, sys.modules["parts.tree"].__file__:
        open(path, "w").write("def add(a, b): return 0\nraise SystemExit\n")
    return importlib.reload(helpers).add(1, 1), importlib.reload(sys.modules["parts.tree"]).Tree().size()
if __name__ == "__main__":
    import agent
    print(agent.add(int(input()), 1), agent is sys.modules[__name__], helpers.KEPT)
    helpers.fail()
"#,
    ),
    ("empty.py", ""),
    ("helpers.py", "KEPT = []\ndef add(a, b):\n    return a + b\ndef fail():\n    raise ValueError('no')\n"),
    ("loose/deep/leaf.py", "from loose import twig\nleaf = twig.name\n"),
    ("loose/twig.py", "name = 'twig'\n"),
    ("parts/__init__.py", "from . import tree\n"),
    (
        "parts/tree.py",
        "from helpers import add\nclass Tree:\n    def size(self):\n        return add(1, 2)\n",
    ),
];

fn joined_of(files: &[(&str, &str)]) -> Vec<u8> {
    joined::join(files.iter().map(|(path, text)| (*path, text.as_bytes())))
}

/// As `python agent.py` in a folder of these files would have it, and whatever is done to them, the next run finds the same.
#[test]
fn an_agents_own_modules_are_imported_as_from_its_folder() {
    let (_folder, tasks) = tasks(&[(
        "t.yaml",
        r#"
prompt: p
tests:
  - assert add(1, 2) == 3
  - assert Tree().size() == 3 and leaf.leaf == 'twig'
  - assert source() == 'def add(a, b):\n    return a + b\n'
  - assert below() == ['agent.py', 'empty.py', 'helpers.py', 'loose/deep/leaf.py', 'loose/twig.py', 'parts/__init__.py', 'parts/tree.py']
  - |
    assert names() == [
        ('helpers', '/tmp/helpers.py', ''), ('parts', '/tmp/parts/__init__.py', 'parts'),
        ('parts.tree', '/tmp/parts/tree.py', 'parts'), ('loose.deep.leaf', '/tmp/loose/deep/leaf.py', 'loose.deep'), ['/tmp/loose'],
    ]
  - |
    ran = agent.run(stdin='4')
    assert ran.stdout == '5 False []\n' and ran.returncode == 1
    assert ran.stderr.endswith("""
      File "/tmp/helpers.py", line 5, in fail
        raise ValueError('no')
    ValueError: no
    """)
  - assert spoil() == (2, 3)
"#,
    )]);
    let (lab, source) = (Lab::new(), joined_of(&PARTS));
    let before = lab.started("cell");
    let all = told(lab.run(&source, &tasks[0], &LIMITS, 3));
    assert!(all.iter().all(|run| run.matches("\"passed\"").count() == 7), "{all:#?}");
    assert_eq!(told(lab.run_announced(&source, &[&tasks[0]; 3], &LIMITS)), all);
    assert!(lab.started("cell") - before < 6, "the folders that are made for modules do not spend a cell");
    let broken = [("agent.py", "import helpers\n"), ("helpers.py", "x = 1\nx = = 2\n")];
    match lab.run(&joined_of(&broken), &tasks[0], &LIMITS, 1) {
        Outcome::Refused(message) => assert_eq!(message, "helpers.py, line 2: invalid syntax"),
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_folder_is_one_submission_of_all_its_modules() {
    let task = "prompt: p\ntests:\n  - assert add(1, 2) == 3\n";
    let env = TestEnv::new().task("t", task).pipeline("validate: {files: 9}\n");
    let put =
        |folder: &str| PARTS.iter().for_each(|(path, text)| env.write(&format!("{folder}/{path}"), text));
    put("inbox/ann");
    put("mine");
    let source = joined_of(&PARTS);
    let sha256 = agentmill::util::digest::sha256(&source);
    env.write("inbox/dan/agent.py", "import helpers\n");
    env.write("inbox/dan/helpers.py", "x = 1\nimport numpy\n");
    env.write("inbox/eve/agent.py", "import helpers\n");
    env.write("inbox/eve/notes.txt", "");
    env.run();
    assert_eq!(env.rankings()["ann"]["sha256"], sha256);
    assert_eq!(env.score("ann").as_deref(), Some("100"));
    assert_eq!(fs::read(env.path(&format!("results/submissions/{sha256}.py"))).unwrap(), source);
    let reasons: Vec<String> = env.csv("rejected.csv").iter().map(|line| line["reason"].clone()).collect();
    assert!(reasons[0].starts_with("helpers.py, line 2: imports numpy"), "{reasons:?}");
    assert!(reasons[1].starts_with("has notes.txt beside it, which is no Python file"), "{reasons:?}");

    let mine = env.path("mine").display().to_string();
    env.agentmill(&["check", &mine]).code(0);
    env.agentmill(&["submit", &mine, "--miner", "bob"]).code(0).prints(&[&sha256]);
    assert_eq!(fs::read(env.path("inbox/bob.py")).unwrap(), source);
    let conflict = env.agentmill(&["submit", &mine, "--miner", "ann"]).code(2);
    conflict.complains(&["ann/empty.py in the inbox would become a part of ann/agent.py"]);
    // A change of one module is another submission, and the same files in one are the same.
    fs::write(env.path("inbox/cat.py"), &source).unwrap();
    env.write("inbox/ann/parts/tree.py", "from helpers import add\nclass Tree: pass\n");
    env.run();
    assert_ne!(env.rankings()["ann"]["sha256"], sha256);
    assert_eq!(env.rankings()["cat"]["duplicate_of"], "ann");
    env.expect_nothing_left();
}
