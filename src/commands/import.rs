//! `import`: a benchmark's published file becomes tasks.

use std::path::Path;

use anyhow::Context;

use crate::cli::Exit;
use crate::config;
use crate::import::{self, Benchmark, Drafts, Note, Wrote};
use crate::term;
use crate::workspace::PIPELINE;

/// Writes the tasks of a file below the tasks folder and tells what was not taken.
///
/// # Errors
/// Mistakes in the configuration, a file that can't be read, or tasks that can't be written.
pub fn import(
    dir: &Path,
    benchmark: Benchmark,
    file: &Path,
    force: bool,
    quiet: bool,
) -> anyhow::Result<Exit> {
    let folder = config::load(&dir.join(PIPELINE))?.tasks.join(benchmark.folder());
    let mut drafts = import::read(benchmark, file)?;
    let wrote = write(&folder, &mut drafts, force)?;
    if !quiet {
        tell(&drafts.notes, file);
        term::print(&summary(&wrote, &folder))?;
    }
    tell(&drafts.refused, file);
    Ok(if drafts.refused.is_empty() { Exit::Done } else { Exit::Unscored })
}

fn write(folder: &Path, drafts: &mut Drafts, force: bool) -> anyhow::Result<Vec<Wrote>> {
    let mut wrote = Vec::new();
    for draft in &drafts.drafts {
        let one = import::write(folder, draft, force);
        let one = one.with_context(|| format!("can't write task {}", draft.id))?;
        if one == Wrote::Kept {
            let text = "other files are there; --force replaces them".to_owned();
            drafts.refused.push(Note { place: format!("task {}", draft.id), text });
        }
        wrote.push(one);
    }
    Ok(wrote)
}

fn tell(notes: &[Note], file: &Path) {
    for note in notes {
        eprintln!("{}: {}: {}", file.display(), note.place, note.text);
    }
}

fn summary(wrote: &[Wrote], folder: &Path) -> String {
    let words = [
        (Wrote::New, "written"),
        (Wrote::Replaced, "replaced"),
        (Wrote::Same, "there already"),
        (Wrote::Kept, "kept as they were"),
    ];
    let counted = words.map(|(kind, word)| (wrote.iter().filter(|one| **one == kind).count(), word));
    let told: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let told = if told.is_empty() { "none taken".to_owned() } else { told.join(", ") };
    format!("tasks in {}: {told}; `agentmill check` proves them\n", folder.display())
}
