//! `agentmill check`, and its advice on tests that beginners write.

mod testenv;

use testenv::TestEnv;

/// Tests as beginners write them, with the advice that each gets.
const BEGINNERS: [(&str, &str); 17] = [
    ("assert f(1) == 1\n    - assert f(2) == 2", "YAML makes one text of both"),
    ("assert f(1) = 1", "`==` compares"),
    ("assert f(1) === 1", "`==` compares"),
    ("assert f(1) == 1 && f(2) == 2", "write `and`"),
    ("assert f(-1) raises ValueError", "write `with raises(ValueError):`"),
    ("assert f(\u{201c}a\u{201d}) == 2", "write straight quotes"),
    ("assert agent.f(2) == 2", "f(2), not agent.f(2)"),
    ("|\n    def test_f():\n        assert f(2) == 2", "put it into setup, and write `- NAME()`"),
    (
        "|\n    import unittest\n    class TestF(unittest.TestCase):\n        def test(self): self.assertEqual(f(1), 1)",
        "put it into setup, and write `- NAME(\"METHOD\").debug()`",
    ),
    ("assert open('a.txt').read() == f(1)", "files: is for agents alone"),
    ("assert f(1) == pytest.approx(1)", "raises and approx are without it"),
    ("assert f(capsys) == 1", "output_of(f, 2) is what f prints"),
    ("self.assertEqual(f(1), 1)", "write assertions"),
    ("assertEqual(f(1), 1)", "write assertions"),
    ("assert f(1) is true", "Python writes True"),
    ("assert f(1) == null", "Python writes True, False and None"),
    ("assert output_of(f(2)) == '4\\n'", "output_of(f, 2)"),
];

#[test]
fn tests_as_beginners_write_them_are_told_with_what_to_write() {
    let (mistakes, hints) = BEGINNERS.split_at(12);
    for (tests, code) in [(mistakes, 2), (hints, 0)] {
        let file = |at: usize| format!("t{at}");
        let env = tests.iter().enumerate().fold(TestEnv::new(), |env, (at, (test, _))| {
            env.task(&file(at), &format!("prompt: Write f(x).\ntests:\n  - {test}\n"))
        });
        let found = env.agentmill(&["check"]).code(code);
        let lines: Vec<&str> = found.stdout.lines().chain(found.stderr.lines()).collect();
        for (at, (test, advice)) in tests.iter().enumerate() {
            let place = format!("tasks/{}.yaml:", file(at));
            let is_told = lines.iter().any(|line| line.contains(&place) && line.contains(advice));
            assert!(is_told, "{test:?}: {found}");
        }
    }
}

#[test]
fn a_module_that_setup_forgot_is_told_once() {
    let setup = "setup: |\n  def area(r): return math.pi * r\n  def whole(r): return math.floor(r)\n";
    let env = TestEnv::new().task("t", &format!("prompt: f\n{setup}tests: [assert f(1) == area(1)]\n"));
    let found = env.agentmill(&["check"]).code(2);
    let told = found.stderr.matches("math is not defined: import or define it in setup").count();
    assert_eq!(told, 1, "{found}");
}

/// A test of a pytest file is called by its name, be it a text alone or a field beside a name and a weight.
#[test]
fn tests_that_setup_holds_are_called_in_either_form() {
    let setup = "setup: |\n  import unittest\n  from functools import partial\n  def test_two():\n      assert f(2) == 4\n  \
                 def holds():\n      assert f(1) == 2\n      return f(2) == 4\n  class Case(unittest.TestCase):\n      def \
                 test(self):\n          self.assertEqual(f(3), 6)\n  class TestF:\n      def test_one(self, x=1):\n          assert \
                 f(x) == 2 * x\n      @staticmethod\n      def test_static():\n          assert f(1) == 2\n  test_same = \
                 test_two\n  test_part = partial(test_two)\n";
    let calls = [
        "test_two()",
        "holds()",
        "Case('test').debug()",
        "Case('test').assertEqual(f(1), 2)",
        "TestF().test_one()",
        "TestF().test_one(x=3)",
        "TestF.test_static()",
        "test_same()",
        "test_part()",
    ];
    let fields = calls.map(|call| format!("  - {{name: \"{call}\", weight: 2, assert: \"{call}\"}}\n"));
    let tests = format!("  - test_two()\n{}", fields.concat());
    let env = TestEnv::new().task("t", &format!("prompt: Write f(x).\n{setup}tests:\n{tests}"));
    let env = env.agent("ann", "def f(x):\n    return 2 * x\n").agent("bob", "def f(x):\n    return x\n");
    env.run();
    assert_eq!(
        ["ann", "bob"].map(|miner| env.score(miner).unwrap()),
        ["100", "0"],
        "{:?}",
        env.report("ann", "t")
    );
}

