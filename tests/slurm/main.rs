//! Cells on a Slurm cluster: as steps and as jobs, and through everything that goes wrong with one.

mod cluster;
mod faults;
#[path = "../testenv/mod.rs"]
mod testenv;
mod verdicts;
