//! Files that grow by whole lines.
//!
//! A crash or a full disk leaves the beginning of a line at most, and what is added later begins a line of its own.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// Adds lines, each with its newline, to a file that is open for reading and writing, and syncs them; the bytes that it has then.
///
/// # Errors
/// They can't be written. The file is as it was then, as far as the disk lets us.
pub fn append(mut file: &File, lines: &[u8]) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    let ending: &[u8] = if last == [b'\n'] { b"" } else { b"\n" };
    let written = file.write_all(&[ending, lines].concat()).and_then(|()| file.sync_data());
    written.inspect_err(|_| drop(file.set_len(length)))?;
    Ok(length + (ending.len() + lines.len()) as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn half_a_line_begins_no_line_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        for (before, after) in [("", "new\n"), ("old\n", "old\nnew\n"), ("old\nha", "old\nha\nnew\n")] {
            fs::write(&path, before).unwrap();
            let file = File::options().read(true).append(true).open(&path).unwrap();
            assert_eq!(append(&file, b"new\n").unwrap(), after.len() as u64);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
    }

    /// A device that is always full.
    #[test]
    fn what_cant_be_written_is_an_error() {
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        assert_eq!(append(&full, b"new\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
