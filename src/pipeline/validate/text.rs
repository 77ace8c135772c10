//! Bytes -> text with lines as Python counts them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::miner_id::printable;
use crate::pipeline::validate::Finding;

const BOM: char = '\u{feff}';

/// How PEP 263 lets a comment declare the encoding.
static DECLARATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[ \t\f]*#.*?coding[:=][ \t]*[-_.a-zA-Z0-9]+").expect("a constant"));

/// The source as Python would decode it: UTF-8 without a byte order mark, every line ending `\n`.
pub(super) fn decode(source: &[u8]) -> Result<Cow<'_, str>, Finding> {
    if source.is_empty() {
        return Err(Finding::new(None, "is empty"));
    }
    if let Some(encoding) = other_unicode(source) {
        return Err(Finding::new(Some(1), format!("is {encoding} text; save it as UTF-8")));
    }
    if source.starts_with(b"PK\x03\x04") {
        return Err(Finding::new(None, "is a zip archive; submit the .py files that are in it"));
    }
    if is_notebook(source) {
        return Err(Finding::new(None, "is a Jupyter notebook; export it as .py"));
    }
    let text = std::str::from_utf8(source).map_err(|error| not_utf8(source, error.valid_up_to()))?;
    if let Some(at) = text.find('\0') {
        let line = line_of(source, at);
        return Err(Finding::new(Some(line), "contains a NUL byte; save it as plain UTF-8 text"));
    }
    let text = with_plain_lines(text.strip_prefix(BOM).unwrap_or(text));
    check_declaration(&text)?;
    Ok(text)
}

/// Tells whether a source is a notebook's JSON, which Python may compile and run as a value that nobody uses.
fn is_notebook(source: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Notebook {
        #[serde(rename = "nbformat")]
        _format: IgnoredAny,
    }
    source.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<Notebook>(source).is_ok()
}

fn other_unicode(source: &[u8]) -> Option<&'static str> {
    match source {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => None,
    }
}

fn not_utf8(source: &[u8], at: usize) -> Finding {
    let before = &source[..at];
    let column = before.iter().rev().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count() + 1;
    let reason =
        format!("byte {column} of the line, 0x{:02x}, is not UTF-8; save the file as UTF-8", source[at]);
    Finding::new(Some(line_of(source, at)), reason)
}

fn with_plain_lines(text: &str) -> Cow<'_, str> {
    match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    }
}

/// Refuses a declaration by which Python would read other text than we do.
fn check_declaration(text: &str) -> Result<(), Finding> {
    for (line, number) in text.split('\n').take(2).zip(1..) {
        if let Some(encoding) = declared(line) {
            return match is_utf8(encoding) {
                true => Ok(()),
                false => Err(foreign(number, encoding)),
            };
        }
        let rest = line.trim_start_matches([' ', '\t', '\x0c']);
        if !(rest.is_empty() || rest.starts_with('#')) {
            return Ok(());
        }
    }
    Ok(())
}

/// The encoding that a line declares: what the declaration ends with.
fn declared(line: &str) -> Option<&str> {
    DECLARATION.find(line)?.as_str().rsplit([':', '=', ' ', '\t']).next()
}

fn is_utf8(encoding: &str) -> bool {
    let name = encoding.to_ascii_lowercase().replace('_', "-");
    matches!(name.as_str(), "utf-8" | "utf8" | "ascii" | "us-ascii") || name.starts_with("utf-8-")
}

fn foreign(line: u32, encoding: &str) -> Finding {
    let encoding = printable(encoding.as_bytes());
    Finding::new(Some(line), format!("declares the encoding {encoding}; only UTF-8 is taken"))
}

/// The 1-based line on which a byte stands.
pub(super) fn line_of(source: &[u8], at: usize) -> u32 {
    let before = &source[..at];
    let breaks = before.iter().enumerate().filter(|&(at, byte)| match byte {
        b'\n' => true,
        b'\r' => source.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    u32::try_from(breaks.count() + 1).unwrap_or(u32::MAX)
}
