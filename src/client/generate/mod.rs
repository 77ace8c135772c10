//! Have a model write an agent.
//!
//! ```text
//! tasks ──prompt──▶ model ──reply──▶ sources ──draft: check, try, repair──▶ drafts ──merge──▶ agent.py
//! ```
//!
//! * `prompt` asks for what a task has `wanted`; a [`model`] is an [`endpoint`] or a `program`, and gives an [`answer`]
//! * [`reply`] finds the sources in it: `thinking` is left out, of its `blocks` those are taken whose `names` are wanted
//! * [`draft`] checks and tries them, [`merge`] makes one file of what there is; [`bill`] tells what all replies took

pub mod answer;
pub mod before;
pub mod bill;
mod blocks;
pub mod draft;
pub mod endpoint;
pub mod model;
mod names;
pub mod program;
pub mod prompt;
pub mod reply;
pub mod thinking;
pub mod trial;
pub mod wanted;
