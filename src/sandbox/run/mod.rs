//! Judged runs: an agent in a cell, assertions in a judge, and what lies between the two.

mod advice;
mod agent_session;
mod case_files;
pub(crate) mod cell;
mod cell_connections;
mod cell_files;
pub(crate) mod cell_messages;
mod cell_stock;
mod container_sandbox;
mod host;
pub(crate) mod interactive;
pub(crate) mod judge;
mod judge_again;
mod judge_prompts;
mod judges;
pub(crate) mod replay;
mod respondent;
pub(crate) mod run_clock;
pub(crate) mod score_sheet;
mod slots;
mod survey;
mod task_spec;
mod warm_pool;

pub use container_sandbox::ContainerSandbox;
