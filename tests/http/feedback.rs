//! Feedback: what a miner sees of hidden tests, over HTTP and by `submit --wait`.

use agentmill::util::digest;
use serde_json::{Value, json};

use crate::guard::{rankings, report};
use crate::support::{Folder, TASK, said};

const SOURCE: &str = "x = 1\n";

/// All that alice gets to see of a report and its line in the ranking, by every way that she has.
fn seen(pipeline: &str, report: &Value, rankings: &Value) -> [String; 4] {
    let folder = Folder::new(&format!("board: public\n{pipeline}"));
    let sha256 = format!("\"sha256\":\"{}\"", digest::sha256(SOURCE.as_bytes()));
    let of_source = |results: &Value| results.to_string().replace("\"sha256\":\"1\"", &sha256);
    let token = format!("Authorization: Bearer {}\r\n", folder.token("alice"));
    folder.write("inbox/alice.py", SOURCE);
    folder.write("agent.py", SOURCE);
    folder.write("tasks/final.yaml", TASK);
    folder.write("results/rankings.json", &of_source(rankings));
    folder.write("results/agents/alice.json", &of_source(report));
    let api = folder.serve();
    let file = folder.path().join("agent.py");
    let own = api.get_as("/agents/alice", &token).body;
    let ranking = api.get_as("/rankings", &token).body;
    let others = api.get("/agents/alice").body;
    let submit = ["submit", file.to_str().unwrap(), "--miner", "alice", "--wait", "--patience", "0"];
    [own, ranking, others, said(&folder.run(&submit))]
}

/// A report of three tests, two of them hidden.
fn run(verdicts: [&str; 2], usage: Value, stderr: &str) -> Value {
    let mut report = report();
    let hidden = |name: &str, verdict: &str| json!({"name": name, "verdict": verdict, "weight": 1.0, "public": false, "message": format!("secret {verdict}")});
    let run = &mut report["runs"][0];
    run["tests"] = json!([run["tests"][0], hidden("alpha", verdicts[0]), hidden("beta", verdicts[1])]);
    run["usage"] = usage;
    run["stderr"] = stderr.into();
    report
}

#[test]
fn by_default_nothing_but_score_and_verdict_tells_of_hidden_tests() {
    let usage = |kib: u64| json!({"wall_ms": kib / 9, "cpu_ms": kib / 11, "max_rss_kib": kib});
    let mut counted = rankings();
    counted["rankings"][0]["passed"] = 2.into();
    counted["made_of"] = "of other figures".into();
    let one = seen("", &run(["passed", "failed"], usage(10_240), "asked: 'x'"), &rankings());
    let other = seen("", &run(["failed", "passed"], usage(98_304), "asked: 'y'"), &counted);
    assert_eq!(one, other);
    assert!(one[0].contains("public words") && one[0].contains(r#""score":50.0,"#), "{one:?}");
    for text in one {
        assert!(!text.contains("secret") && !text.contains("alpha") && !text.contains("asked"), "{text}");
    }
}

/// Hidden tests as each setting shows them: own run, own line in the ranking, `submit --wait`.
#[test]
fn each_setting_shows_what_it_says() {
    let usage = json!({"wall_ms": 7, "cpu_ms": 5, "max_rss_kib": 9_999});
    let (report, rankings) = (run(["passed", "failed"], usage, "asked: 'x'"), rankings());
    let figure = |known: bool, value: f64| if known { json!(value) } else { Value::Null };
    for (feedback, ranked, tasks, full) in [
        ("none", false, false, false),
        ("score", true, false, false),
        ("tasks", true, true, false),
        ("full", true, true, true),
    ] {
        let pipeline = format!("stages: [{{name: all, feedback: {feedback}}}]");
        let [own, board, others, submitted] = seen(&pipeline, &report, &rankings);
        let (own, board, others) = (json(&own), json(&board), json(&others));
        let line = &board["rankings"][0];
        assert_eq!((line, line), (&own["ranking"], &others["ranking"]), "{feedback}");
        assert_eq!((&board["feedback"], &own["feedback"]), (&json!(feedback), &json!(feedback)));
        assert_eq!(line["score"], figure(ranked, 50.0), "{feedback}");
        assert_eq!(line["reward"], figure(ranked, 100.0), "{feedback}");
        assert!(line["rank"].is_null() != ranked && line["stage"].is_null() != ranked, "{line}");
        assert_eq!(line["passed"].is_null(), !full, "{line}");
        let run = &own["own"]["runs"][0];
        assert_eq!(run["score"], figure(tasks, 50.0), "{feedback}");
        assert!(run["verdict"].is_null() != tasks && run["usage"].is_null() != full, "{run}");
        let tests = run["tests"].as_array().unwrap();
        assert_eq!((tests.len(), &tests[0]["message"]), (if full { 3 } else { 1 }, &json!("public words")));
        assert!(run["stderr"].is_null() && !own.to_string().contains("secret"), "{run}");
        let expected = match feedback {
            "none" => ["alice: evaluated; scores are not shown here", "  strings/reverse: evaluated"],
            "score" => ["alice: 50 (rank 1)", "  strings/reverse: evaluated"],
            "tasks" => ["alice: 50 (rank 1)", "  strings/reverse: failed 50"],
            _ => ["alice: 50 (rank 1, 1 of 2 tests)", "  strings/reverse: failed 50"],
        };
        assert_eq!(submitted.lines().skip(1).take(2).collect::<Vec<_>>(), expected, "{submitted}");
        assert!(submitted.contains("    word: passed: public words"), "{submitted}");
        assert_eq!(submitted.contains("    beta: failed\n"), full, "{submitted}");
        assert!(!submitted.contains("alpha"), "it has passed: {submitted}");
    }
}

#[test]
fn a_stage_may_show_more_than_all_together() {
    let stages = "stages: [{name: all, tasks: [strings/*], feedback: full}, {name: final, tasks: [final], feedback: none}]";
    let report = run(["passed", "failed"], json!({"wall_ms": 7, "cpu_ms": 5, "max_rss_kib": 9_999}), "");
    let [own, board, ..] = seen(stages, &report, &rankings());
    assert_eq!(json(&board)["rankings"][0]["score"], Value::Null);
    assert_eq!(json(&own)["own"]["runs"][0]["tests"].as_array().unwrap().len(), 3);
}

#[test]
fn without_scores_the_order_tells_no_rank() {
    let mut rankings = rankings();
    let mut better = rankings["rankings"][0].clone();
    better["miner"] = "zoe".into();
    rankings["rankings"].as_array_mut().unwrap().insert(0, better);
    let [_, board, ..] = seen("stages: [{name: all, feedback: none}]", &report(), &rankings);
    let order: Vec<Value> =
        json(&board)["rankings"].as_array().unwrap().iter().map(|line| line["miner"].clone()).collect();
    assert_eq!(order, ["alice", "zoe"]);
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}
