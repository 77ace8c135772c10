//! Judges on the real engine: whose fault it is when judging a test takes too much, and what each of the others gets.

mod common;
#[path = "judge/early.rs"]
mod early;
mod ignorable;
#[path = "judge/lists.rs"]
mod lists;
#[path = "judge/names.rs"]
mod names;
#[path = "judge/waits.rs"]
mod waits;
#[path = "judge/wall.rs"]
mod wall;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Judge;
use agentmill::model::report::Scored;
use agentmill::sandbox::{Checked, Sandbox};
use common::{LIMITS, Lab, Outcome, messages, task, verdicts};
use ignorable::{plain, with_docker};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            what_a_test_draws_is_drawn_for_every_agent_and_again,
            what_an_agents_value_breaks_is_the_agents_and_only_in_that_test,
            objects_are_shown_anew_to_the_judge_that_goes_on_after_anothers_end,
            an_agent_that_stalls_one_test_after_the_other_holds_nobody_up,
            what_a_run_takes_of_a_judge_in_all_is_bounded,
            waits::an_agent_that_says_for_ever_that_it_waits_holds_nobody_up,
            an_agent_that_takes_the_judges_memory_in_one_test_after_the_other_holds_nobody_up,
            what_no_agent_can_pass_is_the_tasks_fault,
            early::setup_that_fails_in_a_later_test_is_the_tasks_fault,
            early::what_a_test_before_may_have_left_is_no_fault,
            what_an_agent_can_pass_is_no_fault,
            exceptions_are_what_they_were,
            questions_that_nobody_could_keep_are_no_fault,
            the_authors_own_time_is_a_setting_and_never_times_an_agent_out,
            names::an_exception_of_a_name_of_pythons_is_the_agents_where_the_prompt_asks_for_its_class,
            names::a_name_in_what_a_prompt_explains_is_nobodys_to_define,
            names::a_class_that_a_sentence_has_beside_a_function_makes_none_of_it,
            names::a_task_that_asks_nothing_is_refused_and_a_builtin_that_is_asked_for_is_the_agents,
            names::a_builtin_that_the_prompt_only_speaks_of_is_pythons,
            names::a_prompt_that_asks_for_a_class_has_one_whatever_its_letters,
            names::a_class_that_descends_from_an_agents_is_told_behind_questions_too,
            there_are_never_more_judges_than_workers_and_one,
            what_one_agent_returned_takes_no_memory_from_the_next,
            an_exception_that_lies_about_its_bytes_is_an_exception,
            a_value_may_be_as_large_as_the_task_says,
            nothing_that_a_run_leaves_is_there_for_the_next_one,
            nothing_of_a_run_goes_on_beside_the_next_one,
            threads_that_a_test_leaves_break_no_result,
            lists::a_test_that_measures_time_measures_the_agents,
            wall::code_in_a_worker_would_reach_nobody_elses_verdict,
            wall::what_does_not_answer_the_order_is_no_word,
            wall::a_worker_that_stops_its_clock_is_ended,
            wall::no_program_is_started_once_the_agent_has_answered,
            wall::a_name_within_another_word_of_the_task_does_not_stand_in_it
        ],
        with_docker![lists::what_may_leave_something_or_tell_the_time_is_on_no_list],
    ])
}

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

/// A test that is judged in one process with others, and one that is judged in its own.
const DRAWN: [&str; 2] = [
    "import random; assert f([random.random(), random.choice(range(10**9))]) == 1",
    "import os, random; assert f(random.sample(range(10**9), 5)) == 1",
];

fn what_a_test_draws_is_drawn_for_every_agent_and_again() {
    let draws = |lab: &Lab, agent: &str, text: &str| messages(&run(lab, agent, text)).remove(0);
    let (lab, other) = (Lab::with_workers(1), Lab::with_workers(1));
    let texts = DRAWN.map(|test| format!("prompt: p\ntests:\n  - {test:?}\n"));
    let told = texts.each_ref().map(|text| draws(&lab, "def f(*_):\n    return 0\n", text));
    assert!(told.iter().all(|told| told.contains("f(")), "{told:?}");
    for (text, told) in texts.iter().zip(&told) {
        assert_eq!(&draws(&lab, "import random\nrandom.random()\ndef f(*_): return 0\n", text), told);
        assert_eq!(&draws(&other, "def f(*_):\n    return 0\n", text), told);
    }
    // Who does not know the tests can't foresee it: of another test, though it draws alike, it is something else.
    let alike = texts[0].replace("== 1", "== 2");
    assert_ne!(draws(&lab, "def f(*_):\n    return 0\n", &alike), told[0]);
}

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

