//! Scripts come to what plain Python makes of them: output, exit code, traceback. The oracle is the image's own Python.

mod common;
mod ignorable;

use serde_json::{Value, json};
use std::process::ExitCode;

use common::{LIMITS, Lab, Outcome, messages, task, verdicts};
use ignorable::{plain, with_docker};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            calls_go_as_deep_as_in_plain_python,
            what_an_agent_draws_is_drawn_again,
            an_exit_at_the_top_is_told,
            an_exit_at_the_top_is_an_error_where_the_task_says_so
        ],
        with_docker![scripts_come_to_what_plain_python_makes_of_them],
    ])
}

/// Each is run as `python agent.py`, with a line on stdin.
const SCRIPTS: [(&str, &str); 23] = [
    ("nothing printed", "x = 1\n"),
    ("input", "print(input()[::-1])\n"),
    ("exit code", "import sys\nprint('x')\nsys.exit(7)\n"),
    ("exit text", "import sys\nprint('x')\nsys.exit('goodbye')\n"),
    ("huge exit code", "import sys\nsys.exit(1 << 70)\n"),
    ("negative exit code", "import sys\nsys.exit(-1)\n"),
    ("exception", "def f(n):\n    return 1 / n\n\nprint('x')\nf(0)\n"),
    ("chained", "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error\n"),
    ("interrupt", "print('x')\nraise KeyboardInterrupt\n"),
    ("stdout replaced", "import os, sys\nprint('x')\nsys.stdout = open(os.devnull, 'w')\n"),
    ("unflushed file", "f = open(1, 'w', closefd=False)\nf.write('left in a buffer')\n"),
    ("finalizer", "class A:\n    def __del__(self):\n        print('finalized')\na = A()\n"),
    (
        "finalizer of a name that begins with _",
        "class A:\n    def __del__(self):\n        print(word)\nword = 'still there'\n_a = A()\n",
    ),
    (
        "circle with a finalizer",
        "class A:\n    def __del__(self):\n        print('in a circle')\na = A()\na.a = a\n",
    ),
    ("stdout closed", "import sys\nprint('x')\nsys.stdout.close()\n"),
    ("stdout removed", "import sys\nprint('x')\nsys.stdout = None\n"),
    ("exit handler", "import atexit\natexit.register(print, 'at the end')\nprint('x')\n"),
    (
        "exit handler that raises",
        "import atexit\nclass F:\n    def __repr__(self): return 'F'\n    def __call__(self): 1 / 0\natexit.register(F())\nprint('x')\n",
    ),
    (
        "thread",
        "import threading, time\ndef late():\n    time.sleep(0.1)\n    print('late')\nthreading.Thread(target=late).start()\nprint('x')\n",
    ),
    ("own hook", "import sys\nsys.excepthook = lambda *it: print('hooked', it[0].__name__)\n1 / 0\n"),
    (
        "depth",
        "def depth(n):\n    try:\n        return depth(n + 1)\n    except RecursionError:\n        return n\nprint(depth(1))\n",
    ),
    ("home", "import os\nopen(os.path.join(os.path.expanduser('~'), 'a'), 'w').close()\nprint('written')\n"),
    ("user", "import getpass\nprint(len(getpass.getuser()) > 0)\n"),
];

/// Plain Python's runs of scripts, as a list of stdout, stderr and exit code.
const ORACLE: &str = "
import json, subprocess, sys
told = []
for script in json.load(sys.stdin):
    with open('/tmp/agent.py', 'w') as file:
        file.write(script)
    run = subprocess.run(['python', '-Xutf8', '/tmp/agent.py'], input='a line\\n', capture_output=True, text=True)
    told.append([run.stdout, run.stderr, run.returncode])
print(json.dumps(told))
";

fn oracle(lab: &Lab) -> Vec<Value> {
    let scripts = json!(SCRIPTS.map(|(_, script)| script)).to_string();
    let program = format!("import io, sys\nsys.stdin = io.StringIO({})\n{ORACLE}", json!(scripts));
    let args = ["run", "--rm", "--network=none", "--env=HOME=/tmp", "--env=PYTHONHASHSEED=0"];
    let told = lab.ask(&[&args[..], &[&*common::direct::image(), "python", "-c", &program]].concat());
    serde_json::from_str(&told).expect("a list")
}

