//! Scores: tests that are worth a share of their weight, on the real engine.

mod common;
mod testenv;

use agentmill::model::report::Scored;
use common::{LIMITS, Lab, Outcome, messages, task, verdicts};
use testenv::TestEnv;

fn run(lab: &Lab, agent: &str, text: &str) -> Scored {
    match lab.run(agent.as_bytes(), &task(text), &LIMITS, 1) {
        Outcome::Judged(mut runs) => runs.remove(0),
        outcome => panic!("{outcome:?}"),
    }
}

/// An expression about what `back(...)`, which returns its argument, makes of it; and the share that it comes to.
const SHARES: [(&str, f64); 24] = [
    ("back(0.25)", 0.25),
    ("back(1)", 1.0),
    ("back(2) == 2", 1.0),
    ("back(2) == 3", 0.0),
    ("approx(back(1.0000001), 1)", 1.0),
    ("approx(back([1, 2.1]), (1, 2))", 0.0),
    ("approx(back({'a': 1.05}), {'a': 1}, rel=0.1)", 1.0),
    ("approx(back(1e300), float('inf'))", 0.0),
    ("approx(back(None), 1)", 0.0),
    ("same_tokens(back(' a  b\\n'), 'a b')", 1.0),
    ("same_tokens(back(['a', 'b']), 'a b')", 0.0),
    ("matches(back([1, 1, 2]), [1, 2, 3]) / 4", 0.5),
    // The first might take the place that is the only one for the second.
    ("matches(back([1, 3]), [3, 0], lambda a, b: abs(a - b) <= 2) / 2", 1.0),
    ("matches(back([5, 1, 9]), [1, 5, 2], lambda a, b: abs(a - b) < 5) / 4", 0.75),
    ("precision(back(['a', 'b', 'c', 'd']), ['a'])", 0.25),
    ("precision(back([]), ['a'])", 0.0),
    ("precision(back([]), [])", 1.0),
    ("recall(back(['a', 'x']), ['a', 'b'])", 0.5),
    ("recall(back(['a']), [])", 0.0),
    ("f1(back(['a', 'b']), ['b', 'c'])", 0.5),
    ("f1(back([]), [])", 1.0),
    ("f1(back([[1], [2]]), [[2], [1]])", 1.0),
    ("quality(back([0, 1]))", 0.5),
    ("back(1) / 0", 0.0),
];

