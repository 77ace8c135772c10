//! `reveal`: the end of a frozen board before its time.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;

use crate::cli::Exit;
use crate::pipeline::freeze;
use crate::pipeline::report_store::Unwritable;
use crate::term;
use crate::workspace::Workspace;

/// Shows everybody over HTTP what is published. Others may work in the folder meanwhile: they follow.
///
/// # Errors
/// Mistakes in the configuration, a board that does not stand still, or a results folder that can't be written.
pub fn reveal(dir: &Path, quiet: bool) -> anyhow::Result<Exit> {
    let pipeline = Workspace::open(dir)?.pipeline;
    let Some(freeze) = pipeline.freeze else {
        bail!("there is nothing to reveal: pipeline.yaml has no board.freeze_from");
    };
    let revealed = freeze::reveal(&pipeline.results, &freeze, Timestamp::now());
    if !revealed.with_context(|| Unwritable("the board can't be revealed".to_owned()))? {
        bail!("there is nothing to reveal: the board does not stand still");
    }
    if !quiet {
        term::print("revealed: the board shows what is published\n")?;
    }
    Ok(Exit::Done)
}
