//! Faults by their owner: a provider's is never scored, and an agent's own never goes unscored.

use std::time::Duration;

use serde_json::Value;

use crate::provider::{Provider, Says};
use crate::support::Folder;

const QUOTA: &str = r#"{"error": {"message": "credit is used up"}}"#;

fn fault(says: Says, reason: &str) {
    let provider = Provider::new(move |asked| match asked.head.starts_with("get ") {
        true => Says::Text(String::new(), Duration::ZERO),
        false => says.clone(),
    });
    let folder = Folder::new(&provider, "{allow: [m], wait: 2s}", "");
    let text = folder.read("pipeline.yaml").replace("timeout: 5s", "timeout: 1s");
    folder.write("pipeline.yaml", &text);
    folder.task("work", &["ask('hi') == 'echo hi'"]);
    folder.agent("alice", "");
    let ran = folder.run(&[]);
    let run = folder.alice();
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    let told = run["unscored"].as_str().unwrap_or_else(|| panic!("{run:#}"));
    assert!(told.contains(reason), "{told}");
    assert!(run.get("score").is_none(), "{run:#}");
    assert_eq!(ran.said.matches("no model to ask").count(), 1, "{}", ran.said);
    // The next run makes it, with the provider well.
    provider.says(|asked| Says::Text(format!("echo {}", asked.text()), Duration::ZERO));
    folder.expect_passed();
}

#[test]
fn a_provider_without_credit() {
    fault(Says::Status(402, "", QUOTA.into()), "HTTP 402: credit is used up");
}

#[test]
fn a_provider_that_throttles() {
    fault(Says::Status(429, "", QUOTA.into()), "HTTP 429: credit is used up");
}

#[test]
fn a_provider_that_asks_to_wait_for_too_long() {
    fault(Says::Status(429, "Retry-After: 60\r\n", QUOTA.into()), "HTTP 429");
}

#[test]
fn a_provider_that_fails() {
    fault(Says::Status(500, "", "<html>oops".into()), "HTTP 500: a web page");
}

#[test]
fn a_provider_that_breaks_off() {
    fault(Says::Cut, "/chat/completions");
}

#[test]
fn a_provider_that_answers_nonsense() {
    fault(Says::Status(200, "", "{\"hello\": 1}".into()), "not one of OpenAI's kind");
}

#[test]
fn a_provider_that_is_silent() {
    fault(Says::Silence, "timeout");
}

