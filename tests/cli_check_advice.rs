//! `agentmill check`, and its advice on tests that beginners write.

mod testenv;

use testenv::TestEnv;

/// Tests as beginners write them, with the advice that each gets.
const BEGINNERS: [(&str, &str); 16] = [
    ("assert f(1) == 1\n    - assert f(2) == 2", "YAML makes one text of both"),
    ("assert f(1) = 1", "`==` compares"),
    ("assert f(1) === 1", "`==` compares"),
    ("assert f(1) == 1 && f(2) == 2", "write `and`"),
    ("assert f(-1) raises ValueError", "write `with raises(ValueError):`"),
    ("raises(ValueError, f, -1)", "write `with raises(ValueError):`"),
    ("assert agent.f(2) == 2", "f(2), not agent.f(2)"),
    ("|\n    def test_f():\n        assert f(2) == 2", "nothing calls the function"),
    (
        "|\n    import unittest\n    class TestF(unittest.TestCase):\n        def test(self): self.assertEqual(f(1), 1)",
        "nothing calls the class",
    ),
    ("assert open('a.txt').read() == f(1)", "files: is for agents alone"),
    ("assert f(1) == pytest.approx(1)", "raises and approx are there without it"),
    ("self.assertEqual(f(1), 1)", "write assertions"),
    ("assertEqual(f(1), 1)", "write assertions"),
    ("assert f(1) is true", "Python writes True"),
    ("assert f(1) == null", "Python writes True, False and None"),
    ("assert output_of(f(2)) == '4\\n'", "output_of(f, 2)"),
];

#[test]
fn tests_as_beginners_write_them_are_told_with_what_to_write() {
    let (mistakes, hints) = BEGINNERS.split_at(10);
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
