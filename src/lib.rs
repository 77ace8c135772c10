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
//! * [`config`] and [`task`] turn YAML into checked values, all mistakes at once ([`yaml`]).
//! * [`pipeline`] holds one file per step; the steps don't call each other.
//! * [`sandbox`] is the only place that talks to a container engine.
//! * [`doctor`] looks at the machine for `check`.
//! * [`import`] makes tasks of published benchmarks.
//! * [`serve`] (HTTP) and [`miner`] (the command line) are doors onto the same folders; both hand in by [`door`].
//! * [`report`] holds what one agent's evaluation left behind, and is also the memory of what is done.

pub mod cli;
pub mod commands;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod door;
#[cfg(any(test, fuzzing))]
pub mod foreign;
pub mod import;
pub mod miner;
pub mod pipeline;
pub mod report;
pub mod sandbox;
pub mod serve;
pub mod show;
pub mod signals;
pub mod standing;
pub mod task;
pub mod term;
pub mod tokens;
pub mod trace;
pub mod ui;
pub mod units;
pub mod watch;
pub mod workspace;
pub mod yaml;
