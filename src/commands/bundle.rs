//! `bundle`: packs results into one signed file.

use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::cli::{self, Exit};
use crate::config::{self, Pipeline};
use crate::pipeline::publish;
use crate::pipeline::report_store::Unwritable;
use crate::proof::contents::{self, Contents};
use crate::proof::{signature, withheld};
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
    let key_file = key.context("no key to sign with")?;
    let key = signature::secret_key(key_file)?;
    let workspace = Workspace::open(dir)?;
    check_place(file, &workspace.pipeline)?;
    // Nothing may change while it is packed.
    let _lock = workspace.lock()?;
    let results = &workspace.pipeline.results;
    ensure!(
        results.join(publish::json::FILE).is_file(),
        "there are no results in {}; `agentmill run` makes them",
        results.display()
    );
    let pack = if args.public { contents::public } else { contents::full };
    let Contents { bundle, left_out } = pack(&workspace, key_file)?;
    let written = atomic_file::replace_by(file, |out| bundle.write(out));
    written.with_context(|| Unwritable(format!("can't write {}", file.display())))?;
    let signed = signature::sign(file, &bundle.manifest_sha256(), &key)?;
    let entries = bundle.entries();
    say(quiet, &format!("{}: {entries} entries\n{}: its signature\n", file.display(), signed.display()))?;
    for path in left_out {
        say(quiet, &format!("left out, as it is a key, a roster, tokens or a bundle: {}\n", path.display()))?;
    }
    if !args.public && !workspace.pipeline.llm.headers.is_empty() {
        say(quiet, "pipeline.yaml is in it as it stands, with the values of llm.headers\n")?;
    }
    if args.public && workspace.pipeline.board == config::Board::Private {
        say(quiet, "the ranking is left out: board is private in pipeline.yaml\n")?;
    }
    Ok(Exit::Done)
}

/// Refuses to replace what is no bundle, and to write where a bundle would be taken for a submission, a task or a result.
fn check_place(file: &Path, pipeline: &Pipeline) -> anyhow::Result<()> {
    let name = file.display();
    ensure!(
        !file.exists() || withheld::is_bundle(file),
        "{name}: is there already, and no bundle: it would be lost; name another file"
    );
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_below = |folder: &Path| {
        parent.canonicalize().is_ok_and(|parent| folder.canonicalize().is_ok_and(|it| parent.starts_with(it)))
    };
    let folders = [("inbox", &pipeline.inbox), ("tasks", &pipeline.tasks), ("results", &pipeline.results)];
    match folders.into_iter().find(|(_, path)| is_below(path)) {
        Some((what, _)) => bail!("{name}: lies in the folder of the {what}; name a file elsewhere"),
        None => Ok(()),
    }
}

fn say(quiet: bool, text: &str) -> anyhow::Result<()> {
    if quiet { Ok(()) } else { Ok(term::print(text)?) }
}
