//! Parse, dispatch, exit code.

use std::process::ExitCode;

use agentmill::cli::Cli;
use agentmill::commands;
use clap::Parser;

fn main() -> ExitCode {
    commands::execute(&Cli::parse()).into()
}
