//! JSON that is readable, and safe to print to a terminal.

use std::io::{self, Write};

use serde::Serialize;

use crate::util::text::unseen;

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

/// JSON text of a value in one line, without its end.
///
/// # Errors
/// As of [`write`].
pub fn line(value: &impl Serialize) -> io::Result<String> {
    let mut bytes = Vec::new();
    serde_json::to_writer(&mut Escaped { out: &mut bytes, escape: |c| c >= '\x7f' && unseen(c) }, value)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
pub struct Escaped<W, F> {
    /// Writer that the JSON is passed on to.
    pub out: W,
    /// True for characters to escape.
    pub escape: F,
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
