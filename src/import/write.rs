//! Writer of drafts: files below tasks/. Files that are there stay, unless they are to be replaced.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::import::draft::{Content, Draft};
use crate::import::render;
use crate::util::atomic_file;

/// Outcome of writing a draft.
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

/// Writes a draft's task, its solution and the files beside it into `folder`.
///
/// # Errors
/// A file can't be read or written.
pub fn write(folder: &Path, draft: &Draft, force: bool) -> io::Result<Wrote> {
    let solution = format!("solutions/{}.py", draft.id);
    // The task last: one without its files would be a mistake.
    let mut files: Vec<(PathBuf, Cow<'_, Content>)> =
        draft.files.iter().map(|file| (folder.join(&file.name), Cow::Borrowed(&file.content))).collect();
    let text = |text: String| Cow::Owned(Content::Text(text));
    files.extend(
        draft.solution.as_ref().map(|it| (folder.join(&solution), text(it.trim_end().to_owned() + "\n"))),
    );
    files.push((folder.join(format!("{}.yaml", draft.id)), text(render::yaml(draft, &solution))));
    let found = files.iter().map(|(path, content)| compare(path, content)).collect::<io::Result<Vec<_>>>()?;
    if found.contains(&Found::Other) && !force {
        return Ok(Wrote::Kept);
    }
    for (path, content) in &files {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        atomic_file::replace(path, &bytes(content)?)?;
    }
    Ok(match () {
        () if found.contains(&Found::Other) => Wrote::Replaced,
        () if found.contains(&Found::Nothing) => Wrote::New,
        () => Wrote::Same,
    })
}

fn bytes(content: &Content) -> io::Result<Cow<'_, [u8]>> {
    match content {
        Content::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Content::Copy(path) => read(path).map(Cow::Owned),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Same,
    Other,
}

fn compare(path: &Path, content: &Content) -> io::Result<Found> {
    match read(path) {
        Ok(there) if there == *bytes(content)? => Ok(Found::Same),
        Ok(_) => Ok(Found::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}
