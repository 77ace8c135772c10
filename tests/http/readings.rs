//! Readings: problems, tags by which a client asks for news, parts of lists.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Folder};

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Five miners are ranked.
fn folder(pipeline: &str) -> Folder {
    let folder = Folder::new(pipeline);
    publish(&folder, &["ann", "bo", "cy", "di", "ed"]);
    folder
}

fn publish(folder: &Folder, miners: &[&str]) {
    publish_at(folder, "2026-11-22T10:00:00Z", miners);
}

fn publish_at(folder: &Folder, at: &str, miners: &[&str]) {
    let row = |(miner, rank): (&&str, u32)| {
        json!({
            "rank": rank, "miner": miner, "score": 99 - rank, "passed": 1, "tests": 2, "unscored": 0, "stage": "all",
            "duplicate_of": null, "first_seen": "2026-11-22T10:00:00Z", "sha256": "1",
        })
    };
    let rankings = json!({
        "generated_at": at, "version": "0.1.0", "image": "sha256:1", "pipeline_sha256": "0",
        "token": "TAO", "rankings": miners.iter().zip(1..).map(row).collect::<Vec<_>>(), "rejected": [], "pending": ["zoe"],
    });
    // As the pipeline does: another file in its place, never written into.
    folder.write("results/next", &rankings.to_string());
    std::fs::rename(folder.path().join("results/next"), folder.path().join("results/rankings.json")).unwrap();
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn tag(answer: &Answer) -> String {
    header(answer, "etag").unwrap_or_else(|| panic!("no tag: {answer:?}")).to_owned()
}

fn again(api: &Api, path: &str, headers: &str, tag: &str) -> Answer {
    api.get_as(path, &format!("{headers}If-None-Match: {tag}\r\n"))
}

#[test]
fn a_failure_is_a_problem() {
    let api = Folder::new("").serve();
    let answer = api.get("/tasks/none");
    assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
    let expected = json!({
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no such task",
        "error": "there is no such task", "line": null,
    });
    assert_eq!(answer.json(), expected);
    let refused = api.put("alice", "", "import nowhere\n").json();
    assert_eq!((&refused["title"], &refused["line"]), (&json!("Unprocessable Entity"), &json!(1)));
    let (detail, error) = (refused["detail"].as_str().unwrap(), refused["error"].as_str().unwrap());
    assert_eq!(detail, format!("line 1: this submission {error}"));
    assert!(error.starts_with("imports nowhere"), "{error}");
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let folder = folder("");
    folder.write("results/index.html", "<p>first");
    folder.write("results/models.html", "<p>models");
    let api = folder.serve();
    let paths = [
        "/",
        "/models.html",
        "/rankings",
        "/rankings?limit=2",
        "/tasks",
        "/tasks/strings/reverse",
        "/agents/ann",
        "/feed.atom",
        "/openapi.json",
    ];
    for path in paths {
        let first = api.get(path);
        let second = again(&api, path, "", &tag(&first));
        assert_eq!((second.status, second.body.as_str()), (304, ""), "{path}");
        assert_eq!(tag(&second), tag(&first));
        assert!(header(&second, "content-type").is_none() && second.head.contains("cache-control: no-cache"));
        assert_eq!(again(&api, path, "", "\"0\"").body, first.body, "{path}");
    }
    let before = tag(&api.get("/rankings"));
    publish(&folder, &["bo", "ann"]);
    let now = again(&api, "/rankings", "", &before);
    assert!(now.status == 200 && tag(&now) != before, "{now:?}");
    assert!(header(&api.get("/agents/nobody"), "etag").is_none());
    assert_eq!(again(&api, "/agents/nobody", "", "*").status, 404);
}

#[test]
fn a_tag_tells_no_more_than_the_answer() {
    let folder = folder("");
    let (ann, bo) = (bearer(&folder.token("ann")), bearer(&folder.token("bo")));
    let api = folder.serve();
    let own = tag(&api.get_as("/rankings", &ann));
    assert_eq!(again(&api, "/rankings", &ann, &own).status, 304);
    assert_eq!(again(&api, "/rankings", &bo, &own).status, 200);
    assert_eq!(
        again(&api, "/rankings", "", &own).status,
        401,
        "who may see nothing is not told what is known"
    );
    assert_eq!(again(&api, "/agents/ann", &bo, "*").status, 403);
    // Others have moved, which is none of ann's business.
    publish_at(&folder, "2026-11-22T11:00:00Z", &["ann", "di", "bo"]);
    assert_eq!(again(&api, "/rankings", &ann, &own).status, 304);
    folder.write(
        "results/history.csv",
        "at,miner,score,rank,sha256,cause\n2026-11-22T10:00:00Z,ann,98,1,1,submission\n2026-11-22T11:00:00Z,di,97,2,1,submission\n",
    );
    assert_eq!(api.get_as("/rankings", &ann).json()["generated_at"], "2026-11-22T10:00:00Z");
}

#[test]
fn tags_follow_what_feedback_and_freeze_show() {
    let silent = folder("board: public\nstages: [{name: all, feedback: none}]\n");
    let api = silent.serve();
    let before = tag(&api.get("/rankings"));
    publish(&silent, &["ed", "di", "cy", "bo", "ann"]);
    assert_eq!(again(&api, "/rankings", "", &before).status, 304, "ranks have changed, and are not shown");

    let frozen = folder("board: {sight: public, freeze_from: 2026-11-23T00:00:00Z}\n");
    let from = "2026-11-23T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    frozen.write(&format!("results/.frozen/{from}/rankings.json"), &frozen.read("results/rankings.json"));
    let api = frozen.serve();
    let before = tag(&api.get("/rankings"));
    publish(&frozen, &["ed"]);
    assert_eq!(again(&api, "/rankings", "", &before).status, 304);
}

fn miners(answer: &Value) -> Vec<&str> {
    answer["rankings"].as_array().unwrap().iter().map(|line| line["miner"].as_str().unwrap()).collect()
}

#[test]
fn a_list_comes_in_parts_where_that_is_asked_for() {
    let folder = folder("");
    folder.write("tasks/other.yaml", crate::support::TASK);
    let api = folder.serve();
    assert_eq!(miners(&api.get("/rankings").json()).len(), 5);
    let part = api.get("/rankings?limit=2&offset=2");
    assert_eq!(miners(&part.json()), ["cy", "di"]);
    assert_eq!(part.json()["pending"], json!(["zoe"]), "other lists are whole");
    let links = header(&part, "link").unwrap();
    assert!(links.contains(r#"</rankings?limit=2&offset=4>; rel="next""#), "{links}");
    let tasks = api.get("/tasks?limit=1&offset=1");
    assert_eq!(tasks.json().as_array().unwrap().len(), 1);
    assert_eq!(tasks.json()[0], api.get("/tasks").json()[1]);
    assert!(!header(&tasks, "link").unwrap().contains("next"));
    for path in ["/tasks?limit=0", "/rankings?limit=1001", "/rankings?offset=-1"] {
        assert_eq!(api.get(path).status, 400, "{path}");
    }
}

#[test]
fn parts_of_a_private_board_are_of_ones_own_lines() {
    let folder = folder("");
    let ann = bearer(&folder.token("ann"));
    let api = folder.serve();
    let part = api.get_as("/rankings?limit=1&offset=0", &ann);
    assert_eq!(miners(&part.json()), ["ann"]);
    assert!(!header(&part, "link").unwrap().contains("next"), "nothing tells how many others there are");
    assert_eq!(miners(&api.get_as("/rankings?limit=9&offset=1", &ann).json()), [""; 0]);
    assert_eq!(api.get("/rankings?limit=1").status, 401);
}
