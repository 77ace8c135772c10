//! Line ends of data files: those of Windows, where every line has them, are read as Python on Linux would have them.

use std::io::{self, Write};

/// The line ends of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// No carriage return is in it.
    Plain,
    /// Each line ends with `\r\n`, and no other carriage return is in it: an editor on Windows has saved it.
    Windows,
    /// Some carriage returns are in it that are no such ends: the author may have meant them.
    Mixed,
}

impl LineEnds {
    /// The bytes with `\n` for each end of a line as Windows has it, unless they are mixed.
    pub(super) fn made_plain(self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self == Self::Windows {
            bytes.retain(|byte| *byte != b'\r');
        }
        bytes
    }
}

/// Counts the line ends of all that is written to it.
#[derive(Default)]
pub(super) struct Counter {
    feeds: u64,
    returns: u64,
    both: u64,
    last: u8,
}

impl Counter {
    pub(super) fn found(&self) -> LineEnds {
        match self.returns {
            0 => LineEnds::Plain,
            returns if returns == self.both && returns == self.feeds => LineEnds::Windows,
            _ => LineEnds::Mixed,
        }
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.feeds += u64::from(*byte == b'\n');
            self.returns += u64::from(*byte == b'\r');
            self.both += u64::from(*byte == b'\n' && self.last == b'\r');
            self.last = *byte;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever the file was cut when it was read.
    #[test]
    fn only_a_file_whose_every_line_ends_as_on_windows_is_made_plain() {
        let cases: [(&str, LineEnds, &str); 8] = [
            ("", LineEnds::Plain, ""),
            ("a\nb", LineEnds::Plain, "a\nb"),
            ("a\r\nb\r\n", LineEnds::Windows, "a\nb\n"),
            ("a\r\n\r\nb", LineEnds::Windows, "a\n\nb"),
            ("a\r\nb\n", LineEnds::Mixed, "a\r\nb\n"),
            ("a\rb\r\n", LineEnds::Mixed, "a\rb\r\n"),
            ("a\r\r\n", LineEnds::Mixed, "a\r\r\n"),
            ("a\n\r", LineEnds::Mixed, "a\n\r"),
        ];
        for (text, ends, plain) in cases {
            for cut in 0..=text.len() {
                let mut counter = Counter::default();
                counter.write_all(&text.as_bytes()[..cut]).unwrap();
                counter.write_all(&text.as_bytes()[cut..]).unwrap();
                assert_eq!(counter.found(), ends, "{text:?}");
            }
            assert_eq!(ends.made_plain(text.into()), plain.as_bytes(), "{text:?}");
        }
    }
}
