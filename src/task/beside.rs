//! Files beside a task: the paths that it names, which must lie in the tasks folder.

use std::path::{Path, PathBuf};

/// Facts about a task that are known before its file is read.
pub(super) struct Source<'a> {
    /// The tasks folder.
    pub dir: &'a Path,
    /// The task's file.
    pub path: &'a Path,
    /// The task's id.
    pub id: String,
}

impl Source<'_> {
    /// The regular file that `path` names, seen from the task's file.
    ///
    /// # Errors
    /// There is none, or it lies outside the tasks folder.
    pub(super) fn file(&self, path: &str, example: &str) -> Result<PathBuf, String> {
        let file = self.place(path, "file", example)?;
        if !file.is_file() {
            return Err(format!("not a regular file: {path:?}"));
        }
        self.inside(file)
    }

    /// The folder that `path` names, seen from the task's file.
    ///
    /// # Errors
    /// There is none, or it lies outside the tasks folder.
    pub(super) fn folder(&self, path: &str, example: &str) -> Result<PathBuf, String> {
        let folder = self.place(path, "folder", example)?;
        if !folder.is_dir() {
            return Err(format!("not a folder: {path:?}"));
        }
        self.inside(folder)
    }

    fn place(&self, path: &str, kind: &str, example: &str) -> Result<PathBuf, String> {
        if path.is_empty() || path.contains('\0') || Path::new(path).is_absolute() {
            return Err(format!("expected a path relative to this file, such as {example:?}"));
        }
        let place = self.path.parent().unwrap_or(self.dir).join(path);
        match place.exists() {
            true => Ok(place),
            false => Err(format!("no such {kind}: {path:?}")),
        }
    }

    /// The same path, if what it leads to lies in the tasks folder.
    ///
    /// # Errors
    /// It lies elsewhere.
    pub(super) fn inside(&self, path: PathBuf) -> Result<PathBuf, String> {
        match (path.canonicalize(), self.dir.canonicalize()) {
            (Ok(real), Ok(dir)) if real.starts_with(&dir) => Ok(path),
            _ => Err("must lie in the tasks folder".to_owned()),
        }
    }
}