fn scripts_come_to_what_plain_python_makes_of_them() {
    let lab = Lab::new();
    let mut faults = Vec::new();
    for ((name, script), wanted) in SCRIPTS.iter().zip(oracle(&lab)) {
        // As text of Python's: JSON's strings and lists of them are the same there.
        let text = format!(
            "prompt: p\ntests:\n  - |\n    left = agent.run(stdin='a line\\n')\n    wanted = {wanted}\n    assert left.stdout == wanted[0]\n    \
             assert left.stderr == wanted[1]\n    assert left.returncode == wanted[2]\n"
        );
        let Outcome::Judged(runs) = lab.run(script.as_bytes(), &task(&text), &LIMITS, 1) else {
            panic!("{name} was refused")
        };
        if verdicts(&runs[0]) != ["passed"] {
            faults.push(format!("{name}: wanted {wanted}, {:?}", messages(&runs[0])));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// As deep as a function that a module calls.
fn calls_go_as_deep_as_in_plain_python() {
    let lab = Lab::new();
    let source = b"def depth(n):\n    try:\n        return depth(n + 1)\n    except RecursionError:\n        return n\nat_import = depth(1)\n";
    let task = task(
        "prompt: p\ntests:\n  - assert at_import == 999\n  - assert depth(1) == 999\n  - assert depth(1) == 999\n",
    );
    let Outcome::Judged(runs) = lab.run(source, &task, &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["passed"; 3], "{:?}", messages(&runs[0]));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The same draws whenever it runs again: nobody is ranked by chance that can't be repeated.
fn what_an_agent_draws_is_drawn_again() {
    let lab = Lab::new();
    let source = b"import random\ndef draw():\n    return [random.random(), random.randrange(10**9)]\n";
    let task = task("prompt: draw\ntests:\n  - assert draw() == ''\n  - assert draw() == ''\n");
    let drawn = |lab: &Lab| {
        let Outcome::Judged(runs) = lab.run(source, &task, &LIMITS, 2) else { panic!("refused") };
        assert_eq!(messages(&runs[0]), messages(&runs[1]));
        messages(&runs[0])
    };
    let first = drawn(&lab);
    assert_eq!(first, drawn(&lab), "in another cell");
    assert_ne!(first[0], first[1], "a run goes on drawing");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The last words of a script that exits must be found where its functions are missed.
fn an_exit_at_the_top_is_told() {
    let lab = Lab::new();
    let task = task("prompt: p\ntests:\n  - assert f() == 1\n");
    let source =
        b"import sys\nif len(sys.argv) != 5:\n    sys.exit('usage: five arguments')\ndef f(): return 1\n";
    let Outcome::Judged(runs) = lab.run(source, &task, &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["error"]);
    assert!(messages(&runs[0]).concat().contains("usage: five arguments"), "{:?}", messages(&runs[0]));
    let told = "the agent has no function f; it ended with exit code 1 when it was imported";
    assert!(messages(&runs[0])[0].contains(told), "{:?}", messages(&runs[0]));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Functions that a sample has defined before it ends itself must not pass where a harness would go no further.
fn an_exit_at_the_top_is_an_error_where_the_task_says_so() {
    let lab = Lab::new();
    let text = "prompt: double(n)\ntests:\n  - assert double(2) == 4\n  - assert double(3) == 6\n";
    let (lenient, strict) = (task(text), task(&format!("{text}may_exit: false\n")));
    for (exit, code) in
        [("raise SystemExit(1)", 1), ("exit()", 0), ("quit()", 0), ("import sys\nsys.exit('bye')", 1)]
    {
        let source = format!("def double(n):\n    return 2 * n\n\n{exit}\n");
        let Outcome::Judged(runs) = lab.run(source.as_bytes(), &lenient, &LIMITS, 1) else {
            panic!("refused")
        };
        assert_eq!(verdicts(&runs[0]), ["passed"; 2], "{exit}");
        let Outcome::Judged(runs) = lab.run(source.as_bytes(), &strict, &LIMITS, 2) else {
            panic!("refused")
        };
        let told = format!("the agent ended with exit code {code} when it was imported");
        for run in &runs {
            assert_eq!(verdicts(run), ["error"; 2], "{exit}");
            assert!(
                messages(run)[..2].iter().all(|message| message.starts_with(&told)),
                "{:?}",
                messages(run)
            );
        }
    }
    let whole = b"def double(n):\n    return 2 * n\n\nif __name__ == '__main__':\n    exit()\n";
    let Outcome::Judged(runs) = lab.run(whole, &strict, &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["passed"; 2]);
    assert_eq!(lab.close(), Vec::<String>::new());
}
