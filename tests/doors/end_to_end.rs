//! The whole way: two miners generate, upload over HTTP, a daemon evaluates in real cells, the ranking shows it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Line::{Fails, Says};
use crate::support::{Folder, Model, PATIENCE, connect, said};

/// `watch --serve`; stopped when dropped, even by a failed test.
struct Daemon {
    child: Child,
    url: String,
}

impl Daemon {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command(&["watch", "--serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let url = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            before.push(line.clone());
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.unwrap_or_else(|| panic!("{before:?}")) }
    }

    fn stop(&mut self) -> Option<i32> {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop();
        }
    }
}

fn fenced(source: &str) -> String {
    format!("Here:\n```python\n{source}\n```\n")
}

#[test]
fn two_miners_from_prompt_to_ranking() {
    let platform = Folder::new("");
    let tokens = ["alice", "bob"].map(|miner| platform.token(miner));
    let mut daemon = Daemon::start(&platform);
    let good = "def reverse_string(s):\n    return s[::-1]";
    // Alice's model is busy first, then imports what is not allowed, then repairs it.
    let alice = Model::new([
        Fails(429, "Retry-After: 0\r\n", String::new()),
        Says(fenced("import numpy as np\n")),
        Says(format!("Sorry! {}", fenced(good))),
    ]);
    // Bob's knows half of it.
    let bob = Model::new([Says(fenced("def reverse_string(s):\n    return 'olleh'"))]);
    for ((miner, model), token) in [("alice", &alice), ("bob", &bob)].into_iter().zip(&tokens) {
        let home = Folder::new(&model.pipeline());
        let file = home.path().join("agent.py");
        let file = file.to_str().unwrap();
        let mut generate = home.command(&["generate", "strings/reverse", "--out", file]);
        let output = generate.env("TEST_KEY", "k").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let mut submit = home.command(&["submit", file, "--miner", miner, "--to", &daemon.url, "--wait"]);
        let output = submit.env("AGENTMILL_TOKEN", token).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        let score = if miner == "alice" {
            "alice: 100 (rank 1, 2 of 2 tests)"
        } else {
            "bob: 50 (rank 2, 1 of 2 tests)"
        };
        assert!(text.contains(score) && !text.contains(token.as_str()), "{text}");
    }
    // What does not compile is found by the cell, and told to the miner.
    let home = Folder::new("");
    home.write("agent.py", "def f(:\n");
    let file = home.path().join("agent.py");
    let args = ["submit", file.to_str().unwrap(), "--miner", "bob", "--to", &daemon.url, "--wait"];
    let output = home.command(&args).env("AGENTMILL_TOKEN", &tokens[1]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("bob: refused: line 1: is not valid Python 3.11"), "{}", said(&output));

    let address = daemon.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = connect(address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    std::io::Write::write_all(&mut stream, &crate::support::request("GET", "/rankings", "", b"")).unwrap();
    let rankings = crate::support::answer(&mut stream).json();
    assert_eq!(rankings["rankings"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&rankings["rankings"][0]["miner"], &rankings["rankings"][0]["score"]),
        (&"alice".into(), &100.0.into())
    );
    assert_eq!(rankings["rejected"][0]["miner"], "bob");
    assert_eq!(daemon.stop(), Some(143));
}
