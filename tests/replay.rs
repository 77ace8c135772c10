//! A verdict does not depend on how it was come by: foreseen, made ahead, judged before, or call by call.

mod common;
mod ignorable;
mod testenv;

use std::process::ExitCode;
use std::time::Duration;

use agentmill::config::Limits;
use agentmill::model::report::Scored;
use agentmill::task::Task;
use common::{LIMITS, Lab, Outcome, messages, task, verdicts};
use ignorable::{plain, with_docker};
use testenv::{DOUBLE_AGENT, TestEnv};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            however_a_run_is_made_it_comes_to_the_same,
            what_is_made_ahead_is_new_to_every_run,
            what_fails_ahead_is_told_with_its_line,
            what_takes_long_is_not_made_ahead,
            a_run_that_is_asked_call_by_call_stands_in_no_others_way,
            a_loop_whose_first_check_holds_for_right_answers_alone_is_asked_at_once,
            a_message_asks_nothing,
            what_was_judged_before_a_run_is_made_again_stands
        ],
        with_docker![only_what_runs_no_code_of_the_agents_is_done_ahead],
    ])
}

/// Tasks whose questions depend on the answers, never end where every answer pleases, or are different each time; and
/// some whose questions don't.
fn tasks() -> Vec<Task> {
    let texts = [
        "prompt: a\ntests:\n  - assert double(2) == 4\n  - assert double(-1) == -2\n",
        "prompt: b\ntests:\n  - assert double(double(3)) == 12\n  - assert double(5) == 10\n",
        "prompt: c\ntests:\n  - |\n    n = 1\n    while double(n) < 100:\n        n += 1\n    assert n == 50\n",
        "prompt: d\ntests:\n  - |\n    if double(1) != 2:\n        assert double(7) == 14\n    assert double(8) == 16\n",
        "prompt: e\nsetup: import random\ntests:\n  - |\n    n = 100000 * 10**6 + random.randrange(10**6)\n    assert double(n) == 2 * n\n",
        "prompt: k\nsetup: import secrets\ntests:\n  - |\n    n = 100000 * 10**6 + secrets.randbelow(10**6)\n    assert double(n) == 2 * n\n",
        "prompt: f\ntests:\n  - |\n    with raises(TypeError):\n        double()\n  - assert double('ab') == 'abab'\n",
        "prompt: g\ntests:\n  - assert output.split() == ['--task', 'g']\n  - assert double([0]) == [0, 0]\n",
        "prompt: h\ntests:\n  - assert all(double(n) == 2 * n for n in range(20))\n  - assert sorted(double([2, 1]))[0] == 1\n",
        "prompt: i\nsetup: 'import time; began = time.time()'\ntests:\n  - assert double(1) == 2 and time.time() >= began\n",
        "prompt: j\ntests:\n  - |\n    for n in double([1, 2]):\n        assert double(n) == 2 * n\n  - assert not double(0)\n",
    ];
    texts.iter().map(|text| task(text)).collect()
}

const MAIN: &str = "\nif __name__ == '__main__':\n    import sys\n    print(*sys.argv[1:])\n";

/// Right, wrong in some places, and never ending in one.
fn agents() -> Vec<String> {
    let bodies = [
        "return 2 * n",
        "return 2 * n if n != 8 else 17",
        "return n",
        "return 3 * n if n == 3 else 2 * n",
        "return n + n if n != 20 else [][0]",
        "while n == [0]: pass\n    return 2 * n",
    ];
    bodies.iter().map(|body| format!("def double(n):\n    {body}\n{MAIN}")).collect()
}

fn told(outcome: Outcome) -> Vec<String> {
    let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
    // Chance shows in what is said of it.
    let is_same = |text: &String| !text.contains("double(100000");
    let said = |run: &Scored| messages(run).into_iter().filter(is_same).collect::<Vec<_>>();
    let told = |run: &Scored| format!("{:?} {:?}", verdicts(run), said(run));
    runs.iter().map(told).collect()
}

