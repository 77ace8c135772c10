//! `check`: everything that is wrong, at once, with places.

mod testenv;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Finished, Running, TestEnv, wait_until};

/// The complaints, without the folder.
fn complaints(env: &TestEnv, finished: &Finished) -> Vec<String> {
    let folder = format!("{}/", env.dir().display());
    finished.stderr.lines().map(|line| line.replace(&folder, "")).collect()
}

#[test]
fn five_mistakes_are_named_with_their_lines() {
    let env = TestEnv::new()
        .pipeline("sandbox:\n  memry: 1GiB\n  timeout: ten seconds\n")
        .task("untested", "prompt: p\ntests: []\n")
        .task("twice", "prompt: p\ntests:\n  - {name: a, assert: f(1)}\n  - {name: a, assert: f(2)}\n")
        .task("broken", "prompt: p\ntests:\n  - assert f(1) == 1\n  - |\n    x = f(2)\n    assert x === 2\n")
        .task("fine", DOUBLE_TASK);
    let found = env.agentmill(&["check"]).code(2);
    let lines = complaints(&env, &found);
    let expect = [
        ("pipeline.yaml:2:3: sandbox.memry: ", "did you mean \"memory\"?"),
        ("pipeline.yaml:3:12: sandbox.timeout: ", "ten seconds"),
        ("tasks/broken.yaml:6: tests[1]: ", "invalid syntax"),
        ("tasks/twice.yaml:4:12: tests[1].name: ", "tests[0] is called \"a\", too"),
        ("tasks/untested.yaml:2:8: tests: ", "at least one test"),
    ];
    assert_eq!(lines.len(), expect.len(), "{found}");
    for (line, (place, message)) in lines.iter().zip(expect) {
        assert!(line.starts_with(place) && line.contains(message), "{line:?} is not {place:?} {message:?}");
    }
    assert!(found.stdout.starts_with("CHECK") && !found.stdout.contains("ok:"), "{found}");
}

#[test]
fn a_wrong_pipeline_hides_no_mistake_in_tasks_that_lie_elsewhere() {
    let env = TestEnv::empty().pipeline("tasks: exercises\nzzzz: 3\n");
    env.write("exercises/untested.yaml", "prompt: p\ntests: []\n");
    let found = env.agentmill(&["check"]).code(2).complains(&["exercises/untested.yaml:2:8: tests: "]);
    assert!(
        found.stderr.contains("pipeline.yaml:2:1: zzzz: unknown field; expected one of title, inbox,"),
        "{found}"
    );
    for name in [" board, ", " rewards, "] {
        assert_eq!(found.stderr.matches(name).count(), 1, "{found}");
    }
}

#[test]
fn mistakes_that_only_python_sees() {
    let task = "prompt: p\nsetup: |\n  import math\n  def helper(:\n    pass\ntests:\n  - f(1) == 1\n  - assert (f(1) == 1, 'message')\n  - |\n    assert f(1)\n    return\n";
    let env = TestEnv::new().task("t", task);
    let found = env.agentmill(&["check"]).code(2);
    let lines = complaints(&env, &found);
    let places = [
        "tasks/t.yaml:4: setup: ",
        "tasks/t.yaml:7: tests[0]: ",
        "tasks/t.yaml:8: tests[1]: ",
        "tasks/t.yaml:11: tests[2]: ",
    ];
    assert_eq!(lines.len(), places.len(), "{found}");
    for (line, place) in lines.iter().zip(places) {
        assert!(line.starts_with(place), "{line:?} is not at {place:?}");
    }
}

#[test]
fn stages_are_checked_against_the_tasks() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    env.write("pipeline.yaml", "stages:\n  - {name: a, tasks: [\"**\"]}\n  - {name: b, tasks: [none/*]}\n  - {name: c, tasks: [double]}\n");
    let found = env.agentmill(&["check"]).code(2);
    assert_eq!(complaints(&env, &found).len(), 2, "{found}");
    found.complains(&[
        "pipeline.yaml:3:",
        "stages[1].tasks[0]: no task matches the pattern \"none/*\"",
        "pipeline.yaml:4:",
        "already in stage \"a\"",
    ]);
}

