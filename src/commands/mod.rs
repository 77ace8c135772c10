//! One file per command; each says how it ended.

mod check;
mod demo;
mod generate;
mod import;
mod init;
mod manual;
mod run;
mod serve;
mod show;
mod submit;
mod tasks;
mod token;

use crate::cli::{Cli, Command, Exit};
use crate::sandbox::Fault;
use crate::watch;
use crate::workspace::Taken;
use crate::yaml::Problems;

/// Does what the command line says; errors are printed to stderr.
pub fn execute(cli: &Cli) -> Exit {
    let dir = cli.dir.as_path();
    let result = match &cli.command {
        Command::Run { force, json } => run::run(dir, *force, cli.quiet, *json),
        Command::Watch { serve, listen } => watch::watch(dir, serve.then_some(*listen), cli.quiet),
        Command::Serve { listen } => serve::serve(dir, *listen, cli.quiet),
        Command::Generate(args) => generate::generate(dir, args, cli.quiet),
        Command::Submit(args) => submit::submit(dir, args, cli.quiet),
        Command::Token { what } => token::token(dir, what),
        Command::Check { agent: Some(agent), json } => check::check_one(dir, agent, cli.quiet, *json),
        Command::Check { agent: None, json } => check::check(dir, cli.quiet, *json),
        Command::Demo { dir } => demo::demo(dir.as_deref(), cli.quiet),
        Command::Init { dir: other } => init::init(other.as_deref().unwrap_or(dir), cli.quiet),
        Command::Import { benchmark, file, force } => {
            import::import(dir, *benchmark, file, *force, cli.quiet)
        }
        Command::Show(shown) => show::print(dir, shown),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::man(folder.as_deref()),
        Command::Tasks { id, json } => tasks::tasks(dir, id.as_deref(), *json),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{}", explain(&error));
        exit_of(&error)
    })
}

/// Problems speak for themselves, a line each; other errors are introduced.
fn explain(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Problems>() {
        Some(problems) => problems.to_string(),
        None => format!("agentmill: {error:#}"),
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if error.is::<Taken>() {
        Exit::Locked
    } else if error.is::<Fault>() {
        Exit::Unscored
    } else {
        Exit::Usage
    }
}
