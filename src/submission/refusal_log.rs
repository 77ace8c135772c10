//! Refusal log: the submissions over a channel of ours that did not count by the season, `results/.uploads/<miner>.refused.jsonl`.
//!
//! Of what was refused nothing lies in the inbox, and the ledger has no line of it: where a miner says that it came in time, this
//! tells when it came.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::util::{json, line_file, private};

/// Bytes of a miner's log, to which nothing is added any more: a flood takes neither the disk nor the log of others, and the
/// first lines stay.
const LARGEST: u64 = 256 << 10;

/// A submission that was refused.
#[derive(Debug, Serialize)]
pub(super) struct RefusedSubmission<'a> {
    pub(super) miner: &'a Miner,
    /// The time of its arrival, by which was decided.
    pub(super) received_at: Timestamp,
    /// The last moment at which anything of this miner's counts; None where there is none.
    pub(super) deadline: Option<Timestamp>,
    /// Hex sha256 of its bytes.
    pub(super) sha256: &'a str,
    /// The reason that the miner was told.
    pub(super) reason: &'a str,
}

/// Path of a miner's log.
pub(super) fn file(uploads: &Path, miner: &Miner) -> PathBuf {
    uploads.join(format!("{miner}.refused.jsonl"))
}

/// Adds a line, synced, unless the log is full.
///
/// # Errors
/// It can't be written.
pub(super) fn note(uploads: &Path, refused: &RefusedSubmission<'_>) -> io::Result<()> {
    let line = json::line(refused)? + "\n";
    let log = private::lock_file(&file(uploads, refused.miner))?;
    log.lock()?;
    if log.metadata()?.len() + line.len() as u64 > LARGEST {
        return Ok(());
    }
    line_file::append(&log, line.as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_the_first_lines_and_the_logs_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let note = |miner: &str, reason: &str| {
            let (miner, sha256) = (&miner.parse().unwrap(), "1");
            let received_at = Timestamp::UNIX_EPOCH;
            let refused = RefusedSubmission { miner, received_at, deadline: None, sha256, reason };
            super::note(folder.path(), &refused).unwrap();
        };
        let lines = |miner: &str| {
            let text = std::fs::read_to_string(file(folder.path(), &miner.parse().unwrap())).unwrap();
            assert!(text.len() as u64 <= LARGEST && text.ends_with('\n'));
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        note("ann", "first");
        (0..100).for_each(|_| note("ann", &"x".repeat(8 << 10)));
        note("bob", "second");
        assert!(lines("ann")[0].contains("first") && lines("ann").len() < 40);
        assert_eq!(lines("bob").len(), 1);
    }
}
