//! `export`: the results in a format of others.

use std::path::Path;

use anyhow::{Context, bail};

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
    if let Some(file) = out.filter(|out| !out.is_dir() && is_called_like_a_file(out)) {
        let file = file.display();
        bail!(
            "--out names a folder, in which the files have names of their own; for the file {file} write `> {file}` instead of --out"
        );
    }
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

/// True of a name such as `marks.csv`, which is hardly meant for a folder.
fn is_called_like_a_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| ["csv", "json", "xml"].into_iter().any(|one| end.eq_ignore_ascii_case(one)))
}
