//! Any engine by its command line.

pub mod argv;
pub mod client;
pub mod errand;
pub mod supply;