#[test]
fn a_score_is_worth_the_share_that_its_expression_comes_to() {
    let mut text =
        String::from("prompt: p\nsetup: |\n  def quality(got):\n      return recall(got, [1, 2])\ntests:\n");
    for (expression, _) in SHARES {
        text += &format!("  - score: {expression:?}\n");
    }
    let lab = Lab::with_workers(1);
    let scored = run(&lab, "def back(value):\n    return value\n", &text);
    for ((expression, share), test) in SHARES.iter().zip(&scored.tests) {
        assert_eq!(test.share, Some(*share), "{expression}: {test:?}");
        assert_eq!(test.verdict.name() == "passed", *share == 1.0, "{expression}: {test:?}");
    }
    let all: f64 = SHARES.iter().map(|(_, share)| share).sum();
    assert!((scored.score - 100.0 * all / 24.0).abs() < 1e-9, "{}", scored.score);
    assert_eq!(messages(&scored)[0], "the score is 0.25 - back(0.25) returned 0.25");
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn weights_count_by_their_shares_and_what_ends_a_score_is_worth_nothing() {
    let text = "prompt: p\ntests:\n  - {score: half(), weight: 6}\n  - assert half() == 0.5\n  - {score: gone(), weight: 3}\n";
    let lab = Lab::with_workers(1);
    let scored = run(&lab, "import os\ndef half():\n    return 0.5\ndef gone():\n    os._exit(1)\n", text);
    assert_eq!(verdicts(&scored), ["failed", "passed", "crashed"]);
    assert_eq!(scored.tests.iter().map(|test| test.share).collect::<Vec<_>>(), [Some(0.5), None, Some(0.0)]);
    assert_eq!(scored.score, 40.0);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Else an agent could have the task count for nobody.
#[test]
fn a_score_that_is_no_share_is_the_authors_fault_only_where_no_answer_went_into_it() {
    let lab = Lab::with_workers(1);
    let agent = "class Odd(float):\n    def more(self):\n        return 1\n\
                 def f(n):\n    return {1: 1.5, 2: -1, 3: float('nan'), 4: 'all', 5: [1], 6: None, 7: Odd('nan')}[n]\n";
    for (n, shown) in [(1, "1.5"), (2, "-1"), (3, "nan"), (4, "'all'"), (5, "[1]"), (6, "None")] {
        let text = format!("prompt: p\ntests:\n  - assert f(1)\n  - name: odd\n    score: f({n})\n");
        let scored = run(&lab, agent, &text);
        assert_eq!(
            (verdicts(&scored), scored.score),
            (vec!["passed".into(), "error".into()], 50.0),
            "{shown}"
        );
        let told = format!("the score is {shown}, not a number from 0 to 1");
        assert!(messages(&scored)[0].contains(&told), "{:?}", messages(&scored));
        let has_hint = messages(&scored)[0].contains("such as min(1, max(0, ...)) keeps it there");
        assert_eq!(has_hint, n < 4, "{:?}", messages(&scored));
    }
    let with_words =
        "prompt: p\ntests:\n  - score: f(1), \"words\"\n  - score: f(\"x\") + 1\n  - assert f(\"x\")\n";
    let told = messages(&run(&lab, "def f(n):\n    return n\n", with_words)).concat();
    for words in ["to 1; a score takes no message behind a comma", "the score raised TypeError: "] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let careless = "prompt: p\ntests:\n  - assert f(1)\n  - name: odd\n    score: 3 / 2\n";
    let fault = lab.run(agent.as_bytes(), &task(careless), &LIMITS, 1);
    let Outcome::TaskFault(fault) = fault else { panic!("{fault:?}") };
    assert!(fault.contains("odd (line 5): the score is 1.5, not a number from 0 to 1"), "{fault}");
    let mended = "prompt: p\ntests:\n  - score: min(1, max(0, f(1)))\n";
    assert_eq!(run(&lab, "def f(n):\n    return 1.5\n", mended).score, 100.0);
    let scores = [
        "max(0, min(1, f(3)))",
        "min(1, max([0, f(3)]))",
        "max(0, min(f(3), 1, key=abs))",
        "max(0, min(1, f(7)))",
    ];
    for score in scores {
        let unordered = run(&lab, agent, &format!("prompt: p\ntests:\n  - score: {score}\n"));
        assert_eq!((verdicts(&unordered), unordered.score), (vec!["error".into()], 0.0), "{score}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_helper_that_the_prompt_asks_for_is_the_agents_and_no_other_task_has_any() {
    let lab = Lab::with_workers(1);
    let agent = "def f1(a, b):\n    return 0.125\n";
    let asked = "prompt: Write def f1(a, b).\ntests:\n  - score: f1(1, 2)\n";
    assert_eq!(run(&lab, agent, asked).tests[0].share, Some(0.125));
    let plain = "prompt: p\ntests:\n  - assert f1(1, 2) == 0.125\n";
    assert_eq!(run(&lab, agent, plain).score, 100.0);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Assertions about what `back(...)` returns, what they come to, and what is told of those that don't hold.
const NEAR: [(&str, &str, &str); 21] = [
    ("assert approx(back(0.1 + 0.2), 0.3)", "passed", ""),
    ("assert back(0.1 + 0.2) == approx(0.3)", "passed", ""),
    ("assert approx(0.3) == back(0.1 + 0.2)", "passed", ""),
    ("assert [back(0.5), back(1.5)] == [approx(0.5), approx(1.5)]", "passed", ""),
    ("assert back({'a': [1.0000001]}) == approx({'a': [1]})", "passed", ""),
    ("assert back(2.4) == approx(2, abs=0.5) and back(2.6) != approx(2, abs=0.5)", "passed", ""),
    ("assert back('a\\n') == 'a'", "failed", "the left ends with a newline that is too many"),
    ("assert back('a') == 'a\\n'", "failed", "the left lacks the newline at its end"),
    ("assert back('a\\n\\n') == 'a'", "failed", "has 3 lines, not 1"),
    ("assert approx(back(3.0), 2)", "failed", "3.0 is not nearly 2"),
    ("assert approx(back([1, 3.0]), [1, 2])", "failed", "3.0 is not nearly 2"),
    ("assert back(3.0) == approx(2)", "failed", "3.0 == approx(2) does not hold - back"),
    ("assert back([1, 3.0]) == [1, approx(2)]", "failed", "does not hold: [1] is 3.0, not approx(2)"),
    ("assert back('x') == approx(2)", "failed", "'x' == approx(2) does not hold - back"),
    (
        "assert back(0.1 + 0.2) == 0.3",
        "failed",
        "does not hold: the difference is one of rounding, which approx(0.3) lets",
    ),
    ("assert back([0.1 + 0.2]) == [0.3]", "failed", "does not hold: the difference is one of rounding"),
    ("assert back(float('inf')) == 5", "failed", "inf == 5 does not hold - back"),
    ("assert back(None)", "failed", "None does not hold - back(None) returned None"),
    ("assert back(0)", "failed", "back(0) returned 0"),
    ("assert back(None) == 6", "failed", "the left is None, as a function without `return` gives"),
    ("assert back(float('nan')) == approx(2)", "failed", "nan == approx(2) does not hold"),
];

#[test]
fn assertions_have_approx_where_it_cannot_be_the_agents() {
    let tests: String = NEAR.iter().map(|(test, ..)| format!("  - {test:?}\n")).collect();
    let lab = Lab::with_workers(1);
    let back = "def back(value):\n    return value\n";
    let scored = run(&lab, back, &format!("prompt: p\ntests:\n{tests}"));
    for ((test, verdict, told), result) in NEAR.iter().zip(&scored.tests) {
        let message = result.message.as_deref().unwrap_or_default();
        assert!(result.verdict.name() == *verdict && message.contains(told), "{test}: {result:?}");
    }
    let score = run(&lab, back, "prompt: p\ntests: [{score: 'approx(back(3.0), 2)'}]\n");
    assert!(messages(&score)[0].contains("3.0 is not nearly 2"), "{score:?}");
    let own = "prompt: approx(x) is x\ntests:\n  - assert approx(7) == 7\n  - assert approx(7) is True\n";
    assert_eq!(verdicts(&run(&lab, "def approx(x): return x\n", own)), ["passed", "failed"]);
    let env = TestEnv::new().task("t", "prompt: p\ntests:\n  - assert back(1) == approx(1, 2)\n");
    let found = env.agentmill(&["check"]).code(2);
    assert!(
        found.stderr.contains("approx(got, right) is True or False; write `== approx(right)`"),
        "{found}"
    );
}

#[test]
fn the_share_stands_in_report_ranking_and_show_and_check_tells_of_it() {
    let task = "prompt: Find the tags.\nsolution: s.py\ntests:\n  - name: tags\n    score: f1(tags('a b'), ['a', 'b'])\n    \
                public: true\n    weight: 3\n  - assert tags('') == []\n";
    let env =
        TestEnv::new().task("tags", task).agent("ann", "def tags(text):\n    return text.split()[:1]\n");
    env.write("tasks/s.py", "def tags(text):\n    return [*text.split(), 'x', 'y'][: 2 * len(text)]\n");
    env.agentmill(&["check"])
        .code(2)
        .complains(&["does not score 100: tags: the score is 0.6666666666666666"]);
    env.agentmill(&["run"])
        .code(1)
        .prints(&["1. ann: 75 "])
        .complains(&["task tags: its reference solution "]);
    let report: serde_json::Value = serde_json::from_str(&env.read("results/agents/ann.json")).unwrap();
    let tests = &report["runs"][0]["tests"];
    assert_eq!(
        (&tests[0]["verdict"], tests[0]["share"].as_f64()),
        (&"failed".into(), Some(2.0 / 3.0)),
        "{report}"
    );
    assert!(tests[1].get("share").is_none(), "{report}");
    env.agentmill(&["show", "ann"])
        .code(0)
        .prints(&["tags: failed, worth 0.6666, weight 3", "the score is 0.6666"]);
    assert!(env.read("results/index.html").contains("the score is 0.6666"));
}

/// The task of docs/tests.md.
#[test]
fn findings_are_matched_by_file_lines_and_kind() {
    let (_, page) = include_str!("../docs/tests.md").split_once("### Findings").unwrap();
    let (_, block) = page.split_once("```yaml\n").unwrap();
    let text = block.split_once("```").unwrap().0;
    let find = |file: &str, line: &str, kind: &str| {
        format!("{{'file': {file:?}, 'line': {line}, 'kind': {kind:?}}}")
    };
    let first = find("Vault.sol", "12", "reentrancy");
    let right = [first.clone(), find("Vault.sol", "20", "access"), find("Sale.sol", "7", "overflow")];
    let lab = Lab::with_workers(1);
    let share = |findings: &str| {
        let scored = run(&lab, &format!("def audit():\n    return {findings}\n"), text);
        (scored.score * 100.0).round() / 100.0
    };
    assert_eq!(share(&format!("[{}]", right.join(", "))), 100.0);
    assert_eq!(share(&format!("[{first}, {first}]")), 40.0, "one of them counts");
    let wrong = [
        find("Vault.sol", "15", "reentrancy"),
        find("vault.sol", "12", "reentrancy"),
        find("Vault.sol", "12", "access"),
    ];
    assert_eq!(share(&format!("[{}]", wrong.join(", "))), 0.0);
    assert_eq!(
        share("[None, 1, 'x', {}, {'line': True}, {'line': float('nan')}, {'file': ['Vault.sol']}]"),
        0.0
    );
    let everything = "[{'file': f, 'line': n, 'kind': k} for f in ('Vault.sol', 'Sale.sol') for n in range(1, 31) for k in ('reentrancy', 'access', 'overflow')]";
    assert_eq!(share(everything), 3.28, "who reports everything is right three times of 180");
    let (_, block) = block.split_once("```yaml\n").unwrap();
    let points = block.split_once("```").unwrap().0.replace("setup: |\n", "");
    let (helper, test) = points.split_once("tests:\n").unwrap();
    let text = text.split_once("tests:\n").unwrap().0.to_owned() + helper + "tests:\n" + test;
    let lies = find("x", "1", "y");
    let scored = run(&lab, &format!("def audit():\n    return [{first}, {first}, {lies}]\n"), &text);
    assert_eq!(scored.score, 0.0, "one is right, and two are not");
    let scored = run(&lab, &format!("def audit():\n    return [{}, {lies}]\n", right[..2].join(", ")), &text);
    assert_eq!(scored.score, 50.0, "two are right, and one is not");
    assert_eq!(lab.close(), Vec::<String>::new());
}
