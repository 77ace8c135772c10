//! agentmill: files in, rankings out.
//!
//! `results = f(inbox, tasks, pipeline.yaml)`. One pass of the [`pipeline`] reads as the diagram:
//!
//! ```text
//! inbox/ ──intake──▶ Submission ──validate──▶ Agent ──evaluate──▶ Report ──score──▶ Ranking ──publish──▶ results/
//!                                                        │
//! tasks/ ──task──▶ Task                              sandbox: cells (hostile code) and judges (assertions)
//! ```
//!
//! A module imports from lines below its own only, and from its own line only what stands to the right of it.
//! `tests/house` reads this list and holds the code to it; nowhere is there an import circle.
//!
//! ```text
//! commands
//! daemon serve client proof signals cli
//! status submission doctor export show import schema
//! workspace pipeline
//! sandbox
//! gateway
//! task config ui trace tokens term
//! model
//! yaml
//! util
//! ```
//!
//! * [`commands`] has a file for each command of the [`cli`]; [`daemon`] is `watch`, [`serve`] the HTTP API, [`client`]
//!   the miner's side.
//! * [`proof`] packs results for third parties, who check them without trusting anybody.
//! * [`status`] says where a miner stands; [`submission`] checks a submission and takes it in, wherever it comes from.
//! * [`export`] writes the results in formats of others, [`show`] for people.
//! * [`workspace`] is a folder: its pipeline.yaml ([`config`]), its tasks ([`task`]), its lock.
//! * [`pipeline`] has a file for each step of a pass. Steps don't import each other, and see the sandbox's traits only.
//! * [`sandbox`] is the only place that talks to a container engine, and its `guest` the only one with Python.
//! * [`gateway`] is the way from agents to models: key, budget and recordings stay on this side of it.
//! * [`model`] holds the words that every part shares; a [`model::report`] is also the memory of what is done.
//! * [`yaml`] reads files with positions, all mistakes at once; [`util`] knows nothing of agentmill.

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod export;
#[cfg(any(test, fuzzing))]
pub mod fuzz_entry;
pub mod gateway;
pub mod import;
pub mod model;
pub mod pipeline;
pub mod proof;
pub mod sandbox;
pub mod schema;
pub mod serve;
pub mod show;
pub mod signals;
pub mod status;
pub mod submission;
pub mod task;
pub mod term;
pub mod tokens;
pub mod trace;
pub mod ui;
pub mod util;
pub mod workspace;
pub mod yaml;
