//! One file per command; each says how it ended.

mod accept;
mod aside;
mod bench_model;
mod bundle;
mod check;
mod demo;
mod dry_run;
mod export;
mod generate;
mod image;
mod import;
mod init;
mod interrupt;
mod manual;
mod preview;
mod reveal;
mod run;
mod serve;
mod show;
mod submit;
mod tasks;
mod token;
mod verify;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::cli::{Cli, Command, Exit};
use crate::daemon;
use crate::model::joined::AGENT;
use crate::pipeline::report_store::Unwritable;
use crate::sandbox::Fault;
use crate::term::{self, Unprinted};
use crate::workspace::Taken;
use crate::yaml::Problems;

/// Does what the command line says; errors are printed to stderr.
pub fn execute(cli: &Cli) -> Exit {
    let dir = cli.dir.as_path();
    let result = match &cli.command {
        Command::Run(args) => run::run(dir, args, cli.quiet),
        Command::Preview { json } => preview::preview(dir, *json, cli.quiet),
        Command::Reveal => reveal::reveal(dir, cli.quiet),
        Command::Accept => accept::accept(dir, cli.quiet),
        Command::Watch { serve, listen } => daemon::watch(dir, serve.then_some(*listen), cli.quiet),
        Command::Serve { listen } => serve::serve(dir, *listen, cli.quiet),
        Command::BenchModel(args) => bench_model::bench_model(dir, args, cli.quiet),
        Command::Bundle(args) => bundle::bundle(dir, args, cli.quiet),
        Command::Verify(args) => verify::verify(args, cli.quiet),
        Command::Generate(args) => generate::generate(dir, args, cli.quiet),
        Command::Submit(args) => submit::submit(dir, args, cli.quiet),
        Command::Image { what } => image::image(dir, what, cli.quiet),
        Command::Token { what } => token::token(dir, what),
        Command::Check { what, mutants: _, json } if is_agent(what) => {
            check::check_one(dir, Path::new(&what[0]), cli.quiet, *json)
        }
        Command::Check { what, mutants, json } => {
            let scope = check::Scope { tasks: what.clone(), mutants: *mutants, lines: *json };
            check::check(dir, &scope, cli.quiet, *json)
        }
        Command::Demo { dir } => demo::demo(dir.as_deref(), cli.quiet),
        Command::Init { dir: other } => init::init(other.as_deref().unwrap_or(dir), cli.quiet),
        Command::Import { kind, files, force } => import::import(dir, *kind, files, *force, cli.quiet),
        Command::Export { format, out } => export::export(dir, *format, out.as_deref(), cli.quiet),
        Command::Show(shown) => show::print(dir, shown),
        Command::Schema { what } => manual::schema(*what),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::man(folder.as_deref()),
        Command::Tasks { id, json } => tasks::tasks(dir, id.as_deref(), *json),
    };
    result.unwrap_or_else(|error| {
        term::complain(explain(&error));
        exit_of(&error)
    })
}

/// True if `check` is given an agent's file or folder, which no YAML is.
fn is_agent(what: &[String]) -> bool {
    let is_yaml = |name: &str| [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending));
    let is_there = |path: &Path| path.is_file() || path.join(AGENT).is_file() || has_python(path);
    matches!(what, [one] if one.ends_with(".py") || is_there(Path::new(one)) && !is_yaml(one))
}

/// Tells whether a folder holds a file of Python and no task, as that of an agent whose file has another name.
fn has_python(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let names: Vec<OsString> = names.collect();
    let has =
        |ending: &str| names.iter().any(|name| Path::new(name).extension().is_some_and(|it| it == ending));
    has("py") && !has("yaml") && !has("yml")
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
        Exit::NoEngine
    } else if error.is::<Unwritable>() || error.is::<Unprinted>() {
        Exit::Unwritable
    } else {
        Exit::Usage
    }
}
