//! The miner's side: have a model write an agent, and hand it in.
//!
//! ```text
//! tasks ──prompt──▶ model ──reply──▶ source ──draft: check, repair once──▶ ... ──merge──▶ agent.py
//! ```

pub mod draft;
pub mod endpoint;
pub mod merge;
pub mod model;
mod program;
pub mod prompt;
pub mod reply;
pub mod submit;
