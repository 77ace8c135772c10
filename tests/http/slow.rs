//! Clients that take their time, and the end of the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::time::Instant;

use agentmill::serve::Server;
use agentmill::ui::Events;
use agentmill::workspace::Workspace;

use crate::support::{Folder, GOOD, PATIENCE, answer, connect};

#[test]
fn heads_and_bodies_that_trickle_are_cut_off_and_others_are_served() {
    let folder = Folder::new("serve: {timeout: 300ms}");
    let api = folder.serve();
    let mut heads: Vec<_> = (0..50).map(|_| api.connect()).collect();
    for stream in &mut heads {
        stream.write_all(b"GET /tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
    }
    let mut body = api.connect();
    let head = "PUT /upload/agent?miner_id=alice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    body.write_all(format!("{head}Content-Length: 100\r\n\r\nx = 1").as_bytes()).unwrap();
    assert_eq!(api.put("bob", "", GOOD).status, 201);
    assert_eq!(answer(&mut body).status, 408);
    for mut stream in heads {
        let mut rest = Vec::new();
        // Closed by the server, with or without a word.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(!folder.inbox().join("alice.py").exists());
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let folder = Folder::new("");
    let api = folder.serve();
    let mut stream = api.connect();
    let head =
        "PUT /upload/agent?miner_id=alice HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx = 1\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/1.1 2"));
    assert_eq!(std::fs::read_dir(folder.inbox()).unwrap().count(), 0);
}

#[test]
fn stopping_answers_what_was_asked_and_takes_no_more() {
    let folder = Folder::new("");
    let workspace = Workspace::open(folder.path()).unwrap();
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let server = Server::start(&workspace, listen, &Events::channel().0).unwrap();
    let address = server.address();
    let mut stream = connect(address);
    let head = "PUT /upload/agent?miner_id=alice HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut word = [0; 25];
    // The server is in the middle of this request now.
    stream.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    std::thread::scope(|scope| {
        scope.spawn(|| server.stop());
        while std::net::TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
        stream.write_all(b"x = 1\n").unwrap();
        assert_eq!(answer(&mut stream).status, 201);
    });
    assert_eq!(folder.read("inbox/alice.py"), "x = 1\n");
}

#[test]
fn a_verdict_that_does_not_come_is_hinted_at_and_waited_for() {
    let folder = Folder::new("");
    folder.write("good.py", GOOD);
    let file = folder.path().join("good.py");
    let args = ["submit", file.to_str().unwrap(), "--miner", "alice", "--wait"];
    let mut child = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (begun, hint) =
        (Instant::now(), lines.find(|line| line.as_ref().unwrap().contains("does agentmill watch")));
    assert!(hint.is_some() && begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert!(child.try_wait().unwrap().is_none(), "it goes on waiting");
    child.kill().unwrap();
    child.wait().unwrap();
}
