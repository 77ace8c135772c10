//! Archive: every submission that was ever taken, as `results/submissions/<sha256>.py`. Nothing in it is overwritten.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::util::{atomic_file, digest, private, regular};

/// Folder below the results.
const FOLDER: &str = "submissions";

/// Path of the submission with these bytes, whether it is there or not.
pub fn path(results: &Path, sha256: &str) -> PathBuf {
    folder(results).join(format!("{sha256}.py"))
}

/// The archive's folder.
pub fn folder(results: &Path) -> PathBuf {
    results.join(FOLDER)
}

/// Keeps a submission, given its digest. When it returns, a power loss doesn't take it. Tells whether it was not there
/// before.
///
/// # Errors
/// It can't be written; the message names the file.
pub fn keep(results: &Path, sha256: &str, bytes: &[u8]) -> io::Result<bool> {
    let path = path(results, sha256);
    if holds(&path, bytes) {
        return Ok(false);
    }
    private::closed(&folder(results))?;
    atomic_file::replace(&path, bytes)?;
    File::open(folder(results))?.sync_all()?;
    Ok(true)
}

/// The submission of this digest, if it is there and whole.
pub fn read(results: &Path, sha256: &str) -> Option<Vec<u8>> {
    let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = is_digest.then(|| regular::read(path(results, sha256)).ok())??;
    (digest::sha256(&bytes) == sha256).then_some(bytes)
}

/// Its bytes are those of its name, unless a crash of the machine cut it off: then its size differs.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    path.symlink_metadata().is_ok_and(|file| file.is_file() && file.len() == bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_what_was_cut_off_is_mended() {
        let results = tempfile::tempdir().unwrap();
        let sha256 = digest::sha256(b"x = 1\n");
        assert_eq!(read(results.path(), &sha256), None);
        assert!(keep(results.path(), &sha256, b"x = 1\n").unwrap());
        assert!(!keep(results.path(), &sha256, b"x = 1\n").unwrap());
        assert_eq!(read(results.path(), &sha256).unwrap(), b"x = 1\n");
        fs::write(path(results.path(), &sha256), b"x").unwrap();
        assert_eq!(read(results.path(), &sha256), None);
        assert!(keep(results.path(), &sha256, b"x = 1\n").unwrap());
        assert_eq!(read(results.path(), &sha256).unwrap(), b"x = 1\n");
        assert_eq!(fs::read_dir(folder(results.path())).unwrap().count(), 1);
        assert_eq!(read(results.path(), "../../etc/passwd"), None);
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        let results = tempfile::tempdir().unwrap();
        fs::write(folder(results.path()), "").unwrap();
        assert!(keep(results.path(), &digest::sha256(b"x"), b"x").is_err());
    }
}
