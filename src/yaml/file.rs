//! Files: their bytes, and bytes as text.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::yaml::problem::{Log, Position};

/// Largest file that is read.
pub const MAX_BYTES: u64 = 1 << 20;

/// The bytes of the log's file: regular files (also behind links) of at most [`MAX_BYTES`].
pub fn read_file(log: &Log) -> Option<Vec<u8>> {
    read_capped(&log.file).map_err(|message| log.add(Position::default(), "", message)).ok()
}

fn read_capped(path: &Path) -> Result<Vec<u8>, String> {
    let kind = fs::metadata(path).map_err(|error| reason(&error))?.file_type();
    if kind.is_dir() {
        return Err("this is a folder; expected a file".to_owned());
    }
    if !kind.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| reason(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("larger than 1MiB, the most that is read".to_owned());
    }
    Ok(bytes)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// `bytes` as text without a byte order mark; refuses other encodings and control characters.
pub(super) fn text<'a>(log: &Log, bytes: &'a [u8]) -> Option<&'a str> {
    let text = decode(bytes).and_then(printable).map_err(|(at, message)| log.add(at, "", message)).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn decode(bytes: &[u8]) -> Result<&str, (Position, String)> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let start = Position { line: 1, column: 1 };
        return Err((start, "this is UTF-16; save the file as UTF-8".to_owned()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        let at = end_of(&String::from_utf8_lossy(valid));
        let byte = rest.first().copied().unwrap_or_default();
        (at, format!("not UTF-8 text (byte 0x{byte:02x}); save the file as UTF-8"))
    })
}

/// YAML allows no control characters but tab and line ends; some parsers take NUL for the end.
fn printable(text: &str) -> Result<&str, (Position, String)> {
    let control = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.find(control) {
        None => Ok(text),
        Some(at) => {
            let found = u32::from(text.as_bytes()[at]);
            let message = format!("control character U+{found:04X}");
            Err((end_of(&text[..at]), message))
        }
    }
}

/// The position behind `text`; lines end as in YAML: LF, CR LF or CR.
pub(super) fn end_of(text: &str) -> Position {
    let breaks = text.matches('\n').count() + text.matches('\r').count() - text.matches("\r\n").count();
    let tail = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    Position { line: breaks + 1, column: tail.chars().count() + 1 }
}
