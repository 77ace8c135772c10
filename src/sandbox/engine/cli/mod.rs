//! Any engine by its command line.

pub mod argv;
pub mod client;
pub mod interruptible;
pub mod supply;
