//! Receipt: the record of a submission over a channel of ours, besides its bytes: `results/.uploads/<miner>.json`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::first_sights::Origin;
use crate::model::miner_id::Miner;
use crate::util::regular;

/// Name of the uploads folder below the results.
pub const FOLDER: &str = ".uploads";

/// No receipt is larger.
const LARGEST: u64 = 64 << 10;

/// Channel by which a submission came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// `POST /upload/agent`.
    Http,
    /// `agentmill submit`.
    Submit,
    /// `agentmill generate`.
    Generate,
}

/// Record of a submission besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The miner that it is of.
    pub miner: Miner,
    /// Path below the inbox.
    pub file: String,
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Time of arrival, in whole milliseconds.
    pub received_at: Timestamp,
    /// The channel that brought it.
    #[serde(rename = "door")]
    pub channel: Channel,
}

impl From<Channel> for Origin {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Http => Self::Http,
            Channel::Submit => Self::Submit,
            Channel::Generate => Self::Generate,
        }
    }
}

/// The receipt of the miner's last submission, if there is one.
pub fn read(results: &Path, miner: &Miner) -> Option<Receipt> {
    parse(&regular::open(file(&results.join(FOLDER), miner)).ok()?, miner)
}

/// The receipt of these bytes of a miner, if they are its last submission over a channel of ours.
pub fn of(results: &Path, miner: &Miner, sha256: &str) -> Option<Receipt> {
    read(results, miner).filter(|receipt| receipt.sha256 == sha256)
}

/// The channel that a receipt tells of; without one the bytes were dropped.
pub fn channel(receipt: Option<&Receipt>) -> Origin {
    receipt.map_or(Origin::Dropped, |receipt| receipt.channel.into())
}

/// The channel that brought these bytes of a miner, as far as its receipt tells.
pub fn origin(results: &Path, miner: &Miner, sha256: &str) -> Origin {
    channel(of(results, miner, sha256).as_ref())
}

/// Path of a miner's receipt.
pub fn file(uploads: &Path, miner: &Miner) -> PathBuf {
    uploads.join(format!("{miner}.json"))
}

/// Reads a receipt; None if it is none of the miner's.
pub fn parse(file: &File, miner: &Miner) -> Option<Receipt> {
    let mut bytes = Vec::new();
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|receipt: &Receipt| receipt.miner == *miner)
}