/// Each agent first, in a lab of its own, call by call as nothing is known yet of what is asked; then one after the other
/// in one lab, twice, with all that the ones before have left to know.
fn however_a_run_is_made_it_comes_to_the_same() {
    let (tasks, agents, lab) = (tasks(), agents(), Lab::new());
    let tasks: Vec<&Task> = tasks.iter().collect();
    let limits = Limits { timeout: Duration::from_secs(1), ..LIMITS };
    for agent in &agents {
        let alone = Lab::new();
        let each = tasks.iter().flat_map(|task| told(alone.run(agent.as_bytes(), task, &limits, 1)));
        let each: Vec<String> = each.collect();
        for _ in 0..2 {
            assert_eq!(told(lab.run_announced(agent.as_bytes(), &tasks, &limits)), each, "{agent}");
        }
        assert_eq!(told(lab.run_all(agent.as_bytes(), &tasks, &limits)), each, "{agent}");
        assert_eq!(alone.close(), Vec::<String>::new());
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Parts of an agent's module that are made ahead of its runs are as new to each run as parts made each time.
const STATEFUL: &str = "
import re, sys, os
from collections import Counter
from typing import List, Optional
LIMIT = 3
WORD = re.compile('[a-z]+')
NAMES = {'a': []}
class Kept:
    seen = []
    def add(self, n):
        self.seen.append(n)
        return len(self.seen)
if __name__ == '__main__':
    NAMES['a'].append('script')
def keep(n):
    NAMES['a'].append(n)
    was_marked, Kept.mark = hasattr(Kept, 'mark'), n
    return [NAMES, Kept().add(n), was_marked, WORD.findall('a-b')]
SEEN: list = []
def add(n: Optional[int], kept: List[int] = [], names={}) -> int:
    kept.append(n)
    return len(kept)
def where():
    return [add.__module__, __name__, sys.argv, sys.modules['__main__'] is sys.modules['agent'], sys.path[0]]
def mark(n):
    os.environ['MARK'] = Counter.mark = 'here' if n else ''
    global LIMIT
    LIMIT += 1
    return LIMIT
Counter.early = 1
def marks():
    return [os.environ.get('MARK'), hasattr(Counter, 'mark'), SEEN, LIMIT, open(__file__).readline(), add.__annotations__['n'] == Optional[int]]
";

fn what_is_made_ahead_is_new_to_every_run() {
    let text = "prompt: go\ntests:\n  - assert add(1) == 1\n  - assert add(2) == 2\n  - \
        assert where() == ['agent', 'agent', ['agent.py', '--task', 'go'], True, '/tmp']\n  - \
        assert marks() == [None, False, [], 3, '\\n', True]\n  - assert mark(1) == 4\n  - \
        assert keep(1) == [dict(a=[1]), 1, False, ['a', 'b']]\n";
    let (lab, task) = (Lab::new(), task(text));
    for outcome in [
        lab.run_announced(STATEFUL.as_bytes(), &[&task; 3], &LIMITS),
        lab.run_all(STATEFUL.as_bytes(), &[&task; 3], &LIMITS),
    ] {
        let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
        for run in runs {
            assert_eq!(verdicts(&run), ["passed"; 6], "{:?}", messages(&run));
        }
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn what_fails_ahead_is_told_with_its_line() {
    let (lab, task) = (Lab::new(), task("prompt: go\ntests:\n  - assert double(1) == 2\n"));
    let source = b"from typing import List\n\ndef double(n: Lisst[int]):\n    return 2 * n\n";
    let Outcome::Judged(runs) = lab.run_announced(source, &[&task; 2], &LIMITS) else { panic!("refused") };
    for run in runs {
        assert_eq!(verdicts(&run), ["error"]);
        let told = messages(&run).concat();
        assert!(told.contains("NameError") && told.contains("agent.py line 3"), "{told}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A type of types, each twice as large as the one before, and texts in types, which are compiled: nothing to be made ahead, where no run
/// would pay for it.
fn what_takes_long_is_not_made_ahead() {
    let (lab, task) = (Lab::new(), task("prompt: go\ntests:\n  - assert double(1) == 2\n"));
    let doubled = |n| format!("A{} = Union[List[A{n}], Dict[A{n}, A{n}]]\n", n + 1);
    let types: String = (0..20).map(doubled).collect();
    let numbers: Vec<_> = (1..8_000).map(|n| format!("{:#x}", n * ((1_u128 << 61) - 1))).collect();
    let texts: String = (0..40).map(|n| format!("B{n} = Dict[S, 'b{n}']\n")).collect();
    for slow in [format!("A0 = int\n{types}"), format!("S = 'x in {{{}}}'\n{texts}", numbers.join(","))] {
        let source =
            format!("from typing import Dict, List, Union\n{slow}def double(n):\n    return 2 * n\n");
        let Outcome::Judged(runs) = lab.run_announced(source.as_bytes(), &[&task], &LIMITS) else {
            panic!("refused")
        };
        assert_eq!(verdicts(&runs[0]), ["timeout"], "{:?}", messages(&runs[0]));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Output of a program that comes after the definitions of a cell's, in the Python that cells have.
fn among_a_cells(program: &str) -> String {
    let lab = Lab::new();
    let cell = agentmill::sandbox::cell_program();
    let definitions = cell.rsplit_once("os.chdir(HOME)").expect("it begins there").0;
    let lines: Vec<_> = definitions.lines().chain(program.lines()).collect();
    // The kernel takes many words, and none of them above 128 KiB.
    let parts: Vec<_> = lines.chunks(500).map(|lines| lines.join("\n")).collect();
    let whole = "import sys; exec('\\n'.join(sys.argv[1:]))";
    let image = common::direct::image();
    let mut command = vec!["run", "--rm", "--network=none", &image, "python", "-c", whole];
    command.extend(parts.iter().map(String::as_str));
    lab.ask(&command)
}

/// Code that may be run ahead of all runs, and code that may not.
fn only_what_runs_no_code_of_the_agents_is_done_ahead() {
    assert_eq!(among_a_cells(include_str!("parted.py")), "all as it should be");
}

/// Questions that depend on the answers are asked call by call; those of the runs after it can be asked at once again.
fn a_run_that_is_asked_call_by_call_stands_in_no_others_way() {
    let env = (0..9).fold(TestEnv::new().variable("AGENTMILL_LOG", "agentmill=debug"), |env, n| {
        let test =
            if n == 3 { "double(double(2)) == 8".to_owned() } else { format!("double({n}) == {}", 2 * n) };
        env.task(&format!("t{n}"), &format!("prompt: p{n}\ntests:\n  - assert {test}\n"))
    });
    let told = env.agent("ann", DOUBLE_AGENT).run();
    let made = told.stderr.lines().filter_map(|line| line.split_once(" made=")?.1.split(' ').next());
    assert_eq!(made.collect::<Vec<_>>(), ["3", "5"], "{}", told.stderr);
}

/// A loop whose first check fails on what stands for an answer in a dry run, which is 0 to `math`: a right agent is asked on.
fn a_loop_whose_first_check_holds_for_right_answers_alone_is_asked_at_once() {
    let wrong = "def double(n):\n    return 2 * n if n != 5 else 11\n";
    let test = "for n in range(1, 12):\n        assert math.isclose(double(n), 2 * n)";
    let env = TestEnv::new()
        .variable("AGENTMILL_LOG", "agentmill=debug")
        .task(
            "t",
            &format!("prompt: p\nsetup: import math\ntests:\n  - assert double(0) == 0\n  - |\n    {test}\n"),
        )
        .agent("ann", DOUBLE_AGENT)
        .agent("bob", wrong);
    let told = env.run();
    assert_eq!((env.score("ann").as_deref(), env.score("bob").as_deref()), (Some("100"), Some("50")));
    let cells = told.stderr.matches("container ready name=\"agentmill-cell").count();
    assert_eq!(cells, 2, "{}", told.stderr);
}

/// An author's message may ask the agent, but only of a test that has failed: no verdict rests on it.
fn a_message_asks_nothing() {
    let env = TestEnv::new()
        .variable("AGENTMILL_LOG", "agentmill=debug")
        .task("t", "prompt: p\ntests:\n  - assert double(2) == 5, f'got {double(2)}'\n  - assert double(3) == 7, 'seven'\n  - assert double(4) == 8\n");
    let env = env.agent("ann", DOUBLE_AGENT);
    let told = env.run();
    let cells =
        told.stderr.lines().filter(|line| line.contains("container ready") && line.contains("-cell-"));
    assert_eq!(cells.count(), 1, "{}", told.stderr);
    let report = env.report("ann", "t");
    assert!(report[0].contains("4 == 5 does not hold") && report[1].contains("seven"), "{report:?}");
}

/// Its answers are drawn anew in each attempt, and are no right ones.
const DRAWN: &str = "
import os
DRAWN = os.urandom(8).hex()
def drawn():
    return DRAWN
def after(n):
    return n
def end(n):
    os._exit(3)
";

/// A failed assertion leaves questions out, so the run differs from what was foreseen, or the agent has ended in vain: the first
/// test keeps the answer that it was judged by, and no test of which the agent is asked again is judged by luck.
fn what_was_judged_before_a_run_is_made_again_stands() {
    let differs = "prompt: a\ntests:\n  - |\n    assert drawn() == ''\n    assert after(1) == 1\n  - |\n    assert after(2) == 2\n    assert drawn() == ''\n";
    let ends = "prompt: b\ntests:\n  - assert drawn() == ''\n  - |\n    assert drawn() == ''\n    assert end(1) == 1\n";
    let said = |run: &Scored| -> Vec<String> {
        let drawn = regex::Regex::new("[0-9a-f]{16}").expect("a pattern");
        let of = |text: &String| drawn.find(text).map(|found| found.as_str().to_owned());
        messages(run)
            .iter()
            .take(2)
            .map(|text| of(text).unwrap_or_else(|| panic!("{:?}", messages(run))))
            .collect()
    };
    let (lab, differs, ends) = (Lab::new(), task(differs), task(ends));
    let Outcome::Judged(runs) = lab.run_announced(DRAWN.as_bytes(), &[&differs, &ends, &differs], &LIMITS)
    else {
        panic!("a run was refused")
    };
    for run in &runs {
        assert_eq!(verdicts(run), ["failed"; 2], "{:?}", messages(run));
    }
    let (first, second) = (said(&runs[2]), said(&runs[1]));
    assert_ne!(first[0], first[1], "the first test was judged by a second draw");
    assert_eq!(second[0], second[1], "both tests were judged before the agent ended");
    assert_eq!(lab.close(), Vec::<String>::new());
}
