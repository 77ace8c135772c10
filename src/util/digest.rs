//! SHA-256 digests as lower-case hex.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// SHA-256 over the parts, each preceded by its length, so that parts can't run into each other.
pub fn hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    to_hex(&hash.finalize())
}

/// SHA-256 of bytes, as `sha256sum` prints it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// SHA-256 of all that is written to it.
#[derive(Default)]
pub struct Writer(Sha256);

impl Writer {
    /// The digest of all that was written.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As `printf abc | sha256sum` and `sha256sum /dev/null` print them.
    #[test]
    fn sha256_is_lower_case_hex_with_its_zeros() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let mut writer = Writer::default();
        writer.write_all(b"a").and_then(|()| writer.write_all(b"bc")).unwrap();
        assert_eq!(writer.hex(), abc);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hex([&b"ab"[..], b"c"]), hex([&b"a"[..], b"bc"]));
    }
}
