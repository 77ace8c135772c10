//! Drafts -> files below tasks/. What is there stays, unless it is to be replaced.

use std::fs;
use std::io;
use std::path::Path;

use super::{Draft, render};
use crate::pipeline::publish::atomic;

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// Its files are new.
    New,
    /// Its files were there and are replaced.
    Replaced,
    /// Its files were there with the same content.
    Same,
    /// Other files are there; they stay.
    Kept,
}

/// Writes a draft's task and solution into `folder`.
///
/// # Errors
/// A file can't be read or written.
pub fn write(folder: &Path, draft: &Draft, force: bool) -> io::Result<Wrote> {
    let solution = format!("solutions/{}.py", draft.id);
    // The solution first: a task without its solution would be a mistake.
    let files = [
        (folder.join(&solution), draft.solution.trim_end().to_owned() + "\n"),
        (folder.join(format!("{}.yaml", draft.id)), render::yaml(draft, &solution)),
    ];
    let found = files.iter().map(|(path, text)| compare(path, text)).collect::<io::Result<Vec<_>>>()?;
    if found.contains(&Found::Other) && !force {
        return Ok(Wrote::Kept);
    }
    fs::create_dir_all(folder.join("solutions"))?;
    for (path, text) in &files {
        atomic::replace(path, text.as_bytes())?;
    }
    Ok(match () {
        () if found.contains(&Found::Other) => Wrote::Replaced,
        () if found.contains(&Found::Nothing) => Wrote::New,
        () => Wrote::Same,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Same,
    Other,
}

fn compare(path: &Path, text: &str) -> io::Result<Found> {
    match fs::read(path) {
        Ok(bytes) if bytes == text.as_bytes() => Ok(Found::Same),
        Ok(_) => Ok(Found::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}
