//! Files of a task on their way into a cell: in pieces, each acknowledged, so that neither side holds more than a few of them.

use std::time::{Duration, Instant};

use crate::sandbox::Fault;
use crate::sandbox::channel::{Channel, Received};
use crate::sandbox::guest::frames::{FromCell, ToCell};
use crate::task::Folder;

/// Bytes of pieces that are sent together.
const ROOM: usize = 1 << 20;

/// How long the supervisor, which is ours, may take to write them on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a folder to a cell that has none, and has it made read-only.
///
/// # Errors
/// [`Fault::Task`] if a file can't be read or has changed since the task was read; [`Fault::Engine`] if the cell does not take
/// them.
pub fn place(channel: &mut Channel, folder: &Folder) -> Result<(), Fault> {
    let mut pieces = Vec::new();
    for file in &folder.files {
        let bytes = file.data.read().map_err(Fault::Task)?;
        let mut rest = bytes.as_slice();
        // An empty file has one piece, too.
        loop {
            let (piece, after) = rest.split_at(rest.len().min(ROOM));
            put(&mut pieces, &file.name, piece);
            if pieces.len() >= ROOM {
                send(channel, &std::mem::take(&mut pieces))?;
            }
            if after.is_empty() {
                break;
            }
            rest = after;
        }
    }
    if !pieces.is_empty() {
        send(channel, &pieces)?;
    }
    send(channel, b"")
}

/// Appends a piece of a file as the supervisor takes it.
fn put(pieces: &mut Vec<u8>, name: &str, piece: &[u8]) {
    for part in [name.as_bytes(), piece] {
        let length = u32::try_from(part.len()).expect("names and pieces are bounded");
        pieces.extend_from_slice(&length.to_be_bytes());
        pieces.extend_from_slice(part);
    }
}

/// Sends pieces, or the word that there are no more, and waits until they are in their places.
fn send(channel: &mut Channel, pieces: &[u8]) -> Result<(), Fault> {
    channel.send(ToCell::Files, pieces);
    match channel.receive(Instant::now() + PATIENCE) {
        Received::Frame(frame) if frame.kind == u8::from(FromCell::Placed) => {
            match frame.payload.as_slice() {
                [] => Ok(()),
                why => Err(lost(&String::from_utf8_lossy(why))),
            }
        }
        Received::Late => Err(lost("it takes too long")),
        _ => Err(lost(&channel.last_words())),
    }
}

fn lost(why: &str) -> Fault {
    Fault::Engine(format!("the cell did not take the task's files: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_a_name_and_bytes_behind_their_lengths() {
        let mut pieces = Vec::new();
        put(&mut pieces, "a/b", b"xy");
        put(&mut pieces, "c", b"");
        assert_eq!(pieces, b"\0\0\0\x03a/b\0\0\0\x02xy\0\0\0\x01c\0\0\0\0");
    }
}
