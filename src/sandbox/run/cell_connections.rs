//! A cell's connections to the gateway: what an agent says on them and hears, as frames between the host and the supervisor.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::gateway::{Connections, Parcel};
use crate::sandbox::channel::Side;
use crate::sandbox::channel::frame::{self, Frame};
use crate::sandbox::guest::frames::{FromCell, ToCell};

/// Connections whose parcels go in frames.
#[derive(Debug)]
pub struct CellConnections(pub Arc<Connections>);

impl Side for CellConnections {
    fn ready(&self) -> BorrowedFd<'_> {
        self.0.ready()
    }

    fn take(&mut self, frame: &Frame) -> bool {
        let kind = FromCell::of(frame.kind);
        let Some((link, rest)) = frame.payload.split_first_chunk() else { return false };
        let link = u32::from_be_bytes(*link);
        match (kind, rest.first_chunk()) {
            (Some(FromCell::Bytes), _) => self.0.take_bytes(link, rest),
            (Some(FromCell::Taken), Some(count)) => {
                self.0.take_credit(link, u32::from_be_bytes(*count) as usize)
            }
            _ => return false,
        }
        true
    }

    fn give(&mut self, outbox: &mut Vec<u8>) {
        for parcel in self.0.parcels() {
            match parcel {
                Parcel::Bytes(link, bytes) => {
                    frame::put(outbox, ToCell::Bytes, &[&link.to_be_bytes()[..], &bytes].concat());
                }
                Parcel::Taken(link, count) => {
                    let count = u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes();
                    frame::put(outbox, ToCell::Taken, &[link.to_be_bytes(), count].concat());
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.0.fault().is_some()
    }
}
