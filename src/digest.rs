//! What tells one thing from another: sha256 as hex.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::task::Task;

/// Hex sha256 over the parts, each preceded by its length, so that parts can't run into each other.
pub fn hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    to_hex(&hash.finalize())
}

/// Hex sha256 of bytes, as `sha256sum` prints it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Sha256 of what is written to it.
#[derive(Default)]
pub struct Writer(Sha256);

impl Writer {
    /// Of all that was written.
    pub fn hex(self) -> String {
        to_hex(&self.0.finalize())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl Task {
    /// Tells tasks apart by what decides a run: all that the file says but comments and places.
    pub fn digest(&self) -> String {
        let tests = self
            .tests
            .iter()
            .map(|test| (&test.name, &test.assertion.text, test.form, test.weight, test.public));
        let setup = self.setup.as_ref().map(|code| &code.text);
        let content = serde_json::json!([self.prompt, setup, tests.collect::<Vec<_>>()]);
        hex([content.to_string().as_bytes()])
    }
}
