//! Access: tokens, rate limits, and where requests come from.

use agentmill::serve::Server;
use agentmill::ui::Events;
use agentmill::workspace::Workspace;
use serde_json::json;

use crate::support::{Folder, GOOD, Program};

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn a_token_speaks_for_its_miner_only() {
    let folder = Folder::new("");
    let (alice, bob) = (folder.token("alice"), folder.token("bob"));
    let api = folder.serve();
    assert_eq!(api.put("alice", &bearer(&alice), GOOD).status, 201);
    for (miner, headers, status) in [
        ("alice", String::new(), 401),
        ("alice", bearer("agm_0"), 401),
        ("alice", bearer(""), 401),
        ("alice", format!("Authorization: Basic {alice}\r\n"), 401),
        ("alice", bearer(&alice[..alice.len() - 1]), 401),
        ("alice", bearer(&bob), 403),
        ("carol", bearer(&bob), 403),
    ] {
        let answer = api.put(miner, &headers, "x = 'theirs'\n");
        assert_eq!(answer.status, status, "{headers}");
        assert_eq!(answer.head.contains("www-authenticate: bearer"), status == 401);
        assert!(!answer.body.contains(&alice) && !answer.body.contains(&bob));
        let has_none = headers.contains("Basic") || headers.trim_end().ends_with("Bearer");
        assert_eq!(answer.body.contains("such as Authorization: Bearer"), has_none, "{headers}");
    }
    assert_eq!(folder.read("inbox/alice.py"), GOOD);
}

#[test]
fn tokens_come_and_go_while_it_serves() {
    let folder = Folder::new("");
    let alice = folder.token("alice");
    let api = folder.serve();
    let bob = String::from_utf8(folder.run(&["token", "add", "bob"]).stdout).unwrap();
    assert_eq!(api.put("bob", &bearer(bob.trim()), GOOD).status, 201);
    folder.run(&["token", "remove", "bob"]);
    assert_eq!(api.put("bob", &bearer(bob.trim()), "x = 1\n").status, 401);
    folder.run(&["token", "remove", "alice"]);
    // The last one gone does not open the server again.
    assert_eq!(api.put("alice", "", GOOD).status, 401);
    assert_eq!(api.put("alice", &bearer(&alice), GOOD).status, 401);
    folder.write("tokens.json", "{");
    assert_eq!(api.put("alice", &bearer(&alice), GOOD).status, 503);
}

#[test]
fn the_first_token_closes_the_server_for_good() {
    let folder = Folder::new("");
    let api = folder.serve();
    assert_eq!(api.put("alice", "", GOOD).status, 201);
    let alice = String::from_utf8(folder.run(&["token", "add", "alice"]).stdout).unwrap();
    assert_eq!(api.put("alice", &bearer(alice.trim()), GOOD).status, 200);
    folder.run(&["token", "remove", "alice"]);
    assert_eq!(api.put("alice", "", "x = 1\n").status, 401);
}

#[test]
fn other_machines_are_not_served_without_tokens() {
    let folder = Folder::new("serve: {listen: '0.0.0.0:0'}");
    let workspace = Workspace::open(folder.path()).unwrap();
    let start = || Server::start(&workspace, None, &Events::channel().0);
    assert!(start().unwrap_err().to_string().contains("agentmill token add"));
    folder.token("alice");
    start().unwrap().stop();
}

#[test]
fn this_machine_by_a_mapped_address_is_this_machine() {
    let folder = Folder::new("serve: {listen: '[::ffff:127.0.0.1]:0'}");
    let workspace = Workspace::open(folder.path()).unwrap();
    Server::start(&workspace, None, &Events::channel().0).unwrap().stop();
}

