//! Handing in: a submission is checked as the pipeline would, then put into the inbox whole.
//!
//! Whatever brings it, HTTP or the command line, it takes this way. What is known of a hand-in besides its bytes
//! stands in `inbox/.uploads/<miner>.json`; the inbox scan passes over names with a leading dot.

mod place;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Validate;
use crate::digest;
use crate::pipeline::intake::{self, Miner};
use crate::pipeline::validate::{self, Finding};
use place::Place;

/// Folder of the receipts, the locks and the files in the making, below the inbox.
const UPLOADS: &str = ".uploads";

/// How many locks miners share: enough that strangers seldom wait for each other.
const LOCKS: u8 = 64;

/// No file is half made for longer than this.
const HALF_MADE: Duration = Duration::from_secs(3600);

/// By which door a submission came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// `POST /upload/agent`.
    Http,
    /// `agentmill submit`.
    Submit,
    /// `agentmill generate`.
    Generate,
}

/// What is kept of a hand-in besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose.
    pub miner: Miner,
    /// Where it was put, below the inbox.
    pub file: String,
    /// Hex sha256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When.
    pub received_at: Timestamp,
    /// By which door.
    pub door: Door,
}

/// Why nothing was put into the inbox.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The source is no agent, for a reason as in `rejected.csv`.
    #[error("{}", .0.reason)]
    Source(Finding),
    /// It is larger than the pipeline takes.
    #[error("{0}")]
    Large(String),
    /// What lies in the inbox is in its way.
    #[error("{0}")]
    Conflict(String),
    /// The inbox can't be written.
    #[error("the inbox can't be written: {0}")]
    Inbox(#[from] io::Error),
}

impl Refused {
    /// The 1-based line that is to blame, if one is.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Source(finding) => finding.line,
            _ => None,
        }
    }
}

/// Whether the pipeline would take a source, as far as that can be told without running Python.
///
/// # Errors
/// Why it would not.
pub fn check(source: &[u8], rules: &Validate) -> Result<(), Refused> {
    if let Some(reason) = intake::excess(source.len() as u64, rules.max_bytes) {
        return Err(Refused::Large(reason));
    }
    validate::scan(source, &rules.forbid).map_err(Refused::Source)
}

/// Puts a checked source into the inbox as the miner's only submission. When it returns, the file is on the disk, whole
/// and under its name. Tells whether anything changed: the same bytes again are left as they lie.
///
/// # Errors
/// What is in its way; the inbox is then as it was.
pub fn hand_in(inbox: &Path, miner: &Miner, source: &[u8], door: Door) -> Result<(Receipt, bool), Refused> {
    let uploads = inbox.join(UPLOADS);
    fs::create_dir_all(&uploads)?;
    let _lock = lock(&uploads, miner)?;
    let place = Place::of(inbox, miner)?;
    let sha256 = digest::sha256(source);
    let known = receipt(inbox, miner);
    if place.holds(&sha256, source.len() as u64)
        && let Some(receipt) = known.filter(|known| known.sha256 == sha256)
    {
        return Ok((receipt, false));
    }
    place.put(&uploads, source)?;
    let bytes = source.len() as u64;
    let now = Timestamp::now();
    let received_at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let receipt = Receipt { miner: miner.clone(), file: place.into_file(), sha256, bytes, received_at, door };
    place::write(&uploads, &uploads.join(format!("{miner}.json")), &json(&receipt)?)?;
    Ok((receipt, true))
}

/// Removes what a process that was killed left half made. Files of a living process are younger.
///
/// # Errors
/// The folder can't be read. That a file can't be removed is no error: it is in nobody's way.
pub fn tidy(inbox: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(inbox.join(UPLOADS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(place::is_temporary);
        let age =
            entry.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.elapsed());
        if ours && matches!(age, Ok(Ok(age)) if age > HALF_MADE) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// What is known of the miner's last hand-in.
#[must_use]
pub fn receipt(inbox: &Path, miner: &Miner) -> Option<Receipt> {
    let bytes = fs::read(inbox.join(UPLOADS).join(format!("{miner}.json"))).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|receipt: &Receipt| receipt.miner == *miner)
}

/// Held while a miner's submission is replaced, against other threads and other processes.
fn lock(uploads: &Path, miner: &Miner) -> io::Result<File> {
    let number =
        miner.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % LOCKS;
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(uploads.join(format!(".lock-{number}")))?;
    file.lock()?;
    Ok(file)
}

fn json(receipt: &Receipt) -> io::Result<Vec<u8>> {
    Ok((serde_json::to_string_pretty(receipt)? + "\n").into_bytes())
}

#[cfg(test)]
mod tests;