#[test]
fn a_ranking_stands_where_nobody_answers_at_another_address() {
    let provider = Provider::echo();
    let folder = Folder::with(&provider, "{allow: [m], wait: 2s}", &["ask('hi') == 'echo hi'"], "");
    folder.expect_passed();
    let results = || {
        ["rankings.csv", "rankings.json", "index.html", "history.csv"]
            .map(|name| folder.read(&format!("results/{name}")))
    };
    let (before, pipeline) = (results(), folder.read("pipeline.yaml"));
    folder.write("pipeline.yaml", &pipeline.replace(&provider.address.to_string(), "127.0.0.1:9"));
    let ran = folder.run(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(
        ran.said.contains("alice: not scored anew") && !ran.said.contains("alice: unscored"),
        "{}",
        ran.said
    );
    assert_eq!(results(), before);
    folder.write("pipeline.yaml", &pipeline);
    folder.expect_passed();
}

#[test]
fn a_hiccup_is_nobodys_fault_and_leaves_no_trace() {
    let provider = Provider::echo();
    let count = std::sync::atomic::AtomicUsize::new(0);
    provider.says(move |asked| match asked.is_control() || asked.body.is_null() {
        false if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 3 < 2 => {
            Says::Status(503, "", String::new())
        }
        _ => Says::Text(format!("echo {}", asked.text()), Duration::ZERO),
    });
    let folder = Folder::with(
        &provider,
        "{allow: [m], requests: 2}",
        &["ask('a') == 'echo a'", "ask('b') == 'echo b'"],
        "",
    );
    folder.expect_passed();
    assert_eq!((provider.asked().len(), folder.recording().len()), (6, 2));
    assert_eq!(folder.alice()["usage"]["model"]["requests"], 2);
}

/// The provider breaks over whatever holds `bomb`: were that its fault, an agent could choose to be unscored.
#[test]
fn a_question_that_breaks_the_provider_is_the_agents_own() {
    let provider = Provider::new(|asked| match asked.text().as_str() {
        "bomb 500" => Says::Status(500, "", "oops".into()),
        "bomb 402" => Says::Status(402, "", "no".into()),
        "bomb nonsense" => Says::Status(200, "", "{}".into()),
        "bomb cut" => Says::Cut,
        "bomb silence" => Says::Silence,
        _ => Says::Text("yes".into(), Duration::ZERO),
    });
    let tests = [
        "[ask('bomb ' + kind) for kind in ('500', '402')] == [500, 402]",
        "[ask('bomb ' + kind) for kind in ('nonsense', 'cut', 'silence')] == [502, 504, 504]",
        "ask('after it') == 'yes'",
    ];
    let folder = Folder::with(&provider, "{allow: [m], wait: 60s}", &tests, "");
    let text = folder.read("pipeline.yaml").replace("timeout: 5s", "timeout: 1s");
    folder.write("pipeline.yaml", &text.replace("wait: 60s", "wait: 100s"));
    folder.expect_passed();
}

/// The provider lets only small questions through: were that its fault, an agent could choose to be unscored.
#[test]
fn a_question_that_alone_is_throttled_is_the_agents_own() {
    let provider = Provider::new(|asked| match asked.text().as_str() {
        "throttled" => Says::Status(429, "", QUOTA.into()),
        "much later" => Says::Status(429, "Retry-After: 3600\r\n", QUOTA.into()),
        _ => Says::Text("yes".into(), Duration::ZERO),
    });
    let tests = ["ask('throttled') == 429", "ask('much later') == 429"];
    let folder = Folder::with(&provider, "{allow: [m], wait: 10s}", &tests, "");
    folder.expect_passed();
    assert!(provider.asked().len() >= 8, "each was asked four times");
}

/// An agent asks in a way that the provider breaks over, for whatever question.
#[test]
fn a_way_that_no_question_is_answered_in_stops_nobody() {
    let provider = Provider::new(|asked| match asked.head.contains("/embeddings") {
        true => Says::Status(500, "", "oops".into()),
        false => Says::Text("yes".into(), Duration::ZERO),
    });
    let tests = ["post('/embeddings', {'model': 'm', 'input': 'x'})[0] == 500", "ask('after it') == 'yes'"];
    let folder = Folder::with(&provider, "{allow: [m], wait: 2s}", &tests, "");
    folder.expect_passed();
}

/// A harmless question is throttled, too: that the model answers in another way makes it no agent's fault.
#[test]
fn a_way_that_is_throttled_for_all_is_the_providers_fault() {
    let vector = r#"{"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}"#;
    let provider = Provider::new(move |asked| match asked.head.contains("/embeddings") {
        true => Says::Status(200, "", vector.into()),
        false if asked.body.is_null() => Says::Text(String::new(), Duration::ZERO),
        false => Says::Status(429, "", QUOTA.into()),
    });
    let folder = Folder::with(&provider, "{allow: [m], wait: 2s}", &["ask('hi') == 'echo hi'"], "");
    folder.run(&[]);
    let alice = folder.alice();
    assert!(alice["unscored"].as_str().unwrap().contains("HTTP 429"), "{alice:#}");
}

/// One of two models is away.
#[test]
fn a_model_that_is_down_stops_nobody_who_may_ask_another() {
    let provider = Provider::new(|asked| match asked.body["model"].as_str() {
        Some("broken") => Says::Status(500, "", "oops".into()),
        _ => Says::Text("yes".into(), Duration::ZERO),
    });
    let folder = Folder::new(&provider, "{allow: [broken, m], wait: 2s}", "");
    folder.task("work", &["work() == 'yes'"]);
    folder.agent("alice", "def work():\n    return ask('hi', model='broken')\n");
    folder.run(&[]);
    assert!(folder.alice()["unscored"].as_str().unwrap().contains("HTTP 500: oops"), "{:#}", folder.alice());
    folder.agent("bob", "def work():\n    return ask('hi', model='m')\n");
    folder.run(&[]);
    let bob: Value = serde_json::from_str(&folder.read("results/agents/bob.json")).unwrap();
    assert_eq!(bob["runs"][0]["verdict"], "passed", "{bob:#}");
}

#[test]
fn a_throttled_question_is_asked_as_long_as_there_is_time() {
    let provider = Provider::echo();
    let count = std::sync::atomic::AtomicUsize::new(0);
    provider.says(move |asked| match asked.is_control() || asked.body.is_null() {
        false if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 9 => {
            Says::Status(429, "Retry-After: 0\r\n", QUOTA.into())
        }
        _ => Says::Text(format!("echo {}", asked.text()), Duration::ZERO),
    });
    let folder = Folder::with(&provider, "{allow: [m]}", &["ask('a') == 'echo a'"], "");
    folder.expect_passed();
    assert_eq!(provider.asked().len(), 10);
}

#[test]
fn a_way_of_asking_that_is_none_of_the_models_is_the_agents_own_and_stops_nobody() {
    let provider = Provider::new(|asked| match asked.head.contains("/embeddings ") {
        true => Says::Status(404, "", r#"{"error": {"message": "m has no embeddings"}}"#.into()),
        false => Says::Text(format!("echo {}", asked.text()), Duration::ZERO),
    });
    let tests = ["post('/embeddings', {'model': 'm', 'input': 'x'})[0] == 404", "ask('a') == 'echo a'"];
    let folder = Folder::with(&provider, "{allow: [m]}", &tests, "");
    folder.expect_passed();
    // No model is asked so: the run has no answer, and others have.
    provider.says(|asked| match asked.body["model"] == "n" {
        true => Says::Status(404, "", r#"{"error": {"message": "there is no n"}}"#.into()),
        false => Says::Text(format!("echo {}", asked.text()), Duration::ZERO),
    });
    let folder = Folder::with(&provider, "{allow: [m, n]}", &["work() == 'echo a'"], "work = None\n");
    folder.agent("alice", "def work():\n    return chat('a', model='n')\n");
    folder.agent("bob", "def work():\n    return ask('a')\n");
    let ran = folder.run(&[]);
    let scores = folder.read("results/scores.csv");
    assert!(!ran.said.contains("no model to ask"), "{}", ran.said);
    for line in ["\nalice,think,work,,unscored,", "\nbob,think,work,100,passed,"] {
        assert!(scores.contains(line), "{scores}");
    }
}

/// An agent that asked it would be unscored for ever, and the board of before stand.
#[test]
fn a_model_that_is_not_served_is_told_and_holds_up_no_board() {
    let list = |models: &str| Says::Status(200, "", format!(r#"{{"object": "list", "data": [{models}]}}"#));
    let serves = |status: u16, models: &'static str| {
        move |asked: &crate::provider::Asked| match asked.body["model"].as_str() {
            Some("dead") => Says::Status(status, "", r#"{"error": {"message": "there is no dead"}}"#.into()),
            None => list(models),
            _ => Says::Text(format!("echo {}", asked.text()), Duration::ZERO),
        }
    };
    for (status, models) in [(404, r#"{"id": "m"}, {"id": "n"}"#), (404, ""), (403, "")] {
        let provider = Provider::new(serves(status, models));
        let folder = Folder::new(&provider, "{allow: [m, dead]}", "");
        folder.task("one", &["work() == 1"]);
        folder.agent("ann", "calls = 0\ndef work():\n    global calls\n    calls += 1\n    if calls > 1: ask('hi', model='dead')\n    return 1\n");
        folder.agent("bo", "def work():\n    return 1\n");
        let ran = folder.run(&[]);
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        assert_eq!(
            ran.said.contains("a granted model is not served: dead ("),
            !models.is_empty(),
            "{}",
            ran.said
        );
        folder.task("one", &["work() == 1", "work() == 1"]);
        folder.agent("cy", "def work():\n    return (1)\n");
        let ran = folder.run(&[]);
        assert_eq!(ran.code, Some(1), "{}", ran.said);
        let told = [
            "ann on one: unscored until it is served: a granted model is not served: dead (",
            "no ranking waits for them",
        ];
        told.into_iter().for_each(|told| assert!(ran.said.contains(told), "{status} {models}: {}", ran.said));
        assert_eq!(ran.said.contains("; the endpoint lists m, n"), !models.is_empty(), "{}", ran.said);
        let rankings = folder.read("results/rankings.csv");
        for line in ["\n1,bo,100,", "\n1,cy,100,", "\n,ann,,"] {
            assert!(rankings.contains(line), "{status} {models}: {rankings}");
        }
        // Once it is there, all is made up for.
        provider.says(|asked| Says::Text(format!("echo {}", asked.text()), Duration::ZERO));
        assert_eq!(folder.run(&[]).code, Some(0));
        assert!(folder.read("results/rankings.csv").contains("1,ann,100,"));
    }
}

/// Where nothing that is granted answers, it is the provider that is away, whatever it says.
#[test]
fn a_provider_that_knows_nothing_of_any_model_is_away() {
    let provider = Provider::echo();
    let folder = Folder::with(&provider, "{allow: [m]}", &["ask('hi') == 'echo hi'"], "");
    folder.expect_passed();
    let before = folder.read("results/rankings.csv");
    provider.says(|_| Says::Status(404, "", "no such tunnel".into()));
    folder.task("work", &["ask('ho') == 'echo ho'"]);
    let ran = folder.run(&[]);
    assert!(ran.said.contains("alice: not scored anew"), "{}", ran.said);
    assert_eq!(folder.read("results/rankings.csv"), before);
}

#[test]
fn a_provider_that_is_down_stops_the_stage_once() {
    let provider = Provider::new(|_| Says::Status(503, "", String::new()));
    let folder = Folder::new(&provider, "{allow: [m]}", "");
    for number in 0..4 {
        folder.task(&format!("task{number}"), &["ask('a') == 'echo a'"]);
        folder.agent(&format!("miner{number}"), &format!("# {number}\n"));
    }
    let ran = folder.run(&[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert_eq!(provider.requests(), 1, "looked for once");
    assert_eq!(ran.said.matches("no model to ask").count(), 1, "{}", ran.said);
    let scores = folder.read("results/scores.csv");
    assert_eq!(scores.matches(",unscored,").count(), 16, "{scores}");
}

#[test]
fn without_a_key_nobody_is_asked_and_nobody_scored() {
    let provider = Provider::echo();
    let folder = Folder::with(&provider, "{allow: [m]}", &["ask('a') == 'echo a'"], "");
    let output = folder.command(&["run"]).env_remove("TEST_KEY").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let run = folder.alice();
    assert!(run["unscored"].as_str().unwrap().starts_with("there is no key: set TEST_KEY"), "{run:#}");
    assert_eq!(provider.requests(), 0);
}

/// Before anybody's run needs it.
#[test]
fn check_asks_the_endpoint() {
    let provider = Provider::echo();
    let folder = Folder::with(&provider, "{allow: [m]}", &["work() == 1"], "");
    let checked = |key: &str| {
        let output = folder.command(&["check"]).env("TEST_KEY", key).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = checked(crate::support::KEY);
    assert!(told.contains("the endpoint of llm.base_url answers, and takes the key"), "{told}");
    assert!(provider.asked().is_empty(), "it asks no model");
    provider.says(|_| Says::Status(200, "", r#"{"data": [{"id": "gpt-m"}]}"#.into()));
    let told = checked(crate::support::KEY);
    assert!(told.contains("the endpoint of llm.base_url lists no m; it lists gpt-m"), "{told}");
    provider.stop();
    let told = checked(crate::support::KEY);
    assert!(
        told.contains("model          look") && told.contains("stay unscored until its endpoint answers"),
        "{told}"
    );
}
