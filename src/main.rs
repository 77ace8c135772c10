//! Parse, dispatch, exit code.

use std::process::ExitCode;

use agentmill::cli::Cli;
use agentmill::commands;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    agentmill::trace::start();
    commands::execute(&cli).into()
}
