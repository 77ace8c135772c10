//! `export`: the results in a format of others.

use std::path::Path;

use anyhow::Context;

use crate::cli::Exit;
use crate::config;
use crate::export::{Format, People};
use crate::pipeline::report_store::Unwritable;
use crate::term;
use crate::workspace::PIPELINE;

/// Writes everything into a folder, or prints it.
///
/// # Errors
/// Mistakes in the configuration, there are no results, or they can't be written.
pub fn export(dir: &Path, format: Format, out: Option<&Path>, quiet: bool) -> anyhow::Result<Exit> {
    let pipeline = config::load(&dir.join(PIPELINE))?;
    let people = People::read(&pipeline)?;
    let Some(folder) = out else {
        term::print_by(|out| format.write(out, &people))?;
        return Ok(Exit::Done);
    };
    let written = format.write_to(folder, &people);
    let files = written.with_context(|| Unwritable(format!("can't export to {}", folder.display())))?;
    if !quiet {
        let files = match files.as_slice() {
            [one] => one.display().to_string(),
            several => format!("{} files in {}", several.len(), folder.display()),
        };
        term::print(&format!("wrote {files}\n"))?;
    }
    Ok(Exit::Done)
}