#[test]
fn reference_solutions_must_score_100() {
    let with_solution = |name: &str| format!("{DOUBLE_TASK}solution: {name}.py\n");
    let env = TestEnv::new().task("good", &with_solution("good")).task("unsolved", DOUBLE_TASK);
    env.write("tasks/good.py", DOUBLE_AGENT);
    env.agentmill(&["check"]).code(0).prints(&["ok: 2 tasks, 1 reference solution scores 100"]);
    env.agentmill(&["check", "--quiet"]).code(0).silent();

    let env = env.task("poor", &with_solution("poor")).task("uncompiled", &with_solution("uncompiled"));
    env.write("tasks/poor.py", "def double(x):\n    return 4\n");
    env.write("tasks/uncompiled.py", "def double(x) return 4\n");
    let found = env.agentmill(&["check"]).code(2);
    assert_eq!(complaints(&env, &found).len(), 2, "{found}");
    let found = found.prints(&["CHECK", "memory         ok", "modules        ok"]);
    found.complains(&[
        "tasks/poor.yaml: solution: ",
        "test 2: ",
        "double('a') returned 4",
        "tasks/uncompiled.yaml: solution: ",
    ]);
}

#[test]
fn a_proof_is_remembered_until_anything_it_rests_on_changes() {
    let env = TestEnv::new().task("good", &format!("{DOUBLE_TASK}solution: good.py\n"));
    env.write("tasks/good.py", DOUBLE_AGENT);
    let ok = "ok: 1 task, 1 reference solution scores 100";
    let proofs = || std::fs::read_to_string(env.path("results/.proofs")).unwrap_or_default().lines().count();
    for (change, count) in [(None, 1), (None, 1), (Some(format!("{DOUBLE_AGENT}\n# changed\n")), 2)] {
        change.into_iter().for_each(|source| env.write("tasks/good.py", &source));
        env.agentmill(&["check"]).code(0).prints(&[ok]);
        assert_eq!(proofs(), count);
    }
    env.write("tasks/good.py", "def double(x):\n    return 5\n");
    env.agentmill(&["check"])
        .code(2)
        .complains(&["does not score 100: test 1: 5 == 4", "; test 2: 5 == 'aa'"]);
    assert_eq!(proofs(), 2);
}

#[test]
fn as_json_each_task_has_a_line_once_it_is_known() {
    let env = TestEnv::new().task("plain", "prompt: p\ntests: [assert f(1) == 1]\n");
    for (name, solution) in [("right", "def f(n): return n\n"), ("wrong", "def f(n): return 2\n")] {
        env.write(
            &format!("tasks/{name}.yaml"),
            &format!("prompt: p\nsolution: {name}.py\ntests: [assert f(1) == 1]\n"),
        );
        env.write(&format!("tasks/{name}.py"), solution);
    }
    let lines = |code: i32| -> Vec<(String, bool, usize)> {
        let found = env.agentmill(&["check", "--json"]).code(code);
        let lines = found.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let line = |line: serde_json::Value| {
            let task = line["task"].as_str().unwrap_or("all").to_owned();
            (task, line["ok"].as_bool().unwrap(), line["problems"].as_array().unwrap().len())
        };
        let mut lines: Vec<_> = lines.map(line).collect();
        assert_eq!(lines.last().unwrap().0, "all", "{found}");
        lines.sort();
        lines
    };
    let line = |task: &str, ok: bool| (task.to_owned(), ok, usize::from(!ok));
    let told = [line("all", false), line("plain", true), line("right", true), line("wrong", false)];
    assert_eq!(lines(2), told);
    env.write("tasks/wrong.py", "def f(n): return 1\n");
    let told = ["all", "plain", "right", "wrong"].map(|task| line(task, true));
    assert_eq!(lines(0), told, "what was proved before is told as well");
    env.write("tasks/plain.yaml", "prompt: p\nsetup: 1 / 0\ntests: [assert f(1) == 1]\n");
    assert!(lines(2).contains(&line("plain", false)));
}

