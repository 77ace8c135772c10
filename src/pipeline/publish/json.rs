//! `rankings.json`, and how JSON is written.

use std::io::{self, Write};
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
    /// Hex sha256 over all that the files are made of but the time; empty if an older agentmill made them.
    #[serde(default)]
    pub made_of: String,
    /// The token's name.
    pub token: String,
    /// The ranking, in its order.
    pub rankings: Vec<Row>,
    /// What was refused, sorted.
    pub rejected: Vec<Rejection>,
    /// Miners whose submission is not evaluated yet, sorted.
    pub pending: Vec<Miner>,
}

/// What the last pass was about, from `rankings.json`.
#[derive(Debug, Deserialize)]
pub struct Last {
    /// Id of the image that cells ran in.
    pub image: String,
    /// Hex sha256 over all that the files are made of but the time; empty if an older agentmill made them.
    #[serde(default)]
    pub made_of: String,
}

impl Last {
    /// None if there is no such file.
    pub fn read(results_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(results_dir.join(FILE)).ok()?).ok()
    }
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

pub(super) fn rankings(out: &mut dyn Write, published: &Published, made_of: &str) -> io::Result<()> {
    #[derive(Serialize)]
    struct Borrowed<'a> {
        generated_at: Timestamp,
        version: &'a str,
        image: &'a str,
        pipeline_sha256: &'a str,
        made_of: &'a str,
        token: &'a str,
        rankings: &'a [Row],
        rejected: Vec<&'a Rejection>,
        pending: Vec<&'a Miner>,
    }
    let mut rejected: Vec<&Rejection> = published.rejections.iter().collect();
    let mut pending: Vec<&Miner> = published.pending.iter().collect();
    rejected.sort();
    pending.sort();
    let rankings = Borrowed {
        generated_at: published.generated_at,
        version: env!("CARGO_PKG_VERSION"),
        image: published.image,
        pipeline_sha256: published.pipeline_sha256,
        made_of,
        token: published.token,
        rankings: published.rows,
        rejected,
        pending,
    };
    write(out, &rankings)
}

/// Readable JSON. Unseen characters are escaped, so that printing the file to a terminal is safe;
/// reading it back gives the same text.
///
/// # Errors
/// The value can't be JSON, or not be written.
pub fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut out = Escaped { out, escape: |c| c >= '\x7f' && unseen(c) };
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")
}

/// [`write`] into memory.
///
/// # Errors
/// The value can't be JSON.
pub fn bytes(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, value)?;
    Ok(bytes)
}

/// Passes JSON on with some characters as `\uXXXX`. They can only stand inside of strings, where that means the same:
/// serde_json writes no others, and hands strings over in pieces that end between characters.
pub(super) struct Escaped<W, F> {
    pub(super) out: W,
    pub(super) escape: F,
}

impl<W: Write, F: Fn(char) -> bool> Write for Escaped<W, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let mut rest = text;
        while let Some(at) = rest.find(&self.escape) {
            let c = rest[at..].chars().next().unwrap_or_default();
            self.out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        self.out.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
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