#[test]
fn without_tokens_pages_of_other_sites_get_nothing() {
    let folder = Folder::new("");
    let api = folder.serve();
    assert_eq!(api.put("alice", "Origin: http://example.org\r\n", GOOD).status, 403);
    assert_eq!(api.put("alice", "Origin: http://127.0.0.1\r\n", GOOD).status, 201);
    for host in ["[::ffff:127.0.0.1]", "[::1]", "localhost"] {
        let request = format!("GET /tasks HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(api.raw(request.as_bytes()).status, 200, "{host}");
    }
    let rebound = b"GET /tasks HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(api.raw(rebound).status, 403);
}

#[test]
fn without_tokens_nobody_is_served_through_a_proxy_or_by_a_token() {
    let folder = Folder::new("");
    folder.write("results/rankings.json", &rankings().to_string());
    let api = folder.serve();
    assert_eq!(api.put("alice", &bearer(""), GOOD).status, 201, "an empty token is none");
    let bogus = bearer("agm_bogus");
    let through = "X-Forwarded-For: 203.0.113.9\r\n";
    for (headers, status, word) in [(bogus.as_str(), 401, "there are no tokens"), (through, 403, "proxy")] {
        let answer = api.put("alice", headers, "x = 'theirs'\n");
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(
            answer.head.contains("application/problem+json") && answer.error().contains(word),
            "{answer:?}"
        );
        for path in ["/", "/rankings", "/agents/alice", "/submissions/1", "/feed.atom", "/events", "/metrics"]
        {
            assert_eq!(api.get_as(path, headers).status, status, "{path}");
        }
    }
    assert_eq!(folder.read("inbox/alice.py"), GOOD);
    let alice = String::from_utf8(folder.run(&["token", "add", "alice"]).stdout).unwrap();
    let headers = format!("{through}{}", bearer(alice.trim()));
    assert_eq!(api.put("alice", &headers, "x = 2\n").status, 201, "with the first token a proxy may come");
}

#[test]
fn tokens_are_made_whatever_is_wrong_beside_pipeline_yaml() {
    let folder = Folder::new("season: {closes: 2026-12-01T00:00Z}\nroster: nowhere.csv");
    folder.write("extensions.yaml", "bo: {close: 2027-01-01}\n");
    let added = folder.run(&["token", "add", "bo"]);
    assert!(added.status.success() && added.stdout.starts_with(b"agm_"), "{added:?}");
    assert!(String::from_utf8_lossy(&folder.run(&["token", "list"]).stdout).contains("bo"));
    assert!(folder.run(&["token", "remove", "bo"]).status.success());
}

#[test]
fn a_server_without_tokens_says_so() {
    let folder = Folder::new("");
    let told = |folder: &Folder| {
        let program = Program::start(folder, &["serve"]);
        let before = program.before.join("\n");
        program.stop();
        before
    };
    assert!(told(&folder).contains("no tokens: whoever is on this machine may submit for anybody"));
    folder.token("alice");
    assert_eq!(told(&folder), "");
}

#[test]
fn a_miner_and_an_address_can_come_too_often() {
    let folder = Folder::new("serve: {uploads_per_minute: 2, requests_per_minute: 6}");
    let api = folder.serve();
    let uploads = ["x = 1\n", "x = 2\n", "x = 3\n"].map(|source| api.put("alice", "", source));
    assert_eq!(uploads.each_ref().map(|answer| answer.status), [201, 201, 429]);
    assert!(uploads[2].head.contains("retry-after: "));
    assert_eq!(folder.read("inbox/alice.py"), "x = 2\n");
    assert_eq!(api.put("bob", "", GOOD).status, 201);
    let reads = [(); 3].map(|()| api.get("/healthz").status);
    assert_eq!(reads, [200, 200, 429]);
}

#[test]
fn the_report_is_the_miners_and_hidden_tests_stay_hidden() {
    let folder = Folder::new("board: public\nstages: [{name: all, feedback: full}]");
    let (alice, bob) = (folder.token("alice"), folder.token("bob"));
    folder.write("inbox/alice.py", GOOD);
    folder.write("results/rankings.json", &rankings().to_string());
    folder.write("results/agents/alice.json", &report().to_string());
    let api = folder.serve();
    let own = api.get_as("/agents/alice", &bearer(&alice));
    assert_eq!(own.json()["own"]["runs"][0]["tests"][0]["message"], "public words");
    assert_eq!(own.json()["own"]["runs"][0]["tests"][1]["verdict"], "failed");
    assert!(!own.body.contains("secret words") && !own.body.contains("printed"), "{own:?}");
    for headers in [String::new(), bearer(&bob)] {
        let other = api.get_as("/agents/alice", &headers);
        assert_eq!(other.json()["ranking"]["score"], 50.0);
        assert_eq!(other.json()["state"], "ranked");
        assert!(!other.body.contains("words") && other.json().get("own").is_none());
    }
    assert_eq!(api.get_as("/agents/alice", &bearer("wrong")).status, 401);
}

pub fn rankings() -> serde_json::Value {
    json!({
        "generated_at": "2026-11-22T10:00:00Z", "version": "0.1.0", "image": "sha256:1", "pipeline_sha256": "0",
        "token": "TAO", "rejected": [], "pending": [],
        "rankings": [{
            "rank": 1, "miner": "alice", "score": 50.0, "reward": 100.0, "passed": 1, "tests": 2, "unscored": 0,
            "stage": "all", "duplicate_of": null, "first_seen": "2026-11-22T10:00:00Z", "sha256": "1",
            "similar_to": null, "similarity": null,
        }],
    })
}

pub fn report() -> serde_json::Value {
    let test = |name, verdict, public, message| json!({"name": name, "verdict": verdict, "weight": 1.0, "public": public, "message": message});
    json!({
        "miner": "alice", "file": "alice.py", "sha256": "1", "bytes": 9,
        "first_seen": "2026-11-22T10:00:00Z", "modified": "2026-11-22T10:00:00Z",
        "runs": [{
            "key": "k", "stage": "all", "task": "strings/reverse", "verdict": "failed", "score": 50.0,
            "tests": [test("word", "passed", true, "public words"), test("x", "failed", false, "secret words")],
            "usage": {"wall_ms": 1, "cpu_ms": 1, "max_rss_kib": 1},
            "stderr": "it printed the hidden arguments",
        }],
    })
}