/// Tests that no agent passes whose class has the methods that are asked for.
const BY_THE_AGENTS_WORD: [&str; 11] = [
    "assert Money(1) == Money(1)",
    "assert Money(5) == 5 and 5 == Money(5)",
    "assert Money(1) != Money(2)",
    "assert [Money(1)] == [Money(1)]",
    "assert Money(1) in [Money(2), Money(1)]",
    "assert Money(1) + Money(2) == Money(3)",
    "assert [it.cents for it in sorted([Money(2), Money(1)])] == [1, 2]",
    "assert max(Money(1), Money(2)).cents == 2",
    "assert len({Money(1), Money(1)}) == 1",
    "assert {Money(1): 'a'}[Money(1)] == 'a'",
    "assert not Money(0)",
];

/// Tests of objects that are right.
const BY_PARTS: [&str; 7] = [
    "assert Money(1).cents == 1 and str(Money(1)) == '1' and repr(Money(1)) == 'Money(1)'",
    "assert vars(Money)['__eq__'](Money(1), Money(1)) is True",
    "bag = {Node(1): 1}; assert Node(1).name == 'a' and Node(1).suspect() == 2 and len(bag) == 1",
    "assert same(Money(1), Money(1)) is True",
    "a, b = Node(1), Node(2); assert len({a, b}) == 2 and a is not b and a != None and {a: 1}[a] == 1 and not odd(2)",
    "node = Node(1)\n    while node: node = node.next\n    assert node is None",
    "assert 'a' in Bag('a') and len(Bag()) == 0 and (Money(1) + Money(2)).cents == 3",
];

#[test]
fn tests_that_only_the_agents_word_could_pass_are_hinted_at() {
    let task = |prompt: &str, tests: &[&str]| {
        let tests: String = tests.iter().map(|test| format!("  - |\n    {test}\n")).collect();
        format!("prompt: {prompt}\ntests:\n{tests}")
    };
    let env = TestEnv::new()
        .task("word", &task("Define a class Money.", &BY_THE_AGENTS_WORD))
        .task("parts", &task("Define Money, Node, Bag, same() and odd().", &BY_PARTS))
        .task("tuples", &task("Define a named tuple Money.", &BY_THE_AGENTS_WORD[..1]));
    let found = env.agentmill(&["check"]).code(0);
    let hints: Vec<&str> = found.stdout.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.len(), BY_THE_AGENTS_WORD.len(), "{found}");
    for (test, hint) in hints.iter().enumerate() {
        let place = format!("tasks/word.yaml:{}: tests[{test}]: ", 4 + 2 * test);
        assert!(hint.contains(&place) && hint.contains("compare plain parts"), "{hint} is not {place}");
    }

    let solved = format!("{}solution: money.py\n", task("Define Money.", &BY_THE_AGENTS_WORD[..1]));
    let env = TestEnv::new().task("solved", &solved);
    env.write("tasks/money.py", "import collections\nMoney = collections.namedtuple('Money', 'cents')\n");
    let found = env.agentmill(&["check"]).code(0);
    assert!(!found.stdout.contains("hint: "), "a solution shows that it can be passed: {found}");
}

/// Tests of which all names are known: from setup, from Python, from themselves, from the prompt or from the public one.
const NAMES_TOLD: [&str; 6] = [
    "assert approx(f(1)) == near(f(1)) and Point(1, 2).x == len(str(prompt))",
    "from math import sqrt; assert sqrt(4) == f(LIMIT) and [it for it in f(2) if (half := it)] and half",
    "def own(x): return f(x)\n    assert own(1) == 2 and (lambda y: y)(1)",
    "with raises(ValueError): f(0)",
    "assert helper(1) == 'told by the public test' and output == 'x' and agent.run('1').stdout == ''",
    "try: f(1)\n    except KeyError as error: assert error.args\n    exec('z = 1'); assert z == f(1)",
];

