//! Edits of pipeline.yaml while a server is at work: all that it says of the HTTP API comes into force.

use std::fs;
use std::io::Write;

use agentmill::tokens::{self, Bearer};
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::support::{Folder, GOOD, Program, answer, connect, wait_until};

/// Both ways to serve.
const WAYS: [&[&str]; 2] = [&["serve"], &["watch", "--serve"]];

/// Rates that no test reaches.
const FAST: &str = "uploads_per_minute: 1000000, requests_per_minute: 1000000";

fn fast() -> String {
    format!("serve: {{{FAST}}}\n")
}

#[test]
fn uploads_go_into_the_inbox_that_is_in_force() {
    for way in WAYS {
        let folder = Folder::new(&fast());
        let server = Program::start(&folder, way);
        assert_eq!(server.put("alice", "", GOOD).status, 201);
        fs::create_dir(folder.path().join("second")).unwrap();
        folder.write("pipeline.yaml", &format!("inbox: second\n{}", fast()));
        wait_until("uploads go into the second inbox", || {
            server.put("bob", "", GOOD);
            folder.path().join("second/bob.py").exists()
        });
        // No inbox is there: the last good one stays.
        folder.write("pipeline.yaml", &format!("inbox: nowhere\n{}", fast()));
        wait_until("it is told", || server.told().contains("nowhere"));
        server.put("carol", "", GOOD);
        assert!(folder.path().join("second/carol.py").exists(), "{}", server.told());
        server.stop();
    }
}

#[test]
fn results_tokens_rates_and_timeout_follow() {
    for way in WAYS {
        let folder = Folder::new(&fast());
        let server = Program::start(&folder, way);
        folder.write("other/index.html", "other results");
        folder.write("pipeline.yaml", &format!("results: other\n{}", fast()));
        wait_until("the other results are served", || !server.get("/", "").body.contains("no results yet"));

        folder.write("pipeline.yaml", &format!("results: other\nserve: {{timeout: 50ms, {FAST}}}\n"));
        wait_until("slow bodies are cut off", || {
            let mut stream = connect(server.address());
            let head = "PUT /upload/agent?miner_id=slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
            stream.write_all(format!("{head}Content-Length: 6\r\n\r\n").as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(150));
            let _ = stream.write_all(b"x = 1\n");
            answer(&mut stream).status == 408
        });

        let other = folder.path().join("other.json");
        tokens::update(&other, |tokens| Ok(tokens.add(Bearer::Miner("alice".parse().unwrap()))?)).unwrap();
        folder.write("pipeline.yaml", &format!("results: other\nserve: {{tokens: other.json, {FAST}}}\n"));
        wait_until("the other tokens are asked for", || server.put("bob", "", GOOD).status == 401);

        folder
            .write("pipeline.yaml", "results: other\nserve: {tokens: other.json, requests_per_minute: 1}\n");
        wait_until("requests are counted by the new rate", || server.get("/healthz", "").status == 429);
        server.stop();
    }
}

#[test]
fn what_needs_a_restart_is_said_and_what_is_wrong_stays_out() {
    for way in WAYS {
        let folder = Folder::new("serve: {listen: '127.0.0.1:0'}\n");
        let server = Program::start_at(&folder, way);
        folder.write("pipeline.yaml", "serve: {listen: '127.0.0.1:1'}\n");
        wait_until("it is told", || server.told().contains("serve.listen"));
        assert!(server.told().contains("restart"), "{}", server.told());
        folder.write("pipeline.yaml", "serve: {lisen: 1}\n");
        wait_until("it is told", || server.told().contains("did you mean \"listen\"?"));
        assert_eq!(server.get("/healthz", "").status, 200);
        server.stop();
    }
}

/// The file of tokens may lie on a disk that does not answer.
#[test]
fn a_file_that_is_not_answered_for_holds_up_nobody_else() {
    let folder = Folder::new("");
    let server = folder.serve();
    let tokens = folder.path().join("tokens.json");
    mkfifoat(CWD, &tokens, Mode::RUSR | Mode::WUSR).unwrap();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&crate::support::request("GET", "/agents/alice", "", b"")).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let mut stream = server.connect();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    stream.write_all(&crate::support::request("GET", "/healthz", "", b"")).unwrap();
    assert_eq!(answer(&mut stream).status, 200);
    // Lets go of those that wait.
    let _pipe = fs::File::options().read(true).write(true).open(&tokens).unwrap();
    fs::remove_file(&tokens).unwrap();
    drop(waiting);
}
