//! Files that are either the old one or the new one, never half of it.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const PREFIX: &str = ".agentmill-";
const SUFFIX: &str = ".tmp";

/// Puts `bytes` at `path` unless they are there already; says whether it wrote.
///
/// The data is synced before the rename, so that even after a power loss there is no half file.
///
/// # Errors
/// The folder is missing, or the file can't be written; the message names the file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    write(path, bytes).map_err(|err| blame(path, &err))?;
    Ok(true)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // In the same folder: a rename is atomic only within one file system.
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.flush()?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

/// Removes the temporary files that a killed process left. Call it only while holding the lock: a
/// temporary file of a living process would go too.
///
/// # Errors
/// A left-over can't be removed, or a folder can't be read. Missing folders are fine.
pub fn tidy(results_dir: &Path) -> io::Result<()> {
    for folder in [results_dir.to_owned(), results_dir.join(super::AGENTS)] {
        match fs::read_dir(&folder) {
            Ok(entries) => tidy_entries(entries)?,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(blame(&folder, &err)),
        }
    }
    Ok(())
}

fn tidy_entries(entries: fs::ReadDir) -> io::Result<()> {
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path()).map_err(|err| blame(&entry.path(), &err))?;
        }
    }
    Ok(())
}

/// The error with its file.
pub(super) fn blame(path: &Path, err: &io::Error) -> io::Error {
    io::Error::new(err.kind(), format!("{}: {err}", path.display()))
}