#[test]
fn names_that_no_agent_can_know_of_are_hinted_at() {
    let told: String = NAMES_TOLD.iter().map(|test| format!("  - |\n    {test}\n")).collect();
    let told = format!(
        "prompt: Write f(x), a class Point and LIMIT.\nsetup: |\n  import math\n  def near(x): return math.floor(x)\n\
         tests:\n  - {{assert: helper(1) == 1, public: true}}\n{told}"
    );
    let untold = "prompt: Write f(x).\ntests:\n  - assert f(1) == 1\n  - assert g(1) == 1\n  - assert f(1) == undefined_name\n  \
                  - assert g(2) == 2\n";
    let env = TestEnv::new().task("told", &told).task("untold", untold);
    let found = env.agentmill(&["check"]).code(0);
    let is_hint = |line: &&str| line.starts_with("hint: ") && line.contains("no agent can know of it");
    let hints: Vec<&str> = found.stdout.lines().filter(is_hint).collect();
    assert_eq!(hints.len(), 2, "{found}");
    assert!(hints[0].contains("tasks/untold.yaml:4: tests[1]: g is defined neither"), "{found}");
    assert!(hints[1].contains("tasks/untold.yaml:5: tests[2]: undefined_name is"), "{found}");
    env.write("tasks/untold.py", "undefined_name = 1\ndef f(x): return x\ng = f\n");
    let env = env.task("untold", &format!("{untold}solution: untold.py\n"));
    let found = env.agentmill(&["check", "untold"]).code(0);
    assert!(!found.stdout.contains("no agent can know of it"), "a solution shows that it can: {found}");
}

/// Tests that have the judge do what an agent's answer says, and one that does not.
const BY_THE_AGENTS_PROGRAM: [&str; 10] = [
    "assert eval(f(1)) == 4",
    "exec(f'x = {f(2)}'); assert x == 1",
    "assert evaluated(f(3)) == 5",
    "import ast; code = compile(ast.parse(f(4)), 'f', 'exec'); exec(code); assert f(4)",
    "import pickle; assert pickle.loads(f(5)) == 6",
    "from subprocess import check_output; assert check_output(['python3', '-c', f(6)]) == b'7'",
    "import doctest; doctest.run_docstring_examples(f, globals()); assert f(7)",
    "import importlib; assert importlib.import_module(f(8)).x",
    "assert open(f(9)).read() == 'x'",
    "import ast; assert eval('f(10) + 1') == 11 and ast.literal_eval(f(10)) == 3 and compile(f(11), 'f', 'exec')",
];

