//! The Python clients of docs/http.md, as they stand there.

use std::process::Command;
use std::time::Duration;

use agentmill::util::digest;

use crate::support::{Folder, GOOD, said};

#[test]
fn the_client_of_the_docs_submits_and_tells_the_outcome() {
    let docs = include_str!("../../docs/http.md");
    let client = docs.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::new("");
    let token = folder.token("alice");
    let sha256 = digest::sha256(GOOD.as_bytes());
    let rankings =
        crate::guard::rankings().to_string().replace(r#""sha256":"1""#, &format!(r#""sha256":"{sha256}""#));
    folder.write("results/rankings.json", &rankings);
    folder.write("client.py", client);
    let api = folder.serve();
    for (source, outcome) in [(GOOD, "ranked {'rank': 1, 'miner': 'alice'"), ("", "this submission is empty")]
    {
        folder.write("agent.py", source);
        let mut python = Command::new("python3");
        python.args(["client.py", "alice", "agent.py"]).current_dir(folder.path());
        python.env("AGENTMILL_URL", format!("http://{}", api.address)).env("AGENTMILL_TOKEN", &token);
        match python.output() {
            Ok(output) => assert!(said(&output).starts_with(outcome), "{}", said(&output)),
            // A machine without Python has agents in cells all the same.
            Err(error) => eprintln!("not run: python3: {error}"),
        }
    }
}

#[test]
fn the_tasks_can_be_tried_at_home_as_the_docs_say() {
    let docs = include_str!("../../docs/http.md");
    let home = docs.split("```python\n").nth(2).unwrap().split("```").next().unwrap();
    let folder = Folder::new("");
    folder.write(
        "tasks/limited.yaml",
        "prompt: p\ntests: [{assert: f(1) == 2, public: true, weight: 9, timeout: 1500ms}]\nweight: 3\ntimeout: 3s\nmemory: 64MiB\n",
    );
    folder.write("home/home.py", home);
    let api = folder.serve();
    let mut python = Command::new("python3");
    python.args(["home.py", &format!("http://{}", api.address)]).current_dir(folder.path().join("home"));
    match python.output() {
        Ok(output) => assert!(output.status.success(), "{}", said(&output)),
        Err(error) => return eprintln!("not run: python3: {error}"),
    }
    let tasks = agentmill::task::load(&folder.path().join("home/tasks")).unwrap();
    assert!(
        tasks.iter().all(|task| !task.tests.is_empty() && task.tests.iter().all(|test| test.public)),
        "{tasks:?}"
    );
    let limited = tasks.iter().find(|task| task.id == "limited").unwrap();
    let [of_test, of_task] = [Some(Duration::from_millis(1500)), Some(Duration::from_secs(3))];
    assert_eq!((limited.tests[0].weight, limited.tests[0].timeout), (9.0, of_test));
    assert_eq!((limited.weight, limited.timeout, limited.memory), (3.0, of_task, Some(64 << 20)));
}
