//! Scores by who asks: with tokens each miner sees its own, unless the board is public.

use serde_json::{Value, json};

use crate::support::{Api, Folder, GOOD};

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Alice and bob are ranked, carol is refused, dave waits.
fn folder(pipeline: &str) -> Folder {
    let folder = Folder::new(pipeline);
    let row = |miner: &str, score: f64| {
        json!({
            "rank": 1, "miner": miner, "score": score, "reward": 50.0, "passed": 1, "tests": 2, "unscored": 0,
            "stage": "all", "duplicate_of": null, "first_seen": "2026-11-22T10:00:00Z", "sha256": "1",
        })
    };
    let rankings = json!({
        "generated_at": "2026-11-22T10:00:00Z", "version": "0.1.0", "image": "sha256:1", "pipeline_sha256": "0",
        "token": "TAO", "rankings": [row("alice", 61.0), row("bob", 73.0)],
        "rejected": [
            {"file": "carol.py", "miner": "carol", "line": null, "reason": "carols words"},
            {"file": "x", "miner": null, "line": null, "reason": "nobodys words"},
        ],
        "pending": ["dave"],
    });
    folder.write("results/rankings.json", &rankings.to_string());
    folder.write("results/index.html", "<p>bob 73");
    folder
}

fn miners(answer: &Value) -> Vec<&str> {
    let lists = ["rankings", "rejected"].map(|list| answer[list].as_array().unwrap().iter());
    let pending = answer["pending"].as_array().unwrap().iter();
    lists.into_iter().flatten().map(|line| &line["miner"]).chain(pending).filter_map(Value::as_str).collect()
}

fn all_is_open(api: &Api, headers: &str) {
    assert_eq!(miners(&api.get_as("/rankings", headers).json()), ["alice", "bob", "carol", "dave"]);
    assert_eq!(api.get_as("/", headers).body, "<p>bob 73");
    assert_eq!(api.get_as("/agents/bob", headers).json()["ranking"]["score"], 73.0);
}

#[test]
fn without_tokens_this_machine_sees_all() {
    for pipeline in ["", "board: private", "board: public"] {
        all_is_open(&folder(pipeline).serve(), "");
    }
}

#[test]
fn with_tokens_each_sees_its_own() {
    let folder = folder("");
    let tokens = ["alice", "carol", "dave", "erin"].map(|miner| (miner, folder.token(miner)));
    let api = folder.serve();
    for path in ["/rankings", "/agents/bob", "/agents/nobody"] {
        let answer = api.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.head.contains("www-authenticate: bearer") && !answer.body.contains("73"));
        assert_eq!(api.get_as(path, &bearer("agm_0")).status, 401, "{path}");
    }
    for (miner, token) in &tokens {
        let own = api.get_as("/rankings", &bearer(token));
        let expected = if *miner == "erin" { vec![] } else { vec![*miner] };
        assert_eq!((own.status, miners(&own.json())), (200, expected), "{own:?}");
        for path in ["/agents/bob", "/agents/nobody"] {
            let others = api.get_as(path, &bearer(token));
            assert!(others.status == 403 && !others.body.contains("73"), "{others:?}");
        }
        let page = api.get_as("/", &bearer(token));
        assert!(page.status == 403 && !page.body.contains("73"), "{page:?}");
    }
    let own = api.get_as("/agents/alice", &bearer(&tokens[0].1)).json();
    assert_eq!((&own["ranking"]["score"], &own["own"]["runs"]), (&json!(61.0), &json!([])));
    let page = api.get("/");
    assert!(page.status == 403 && page.head.contains("text/html") && !page.body.contains("73"), "{page:?}");
    assert_eq!(api.get("/tasks").status, 200);
}

#[test]
fn the_first_token_closes_the_board() {
    let folder = folder("");
    let api = folder.serve();
    all_is_open(&api, "");
    folder.token("alice");
    for (path, status) in [("/", 403), ("/rankings", 401), ("/agents/bob", 401)] {
        assert_eq!(api.get(path).status, status, "{path}");
    }
}

#[test]
fn a_public_board_is_everybodys() {
    let folder = folder("board: public");
    let alice = folder.token("alice");
    let api = folder.serve();
    all_is_open(&api, "");
    all_is_open(&api, &bearer(&alice));
    assert!(api.get_as("/agents/bob", &bearer(&alice)).json().get("own").is_none());
    assert_eq!(api.put("alice", "", GOOD).status, 401);
}

#[test]
fn before_there_are_results_each_sees_an_empty_board() {
    let folder = Folder::new("");
    let alice = folder.token("alice");
    let api = folder.serve();
    assert_eq!(miners(&api.get_as("/rankings", &bearer(&alice)).json()), [""; 0]);
    assert_eq!(api.get_as("/agents/alice", &bearer(&alice)).status, 404);
}
