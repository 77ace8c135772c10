//! inbox -> [`Submission`]: what lies there, opened once, without following links.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who submits: `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Miner(String);

impl From<Miner> for String {
    fn from(miner: Miner) -> Self {
        miner.0
    }
}

impl TryFrom<String> for Miner {
    type Error = String;
    fn try_from(_id: String) -> Result<Self, String> {
        todo!()
    }
}

/// A place in the inbox that claims to be a submission: `<miner>.py` or `<miner>/agent.py`.
#[derive(Debug, Clone)]
pub struct Drop {
    /// Whose.
    pub miner: Miner,
    /// Relative to the inbox, such as `alice.py` or `bob/agent.py`.
    pub file: String,
    /// Where to open it.
    pub path: PathBuf,
}

/// The bytes of one file in the inbox.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Where it was dropped.
    pub drop: Drop,
    /// Exactly what was read, once.
    pub bytes: Vec<u8>,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// The file's modification time.
    pub modified: Timestamp,
}

/// Why a file in the inbox is not an agent, in words that a miner understands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejection {
    /// Relative to the inbox; unprintable bytes escaped.
    pub file: String,
    /// Whose, where the file's name tells.
    pub miner: Option<Miner>,
    /// 1-based line in the file, where one is to blame.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// What lies in the inbox, before any file is opened.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by miner; one per miner.
    pub drops: Vec<Drop>,
    /// Names and kinds of file that cannot be submissions.
    pub rejected: Vec<Rejection>,
    /// Drops still being written: their size or time changed less than the settle time ago.
    pub unsettled: usize,
}

/// Lists the inbox.
///
/// # Errors
/// The inbox itself can't be read.
pub fn list(_inbox: &Path) -> std::io::Result<Listing> {
    todo!()
}

/// Opens a drop once: regular files only, no links followed, at most `max_bytes`.
///
/// # Errors
/// The reason why these bytes are no submission.
pub fn read(_drop: &Drop, _max_bytes: u64) -> Result<Submission, Rejection> {
    todo!()
}
