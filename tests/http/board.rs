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
            {"file": "x", "miner": null, "line": null, "reason": "nobodys words", "perhaps": "erin"},
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
    assert_eq!(api.get_as("/models.html", &bearer(&tokens[0].1)).status, 403);
}

#[test]
fn the_first_token_closes_the_board() {
    let folder = folder("");
    let api = folder.serve();
    all_is_open(&api, "");
    assert_eq!(api.get("/models.html").status, 404, "no models were benchmarked");
    folder.write("results/models.html", "<p>models");
    assert_eq!(api.get("/models.html").body, "<p>models");
    folder.token("alice");
    for (path, status) in [("/", 403), ("/models.html", 403), ("/rankings", 401), ("/agents/bob", 401)] {
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

/// The page that is written holds what each agent's runs said.
#[test]
fn the_page_of_a_public_board_holds_nobodys_messages() {
    let page = |data: &str| format!("<b>frame</b><script id=\"data\">{data}</script><i>end</i>");
    let whole = page(
        r#"{"agents":[{"score":73.0,"runs":[[0,1,"f","f",null,0,[[0,0]],1]]}],"texts":["bobs own","bobs stderr"]}"#,
    );
    for public in [true, false] {
        let folder = folder(if public { "board: public" } else { "" });
        folder.write("results/index.html", &whole);
        let api = folder.serve();
        assert_eq!(api.get("/").body, whole, "without tokens only this machine is served, and sees all");
        let [bob, organiser] = [folder.token("bob"), folder.organisers_token()].map(|token| bearer(&token));
        assert_eq!(api.get_as("/", &organiser).body, whole);
        for headers in ["", &bob, &bearer("wrong")] {
            let shown = api.get_as("/", headers).body;
            assert!(!shown.contains("bobs"), "{headers}: {shown}");
            assert_eq!(
                shown.contains("73.0") && shown.contains("<b>frame</b>"),
                public,
                "{headers}: {shown}"
            );
            assert_eq!(shown.ends_with("<i>end</i>"), public, "{headers}: {shown}");
        }
    }
}

#[test]
fn before_there_are_results_each_sees_an_empty_board() {
    let folder = Folder::new("");
    let alice = folder.token("alice");
    let api = folder.serve();
    assert_eq!(miners(&api.get_as("/rankings", &bearer(&alice)).json()), [""; 0]);
    assert_eq!(api.get_as("/agents/alice", &bearer(&alice)).status, 404);
}

/// Bob's bytes are alice's, and dave's are nearly hers.
fn copies(pipeline: &str) -> Folder {
    let folder = folder(pipeline);
    let mut rankings: Value = serde_json::from_str(&folder.read("results/rankings.json")).unwrap();
    let lines = rankings["rankings"].as_array_mut().unwrap();
    lines[1]["duplicate_of"] = json!("alice");
    let mut near = lines[0].clone();
    for (key, value) in [
        ("miner", json!("dave")),
        ("similar_to", json!("alice")),
        ("similarity", json!(0.93)),
        ("same_as", json!(["erin"])),
    ] {
        near[key] = value;
    }
    lines.push(near);
    rankings["pending"] = json!([]);
    folder.write("results/rankings.json", &rankings.to_string());
    folder
}

#[test]
fn near_copies_are_for_the_organiser() {
    for pipeline in ["board: public", ""] {
        let folder = copies(pipeline);
        let (organiser, dave) = (bearer(&folder.organisers_token()), bearer(&folder.token("dave")));
        let api = folder.serve();
        let near = |path: &str, headers: &str| {
            let answer = api.get_as(path, headers).json();
            let line = answer["rankings"].as_array().unwrap().last().unwrap().clone();
            assert_eq!(line["miner"], "dave");
            (line.get("similar_to").cloned(), line.get("similarity").cloned())
        };
        for path in ["/rankings", "/rankings?limit=9"] {
            assert_eq!(near(path, &organiser), (Some(json!("alice")), Some(json!(0.93))), "{pipeline:?}");
            assert_eq!(near(path, &dave), (None, None), "{pipeline:?}");
        }
        let all = [api.get("/rankings"), api.get_as("/agents/dave", &dave)];
        assert!(all.iter().all(|answer| !answer.body.contains("0.93")), "{all:?}");
    }
}

#[test]
fn on_a_private_board_nobody_is_told_whose_bytes_are_the_same() {
    for (pipeline, shown) in [("", false), ("board: public", true)] {
        let folder = copies(pipeline);
        let tokens = [("bob", "alice", "copied"), ("dave", "erin", "undecided")]
            .map(|(miner, other, kind)| (miner, other, kind, bearer(&folder.token(miner))));
        let organiser = bearer(&folder.organisers_token());
        let api = folder.serve();
        for (miner, other, kind, token) in tokens {
            let names = |line: &Value| {
                assert_eq!(line["same_bytes"], kind);
                [&line["duplicate_of"], &line["same_as"][0]].contains(&&json!(other))
            };
            let rankings = api.get_as("/rankings", &token).json();
            let lines = rankings["rankings"].as_array().unwrap();
            assert_eq!(names(lines.iter().find(|line| line["miner"] == miner).unwrap()), shown);
            let path = format!("/agents/{miner}");
            assert_eq!(names(&api.get_as(&path, &token).json()["ranking"]), shown);
            assert!(names(&api.get_as(&path, &organiser).json()["ranking"]), "the organiser is told");
        }
    }
}

#[test]
fn who_is_on_the_roster_and_has_submitted_nothing_is_absent_and_sees_the_limits() {
    let folder = folder("season: {closes: 2999-03-08T00:00Z}\nroster: students.csv\n");
    folder.write("students.csv", "id,name\nerin,Erin\n");
    folder.write("extensions.yaml", "erin: {closes: 2999-03-15T00:00Z}\n");
    let [erin, zoe] = ["erin", "zoe"].map(|miner| bearer(&folder.token(miner)));
    let organiser = bearer(&folder.organisers_token());
    let api = folder.serve();
    for token in [&erin, &organiser] {
        let answer = api.get_as("/agents/erin", token);
        let found = answer.json();
        assert_eq!((answer.status, &found["state"]), (200, &json!("absent")), "{found}");
        assert_eq!(found["own"]["limits"]["end"], "2999-03-15T00:00:00Z", "{found}");
    }
    assert_eq!(api.get_as("/agents/zoe", &zoe).status, 404, "is on no list");
}

/// Names of people are the organiser's: whoever may drop a file could ask for anybody's id.
#[test]
fn whose_a_name_may_be_is_told_to_the_organiser_alone() {
    let folder = folder("board: public");
    let organiser = bearer(&folder.organisers_token());
    let api = folder.serve();
    let perhaps = |headers: &str| api.get_as("/rankings", headers).json()["rejected"][1]["perhaps"].clone();
    assert_eq!([perhaps(""), perhaps(&organiser)], [Value::Null, "erin".into()]);
}
