//! Cells on other machines.

pub mod launch;
mod slurm;
