//! A start that is held up: uploads are taken all the same, and evaluation goes on by itself.

use crate::support::{Folder, GOOD, Program, TASK, said, wait_until};

fn wait_for_rank(server: &Program, miner: &str) {
    let state = || server.get(&format!("/agents/{miner}"), "").json()["state"].clone();
    wait_until(&format!("{miner} is ranked: {}", server.told()), || state() == "ranked");
}

#[test]
fn a_change_that_is_not_accepted_keeps_nobody_from_submitting() {
    let folder = Folder::new("changes: hold\n");
    let start = || Program::start(&folder, &["watch", "--serve"]);
    let server = start();
    assert_eq!(server.put("alice", "", GOOD).status, 201);
    wait_for_rank(&server, "alice");
    server.stop();

    folder.write("pipeline.yaml", "changes: hold\nrewards: {pool: 7}\n");
    let server = start();
    wait_until("it says why it waits", || server.told().contains("not accepted (rewards)"));
    assert!(server.told().contains("nothing is evaluated for now; submissions are taken, and wait"));
    assert_eq!(server.put("bob", "", GOOD).status, 201);
    folder.write("inbox/carol.py", GOOD);
    wait_until("a file is noted, too", || folder.read("results/ledger.jsonl").contains("carol"));
    assert_eq!(server.get("/agents/bob", "").json()["state"], "waiting");

    // The folder is free for both.
    for command in ["preview", "accept"] {
        let mut last = String::new();
        wait_until(command, || {
            let output = folder.run(&[command]);
            last = said(&output);
            assert!(matches!(output.status.code(), Some(0 | 75)), "{last}");
            output.status.success()
        });
    }
    wait_for_rank(&server, "bob");
    assert_eq!(server.put("dave", "", GOOD).status, 201);
    wait_for_rank(&server, "dave");
    assert!(server.told().contains("evaluation goes on"), "{}", server.told());
    server.stop();

    // Taken back.
    folder.write("pipeline.yaml", "changes: hold\nrewards: {pool: 8}\n");
    let server = start();
    wait_until("it waits again", || server.told().contains("not accepted (rewards)"));
    folder.write("pipeline.yaml", "changes: hold\nrewards: {pool: 7}\n");
    assert_eq!(server.put("erin", "", GOOD).status, 201);
    wait_for_rank(&server, "erin");
    assert_eq!(server.stop(), Some(143));
}

#[test]
fn a_mistake_in_a_tasks_python_keeps_nobody_from_submitting() {
    let folder = Folder::new("");
    folder.write("tasks/strings/reverse.yaml", &TASK.replace("== 'ba'", "== "));
    let server = Program::start(&folder, &["watch", "--serve"]);
    assert_eq!(server.put("alice", "", GOOD).status, 201);
    wait_until("it says why it waits", || server.told().contains("nothing is evaluated for now"));
    folder.write("tasks/strings/reverse.yaml", TASK);
    wait_for_rank(&server, "alice");
    assert_eq!(server.stop(), Some(143));
}
