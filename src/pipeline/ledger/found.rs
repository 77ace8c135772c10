//! Finds of a look at the inbox.

use jiff::Timestamp;

use crate::model::miner_id::Miner;
use crate::pipeline::intake::Submission;
use crate::pipeline::validate::packed;

/// Bytes that a look at the inbox found in a miner's file.
#[derive(Debug)]
pub struct Found {
    /// Time of the file's last change, by its inode, in seconds and nanoseconds: a hint at who was first.
    pub changed: (i64, i64),
    /// Time of the newest change of the file or of a folder between it and the inbox: a hint at when it came.
    pub arrived: (i64, i64),
    /// Time from which it counts, if a channel of ours decided that.
    pub came: Option<Timestamp>,
    /// True if the times of files in that inbox tell which of two came first, where they are far enough apart.
    pub ordered: bool,
    /// Path below the inbox.
    pub file: String,
    /// The miner that the file is of.
    pub miner: Miner,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// True if they are no agent.
    pub refused: bool,
    /// True if the source runs text that it decodes.
    pub packed: bool,
    /// Digest of the bytes that the same files are by another `validate.files`, where they are others, and the newest change
    /// that they have.
    pub other: Option<(String, (i64, i64))>,
}

impl Found {
    /// A submission that was dropped, unless more is known of it; whether the times of files in that inbox are `ordered`.
    pub fn dropped(submission: &Submission, ordered: bool) -> Self {
        Self {
            changed: submission.changed,
            arrived: submission.arrived,
            came: None,
            ordered,
            file: submission.inbox_file.file.clone(),
            miner: submission.inbox_file.miner.clone(),
            sha256: submission.sha256.clone(),
            refused: false,
            packed: packed::is_packed(&submission.bytes),
            other: None,
        }
    }
}
