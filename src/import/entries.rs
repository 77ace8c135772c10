//! Entries of a benchmark's file: JSON lines or one JSON list, plain or gzipped, all of bounded size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{bail, ensure};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::util::text::visible;

/// Most bytes of a file, after unpacking.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// Most bytes of an entry.
pub(super) const MAX_ENTRY: usize = 1 << 20;

/// Longest id.
const MAX_ID: usize = 64;

/// One entry as it stands in the file.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Such as `line 3`.
    pub place: String,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    fn listed((at, item): (usize, &'a RawValue)) -> Self {
        Self { place: format!("entry {}", at + 1), bytes: item.get().as_bytes() }
    }

    /// The entry's JSON.
    ///
    /// # Errors
    /// It is too long.
    pub(super) fn bytes(&self, most: usize) -> Result<&[u8], String> {
        match self.bytes.len() {
            length if length <= most => Ok(self.bytes),
            length => Err(format!("is longer than {}MiB ({length} bytes)", most >> 20)),
        }
    }
}

/// The file's bytes, at most so many, unpacked if they are gzipped.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let mut file = File::open(path)?;
    file.by_ref().take(2).read_to_end(&mut start)?;
    let packed = start == [0x1f, 0x8b];
    let whole = io::Cursor::new(start).chain(file);
    if packed { capped(MultiGzDecoder::new(whole), most) } else { capped(whole, most) }
}

/// All bytes of a reader, at most so many.
pub(super) fn capped(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => {
            let text = format!("larger than {}MiB, the most that is read", most >> 20);
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        false => Ok(bytes),
    }
}

/// The entries, each with its place. A broken line is an entry as well; it will be named when it is read.
pub(super) fn split(bytes: &[u8]) -> anyhow::Result<Vec<Entry<'_>>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let entries = match bytes.trim_ascii_start().first() {
        Some(b'[') => list(bytes)?,
        _ => lines(bytes),
    };
    ensure!(!entries.is_empty(), "it is empty");
    Ok(entries)
}

fn lines(bytes: &[u8]) -> Vec<Entry<'_>> {
    let numbered = bytes.split(|byte| *byte == b'\n').enumerate();
    let filled = numbered.filter(|(_, line)| !line.trim_ascii().is_empty());
    filled.map(|(at, line)| Entry { place: format!("line {}", at + 1), bytes: line.trim_ascii() }).collect()
}

fn list(bytes: &[u8]) -> anyhow::Result<Vec<Entry<'_>>> {
    let items: Vec<&RawValue> = match serde_json::from_slice(bytes) {
        Ok(items) => items,
        Err(error) => bail!("not a JSON list: {error}"),
    };
    Ok(items.into_iter().enumerate().map(Entry::listed).collect())
}

/// An entry's fields.
///
/// # Errors
/// It is no JSON, or a field is missing or of another kind.
pub(super) fn fields<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text);
        visible(&format!("{reason} (column {})", error.column()), 200)
    })
}

/// A task's name as published: `HumanEval/12` or `12`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Name {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

impl Name {
    /// The last part, in characters that ids of tasks may have.
    ///
    /// # Errors
    /// Nothing is left of it, or it is too long.
    pub(super) fn id(&self) -> Result<String, String> {
        match self {
            Self::Number(number) => Ok(number.to_string()),
            Self::Text(text) => id(text.trim().rsplit('/').next().unwrap_or_default()),
        }
    }
}

/// A name in characters that ids of tasks may have.
///
/// # Errors
/// Nothing is left of it, or it is too long.
pub(super) fn id(name: &str) -> Result<String, String> {
    let name = name.to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    let id: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let id = id.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    match id.len() {
        1..=MAX_ID => Ok(id.to_owned()),
        0 => Err("task_id has no letter and no digit".to_owned()),
        _ => Err(format!("task_id is longer than {MAX_ID} characters")),
    }
}
