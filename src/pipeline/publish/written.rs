//! Digests of the published files, `results/.published`: a file that was cut off or edited since is noticed, and made anew.
//!
//! The file is gone while tables are replaced, so that a kill in between makes nobody believe that somebody edited them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::util::{atomic_file, digest, json, regular};

/// Name of the file.
pub(super) const FILE: &str = ".published";

/// Files that others go by. The page is changed in place, and nobody is paid by it.
const OF: [&str; 4] = ["rankings.csv", "scores.csv", "rejected.csv", "rankings.json"];

/// Names of the files that are there and not as they were written; none where nothing is known of them.
pub(super) fn altered(results: &Path) -> Vec<String> {
    let bytes = regular::read(results.join(FILE)).unwrap_or_default();
    let known: BTreeMap<String, String> = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_as_written = |name: &str, was: &str| {
        regular::read(results.join(name)).map_or(true, |bytes| digest::sha256(&bytes) == was)
    };
    known.into_iter().filter(|(name, was)| !is_as_written(name, was)).map(|(name, _)| name).collect()
}

/// The files while they are replaced, and their digests as they are written.
pub(super) struct Writing<'r> {
    results: &'r Path,
    digests: BTreeMap<&'static str, String>,
}

impl<'r> Writing<'r> {
    /// Nothing is known of the files from here on.
    ///
    /// # Errors
    /// The file of what was known can't be removed; the message names it.
    pub(super) fn begin(results: &'r Path) -> io::Result<Self> {
        let known = results.join(FILE);
        match fs::remove_file(&known) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(atomic_file::blame(&known, &err)),
            _ => Ok(Self { results, digests: BTreeMap::new() }),
        }
    }

    /// Replaces a file by what `fill` writes.
    ///
    /// # Errors
    /// As of [`atomic_file::replace_by`].
    pub(super) fn replace(
        &mut self,
        name: &'static str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut digest = digest::Writer::default();
        atomic_file::replace_by(&self.results.join(name), |out| fill(&mut Tee(out, &mut digest)))?;
        if OF.contains(&name) {
            self.digests.insert(name, digest.hex());
        }
        Ok(())
    }

    /// Remembers the files as they were written.
    ///
    /// # Errors
    /// It can't be written; the message names the file.
    pub(super) fn end(self) -> io::Result<()> {
        atomic_file::replace(&self.results.join(FILE), &json::bytes(&self.digests)?).map(drop)
    }
}

/// A writer into two.
struct Tee<'w>(&'w mut dyn Write, &'w mut dyn Write);

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.1.write_all(&bytes[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
