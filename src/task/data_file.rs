//! Data files of cases: known by their digests, and read again only when a run needs them, so that a task takes no more
//! memory than its text.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crate::task::line_ends::{Counter, LineEnds};
use crate::util::digest;

/// An input or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes, when it was looked at.
    pub size: u64,
    /// SHA-256 of its bytes then, as hex.
    pub sha256: String,
    /// Its line ends then.
    pub line_ends: LineEnds,
}

impl DataFile {
    /// Most bytes of one input or answer: it has to fit into a cell and a judge.
    pub const MOST: u64 = 32 << 20;

    /// Looks at a file.
    ///
    /// # Errors
    /// It can't be read, or is larger than [`DataFile::MOST`].
    pub(super) fn of(path: PathBuf) -> Result<Self, String> {
        let mut seen = Seen::default();
        let size = open(&path, Self::MOST + 1)
            .and_then(|mut file| io::copy(&mut file, &mut seen))
            .map_err(|error| format!("can't read {}: {error}", path.display()))?;
        match size {
            0..=Self::MOST => {
                Ok(Self { path, size, sha256: seen.digest.hex(), line_ends: seen.line_ends.found() })
            }
            _ => Err(format!("{} is larger than {}MiB", path.display(), Self::MOST >> 20)),
        }
    }

    /// Its bytes, as they were when it was looked at.
    ///
    /// # Errors
    /// It can't be read, or others stand there now.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        let name = self.path.display();
        let mut bytes = Vec::new();
        open(&self.path, self.size + 1)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(|error| format!("can't read {name}: {error}"))?;
        match digest::sha256(&bytes) == self.sha256 {
            true => Ok(bytes),
            false => Err(format!("{name} has changed since the task was read; run again")),
        }
    }

    /// Its bytes as a program on Linux expects them: with `\n` where each of its lines ends as on Windows.
    ///
    /// # Errors
    /// As for [`DataFile::read`].
    pub fn read_plain(&self) -> Result<Vec<u8>, String> {
        self.read().map(|bytes| self.line_ends.made_plain(bytes))
    }

    /// The last part of its path.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its text for readers; None if it is longer than `most` bytes or no text.
    pub(super) fn excerpt(&self, most: u64) -> Option<String> {
        let text = (self.size <= most).then(|| self.read_plain().ok())??;
        String::from_utf8(text).ok()
    }

    /// Its first bytes as text for readers, at most so many, with marks in the place of what is no text; None if it can't be read.
    pub fn beginning(&self, most: u64) -> Option<String> {
        let mut bytes = Vec::new();
        open(&self.path, most).and_then(|mut file| file.read_to_end(&mut bytes)).ok()?;
        Some(String::from_utf8_lossy(&self.line_ends.made_plain(bytes)).into_owned())
    }
}

/// All that is to be known of a file's bytes, as they pass by.
#[derive(Default)]
struct Seen {
    digest: digest::Writer,
    line_ends: Counter,
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line_ends.write(bytes)?;
        self.digest.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path, most: u64) -> io::Result<impl Read> {
    Ok(BufReader::new(File::open(path)?).take(most))
}
