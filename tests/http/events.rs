//! Server-sent events of the ranking: news as they come, no more than the board shows, and an end.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Api, Folder, request};

const HISTORY: &str = "at,miner,score,rank,sha256\n\
    2026-11-22T10:00:00Z,alice,61,2,aa\n2026-11-22T10:00:00Z,bob,73,1,bb\n2026-11-23T10:00:00Z,alice,99,1,cc\n";

fn folder(pipeline: &str) -> Folder {
    let folder = Folder::new(pipeline);
    publish(&folder, "");
    folder
}

/// The history with more lines.
fn publish(folder: &Folder, more: &str) {
    folder.write("results/next", &format!("{HISTORY}{more}"));
    std::fs::rename(folder.path().join("results/next"), folder.path().join("results/history.csv")).unwrap();
}

/// One who listens.
struct Listener(BufReader<TcpStream>);

impl Listener {
    /// Comes back when the server has answered.
    fn new(api: &Api, headers: &str) -> Self {
        let mut stream = api.connect();
        stream.write_all(&request("GET", "/events", headers, b"")).unwrap();
        let mut listener = Self(BufReader::new(stream));
        let head: Vec<String> =
            std::iter::from_fn(|| listener.line()).take_while(|line| !line.is_empty()).collect();
        assert!(head[0].contains(" 200 "), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        listener
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_ascii_lowercase())
    }

    /// The data of the next event; None at the end.
    fn next(&mut self) -> Option<Value> {
        let line = std::iter::from_fn(|| self.line()).find(|line| line.starts_with("data: "))?;
        Some(serde_json::from_str(&line[6..]).unwrap())
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn a_listener_is_told_of_changes_as_they_come() {
    let folder = folder("board: public\n");
    let api = folder.serve();
    let mut listener = Listener::new(&api, "");
    publish(&folder, "2026-11-24T10:00:00Z,bob,100,1,dd\n2026-11-24T10:00:00Z,carol,,,ee\n");
    let expected = json!({"at": "2026-11-24t10:00:00z", "changes": [
        {"miner": "bob", "score": 100.0, "rank": 1}, {"miner": "carol", "score": null, "rank": null},
    ]});
    assert_eq!(listener.next().unwrap(), expected, "and nothing of what was before");
    let mut later = Listener::new(&api, "Last-Event-ID: 2026-11-22T10:00:00Z\r\n");
    let seen = [later.next(), later.next()].map(|event| event.unwrap()["at"].clone());
    assert_eq!(seen, [json!("2026-11-23t10:00:00z"), json!("2026-11-24t10:00:00z")]);
}

#[test]
fn each_is_told_its_own_where_scores_are_private() {
    let folder = folder("");
    let alice = bearer(&folder.token("alice"));
    let api = folder.serve();
    for headers in [String::new(), bearer("agm_0")] {
        assert_eq!(api.get_as("/events", &headers).status, 401);
    }
    let mut listener = Listener::new(&api, &format!("{alice}Last-Event-ID: 2026-01-01T00:00:00Z\r\n"));
    for score in [61.0, 99.0] {
        let event = listener.next().unwrap();
        assert_eq!(
            event["changes"],
            json!([{"miner": "alice", "score": score, "rank": event["changes"][0]["rank"]}])
        );
    }
    // A token that is taken back holds for those who listen, too.
    folder.run(&["token", "remove", "alice"]);
    publish(&folder, "2026-11-24T10:00:00Z,alice,12,3,dd\n");
    assert_eq!(listener.next(), None);
}

#[test]
fn a_board_that_closes_tells_no_more() {
    let folder = folder("board: public\n");
    folder.token("alice");
    let api = folder.serve();
    let mut listener = Listener::new(&api, "");
    folder.write("pipeline.yaml", "board: private\n");
    assert_eq!(listener.next(), None);
}

#[test]
fn a_frozen_board_and_silent_feedback_tell_nothing() {
    let frozen = folder("board: {sight: public, freeze_from: 2026-11-23T00:00:00Z}\n");
    let from = "2026-11-23T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let before: String = HISTORY.split_inclusive('\n').take(3).collect();
    frozen.write(&format!("results/.frozen/{from}/history.csv"), &before);
    let silent = folder("board: public\nstages: [{name: all, feedback: none}]\n");
    for (folder, told) in [(frozen, 1), (silent, 0)] {
        let api = folder.serve();
        let mut listener = Listener::new(&api, "Last-Event-ID: 2026-01-01T00:00:00Z\r\n");
        listener.0.get_ref().set_read_timeout(Some(Duration::from_millis(2500))).unwrap();
        publish(&folder, "2026-11-24T10:00:00Z,alice,12,3,dd\n");
        let events: Vec<Value> = std::iter::from_fn(|| listener.next()).collect();
        assert!(
            events.len() == told && events.iter().all(|event| event["at"] == "2026-11-22t10:00:00z"),
            "{events:?}"
        );
    }
}

#[test]
fn a_server_that_stops_waits_for_no_listener() {
    let folder = folder("board: public\n");
    let workspace = agentmill::workspace::Workspace::open(folder.path()).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let events = agentmill::ui::Events::channel().0;
    let server = agentmill::serve::Server::start(&workspace, Some(listen), &events).unwrap();
    let mut stream = crate::support::connect(server.address());
    stream.write_all(&request("GET", "/events", "", b"")).unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert!(lines.next().unwrap().unwrap().contains(" 200 "));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
