//! Order of arrival: which of two first sights came before the other.
//!
//! An upload comes when all of it is here, by our own clock, however long it then waits for its line in the ledger. A dropped file
//! comes at some time before the look that found it, and its own times prove nothing: it is taken to be after all uploads whose
//! lines stand before its own, as each of those had the inbox looked at, and before all whose lines stand behind it, as whoever
//! could read it in the inbox may have uploaded it.

use jiff::{SignedDuration, Timestamp};

use crate::model::miner_id::Miner;

/// Place of a first sight among all; the lesser came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    time: Timestamp,
    line: usize,
}

impl Place {
    /// The time that it stands for.
    pub(super) fn time(self) -> Timestamp {
        self.time
    }
}

/// Dropped file that is found to have come before an upload, with its new place.
pub(super) struct Moved {
    pub(super) sha256: String,
    pub(super) miner: Miner,
    pub(super) place: Place,
}

/// First sight of a dropped file.
#[derive(Debug)]
struct Find {
    sha256: String,
    miner: Miner,
    place: Place,
    /// Time of the look that found it.
    at: Timestamp,
    /// Latest arrival of the uploads that were there before it.
    after: Option<Timestamp>,
}

/// First sights so far.
#[derive(Debug, Default)]
pub(super) struct ArrivalOrder {
    lines: usize,
    /// Latest arrival so far.
    arrived: Option<Timestamp>,
    /// Latest look so far.
    looked: Option<Timestamp>,
    /// Dropped files, by their lines.
    finds: Vec<Find>,
}

impl ArrivalOrder {
    /// Takes in a sight whose line stands behind all before; gives its place, and dropped files whose place is another one by it.
    /// Of an upload, `arrival` is known; else it was dropped, and a look found it `at` that time.
    pub(super) fn add(
        &mut self,
        (sha256, miner): (&str, &Miner),
        arrival: Option<Timestamp>,
        at: Timestamp,
    ) -> (Place, Vec<Moved>) {
        self.lines += 1;
        let line = self.lines;
        match arrival {
            Some(time) => {
                self.arrived = self.arrived.max(Some(time));
                (Place { time, line }, self.move_before(time))
            }
            None => {
                let (sha256, miner) = (sha256.to_owned(), miner.clone());
                // In lines that were put together from others the order stands all the same.
                let at = self.looked.map_or(at, |looked| looked.max(at));
                self.looked = Some(at);
                let place = Place { time: at, line };
                self.finds.push(Find { sha256, miner, place, at, after: self.arrived });
                (place, Vec::new())
            }
        }
    }

    /// Moves what was dropped, and found after this arrival, before it, unless an earlier line proves that it came after it.
    fn move_before(&mut self, arrival: Timestamp) -> Vec<Moved> {
        let before = arrival.saturating_add(SignedDuration::from_millis(-1)).unwrap_or(arrival);
        let mut moved = Vec::new();
        for find in self.finds.iter_mut().rev().take_while(|find| find.at >= arrival) {
            let time = Some(before).max(find.after).unwrap_or(before);
            if time < find.place.time {
                find.place.time = time;
                let (sha256, miner) = (find.sha256.clone(), find.miner.clone());
                moved.push(Moved { sha256, miner, place: find.place });
            }
        }
        moved
    }
}
