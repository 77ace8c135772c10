//! The hostile corpus: agents that cheat, harm or pry, each with the verdicts it must get, on the real engine.
//!
//! `cargo test --test hostile -- --nocapture` prints the table. `AGENTMILL_ENGINE=podman` and `AGENTMILL_RUNTIME=runsc`
//! play it with another engine or runtime, and `DOCKER_HOST` on another machine.

mod common;

use common::{Lab, corpus};

/// `AGENTMILL_CASE=name` plays only the cases whose name contains it.
#[test]
fn every_hostile_agent_gets_the_verdict_it_deserves_and_leaves_nothing() {
    let only = std::env::var("AGENTMILL_CASE").unwrap_or_default();
    corpus::play(Lab::new(), |name| name.contains(&only));
}
