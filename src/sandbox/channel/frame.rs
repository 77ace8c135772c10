//! Frames between host, cell and judge: a big-endian u32 length, a kind byte, the payload.
//!
//! `guest::frames` has the table of their kinds.

use crate::sandbox::guest::frames::bounds::MAX_FRAME;

const HEADER: usize = 5;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The kind, as `guest::frames` lists it for the direction.
    pub kind: u8,
    /// Its content.
    pub payload: Vec<u8>,
}

/// A peer announced a frame above [`MAX_FRAME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversize;

/// Appends a frame to `out`.
///
/// # Panics
/// If the payload is 4 GiB or more; ours are bounded by the task and agent size limits.
pub fn put(out: &mut Vec<u8>, kind: impl Into<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("payloads are bounded");
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind.into());
    out.extend_from_slice(payload);
}

/// Takes the first frame off `inbox` if it is there as a whole.
///
/// # Errors
/// The peer announced more than it may send.
pub fn take(inbox: &mut Vec<u8>) -> Result<Option<Frame>, Oversize> {
    let Some(header) = inbox.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let [a, b, c, d, kind] = *header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > MAX_FRAME {
        return Err(Oversize);
    }
    if inbox.len() < HEADER + length {
        return Ok(None);
    }
    let payload = inbox[HEADER..HEADER + length].to_vec();
    inbox.drain(..HEADER + length);
    Ok(Some(Frame { kind, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_cut(
            frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..64)), 0..8),
            cut in 1usize..16,
        ) {
            let mut bytes = Vec::new();
            for (kind, payload) in &frames {
                put(&mut bytes, *kind, payload);
            }
            let (mut inbox, mut seen) = (Vec::new(), Vec::new());
            for piece in bytes.chunks(cut) {
                inbox.extend_from_slice(piece);
                while let Some(frame) = take(&mut inbox).unwrap() {
                    seen.push((frame.kind, frame.payload));
                }
            }
            prop_assert_eq!(seen, frames);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut inbox = bytes;
            while let Ok(Some(_)) = take(&mut inbox) {}
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_it_is_read() {
        let mut inbox = vec![0xff, 0xff, 0xff, 0xff, b'v'];
        assert_eq!(take(&mut inbox), Err(Oversize));
    }
}
