//! Docker's attach stream: what a container writes, in pieces that say whether they are of its stdout or its stderr.

/// Before each piece: whose it is, three zeros, its length as a big-endian u32.
const HEADER: usize = 8;

/// Bytes that are no such stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonsense;

/// Sorts the bytes of a stream as they come, however they are cut; keeps no more of them than a header.
#[derive(Debug, Default)]
pub struct Demux {
    header: [u8; HEADER],
    /// So many bytes of the header have come.
    known: usize,
    /// So many bytes of the piece are still to come.
    left: usize,
}

impl Demux {
    /// Appends what is in `bytes` to where it belongs.
    ///
    /// # Errors
    /// A header that Docker does not write; what comes after it means nothing.
    pub fn sort(
        &mut self,
        mut bytes: &[u8],
        stdout: &mut Vec<u8>,
        stderr: &mut Vec<u8>,
    ) -> Result<(), Nonsense> {
        while !bytes.is_empty() {
            if self.left == 0 {
                bytes = self.read_header(bytes)?;
                continue;
            }
            let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
            let place = if self.header[0] == 1 { &mut *stdout } else { &mut *stderr };
            place.extend_from_slice(piece);
            self.left -= piece.len();
            bytes = rest;
        }
        Ok(())
    }

    /// Takes what belongs to the header; gives the rest.
    fn read_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Nonsense> {
        let (part, rest) = bytes.split_at((HEADER - self.known).min(bytes.len()));
        self.header[self.known..][..part.len()].copy_from_slice(part);
        self.known += part.len();
        if self.known == HEADER {
            let [1 | 2, 0, 0, 0, a, b, c, d] = self.header else { return Err(Nonsense) };
            self.left = u32::from_be_bytes([a, b, c, d]) as usize;
            self.known = 0;
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(stream: &mut Vec<u8>, whose: u8, piece: &[u8]) {
        stream.extend([whose, 0, 0, 0]);
        stream.extend((piece.len() as u32).to_be_bytes());
        stream.extend(piece);
    }

    proptest! {
        #[test]
        fn the_same_comes_out_however_it_is_cut(
            pieces in prop::collection::vec((1u8..=2, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            cut in 1usize..24,
        ) {
            let (mut stream, mut wanted) = (Vec::new(), [Vec::<u8>::new(), Vec::new()]);
            for (whose, piece) in &pieces {
                put(&mut stream, *whose, piece);
                wanted[usize::from(*whose) - 1].extend(piece);
            }
            let (mut demux, mut stdout, mut stderr) = (Demux::default(), Vec::new(), Vec::new());
            for bytes in stream.chunks(cut) {
                demux.sort(bytes, &mut stdout, &mut stderr).unwrap();
            }
            prop_assert_eq!([stdout, stderr], wanted);
        }

        #[test]
        fn no_bytes_make_it_panic_or_make_something_up(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            let _ = Demux::default().sort(&bytes, &mut stdout, &mut stderr);
            prop_assert!(stdout.len() + stderr.len() <= bytes.len().saturating_sub(HEADER));
        }
    }

    #[test]
    fn a_header_that_docker_does_not_write_is_nonsense() {
        for header in [[0, 0, 0, 0, 0, 0, 0, 1], [3, 0, 0, 0, 0, 0, 0, 1], [1, 0, 1, 0, 0, 0, 0, 1]] {
            let sorted = Demux::default().sort(&header, &mut Vec::new(), &mut Vec::new());
            assert_eq!(sorted, Err(Nonsense), "{header:?}");
        }
        let http = b"HTTP/1.1 500 Internal Server Error\r\n";
        assert_eq!(Demux::default().sort(http, &mut Vec::new(), &mut Vec::new()), Err(Nonsense));
    }
}
