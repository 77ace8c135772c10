//! `rankings.json`, and how JSON is written.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Published;
use super::atomic::blame;
use super::text::unseen;
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::score::Row;

pub(super) const FILE: &str = "rankings.json";

/// What `rankings.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rankings {
    /// When it was made.
    pub generated_at: Timestamp,
    /// Of agentmill.
    pub version: String,
    /// Id of the image that cells ran in.
    pub image: String,
    /// Hex sha256 of `pipeline.yaml`.
    pub pipeline_sha256: String,
    /// The token's name.
    pub token: String,
    /// The ranking, in its order.
    pub rankings: Vec<Row>,
    /// What was refused, sorted.
    pub rejected: Vec<Rejection>,
    /// Miners whose submission is not evaluated yet, sorted.
    pub pending: Vec<Miner>,
}

/// Reads `rankings.json`.
///
/// # Errors
/// It is missing, unreadable or not what [`publish`](super::publish) writes; the message names it.
pub fn load(results_dir: &Path) -> io::Result<Rankings> {
    let path = results_dir.join(FILE);
    let read = || -> io::Result<Rankings> { Ok(serde_json::from_slice(&std::fs::read(&path)?)?) };
    read().map_err(|err| blame(&path, &err))
}

pub(super) fn rankings(published: &Published) -> io::Result<Vec<u8>> {
    let mut rankings = Rankings {
        generated_at: published.generated_at,
        version: env!("CARGO_PKG_VERSION").into(),
        image: published.image.into(),
        pipeline_sha256: published.pipeline_sha256.into(),
        token: published.token.into(),
        rankings: published.rows.to_vec(),
        rejected: published.rejections.to_vec(),
        pending: published.pending.to_vec(),
    };
    rankings.rejected.sort();
    rankings.pending.sort();
    bytes(&rankings)
}

/// Readable JSON. Unseen characters are escaped, so that printing the file to a terminal is safe;
/// reading it back gives the same text.
///
/// # Errors
/// The value can't be JSON.
pub fn bytes(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_string_pretty(value)? + "\n";
    // Beyond ASCII and DEL they can only stand inside of strings; below, serde_json escapes them.
    let raw = |c: char| c >= '\x7f' && unseen(c);
    if !json.contains(raw) {
        return Ok(json.into_bytes());
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if raw(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}"));
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_and_prints_safely(text in any::<String>()) {
            let json = bytes(&[&text]).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<[String; 1]>(&json).unwrap()[0], &text);
            let printed = String::from_utf8(json).unwrap();
            prop_assert!(!printed.chars().any(|c| c != '\n' && unseen(c)));
        }
    }
}
