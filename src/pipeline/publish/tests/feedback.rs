//! Tests of the page: what it tells of hidden tests.

use super::*;
use crate::model::feedback::Feedback;
use crate::model::model_use::{ModelUse, Money};

#[test]
fn only_failed_public_tests_tell_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(vec![report("alice", vec![run("main", "main/x", 25.0)])]);
    pass.stages.iter_mut().for_each(|stage| stage.feedback = Feedback::Full);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        run.tests[0].message = Some("passed, and says so".into());
        run.tests[3].public = false;
        run.tests[3].message = Some("secret(42)".into());
        run.stderr = "one\n  two\n".into();
    }
    pass.publish(dir.path());
    let data = on_page(dir.path());
    // Nor does stderr, which may hold what a hidden test asked.
    assert_eq!(data["texts"], serde_json::json!(["3 == 4 is not so"]));
    assert_eq!(
        data["agents"][0]["runs"],
        serde_json::json!([[0, 2500, "f", "pfff", [12, 9, 10], 0, [[1, 0], [2, 0]], null]])
    );
    assert_eq!(data["suites"][0][3], serde_json::json!(["test 4", 1.0, false]));
}

#[test]
fn the_page_tells_what_a_run_asked_of_models() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(vec![report("alice", vec![run("main", "main/x", 100.0)])]);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        let cost = Money::dollars(0.25);
        run.usage.model =
            Some(ModelUse { requests: 2, tokens_in: 30, tokens_out: 4, cost, ..ModelUse::default() });
    }
    pass.publish(dir.path());
    let usage = &on_page(dir.path())["agents"][0]["runs"][0][4];
    assert_eq!(usage, &serde_json::json!([12, 9, 10, [2, 30, 4, 0.25]]));
}

#[test]
fn stderr_tells_on_the_page_where_every_test_is_public() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(vec![report("alice", vec![run("main", "main/x", 25.0)])]);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        run.stderr = "one\n  two\n".into();
    }
    pass.publish(dir.path());
    let texts = on_page(dir.path())["texts"].as_array().unwrap().clone();
    assert!(texts.contains(&"one\n  two".into()), "{texts:?}");
}

#[test]
fn the_page_for_everybody_has_all_but_the_texts() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(vec![report("alice", vec![run("main", "main/x", 25.0)])]);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        run.stderr = "printed </script>".into();
    }
    pass.publish(dir.path());
    let page = read(dir.path(), "index.html");
    let shown = String::from_utf8(page::for_everybody(page.clone().into_bytes()).unwrap()).unwrap();
    let [whole, cut] = [&page, &shown].map(|page| halves(page));
    assert!(whole.1.contains("is not so") && whole.1.contains("printed"));
    assert!(!cut.1.contains("is not so") && !cut.1.contains("printed"), "{}", cut.1);
    assert_eq!(whole.0, cut.0, "the frame");
    let data = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (mut whole, cut) = (data(whole.1), data(cut.1));
    (whole["texts"], whole["withheld"]) = (serde_json::json!([]), true.into());
    assert_eq!(whole, cut);
}

#[test]
fn another_feedback_makes_another_page_though_nothing_was_evaluated() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = small();
    pass.stages[1].feedback = Feedback::Full;
    pass.publish(dir.path());
    assert_eq!(on_page(dir.path())["agents"][0]["passed"], serde_json::Value::Null);
    pass.stages[0].feedback = Feedback::Full;
    pass.publish_unevaluated(dir.path());
    assert_eq!(on_page(dir.path())["agents"][0]["passed"], 7);
}

/// The page of alice's run with hidden tests, of which this one fails, and of bob's of public ones.
fn page_with_hidden(feedback: Feedback, failing: usize, max_rss_kib: u64) -> String {
    let dir = tempfile::tempdir().unwrap();
    let runs = ["main/x", "main/y"].map(|task| run("main", task, 75.0));
    let mut pass =
        Pass::new(vec![report("alice", runs.into()), report("bob", vec![run("main", "main/x", 0.0)])]);
    pass.stages.iter_mut().for_each(|stage| stage.feedback = feedback);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        run.usage.max_rss_kib = max_rss_kib;
        run.stderr = format!("asked {failing}");
        for (at, test) in run.tests.iter_mut().enumerate().skip(1) {
            test.verdict = if at == failing { Verdict::Failed } else { Verdict::Passed };
            test.message = (at == failing).then(|| "secret(42)".into());
            (test.name, test.public) = (format!("secret {at}"), false);
        }
    }
    pass.publish(dir.path());
    read(dir.path(), "index.html")
}

#[test]
fn the_page_tells_of_hidden_tests_what_the_feedback_says() {
    for feedback in [Feedback::None, Feedback::Score, Feedback::Tasks] {
        let page = page_with_hidden(feedback, 1, 10_000);
        assert_eq!(page, page_with_hidden(feedback, 3, 90_000), "{feedback:?}");
        assert!(!halves(&page).1.contains("secret"), "{feedback:?}");
    }
    let shown = |feedback| -> serde_json::Value {
        let page = page_with_hidden(feedback, 1, 10_000);
        let data: serde_json::Value = serde_json::from_str(halves(&page).1).unwrap();
        let alice = &data["agents"][0];
        serde_json::json!([alice["score"], alice["rank"], alice["passed"], alice["stage"], alice["runs"][0]])
    };
    let expected = [
        (Feedback::None, serde_json::json!([null, null, null, null, [0, null, null, "p", null, 0]])),
        (Feedback::Score, serde_json::json!([75.0, 1, null, 1, [0, null, null, "p", null, 0]])),
        (Feedback::Tasks, serde_json::json!([75.0, 1, null, 1, [0, 7500, "f", "p", null, 0]])),
        (Feedback::Full, serde_json::json!([75.0, 1, 6, 1, [0, 7500, "f", "pfpp", [12, 9, 10], 0]])),
    ];
    for (feedback, expected) in expected {
        assert_eq!(shown(feedback), expected, "{feedback:?}");
    }
}

#[test]
fn without_scores_the_page_tells_no_order_and_no_history() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = small();
    pass.reports.reverse();
    pass.stages[1].feedback = Feedback::None;
    pass.publish(dir.path());
    let data = on_page(dir.path());
    for (at, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
        let agent = &data["agents"][at];
        assert_eq!((&agent["miner"], &agent["history"]), (&name.into(), &serde_json::json!([])));
        assert!(agent["reward"].is_null(), "{agent}");
    }
    assert!(data["stages"][1]["reached"].is_null() && data["stages"][1]["passed"].is_null());
}
