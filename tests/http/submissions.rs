//! Submissions by their digest: what became of them, for their miner only.

use agentmill::util::digest;
use serde_json::{Value, json};

use crate::support::{Api, Folder, GOOD};

const OTHER: &str = "def reverse_string(s):\n    return 'olleh'\n";

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn path(source: &str) -> String {
    format!("/submissions/{}", digest::sha256(source.as_bytes()))
}

/// Alice's line in the ranking is of `ranked`, and bytes of hers were refused.
fn publish(folder: &Folder, to: &str, ranked: &str, refused: &str) {
    let sha256 = |source: &str| digest::sha256(source.as_bytes());
    let rankings = json!({
        "generated_at": "2026-11-22T10:00:00Z", "version": "0.1.0", "image": "sha256:1", "pipeline_sha256": "0",
        "rankings": [{
            "rank": 1, "miner": "alice", "score": 61.0, "passed": 1, "tests": 2, "unscored": 0, "stage": "all",
            "duplicate_of": null, "first_seen": "2026-11-22T10:00:00Z", "sha256": sha256(ranked),
        }],
        "rejected": [{"file": "alice.py", "miner": "alice", "line": null, "reason": "no", "sha256": sha256(refused)}],
        "pending": [],
    });
    folder.write(&format!("{to}next"), &rankings.to_string());
    let to = folder.path().join(to);
    std::fs::rename(to.join("next"), to.join("rankings.json")).unwrap();
}

fn only(api: &Api, source: &str, headers: &str) -> Value {
    let answer = api.get_as(&path(source), headers);
    assert_eq!(answer.status, 200, "{answer:?}");
    let submissions = answer.json()["submissions"].as_array().unwrap().clone();
    assert_eq!(submissions.len(), 1, "{answer:?}");
    submissions[0].clone()
}

#[test]
fn a_submission_from_its_arrival_to_its_end() {
    let folder = Folder::new("");
    let api = folder.serve();
    assert_eq!(api.get(&path(GOOD)).status, 404);
    assert_eq!(api.get("/submissions/x").status, 404);
    let state = |source| only(&api, source, "")["state"].as_str().unwrap().to_owned();
    assert_eq!(api.put("alice", "", GOOD).status, 201);
    assert_eq!(state(GOOD), "waiting");
    publish(&folder, "results/", GOOD, "");
    let ranked = only(&api, GOOD, "");
    assert_eq!((&ranked["state"], &ranked["ranking"]["score"]), (&json!("ranked"), &json!(61.0)));
    assert_eq!(api.put("alice", "", OTHER).status, 201);
    assert_eq!(
        (state(GOOD), state(OTHER)),
        ("ranked".into(), "waiting".into()),
        "the old one stands until then"
    );
    publish(&folder, "results/", "else", OTHER);
    assert_eq!((state(GOOD), state(OTHER)), ("replaced".into(), "refused".into()));
    assert_eq!(only(&api, OTHER, "")["rejection"]["reason"], "no");
    std::fs::remove_file(folder.path().join("inbox/alice.py")).unwrap();
    assert_eq!(state(OTHER), "withdrawn");
}

#[test]
fn nobody_learns_of_the_submissions_of_others() {
    // Submissions are their miner's on a public board, too.
    for board in ["private", "public"] {
        let folder = Folder::new(&format!("board: {board}\n"));
        let [alice, bob] = ["alice", "bob"].map(|miner| bearer(&folder.token(miner)));
        let organiser = bearer(&folder.organisers_token());
        let api = folder.serve();
        for (miner, token) in [("alice", &alice), ("bob", &bob)] {
            assert_eq!(api.put(miner, token, GOOD).status, 201);
        }
        assert_eq!(api.put("bob", &bob, OTHER).status, 201);
        assert_eq!(only(&api, GOOD, &alice)["miner"], "alice", "not that bob has the same");
        let (theirs, nobodys) = (api.get_as(&path(OTHER), &alice), api.get_as(&path("x"), &alice));
        assert_eq!((theirs.status, theirs.body), (404, nobodys.body));
        for headers in [String::new(), bearer("agm_0")] {
            assert_eq!(api.get_as(&path(GOOD), &headers).status, 401);
        }
        let all = api.get_as(&path(GOOD), &organiser).json();
        assert_eq!(all["submissions"].as_array().unwrap().len(), 2, "{all}");
    }
}

#[test]
fn feedback_and_freeze_hold_here_too() {
    let silent = Folder::new("stages: [{name: all, feedback: none}]\n");
    let api = silent.serve();
    assert_eq!(api.put("alice", "", GOOD).status, 201);
    publish(&silent, "results/", GOOD, "");
    let ranked = only(&api, GOOD, "");
    assert_eq!((&ranked["state"], &ranked["ranking"]["score"]), (&json!("ranked"), &Value::Null));

    let frozen = Folder::new("board: {sight: public, freeze_from: 2026-11-23T00:00:00Z}\n");
    let from = "2026-11-23T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    frozen.write(&format!("results/.frozen/{from}/none"), "");
    let api = frozen.serve();
    assert_eq!(api.put("alice", "", GOOD).status, 201);
    publish(&frozen, "results/", GOOD, "");
    let behind = only(&api, GOOD, "");
    assert_eq!((&behind["state"], &behind["ranking"]), (&json!("evaluated"), &Value::Null));
}

#[test]
fn a_freeze_hides_what_others_do_before_anything_is_published_in_it() {
    let frozen = Folder::new("board: {sight: public, freeze_from: 2026-11-23T00:00:00Z}\n");
    let [alice, bob] = ["alice", "bob"].map(|miner| frozen.token(miner));
    let api = frozen.serve();
    let by = |token: &str| format!("Authorization: Bearer {token}\r\n");
    assert_eq!(api.put("alice", &by(&alice), GOOD).status, 201);
    let seen = |token: &str| api.get_as("/agents/alice", &by(token)).status;
    assert_eq!((seen(&alice), seen(&bob)), (200, 404));
}
