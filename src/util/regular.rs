//! Regular files: read like any others, but what would keep its reader waiting, such as a FIFO, is an error at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Opens a file for reading, also behind links.
///
/// # Errors
/// It can't be opened, or is a FIFO, a socket or a device.
pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
    // A FIFO is opened when somebody writes to it, unless the opener won't wait.
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    match is_odd(&file.metadata()?.file_type()) {
        false => Ok(file),
        true => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// The bytes of a file.
///
/// # Errors
/// As [`open`] has them, or it can't be read.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`read`] has them, or it is not UTF-8.
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The first FIFO, socket or device below a folder, which may be a link to one; None if there is none.
#[must_use]
pub fn odd_below(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?.flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.file_type().ok()?))).find_map(|(path, kind)| {
        let is_link_to_odd = || path.metadata().is_ok_and(|behind| is_odd(&behind.file_type()));
        match () {
            () if kind.is_dir() => odd_below(&path),
            () if is_odd(&kind) || kind.is_symlink() && is_link_to_odd() => Some(path),
            () => None,
        }
    })
}

fn is_odd(kind: &std::fs::FileType) -> bool {
    kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device()
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_fifo_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("sub")).unwrap();
        std::fs::write(path("sub/plain"), "text").unwrap();
        assert_eq!(
            (read_to_string(path("sub/plain")).unwrap(), odd_below(dir.path())),
            ("text".into(), None)
        );
        mknodat(CWD, path("sub/fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(read(path("sub/fifo")).unwrap_err().to_string(), "not a regular file");
        assert_eq!(odd_below(dir.path()), Some(path("sub/fifo")));
        std::fs::rename(path("sub/fifo"), path("moved")).unwrap();
        std::os::unix::fs::symlink(path("moved"), path("sub/link")).unwrap();
        assert!(read(path("sub/link")).is_err());
        assert_eq!(odd_below(&path("sub")), Some(path("sub/link")));
    }
}
