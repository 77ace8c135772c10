//! Last complete look at the inbox, `results/.looked`: what it did not see had not come before it, whatever a file's
//! times say.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::util::{atomic_file, json, regular};

const FILE: &str = ".looked";

/// How far the file may lag behind a process that looks every few seconds.
const LAG: SignedDuration = SignedDuration::from_secs(60);

/// A complete look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    /// The time at which it began, in whole milliseconds.
    pub(super) at: Timestamp,
    /// Names in the inbox whose bytes it could not read yet: they were there.
    pub(super) unread: BTreeSet<String>,
}

impl Look {
    /// Tells whether it would have seen this file, a path below the inbox, had it been there.
    fn passed(&self, file: &str) -> bool {
        !self.unread.contains(file.split('/').next().unwrap_or_default())
    }
}

/// The last look of all processes, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Looked {
    last: Option<Look>,
    /// Time of the one that this process wrote last.
    written: Option<Timestamp>,
}

impl Looked {
    /// Reads the look of a results folder, unless a later one is known. One that can't be read is none.
    pub(super) fn catch_up(&mut self, results: &Path) {
        let text = regular::read(results.join(FILE)).unwrap_or_default();
        let Ok(read) = serde_json::from_slice::<Look>(&text) else { return };
        if self.at().is_none_or(|known| known < read.at) {
            self.last = Some(read);
        }
    }

    /// Takes a look for the last one. A clock that was set back makes none earlier.
    pub(super) fn take(&mut self, look: Look) {
        let last = self.last.as_ref().map_or(look.at, |last| last.at.max(look.at));
        self.last = Some(Look { at: last, ..look });
    }

    /// The time of the last look; nothing that comes now is dated before it.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.at)
    }

    /// The time before which this file had not come.
    pub(super) fn before(&self, file: &str) -> Option<Timestamp> {
        self.last.as_ref().filter(|last| last.passed(file)).map(|last| last.at)
    }

    /// Writes the last look, unless this process did so just before.
    ///
    /// # Errors
    /// It can't be written; the message names the file.
    pub(super) fn write(&mut self, results: &Path) -> io::Result<()> {
        let Some(last) = &self.last else { return Ok(()) };
        if self.written.is_some_and(|written| last.at.duration_since(written) < LAG) {
            return Ok(());
        }
        atomic_file::replace(&results.join(FILE), &json::bytes(last)?)?;
        self.written = Some(last.at);
        Ok(())
    }
}

/// The time of the last complete look of a results folder.
pub fn last_look(results: &Path) -> Option<Timestamp> {
    let mut looked = Looked::default();
    looked.catch_up(results);
    looked.at()
}
