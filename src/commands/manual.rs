//! `completions`, `man` and `schema`: what shells, `man` and editors need, from the same source as the code.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::{Cli, Exit, SchemaOf};
use crate::schema;
use crate::term;

/// Prints a shell's completion script.
///
/// # Errors
/// It can't be printed.
pub fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "agentmill", &mut script);
    term::print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}

/// Prints the JSON Schema of a file.
///
/// # Errors
/// It can't be printed.
pub fn schema(what: SchemaOf) -> anyhow::Result<Exit> {
    let schema = match what {
        SchemaOf::Pipeline => schema::pipeline(),
        SchemaOf::Task => schema::task(),
    };
    term::print_json(&schema)?;
    Ok(Exit::Done)
}

/// Prints the manual's first page, or writes all pages into a folder.
///
/// # Errors
/// They can't be printed or written.
pub fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(folder) = folder {
        let context = || format!("can't write {}", folder.display());
        std::fs::create_dir_all(folder).with_context(context)?;
        clap_mangen::generate_to(Cli::command(), folder).with_context(context)?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    term::print(&String::from_utf8(page)?)?;
    Ok(Exit::Done)
}
