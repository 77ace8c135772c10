//! What tells one thing from another: sha256 as hex.

use std::fmt::Write;

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

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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
