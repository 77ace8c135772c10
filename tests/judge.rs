//! Judges on the real engine: whose fault it is when judging a test takes too much, and what each of the others gets.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Judge;
use agentmill::model::report::Scored;
use agentmill::sandbox::{Checked, Sandbox};
use common::{LIMITS, Lab, Outcome, messages, task, verdicts};

const TIGHT: Judge = Judge { time: Duration::from_secs(1), memory: 128 << 20 };

fn run(lab: &Lab, agent: &str, text: &str) -> Scored {
    match lab.run(agent.as_bytes(), &task(text), &LIMITS, 1) {
        Outcome::Judged(mut runs) => runs.remove(0),
        outcome => panic!("{outcome:?}"),
    }
}

fn fault(lab: &Lab, agent: &str, text: &str) -> String {
    match lab.run(agent.as_bytes(), &task(text), &LIMITS, 1) {
        Outcome::TaskFault(fault) => fault,
        outcome => panic!("{text}: {outcome:?}"),
    }
}

/// A test that an agent's value breaks, between two that it does not touch.
fn broken(test: &str) -> String {
    format!("prompt: p\ntests:\n  - assert one() == 1\n  - {test:?}\n  - assert one() == 1\n")
}

const ONE: &str = "def one(*_):\n    return 1\n";

/// An agent's returned value, the test that looks at it, and the test's verdict.
const VALUES: [(&str, &str, &str); 8] = [
    ("def count(): return 1 << 62", "assert sum(1 for _ in range(count())) == 3", "timeout"),
    ("def f(n): return 1 << 60000", "assert f(2) == 2, f(2)", "failed"),
    ("def f(n): return [1 << 60000] * 3", "assert f(2) == 2", "failed"),
    ("def part(n): return 'x' * 1000000", "assert merge(*[part(i) for i in range(10)]) == 1", "failed"),
    (
        "def part(n): return 'x' * 1000000",
        "assert agent.run(*[part(i) for i in range(10)]).stdout == 1",
        "failed",
    ),
    ("def size(): return 10**8", "assert len([0] * size()) == 1", "out_of_memory"),
    ("def size(): return 10**15", "assert len([0] * size()) == 1", "out_of_memory"),
    ("def wait(): return 1000", "import time; assert time.sleep(wait()) is None", "timeout"),
];