#[test]
fn tests_that_run_an_agents_answer_are_hinted_at() {
    let tests: String = BY_THE_AGENTS_PROGRAM.iter().map(|test| format!("  - |\n    {test}\n")).collect();
    let setup = "setup: |\n  def evaluated(text):\n      return eval(text)\n";
    let env = TestEnv::new().task("runs", &format!("prompt: p\n{setup}tests:\n{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    let hints: Vec<&str> = found.stdout.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.len(), BY_THE_AGENTS_PROGRAM.len() - 1, "{found}");
    for (test, hint) in hints.iter().enumerate() {
        let line = if test == 2 { 4 } else { 7 + 2 * test };
        let place = format!("tasks/runs.yaml:{line}: tests[{test}]: ");
        assert!(
            hint.contains(&place) && hint.contains(" is given what the agent answers"),
            "{hint} is not {place}"
        );
    }

    let tests = "  - assert eval(f()) == 4\n  - import inspect; assert 'for' not in inspect.getsource(f)\n";
    let env = TestEnv::new().task("solved", &format!("prompt: p\nsolution: f.py\ntests:\n{tests}"));
    env.write("tasks/f.py", "def f(): return '2 + 2'\n");
    let hints = ["tests[0]: eval is given", "tests[1]: inspect.getsource tells the agent's word"];
    env.agentmill(&["check"]).code(0).prints(&hints);
}

/// Tests that measure the judge's process, where the agent is not; then such that do not.
const BY_A_MEASURE: [(&str, bool); 5] = [
    ("import time; start = time.process_time(); f(1); assert time.process_time() - start < 1", true),
    (
        "import tracemalloc; tracemalloc.start(); f(2); assert tracemalloc.get_traced_memory()[1] < 10**6",
        true,
    ),
    ("from sys import setrecursionlimit; setrecursionlimit(150); assert f(3) == 3", true),
    ("import sys; sys.setrecursionlimit(10**5); assert f(4) == 4", false),
    ("import time; start = time.perf_counter(); f(5); assert time.perf_counter() - start < 1", false),
];

#[test]
fn tests_that_measure_the_judges_process_are_hinted_at() {
    let tests: String = BY_A_MEASURE.iter().map(|(test, _)| format!("  - |\n    {test}\n")).collect();
    let env = TestEnv::new().task("measures", &format!("prompt: p\ntests:\n{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    for (test, (text, is_hinted)) in BY_A_MEASURE.iter().enumerate() {
        let is_told = |line: &str| {
            line.contains(&format!("tests[{test}]: ")) && line.contains("is of the judge's process")
        };
        assert_eq!(found.stdout.lines().any(is_told), *is_hinted, "{text}: {found}");
    }
}

/// Tests that compare what is printed with a text that does not end as print ends it; then such that may be meant so.
const BY_A_LINE: [(&str, bool); 6] = [
    ("assert output == 'hello'", true),
    ("assert agent.run().stdout == \"hello\", 'greet'", true),
    ("assert output_of(f, 1) == 'a\\nb'", true),
    ("assert output == 'hello\\n'", false),
    ("assert output.strip() == 'hello'", false),
    ("assert output == ''", false),
];

#[test]
fn tests_that_forget_prints_newline_are_hinted_at() {
    let prompt = "prompt: Write f(n) and a program.\n";
    let task = |test: &str| format!("{prompt}tests:\n  - |\n    {test}\n");
    let env = BY_A_LINE
        .iter()
        .enumerate()
        .fold(TestEnv::new(), |env, (at, (test, _))| env.task(&format!("t{at}"), &task(test)));
    let found = env.agentmill(&["check"]).code(0);
    for (test, (text, is_hinted)) in BY_A_LINE.iter().enumerate() {
        let is_told =
            |line: &str| line.contains(&format!("tasks/t{test}.yaml:")) && line.contains("which print adds");
        assert_eq!(found.stdout.lines().any(is_told), *is_hinted, "{text}: {found}");
    }
    env.write("tasks/prints.yaml", &format!("{prompt}solution: f.py\ntests: [assert output == 'hello']\n"));
    env.write("tasks/f.py", "print('hello', end='')\n");
    let proved = env.agentmill(&["check", "prints"]).code(0);
    assert!(!proved.stdout.contains("which print adds"), "{proved}");
}

/// Tests with a file of their own or of the agent's, which lies where the other one is not; then such that have none.
const BY_A_FILE: [(&str, &str); 6] = [
    ("f('/tmp/x.txt'); assert open('/tmp/x.txt').read() == 'a'", "'/tmp/x.txt' is not there for the test"),
    ("import pathlib; f(1); assert pathlib.Path('/tmp/y').read_text()", "'/tmp/y' is not there for the test"),
    ("open('/tmp/z.csv', 'w').write('a'); assert f('/tmp/z.csv')", "'/tmp/z.csv' is a file of the test's"),
    ("open('/tmp/w.csv', 'w').write('a'); assert f(open('/tmp/w.csv').read()) == 1", ""),
    (
        "from unittest.mock import mock_open, patch\n    with patch('builtins.open', mock_open()):\n        assert f('/tmp/v') == 1",
        "",
    ),
    ("import io; assert f(io.StringIO('a')) == 1", ""),
];

#[test]
fn tests_that_look_for_the_agents_files_are_hinted_at() {
    let tests: String = BY_A_FILE.iter().map(|(test, _)| format!("  - |\n    {test}\n")).collect();
    let env = TestEnv::new().task("files", &format!("prompt: p\ntests:\n{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    for (test, (text, told)) in BY_A_FILE.iter().enumerate() {
        let mut hints = found.stdout.lines().filter(|line| line.contains(&format!("tests[{test}]: ")));
        let is_right =
            if told.is_empty() { hints.next().is_none() } else { hints.any(|line| line.contains(told)) };
        assert!(is_right, "{text}: {found}");
    }
}

/// Tests that believe an object which a function returned.
const BY_AN_OBLIGING_OBJECT: [&str; 6] = [
    "left = f(1); left.remove('x'); assert len(left) == 0",
    "left = f(2); left.difference_update({'x'}); assert list(left) == []",
    "from decimal import Decimal; assert f(3).compare(Decimal(4)) == 0",
    "assert f(4).match('*.py')",
    "assert f(5).is_integer()",
    "left = set(f(6)) | {'x'}; left.remove('x'); assert len(left) == 1 and f(6) == 6",
];

#[test]
fn tests_that_an_obliging_object_passes_are_hinted_at() {
    let tests: String = BY_AN_OBLIGING_OBJECT.iter().map(|test| format!("  - |\n    {test}\n")).collect();
    let env = TestEnv::new().task("obliging", &format!("prompt: p\ntests:\n{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    let hints: Vec<&str> = found.stdout.lines().filter(|line| line.starts_with("hint: ")).collect();
    let believed: Vec<&&str> = hints.iter().filter(|hint| hint.contains("say what may please")).collect();
    assert_eq!(believed.len(), BY_AN_OBLIGING_OBJECT.len() - 1, "{found}");
    for (test, hint) in believed.iter().enumerate() {
        assert!(hint.contains(&format!("tasks/obliging.yaml:{}: tests[{test}]: ", 4 + 2 * test)), "{hint}");
    }
}

/// Tests that an agent passes which empties its arguments, or answers NaN; then such that are passed by neither, or by whoever says anything.
const BY_NO_KNOWLEDGE: [(&str, Option<&str>); 11] = [
    ("xs = [3, 1, 2]; assert sort(xs) == sorted(xs)", Some("empties what it is given")),
    (
        "xs = [2, 2]; ys = unique(xs); assert set(ys) == set(xs) and len(ys) == len(set(xs))",
        Some("empties what it is given"),
    ),
    ("assert not abs(root(2) - 1.41) > 0.01", Some("answers NaN")),
    ("xs = [3, 1, 2]; right = sorted(xs); assert sort(xs) == right", None),
    ("assert sort([]) == []", None),
    ("assert positive([-1, -2]) == []", None),
    ("assert not below([1, 20], 5)", None),
    ("xs = [3, 1, 2]; median(xs); assert xs == [3, 1, 2]", None),
    ("assert abs(root(2) - 1.41) <= 0.01", None),
    ("assert is_even(2)", None),
    ("assert first([]) is None", None),
];

#[test]
fn tests_that_an_agent_passes_by_emptying_its_arguments_or_by_nan_are_hinted_at() {
    let tests: String = BY_NO_KNOWLEDGE.iter().map(|(test, _)| format!("  - |\n    {test}\n")).collect();
    let env = TestEnv::new().task("ignorant", &format!("prompt: p\ntests:\n{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    for (test, (text, why)) in BY_NO_KNOWLEDGE.iter().enumerate() {
        let place = format!("tests[{test}]: it holds for");
        let hint = found.stdout.lines().find(|line| line.contains(&place));
        let is_right = match why {
            Some(why) => hint.is_some_and(|hint| hint.contains(why)),
            None => hint.is_none(),
        };
        assert!(is_right, "{text}: {hint:?}");
    }
}

#[test]
fn a_checker_that_takes_nan_for_near_is_hinted_at() {
    let env =
        TestEnv::new().task("root", "prompt: root\ncases: {folder: root, compare: {checker: near.py}}\n");
    env.write("tasks/root/1.in", "2\n");
    env.write("tasks/root/1.out", "1.4142\n");
    env.write("tasks/near.py", "def check(input, output, answer):\n    got, right = float(output.split()[0]), float(answer)\n    return not abs(got - right) > 0.01\n");
    env.agentmill(&["check"]).code(0).prints(&["hint: ", "it holds for an agent that answers NaN"]);
}

#[test]
fn weak_tests_are_hinted_at() {
    let task = "prompt: largest\nsolution: largest.py\ntests:\n  - assert largest([1, 3]) == 3\n  - \"assert True or \
                largest([])\"\n  - assert largest([2]) == 2\n";
    let env = TestEnv::new().task("largest", task);
    env.write("tasks/largest.py", "def largest(n):\n    best = n[0]\n    for i in n:\n        if i > best:\n            best = i\n    return best\n");
    let found = env.agentmill(&["check", "--mutants"]).code(0).prints(&[
        "hint: ",
        "largest.yaml:5: tests[1]: it holds for an agent that does nothing",
        "largest.yaml: solution: line 4 with `>` as `>=` passes all tests",
        "mutants: 2 tried, 1 caught by the tests\n",
    ]);
    assert!(!found.stdout.contains("line 2 with"), "{found}");
    let found = env.agentmill(&["check", "--json"]).code(0);
    let data: serde_json::Value = serde_json::from_str(found.stdout.lines().last().unwrap()).unwrap();
    let hint = &data["found"]["hints"][0];
    assert_eq!((&hint["field"], &hint["line"]), (&"tests[1]".into(), &5.into()), "{hint}");
}

#[test]
fn the_shipped_tasks_and_the_shipped_pipeline_are_sound() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/tasks");
    let env = TestEnv::new();
    env.write(
        "pipeline.yaml",
        &agentmill::config::DEFAULT.replace("tasks: tasks ", &format!("tasks: {shipped} ")),
    );
    env.agentmill(&["check"]).code(0).prints(&["reference solutions score 100"]);
}

/// A folder whose reference solution takes its time, so that its `check` is met in the middle.
fn slow_to_check() -> TestEnv {
    let task = format!("{DOUBLE_TASK}solution: slow.py\ntimeout: 20s\n");
    let env = TestEnv::new().task("slow", &task).variable("AGENTMILL_LOG", "agentmill=debug");
    env.write("tasks/slow.py", &format!("import time\n{DOUBLE_AGENT}time.sleep(4)\n"));
    env
}

/// `agentmill check` from within its folder, as people call it: every path is a relative one.
fn check_from_within(env: &TestEnv) -> Running {
    let line = format!("cd {} && exec \"$0\" check", env.dir().display());
    env.start_by(&["sh", "-c", &line], &["check"])
}

/// Starts a second `check` while the first has containers at work; neither may take the other's for leftovers.
fn expect_two_checks_to_leave_each_other_alone(first: &TestEnv, second: &TestEnv) {
    let one = check_from_within(first);
    wait_until("the first check has a cell", || one.stderr().contains("agentmill-cell-"));
    let other = check_from_within(second).wait().code(0);
    other.complains(&["removed what an earlier session left swept=0"]);
    one.wait().code(0);
}

#[test]
fn checks_of_two_folders_leave_each_other_alone() {
    expect_two_checks_to_leave_each_other_alone(&slow_to_check(), &slow_to_check());
}

#[test]
fn two_checks_of_one_folder_leave_each_other_alone() {
    let env = slow_to_check();
    expect_two_checks_to_leave_each_other_alone(&env, &env);
}