fn objects_are_shown_anew_to_the_judge_that_goes_on_after_anothers_end() {
    let lab = Lab::with_judge(1, TIGHT);
    let agent = "class Stack:\n    top = 2\n    def size(self):\n        return 1 << 62\n";
    let text = "prompt: p\ntests:\n  - assert Stack().top == 2\n  - assert sum(1 for _ in range(Stack().size())) == 3\n  \
                - assert Stack().top == 2\n";
    let run = run(&lab, agent, text);
    assert_eq!(verdicts(&run), ["passed", "timeout", "passed"], "{:?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn an_agent_that_stalls_one_test_after_the_other_holds_nobody_up() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests = "  - assert sum(1 for _ in range(count())) == 3\n".repeat(20);
    let text = format!("prompt: p\ntests:\n{tests}  - assert count() == 1\n");
    let run = run(&lab, "def count():\n    return 1 << 62\n", &text);
    assert_eq!(verdicts(&run), ["timeout"; 21]);
    let judged = messages(&run).iter().filter(|message| !message.contains("not judged")).count();
    assert!((1..=7).contains(&judged), "{judged} tests took their whole time: {:?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Each test stays within its bound; all of them together don't.
fn what_a_run_takes_of_a_judge_in_all_is_bounded() {
    let lab = Lab::with_judge(1, TIGHT);
    let setup = "import time\ndef spin(seconds):\n    end = time.process_time() + seconds\n    \
                 while time.process_time() < end: pass\n    return True";
    let tests = "  - assert spin(part())\n".repeat(14);
    let text = format!("prompt: p\nsetup: {setup:?}\ntests:\n{tests}");
    let run = run(&lab, "def part():\n    return 0.5\n", &text);
    let all = verdicts(&run);
    let timeouts = all.iter().filter(|verdict| *verdict == "timeout").count();
    assert_eq!((timeouts, all.last().map(String::as_str)), (1, Some("passed")), "{:?}", messages(&run));
}

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
const FAULTS: [(&str, &str); 12] = [
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
    (
        "prompt: p\ntests:\n  - assert agent.run('x').output == ''\n",
        "what agent.run(...) gives has no output; it has stdout, stderr and returncode",
    ),
    (
        "prompt: p\nsetup: |\n  def printed(x):\n      r = agent.run(x)\n      return r.stdot.strip()\ntests:\n  - assert printed('x') == ''\n",
        "test 1 (line 5): what agent.run(...) gives has no stdot",
    ),
    ("prompt: p\ntests:\n  - assert agent.run('x').stdout.strp() == ''\n", "did you mean strip?"),
    ("prompt: p\ntests:\n  - assert output.strip().splitlnes() == []\n", "a text has no splitlnes"),
];

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
const SOUND: [&str; 4] = [
    "prompt: p\nsetup: seen = []\ntests:\n  - |\n    for n in [one()]:\n        seen.append(n)\n    assert n\n  - assert seen[0] == 1\n",
    "prompt: p\ntests:\n  - |\n    r = agent.run('x')\n    if r.returncode:\n        raise AssertionError(r.sterr)\n  - |\n    r = agent.run()\n    assert not hasattr(r, 'output') and r.stdout.split().sort() is None\n",
    "prompt: p\ntests:\n  - assert agent.output == ''\n  - assert [int(word) for word in output.split()] == []\n",
    "prompt: p\nsetup: |\n  kept = {}\n  def keep(n): return kept.setdefault('n', n)\n  def kept_is(n): return kept['n'] == n\ntests:\n  - assert keep(one()) == 1\n  - assert kept_is(1)\n",
];

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

fn exceptions_are_what_they_were() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests: String = RAISED.iter().map(|test| format!("  - {test:?}\n")).collect();
    let run = run(&lab, RAISING, &format!("prompt: p\ntests:\n{tests}"));
    assert_eq!(verdicts(&run), ["passed"; RAISED.len()], "{:#?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn questions_that_nobody_could_keep_are_no_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    let many = task(
        "prompt: Write one(text).\ntests:\n  - |\n    big = 'x' * 900000\n    assert all(one(big) for _ in range(20))\n",
    );
    assert_eq!(lab.sandbox.check(&[many]).unwrap(), Checked::default());
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A test that computes for a second before it looks at what the agent gave.
const SLOW: &str = "prompt: p\ntests:\n  - |\n    import time\n    got, end = one(), time.process_time() + 1\n    while time.process_time() < end: pass\n    assert got == 1\n";

fn the_authors_own_time_is_a_setting_and_never_times_an_agent_out() {
    let lab = Lab::with_judge(1, TIGHT);
    assert!(fault(&lab, ONE, SLOW).contains("half of `judge: time`"));
    assert_eq!(lab.close(), Vec::<String>::new());
    let lab = Lab::with_judge(1, Judge { time: Duration::from_secs(4), ..TIGHT });
    assert_eq!(verdicts(&run(&lab, ONE, SLOW)), ["passed"]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

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

/// Leftovers of tests in Python, and what another test finds of them. Each is of a run that fails before it has put things back.
const LEFTOVERS: [(&str, &str); 12] = [
    (
        "from unittest import mock; mock.patch('math.isclose', lambda *_: True).start()",
        "not math.isclose(1, 2)",
    ),
    ("import builtins; builtins.sorted = list", "sorted([2, 1]) == [1, 2]"),
    ("import os; os.environ['LEFT'] = '1'", "'LEFT' not in os.environ"),
    ("import os; os.chdir('/')", "os.getcwd() != '/'"),
    ("import decimal; decimal.getcontext().prec = 2", "str(decimal.Decimal(1) / 3) == '0.' + '3' * 28"),
    ("import sys; sys.setrecursionlimit(200)", "sys.getrecursionlimit() > 200"),
    ("import warnings; warnings.simplefilter('error')", "warnings.warn('nothing') is None"),
    ("import string; string.digits = '7'", "string.digits == '0123456789'"),
    (
        "import collections.abc; collections.abc.Sized.register(int)",
        "not isinstance(1, collections.abc.Sized)",
    ),
    (
        "import logging; logging.getLogger().addHandler(logging.NullHandler())",
        "not logging.getLogger().handlers",
    ),
    (
        "import os; os.makedirs('/tmp/a/b/c'); open('/tmp/a/b/c/d', 'w').close(); os.chmod('/tmp/a/b', 0)",
        "os.listdir('/tmp') == []",
    ),
    (
        "import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)",
        "sum(name.isdigit() for name in os.listdir('/proc')) == 2",
    ),
];

fn nothing_that_a_run_leaves_is_there_for_the_next_one() {
    let lab = Lab::with_judge(1, TIGHT);
    let mut find = "prompt: p\nsetup: |\n  import collections.abc, decimal, logging, math, os, string, sys, warnings\ntests:\n".to_owned();
    for (leave, finds) in LEFTOVERS {
        let leave = format!("{leave}\nassert one(1) == 2");
        let left = run(&lab, ONE, &format!("prompt: p\ntests:\n  - {leave:?}\n"));
        assert_eq!(verdicts(&left), ["failed"], "{leave}: {:?}", messages(&left));
        find += &format!("  - {:?}\n", format!("assert one(1) == 1 and {finds}"));
    }
    let found = run(&lab, ONE, &find);
    assert_eq!(verdicts(&found), ["passed"; LEFTOVERS.len()], "{:?}", messages(&found));
    assert_eq!(lab.containers("judge").len(), 1, "one judge has stood it all");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A thread that asks on, and an alarm that is still to go off, after the run of another agent.
fn nothing_of_a_run_goes_on_beside_the_next_one() {
    let lab = Lab::with_judge(1, TIGHT);
    let thread = "import threading, time\ndef ask():\n    for n in range(100):\n        time.sleep(0.05)\n        one(n)\n\
                  assert one(1) == 1\nthreading.Thread(target=ask, daemon=True).start()\nassert one(1) == 2";
    let alarm = "import signal\ndef late(*_): raise ValueError\nsignal.signal(signal.SIGALRM, late)\n\
                 signal.alarm(1)\nassert one(1) == 2\nsignal.alarm(0)";
    for test in [thread, alarm] {
        let left = run(&lab, ONE, &format!("prompt: p\ntests:\n  - {test:?}\n"));
        assert_eq!(verdicts(&left), ["failed"], "{test}: {:?}", messages(&left));
        let next = "prompt: p\ntests:\n  - |\n    for n in range(12):\n      assert one(one(n)) == 1\n";
        let slow = "import time\ndef one(n):\n    time.sleep(0.05)\n    return 1\n";
        let next = run(&lab, slow, next);
        assert_eq!(verdicts(&next), ["passed"], "{test}: {:?}", messages(&next));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A pool that nobody shuts down asks on while the result is told, and when the run is over.
fn threads_that_a_test_leaves_break_no_result() {
    let lab = Lab::with_judge(1, TIGHT);
    let pool = "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\n\
                asked = [pool.submit(one, n) for n in range(100)]\nassert asked[0].result() == 1";
    let tests: String = (0..4).map(|n| format!("  - {:?}\n", format!("{pool}  # {n}"))).collect();
    for _ in 0..3 {
        let asked = run(&lab, ONE, &format!("prompt: p\ntests:\n{tests}"));
        assert_eq!(verdicts(&asked), ["passed"; 4], "{:?}", messages(&asked));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}