#[test]
fn what_an_agents_value_breaks_is_the_agents_and_only_in_that_test() {
    let lab = Lab::with_judge(1, TIGHT);
    for (agent, test, verdict) in VALUES {
        let start = Instant::now();
        let run = run(&lab, &format!("{ONE}{agent}\n"), &broken(test));
        assert_eq!(verdicts(&run), ["passed", verdict, "passed"], "{test}: {:?}", messages(&run));
        println!("{:?} {test}: {:?}", start.elapsed(), messages(&run));
    }
    assert_eq!(lab.containers("judge").len(), 1, "one judge has stood it all");
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn an_agent_that_stalls_one_test_after_the_other_holds_nobody_up() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests = "  - assert sum(1 for _ in range(count())) == 3\n".repeat(20);
    let text = format!("prompt: p\ntests:\n{tests}  - assert count() == 1\n");
    let start = Instant::now();
    let run = run(&lab, "def count():\n    return 1 << 62\n", &text);
    assert_eq!(verdicts(&run), ["timeout"; 21]);
    assert!(messages(&run)[20].contains("not judged"), "{:?}", messages(&run));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn an_agent_that_takes_the_judges_memory_in_one_test_after_the_other_holds_nobody_up() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests = "  - assert len([0] * size()) == 1\n".repeat(20);
    let text = format!("prompt: p\ntests:\n{tests}  - assert size() == 1\n");
    let run = run(&lab, "def size():\n    return 10**8\n", &text);
    assert_eq!(verdicts(&run), ["out_of_memory"; 21]);
    assert!(messages(&run)[20].contains("not judged"), "{:?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A task that no agent can pass, and what is said of it.
const FAULTS: [(&str, &str); 8] = [
    (
        "prompt: p\ntests:\n  - assert one() == 1\n  - |\n    big = [0] * 10**8\n    assert one() == len(big)\n",
        "judge: memory",
    ),
    (
        "prompt: p\nsetup: |\n  import os\n  os._exit(0)\ntests:\n  - assert one() == 1\n",
        "ends Python (exit code 0)",
    ),
    (
        "prompt: p\nsetup: |\n  x = 1\n  y = 1 / 0\ntests:\n  - assert one() == 1\n",
        "setup (line 4): raised ZeroDivisionError",
    ),
    (
        "prompt: p\ntests:\n  - |\n    import pytest\n    assert one() == 1\n",
        "test 1 (line 4): raised ModuleNotFoundError",
    ),
    ("prompt: p\ntests:\n  - assert isclose(one(), 1)\n", "import it from math"),
    (
        "prompt: 'one()'\nsetup: 'def relevant(x): return x == 1'\ntests:\n  - assert relevent(one())\n",
        "did you mean relevant?",
    ),
    ("prompt: p\ntests:\n  - assert math.sqrt(one()) == 1\n", "math is not defined"),
    ("prompt: p\nsetup: import math\ntests:\n  - assert one(math) == 1\n", "an argument of one"),
];

#[test]
fn what_no_agent_can_pass_is_the_tasks_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    for (text, said) in FAULTS {
        let told = fault(&lab, ONE, text);
        assert!(told.contains(said), "{told}");
    }
    assert_eq!(verdicts(&run(&lab, ONE, "prompt: p\ntests:\n  - assert one() == 1\n")), ["passed"]);
    assert_eq!(lab.containers("judge").len(), 1, "one judge has stood it all");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Faultless, though a test fails in the dry run before it asks anything.
const SOUND: [&str; 3] = [
    "prompt: p\nsetup: seen = []\ntests:\n  - |\n    for n in [one()]:\n        seen.append(n)\n    assert n\n  - assert seen[0] == 1\n",
    "prompt: p\ntests:\n  - assert agent.output == ''\n  - assert [int(word) for word in output.split()] == []\n",
    "prompt: p\nsetup: |\n  kept = {}\n  def keep(n): return kept.setdefault('n', n)\n  def kept_is(n): return kept['n'] == n\ntests:\n  - assert keep(one()) == 1\n  - assert kept_is(1)\n",
];

#[test]
fn what_an_agent_can_pass_is_no_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    for text in SOUND {
        assert_eq!(verdicts(&run(&lab, ONE, text)), ["passed"; 2], "{text}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Exceptions of every origin, and what a test may do with them.
const RAISING: &str = "
import decimal, json, re
class Overdrawn(Exception):
    def __init__(self, missing):
        super().__init__(missing, 'missing')
        self.missing = missing
class Closed(Overdrawn, LookupError):
    pass
def one(): return 1
def loads(): return json.loads('{')
def pattern(): return re.compile('(')
def number(): return decimal.Decimal('x')
def group(): raise ExceptionGroup('several', [ValueError('a'), TypeError('b')])
def draw(): raise Overdrawn(7)
def closed(): raise Closed(8)
def leave(): raise SystemExit(3)
def missing(): open('/none')
def wrong(): raise ValueError('text', 5)
";

const RAISED: [&str; 12] = [
    "import json\nwith raises(json.JSONDecodeError) as e: loads()\nassert e.value.pos == 1",
    "import re\nwith raises(re.error): pattern()",
    "import decimal\nwith raises(decimal.InvalidOperation): number()",
    "with raises(ExceptionGroup) as e: group()\nassert [str(one) for one in e.value.exceptions] == ['a', 'b']",
    "try:\n    group()\nexcept* ValueError as e:\n    assert len(e.exceptions) == 1\nexcept* TypeError as e:\n    assert len(e.exceptions) == 1",
    "with raises(Overdrawn) as e: draw()\nassert e.value.missing == 7 and e.value.args == (7, 'missing')",
    "with raises(Overdrawn): closed()",
    "with raises((KeyError, LookupError)): closed()",
    "with raises(SystemExit) as e: leave()\nassert e.value.code == 3",
    "with raises(OSError) as e: missing()\nassert e.value.errno == 2 and e.value.filename == '/none' and isinstance(e.value, FileNotFoundError)",
    "with raises(ValueError) as e: wrong()\nassert e.value.args == ('text', 5)",
    "with raises(ValueError) as e: loads()\nassert 'Expecting' in str(e.value)",
];

#[test]
fn exceptions_are_what_they_were() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests: String = RAISED.iter().map(|test| format!("  - {test:?}\n")).collect();
    let run = run(&lab, RAISING, &format!("prompt: p\ntests:\n{tests}"));
    assert_eq!(verdicts(&run), ["passed"; RAISED.len()], "{:#?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn questions_that_nobody_could_keep_are_no_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    let many = task(
        "prompt: p\ntests:\n  - |\n    big = 'x' * 900000\n    assert all(one(big) for _ in range(20))\n",
    );
    assert_eq!(lab.sandbox.check(&[many]).unwrap(), Checked::default());
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A test that computes for a second before it looks at what the agent gave.
const SLOW: &str = "prompt: p\ntests:\n  - |\n    import time\n    got, end = one(), time.process_time() + 1\n    while time.process_time() < end: pass\n    assert got == 1\n";

#[test]
fn the_authors_own_time_is_a_setting_and_never_times_an_agent_out() {
    let lab = Lab::with_judge(1, TIGHT);
    assert!(fault(&lab, ONE, SLOW).contains("half of `judge: time`"));
    assert_eq!(lab.close(), Vec::<String>::new());
    let lab = Lab::with_judge(1, Judge { time: Duration::from_secs(4), ..TIGHT });
    assert_eq!(verdicts(&run(&lab, ONE, SLOW)), ["passed"]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_task_that_asks_nothing_is_refused_and_a_builtin_that_is_asked_for_is_the_agents() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests = "tests:\n  - assert max([1, 2]) == 2\n  - assert max([3]) == 3\n";
    let idle = task(&format!("prompt: the largest of a list\n{tests}"));
    let checked = lab.sandbox.check(std::slice::from_ref(&idle)).unwrap();
    assert_eq!(checked.refused.len(), 1, "{checked:?}");
    assert!(checked.refused[0].message.contains("ask the agent nothing"), "{checked:?}");

    let asked = format!("prompt: 'Implement `def max(items: list) -> int`'\n{tests}");
    assert_eq!(verdicts(&run(&lab, "pass\n", &asked)), ["error"; 2]);
    let right = "def max(items):\n    return sorted(items)[-1]\n";
    assert_eq!(verdicts(&run(&lab, right, &asked)), ["passed"; 2]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn there_are_never_more_judges_than_workers_and_one() {
    let (lab, done) = (Lab::with_judge(2, TIGHT), AtomicBool::new(false));
    let stalling = "def count():\n    return 1 << 62\ndef one():\n    return 1\n";
    let text = broken("assert sum(1 for _ in range(count())) == 3");
    let most = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(lab.containers("judge").len());
            }
            most
        });
        let worker = || (0..3).for_each(|_| assert_eq!(verdicts(&run(&lab, stalling, &text))[1], "timeout"));
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    assert!((1..=3).contains(&most), "{most} judges at a time");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Values that an exception keeps alive, of one agent after the other: they must take no memory from the next one, let
/// alone make the task's author's fault of it.
#[test]
fn what_one_agent_returned_takes_no_memory_from_the_next() {
    let lab = Lab::with_judge(1, TIGHT);
    let text = "prompt: p\nsetup: |\n  table = list(range(1_000_000))\ntests:\n  - |\n    rows = [f(1)]\n    assert g(1) == 3\n  - assert g(2) == 3\n";
    let hog = "def f(n): return [set()] * 90000\ndef g(n): raise ValueError\n";
    for _ in 0..6 {
        assert_eq!(verdicts(&run(&lab, hog, text)), ["error", "error"]);
    }
    let honest = "def f(n): return [set()] * 90000\ndef g(n): return 3\n";
    for _ in 0..3 {
        let run = run(&lab, honest, text);
        assert_eq!(verdicts(&run), ["passed", "passed"], "{:?}", messages(&run));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Some exceptions' fields are taken for offsets without a look: an agent may put anything there.
#[test]
fn an_exception_that_lies_about_its_bytes_is_an_exception() {
    let lab = Lab::with_judge(1, TIGHT);
    // As Python itself would not survive it, the claim is forged.
    let agent = r#"
import json, os
def f(n):
    held = [["object", {"b": "00"}], ["start", -(1 << 40)], ["end", 1 - (1 << 40)], ["reason", "r"], ["encoding", "e"]]
    content = {"name": "E", "kinds": ["UnicodeDecodeError"], "text": "t", "line": 1}
    content["fields"] = [[name, [value]] for name, value in held]
    content["args"] = [{"t": ["e", {"b": "00"}, -(1 << 40), 1 - (1 << 40), "r"]}]
    claim = json.dumps({"raised": content}).encode()
    os.write(4, len(claim).to_bytes(4, "big") + b"v" + claim)
    return 1
def g(n):
    error = OSError()
    error.errno, error.strerror = 1 << 80, [[]]
    raise error
def one(): return 1
"#;
    let text = "prompt: p\ntests:\n  - assert g(1) == 1\n  - assert one() == 1\n  - assert f(1) == 1\n";
    for _ in 0..6 {
        assert_eq!(verdicts(&run(&lab, agent, text)), ["error", "passed", "error"]);
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Arguments and answers; as large as a task, or the pipeline, lets them be.
#[test]
fn a_value_may_be_as_large_as_the_task_says() {
    let agent = "def make(n):\n    return 'x' * n\ndef measure(text):\n    return len(text)\n\
                 def numbers(n):\n    return list(range(n))\ndef grow(items):\n    items.extend(range(200000))\n";
    let tests = "tests:\n  - assert make(3000000) == 'x' * 3000000\n  - assert measure('y' * 3000000) == 3000000\n  \
                 - assert numbers(200000) == list(range(200000))\n  - items = []; grow(items); assert len(items) == 200000\n";
    let lab = Lab::with_workers(1);
    let roomy = run(&lab, agent, &format!("prompt: p\nvalue: 4MiB\n{tests}"));
    assert_eq!(verdicts(&roomy), ["passed"; 4], "{:?}", messages(&roomy));

    let fault = fault(&lab, agent, &format!("prompt: p\n{tests}"));
    assert!(
        fault.contains("test 2") && fault.contains("larger than 1048576 bytes, which `value` of the task"),
        "{fault}"
    );
    let tight =
        "prompt: p\ntests:\n  - assert make(3000000)\n  - assert numbers(200000)\n  - assert make(1000000)\n";
    let tight = run(&lab, agent, tight);
    assert_eq!(verdicts(&tight), ["error", "error", "passed"]);
    assert!(
        messages(&tight)[0].contains("larger than 1048576 bytes, which `value` of the task"),
        "{:?}",
        messages(&tight)
    );
    // A claim that is larger than a value and what it may bring along is no claim.
    let flood = "import os\ndef make(n):\n    os.write(4, (200 << 20).to_bytes(4, 'big') + b'v' + b'x' * 5000)\n    return 1\n";
    let flood = run(&lab, flood, "prompt: p\nvalue: 64MiB\ntests:\n  - assert make(1)\n");
    assert_eq!(verdicts(&flood), ["output_limit"]);
}
