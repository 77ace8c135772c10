//! The hostile corpus: agents that cheat, harm or pry, each with the verdicts it must get, on the real engine.
//!
//! `cargo test --test hostile -- --nocapture` prints the table. `AGENTMILL_ENGINE=podman` and `AGENTMILL_RUNTIME=runsc`
//! play it with another engine or runtime, and `DOCKER_HOST` on another machine.

mod common;

use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::time::Duration;

use common::marked::MARK;
use common::{Lab, corpus, left_children};

/// `AGENTMILL_CASE=name` plays only the cases whose name contains it.
#[test]
fn every_hostile_agent_gets_the_verdict_it_deserves_and_leaves_nothing() {
    let only = std::env::var("AGENTMILL_CASE").unwrap_or_default();
    corpus::play(Lab::new, |name| name.contains(&only));
}

#[test]
fn the_page_of_the_corpus_lists_every_agent() {
    let page = include_str!("../docs/corpus.md");
    let listed: Vec<&str> =
        page.lines().filter(|line| line.contains("`") && line.starts_with("| ")).collect();
    let rows = corpus::rows();
    assert_eq!(listed, rows, "these rows belong into docs/corpus.md:\n{}", rows.join("\n"));
    assert!(page.contains(&format!(" {} agents of `tests/hostile/`", rows.len())), "{} agents", rows.len());
}

/// Tests of one program run beside each other, and each may start programs.
#[test]
fn a_child_that_a_test_has_started_is_nothing_that_a_lab_left() {
    let _alone = corpus::ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut own = Command::new("cat").env(MARK, "here").stdin(Stdio::piped()).spawn().unwrap();
    assert_eq!(left_children(Duration::from_secs(30)), Vec::<String>::new());
    let mut labs = Command::new("true").spawn().unwrap();
    let left = left_children(Duration::from_millis(100));
    labs.wait().unwrap();
    drop(own.stdin.take());
    own.wait().unwrap();
    assert_eq!(left, [format!("process {} (true)", labs.id())]);
}
