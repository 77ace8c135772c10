//! The feed of the ranking: no more than the board shows.

use crate::support::{Api, Folder};

const HISTORY: &str = "at,miner,score,rank,sha256\n\
    2026-11-22T10:00:00Z,alice,61,2,aa\n2026-11-22T10:00:00Z,bob,73,1,bb\n2026-11-23T10:00:00Z,alice,99,1,cc\n";

fn folder(pipeline: &str) -> Folder {
    let folder = Folder::new(pipeline);
    folder.write("results/history.csv", HISTORY);
    folder
}

fn feed(api: &Api, token: Option<&str>) -> (u16, String) {
    let headers = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let answer = api.get_as("/feed.atom", &headers);
    (answer.status, answer.body)
}

#[test]
fn everybody_is_told_where_scores_are_public() {
    let folder = folder("title: The <Mill>\nboard: public\n");
    folder.token("alice");
    let api = folder.serve();
    let answer = api.get("/feed.atom");
    assert!(answer.status == 200 && answer.head.contains("application/atom+xml"), "{answer:?}");
    let body = answer.body;
    assert!(body.contains("<title>The &lt;Mill&gt;: ranking</title>"), "{body}");
    assert_eq!(body.matches("<entry>").count(), 2);
    assert!(body.contains("2. alice: 61\n1. bob: 73") && body.contains("1. alice: 99"), "{body}");
}

#[test]
fn each_sees_its_own_where_they_are_private() {
    let folder = folder("");
    let (alice, organiser) = (folder.token("alice"), folder.organisers_token());
    let api = folder.serve();
    assert_eq!(feed(&api, None).0, 401);
    assert_eq!(feed(&api, Some("agm_0")).0, 401);
    let (status, own) = feed(&api, Some(&alice));
    assert!(status == 200 && own.contains("alice: 61") && !own.contains("bob"), "{own}");
    assert!(feed(&api, Some(&organiser)).1.contains("bob: 73"));
}

#[test]
fn a_frozen_board_and_silent_feedback_tell_nothing() {
    let frozen = folder("board: {sight: public, freeze_from: 2026-11-23T00:00:00Z}\n");
    let from = "2026-11-23T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    frozen.write(&format!("results/.frozen/{from}/history.csv"), HISTORY);
    // Published since, one of them under a clock that was set back.
    let since = "2026-11-23T10:00:00Z,alice,98,1,dd\n2026-11-22T23:00:00Z,bob,97,1,ee\n";
    frozen.write("results/history.csv", &format!("{HISTORY}{since}"));
    let api = frozen.serve();
    let (_, body) = feed(&api, None);
    assert!(body.contains("bob: 73") && !body.contains("98") && !body.contains("97"), "{body}");
    frozen.write(&format!("results/.frozen/{from}/revealed"), "");
    let (_, body) = feed(&api, None);
    assert!(body.contains("98") && body.contains("97"), "{body}");

    let silent = folder("board: public\nstages: [{name: all, feedback: none}]\n");
    let (status, body) = feed(&silent.serve(), None);
    assert!(status == 200 && !body.contains("alice") && !body.contains("<entry>"), "{body}");
}

#[test]
fn before_there_are_results_the_feed_is_empty() {
    let (status, body) = feed(&Folder::new("").serve(), None);
    assert!(status == 200 && !body.contains("<entry>"), "{body}");
}
