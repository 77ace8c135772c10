//! The whole way: two miners generate, upload over HTTP, a daemon evaluates in real cells, the ranking shows it.

use crate::support::Line::{Fails, Says};
use crate::support::{Folder, Model, Program, said};

fn fenced(source: &str) -> String {
    format!("Here:\n```python\n{source}\n```\n")
}

#[test]
fn two_miners_from_prompt_to_ranking() {
    let platform = Folder::new("board: public");
    let tokens = ["alice", "bob"].map(|miner| platform.token(miner));
    let daemon = Program::start(&platform, &["watch", "--serve"]);
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
        let score = if miner == "alice" { "alice: 100 (rank 1)" } else { "bob: 50 (rank 2)" };
        assert!(text.contains(score) && !text.contains(token.as_str()), "{text}");
    }
    // What does not compile is refused at once, and leaves what stands.
    let home = Folder::new("");
    home.write("agent.py", "def f(:\n");
    let file = home.path().join("agent.py");
    let args = ["submit", file.to_str().unwrap(), "--miner", "bob", "--to", &daemon.url, "--wait"];
    let output = home.command(&args).env("AGENTMILL_TOKEN", &tokens[1]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("(HTTP 422): line 1: is not valid Python 3.11"), "{}", said(&output));
    let page = format!("{}/upload/agent", daemon.url);
    let args = ["submit", file.to_str().unwrap(), "--miner", "bob", "--to", &page];
    let output = home.command(&args).env("AGENTMILL_TOKEN", &tokens[1]).output().unwrap();
    assert!(said(&output).contains("--to takes the platform's address alone"), "{}", said(&output));

    let rankings = daemon.get("/rankings", "").json();
    assert_eq!(rankings["rankings"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&rankings["rankings"][0]["miner"], &rankings["rankings"][0]["score"]),
        (&"alice".into(), &100.0.into())
    );
    assert_eq!(
        (&rankings["rankings"][1]["miner"], &rankings["rankings"][1]["score"]),
        (&"bob".into(), &50.0.into())
    );
    assert_eq!(rankings["rejected"], serde_json::json!([]));
    assert_eq!(daemon.stop(), Some(143));
}

/// An agent that answers what is public by what it was asked before.
#[test]
fn a_public_test_cannot_tell_what_a_hidden_one_asked() {
    let folder = Folder::new("stages: [{name: all, feedback: full}]");
    let tests =
        "  - {name: secret, assert: f(91273) == 1}\n  - {name: open, assert: f(1) == 1, public: true}\n";
    folder.write("tasks/strings/reverse.yaml", &format!("prompt: Write f(n)\ntests:\n{tests}"));
    let daemon = Program::start(&folder, &["watch", "--serve"]);
    folder.write("agent.py", "SEEN = []\n\ndef f(n):\n    SEEN.append(n)\n    return repr(SEEN)\n");
    let file = folder.path().join("agent.py");
    let output = folder.run(&["submit", file.to_str().unwrap(), "--miner", "spy", "--wait"]);
    let text = said(&output) + &folder.read("results/index.html");
    assert!(text.contains("spy: 0 (rank 1") && text.contains("open: failed"), "{text}");
    assert!(!text.contains("91273"), "{text}");
    assert_eq!(daemon.stop(), Some(143));
}

/// Agents that end in a hidden test, each by another way: their public tests are as if they had not.
#[test]
fn a_hidden_test_changes_nothing_that_is_public() {
    let folder = Folder::new("sandbox: {timeout: 2s, memory: 64MiB}");
    let tests = "  - {name: secret, assert: f(91273) == 1}\n  - {name: open, assert: f(1) == 1, public: true}\n  - {name: more, assert: f(2) == 3, public: true}\n";
    folder.write("tasks/strings/reverse.yaml", &format!("prompt: Write f(n)\ntests:\n{tests}"));
    let ways = [
        ("fails", "0"),
        ("leaves", "__import__('os')._exit(0)"),
        ("spins", "sum(iter(int, 1))"),
        ("grows", "bytearray(1 << 30)"),
        ("prints", "print('x' * (1 << 20))"),
        ("ends", "__import__('os').kill(0, 9)"),
    ];
    for (miner, way) in ways {
        let source = format!("def f(n):\n    return {way} if n > 9 else 1\n");
        folder.write(&format!("inbox/{miner}.py"), &source);
    }
    let output = folder.run(&["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut verdicts = Vec::new();
    for (miner, _) in ways {
        let report: serde_json::Value =
            serde_json::from_str(&folder.read(&format!("results/agents/{miner}.json"))).unwrap();
        let run = &report["runs"][0];
        let public: Vec<_> = run["tests"].as_array().unwrap()[..2]
            .iter()
            .map(|test| (&test["verdict"], &test["message"]))
            .collect();
        assert_eq!(public[0].0, "passed", "{miner}: {report}");
        assert_eq!(
            public[1],
            (&"failed".into(), &"1 == 3 does not hold - f(2) returned 1".into()),
            "{miner}: {report}"
        );
        verdicts.push(run["verdict"].as_str().unwrap().to_owned());
    }
    assert_eq!(verdicts, ["failed", "crashed", "timeout", "out_of_memory", "output_limit", "crashed"]);
}
