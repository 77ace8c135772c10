//! Entries of a benchmark's file: JSON lines or one JSON list, plain or gzipped, all of bounded size.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{bail, ensure};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::util::first_few::first_few;
use crate::util::text::in_ascii;
use crate::util::text::visible;

/// Most bytes of a file, after unpacking.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// Most bytes of an entry.
pub(super) const MAX_ENTRY: usize = 1 << 20;

/// Longest id.
const MAX_ID: usize = 64;

/// The most that is said of a broken entry, in characters.
const MAX_SAID: usize = 200;

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

    /// The names of its fields; none if it is no object.
    pub(super) fn fields(&self) -> BTreeMap<String, IgnoredAny> {
        named(self.bytes)
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

/// Lines but for empty ones and comments, which begin with `#`.
fn lines(bytes: &[u8]) -> Vec<Entry<'_>> {
    let numbered = bytes.split(|byte| *byte == b'\n').enumerate();
    let filled = numbered.filter(|(_, line)| !matches!(line.trim_ascii().first(), None | Some(b'#')));
    filled.map(|(at, line)| Entry { place: format!("line {}", at + 1), bytes: line.trim_ascii() }).collect()
}

fn list(bytes: &[u8]) -> anyhow::Result<Vec<Entry<'_>>> {
    let items: Vec<&RawValue> = match serde_json::from_slice(bytes) {
        Ok(items) => items,
        Err(error) => bail!("not a JSON list: {error}"),
    };
    Ok(items.into_iter().enumerate().map(Entry::listed).collect())
}

/// An entry's fields; `example` is an object with some of them, which is told to whoever wrote something else.
///
/// # Errors
/// It is no JSON, or a field is missing or of another kind.
pub(super) fn fields<T: DeserializeOwned>(bytes: &[u8], example: &str) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| visible(&said::<T>(bytes, &error, example), MAX_SAID))
}

/// The mistake in an entry, in plain words.
fn said<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error, example: &str) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    if !error.is_data() {
        return format!(
            "not JSON (column {}: {reason}); expected an object such as {example}",
            error.column()
        );
    }
    if bytes.first() != Some(&b'{') {
        return format!("not an object such as {example}");
    }
    if let Some(field) = reason.strip_prefix("missing field ") {
        return format!("it has no {}, but {}", field.trim_matches('`'), names(bytes));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let field = serde_path_to_error::deserialize::<_, T>(&mut reader).err();
    field.map_or(reason.to_owned(), |error| format!("{}: {}", error.path(), reworded(reason)))
}

/// The names of an entry's fields.
pub(super) fn names(bytes: &[u8]) -> String {
    let fields = named(bytes);
    match fields.is_empty() {
        true => "nothing".to_owned(),
        false => first_few(fields.keys()),
    }
}

fn named(bytes: &[u8]) -> BTreeMap<String, IgnoredAny> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// serde's words in a person's.
fn reworded(reason: &str) -> String {
    const FOUND: [(&str, &str); 7] = [
        ("integer", "a number"),
        ("floating point", "a number"),
        ("string", "text"),
        ("sequence", "a list"),
        ("map", "an object"),
        ("boolean", "true or false"),
        ("null", "null"),
    ];
    let parts = reason.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "));
    let Some((found, expected)) = parts else { return reason.to_owned() };
    let known = FOUND.iter().find(|(word, _)| found.starts_with(word));
    let expected = match expected {
        "a string" => "text",
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    };
    format!("expected {expected}, found {}", known.map_or(found, |(_, word)| word))
}

/// A task's name as published: `HumanEval/12` or `12`.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected text or a number")]
pub(super) enum Name {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

impl Name {
    /// Its id among the tasks of this set, in characters that ids may have: without the set's own name before it, and with any
    /// other, as in `mine-0` of `Mine/0`, so that two sets stay two.
    ///
    /// # Errors
    /// Nothing is left of it, or it is too long.
    pub(super) fn id(&self, set: &str) -> Result<String, String> {
        let text = match self {
            Self::Number(number) => return Ok(number.to_string()),
            Self::Text(text) => text.trim(),
        };
        let parts: Vec<String> = text.split('/').map(plain).filter(|part| !part.is_empty()).collect();
        let own = parts.len() > 1 && parts[0] == set;
        bounded(parts[usize::from(own)..].join("-"))
    }

    /// True if it has the name of this set before it, as `HumanEval/0` has `humaneval`.
    pub(super) fn is_of(&self, set: &str) -> bool {
        let Self::Text(text) = self else { return false };
        text.trim().split_once('/').is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case(set))
    }

    /// True if it names no set, as `12` does.
    pub(super) fn is_bare(&self) -> bool {
        !matches!(self, Self::Text(text) if text.contains('/'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(out),
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// A name in characters that ids of tasks may have.
///
/// # Errors
/// Nothing is left of it, or it is too long.
pub(super) fn id(name: &str) -> Result<String, String> {
    bounded(plain(name))
}

/// A name in characters that ids of tasks may have; nothing may be left of it.
fn plain(name: &str) -> String {
    let name = in_ascii(name);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    let id: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    id.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

fn bounded(id: String) -> Result<String, String> {
    match id.len() {
        1..=MAX_ID => Ok(id),
        0 => Err("task_id has no letter and no digit".to_owned()),
        _ => Err(format!("task_id is longer than {MAX_ID} characters")),
    }
}