#[test]
fn calls_that_run_no_test_of_setup_are_told_with_those_that_do() {
    let task =
        |setup: &str, test: &str| format!("prompt: Write f(x).\nsetup: |\n{setup}tests:\n  - {test}\n");
    let case = "  import unittest\n  class T(unittest.TestCase):\n      def test_a(self): self.assertEqual(f(1), 1)\n";
    let function = "  def test_a():\n      assert f(1) == 1\n";
    let env = TestEnv::new()
        .task("made", &task(case, "T(\"test_a\")"))
        .task("main", &task(case, "unittest.main()"))
        .task("misspelt", &task(function, "test_aa()"))
        .task("bare", &task(function, "{name: a, assert: test_a}"));
    env.agentmill(&["check"]).code(2).complains(&[
        "bare.yaml:6: tests[0]: is not called: write test_a()",
        "made.yaml:7: tests[0]: ",
        "nothing runs the method: write `- NAME(\"METHOD\").debug()`",
        "main.yaml:7: tests[0]: asserts nothing; write `assert ...`; write a test for each method, such as `- NAME(\"METHOD\").debug()`",
        "misspelt.yaml:6: tests[0]: setup has no test_aa; did you mean \"test_a\"?",
    ]);
}

/// Also where a reference solution passes: it passes them, too.
#[test]
fn tests_that_hold_for_every_agent_and_tests_that_nothing_calls_are_hinted_at() {
    let task = "prompt: Write f(x).\nsetup: |\n  def test_a():\n      assert f(1) == 1\n  def test_b():\n      assert f(2) == 2\n\
                tests:\n  - test_a()\n  - assert f(2) == 2 or 5\nsolution: f.py\n";
    let env = TestEnv::new().task("t", task);
    env.write("tasks/f.py", "def f(x):\n    return x\n");
    env.agentmill(&["check"]).code(0).prints(&[
        "t.yaml:9: tests[1]: holds whatever the agent answers",
        "t.yaml:5: setup: test_b is called by no test, and so is never run; write a test such as `- test_b()`",
    ]);
}

#[test]
fn what_is_left_of_pytest_is_told_with_what_to_write() {
    let task =
        |setup: &str, test: &str| format!("prompt: Write f(x).\nsetup: |\n{setup}tests:\n  - {test}\n");
    let helper = "  def test_f():\n      assert f(1) == 1\n";
    let env = TestEnv::new()
        .task("bare", &task(helper, "test_f"))
        .task("fixture", &task("  @pytest.fixture\n  def one():\n      return 1\n", "assert f(one()) == 1"))
        .task("file", &task("  CASES = open('cases.csv').read()\n", "assert f(1) == 1"))
        .task("import", &task("  from account import Account\n", "assert f(1) == 1"));
    env.agentmill(&["check"]).code(2).complains(&[
        "bare.yaml:6: tests[0]: is not called: write test_f()",
        "fixture.yaml:3: setup: pytest is not there: raises and approx are without it; instead of a fixture or parameters write a function",
        "file.yaml:3: setup: raised FileNotFoundError: [Errno 2] No such file or directory: 'cases.csv'; files: is for agents alone, and a judge sees no file",
        "import.yaml:3: setup: raised ModuleNotFoundError: No module named 'account'; a judge has the standard library, and the agent's names without an import",
    ]);
}

#[test]
fn ties_by_chance_of_so_few_tasks_that_all_tie_are_told() {
    let told = |tasks: usize, ties: &str| {
        let env = (0..tasks).fold(TestEnv::new(), |env, at| {
            env.task(&format!("t{at}"), &format!("prompt: Write f(x).\ntests: [assert f({at}) == {at}]\n"))
        });
        let pipeline = format!("rewards: {{pool: 10, split: [60, 40], ties: {ties}}}\n");
        let found = env.pipeline(&pipeline).agentmill(&["check"]).code(0);
        found
            .stdout
            .contains("statistical, with 3 tasks: who is equal to another on one of them shares its place")
    };
    assert_eq!([told(3, "statistical"), told(3, "exact"), told(4, "statistical")], [true, false, false]);
}

#[test]
fn cases_of_which_one_may_take_the_time_of_all_are_told_each_time() {
    let env = TestEnv::new().task("sum", "prompt: sum\ncases: sum\nsolution: right.py\n");
    for (name, text) in [("1.in", "1 2"), ("1.out", "3"), ("2.in", "2 2"), ("2.out", "4")] {
        env.write(&format!("tasks/sum/{name}"), text);
    }
    env.write("tasks/right.py", "print(sum(map(int, input().split())))\n");
    let hint = "tasks/sum.yaml:2: cases: an endless loop in one case takes the time of all behind it";
    for _ in 0..2 {
        let found = env.agentmill(&["check"]).code(0);
        assert_eq!(found.stdout.matches(hint).count(), 1, "{found}");
    }
}

