//! `bundle`: packs results into one signed file.

use std::path::Path;

use anyhow::Context;

use crate::cli::{self, Exit};
use crate::config;
use crate::pipeline::report_store::Unwritable;
use crate::proof::{contents, signature};
use crate::term;
use crate::util::atomic_file;
use crate::workspace::Workspace;

/// Writes a bundle and its signature; or makes a key to sign with.
///
/// # Errors
/// Mistakes in the configuration, another agentmill in the folder, no results or no key; or the bundle can't be written.
pub fn bundle(dir: &Path, args: &cli::Bundle, quiet: bool) -> anyhow::Result<Exit> {
    if let Some(key) = &args.make_key {
        let public = signature::make_key(key)?;
        say(quiet, &format!("{}: keep it to yourself\n{}: publish it\n", key.display(), public.display()))?;
        return Ok(Exit::Done);
    }
    let (file, key) = (args.file.as_deref().context("no file to write")?, args.key.as_deref());
    let key = signature::secret_key(key.context("no key to sign with")?)?;
    let workspace = Workspace::open(dir)?;
    // Nothing may change while it is packed.
    let _lock = workspace.lock()?;
    let bundle = if args.public { contents::public(&workspace)? } else { contents::full(&workspace)? };
    let written = atomic_file::replace_by(file, |out| bundle.write(out));
    written.with_context(|| Unwritable(format!("can't write {}", file.display())))?;
    let signed = signature::sign(file, &bundle.manifest_sha256(), &key)?;
    let entries = bundle.entries();
    say(quiet, &format!("{}: {entries} entries\n{}: its signature\n", file.display(), signed.display()))?;
    if args.public && workspace.pipeline.board == config::Board::Private {
        say(quiet, "the ranking is left out: board is private in pipeline.yaml\n")?;
    }
    Ok(Exit::Done)
}

fn say(quiet: bool, text: &str) -> anyhow::Result<()> {
    if quiet { Ok(()) } else { Ok(term::print(text)?) }
}
