//! Containers from start to end: launching, what is recorded of their deaths, and the engine's absences.

pub mod death_log;
pub mod launcher;
mod outage;
mod programs;
mod reaper;
pub mod running;
mod slow;