#[test]
fn names_that_setup_forgot_to_import_are_told_with_the_import() {
    let fixture = |name: &str| format!("  def test_f({name}):\n      assert f({name}) == 1\n");
    let task =
        |setup: &str, test: &str| format!("prompt: Write f(x).\nsetup: |\n{setup}tests:\n  - {test}\n");
    let on_disk = "the task's `files:` are there for the agent";
    let replacing = "write `with patch(\"time.sleep\"):` around the call, with `from unittest.mock import patch` in setup";
    let mut env = TestEnv::new();
    let mut told = Vec::new();
    for (name, advice) in
        [("monkeypatch", replacing), ("capsys", "output_of(f, 2) is what f prints"), ("tmp_path", on_disk)]
    {
        env = env.task(name, &task(&fixture(name), &format!("assert test_f({name})")));
        told.push(format!("{name} is a fixture of pytest's, which is not there: {advice}"));
    }
    for (name, test, advice) in [
        (
            "patch",
            "{assert: 'with patch(\"time.sleep\"): assert f(1) == 1', public: true}",
            "import it from unittest.mock in setup",
        ),
        ("mock", "assert f(mock.Mock()) == 1", "import it from unittest in setup"),
        ("MagicMock", "assert f(MagicMock()) == 1", "import it from unittest.mock in setup"),
        ("np", "assert f(np.zeros(2)) == 1", "write import numpy as np in setup"),
        ("math", "assert f(1) == math.sqrt(4)", "import or define it in setup"),
        ("StringIO", "assert f(StringIO('a')) == 1", "import it from io in setup"),
    ] {
        env = env.task(&name.to_lowercase(), &format!("prompt: Write f(x).\ntests:\n  - {test}\n"));
        told.push(format!("tests[0]: {name} is n"));
        told.push(advice.to_owned());
    }
    env.agentmill(&["check"]).code(2).complains(&told.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_public_test_that_only_setup_explains_is_hinted_at_once() {
    let setup = "setup: |\n  def points(found):\n      return found / 2\n";
    let tests =
        "tests:\n  - {score: points(f(1)), public: true}\n  - {assert: points(f(2)) == 1, public: true}\n";
    let env = TestEnv::new().task("t", &format!("prompt: Write f(x).\n{setup}{tests}"));
    let found = env.agentmill(&["check"]).code(0);
    let told = "tests[0]: is public and calls points, which only setup defines";
    assert_eq!(format!("{}{}", found.stdout, found.stderr).matches(told).count(), 1, "{found}");
    assert!(!found.stdout.contains("tests[1]") && !found.stderr.contains("tests[1]"), "{found}");
}

/// An agent has a part in what a test before it may leave in setup: a failure for lack of that is a hint, and no fault.
#[test]
fn a_test_that_fails_before_it_asks_is_hinted_at_if_another_may_mend_it() {
    let task = "prompt: Write f(n).\nsetup: |\n  seen = {}\n  def keep(n):\n    for _ in range(n): seen[n] = n\n    return True\n\
                tests:\n  - assert keep(f(1))\n  - assert seen[1] == f(1)\n";
    let env = TestEnv::new().task("t", task);
    env.agentmill(&["check"]).code(0).prints(&[
        "tasks/t.yaml:9: tests[1]: raised KeyError: 1, before the agent is asked anything",
        "unless a test before this one keeps that away",
    ]);
}

#[test]
fn a_test_of_a_class_that_was_called_without_its_preparation_is_told_how() {
    let task = |head: &str, name: &str, test: &str| {
        format!(
            "prompt: Write f(x).\nsetup: |\n  import unittest\n  class T{head}:\n      def {name}(self):\n          self.one = 1\n      \
             def test_a(self):\n          assert f(self.one) == 1\ntests:\n  - {test}\n"
        )
    };
    let env = TestEnv::new()
        .task("case", &task("(unittest.TestCase)", "setUp", "T().test_a()"))
        .task("pytest", &task("", "setup_method", "T().test_a()"));
    env.agentmill(&["check"]).code(2).complains(&[
        "case.yaml:8: tests[0]: raised AttributeError: 'T' object has no attribute 'one'; write T(\"test_a\").debug(), which calls setUp",
        "pytest.yaml:8: tests[0]: raised AttributeError: 'T' object has no attribute 'one'; nothing calls setup_method: call it __init__, which",
    ]);
    let env = TestEnv::new()
        .task("case", &task("(unittest.TestCase)", "setUp", "T('test_a').debug()"))
        .task("pytest", &task("", "__init__", "T().test_a()"));
    env.agentmill(&["check"]).code(0);
}

/// An attribute that what `agent.run` gives has for no agent, where only some agents come to it, is a hint; else it is a mistake.
#[test]
fn an_attribute_that_no_result_of_a_program_has_is_told() {
    let task = |test: &str| format!("prompt: p\ntests:\n  - |\n    r = agent.run('x')\n    {test}\n");
    let some = task("if r.returncode:\n        raise AssertionError(r.sterr)\n    assert r.stdout == 'x'");
    let env = TestEnv::new().task("some", &some);
    env.agentmill(&["check"]).code(0).prints(&[
        "some.yaml:6: tests[0]: what agent.run(...) gives has no sterr; it has stdout, stderr and returncode: no agent passes",
    ]);
    let env = env.task("all", &task("assert r.stdout.strp() == 'x'"));
    env.agentmill(&["check"]).code(2).complains(&[
        "all.yaml:5: tests[0]: what a program prints is a text, and a text has no strp; did you mean strip?",
    ]);
}
