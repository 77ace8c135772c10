//! The miner's side: have a model write an agent, and submit it.

pub mod bench;
pub mod generate;
pub mod submit;
