//! Order of what one look found: who was first with bytes that are new to the ledger, as far as files tell.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use crate::model::first_sights::{FirstSights, Origin};
use crate::pipeline::ledger::found::Found;
use crate::pipeline::receipt;

/// Seconds by which two files must be apart: what is stored by way of a memory map changes a file's time only with the
/// next way of its page to the disk, half a minute later by Linux's defaults.
const APART: i64 = 60;

/// A find in its place.
pub(super) struct Ordered {
    pub(super) found: Found,
    /// Channel that it came by.
    pub(super) via: Origin,
    /// True if the one before it with the same bytes may have come later.
    pub(super) undecided: bool,
}

/// Finds of one look in the order in which they are to stand in the ledger. What came by a channel of ours has a receipt, and is
/// before what was dropped; of the rest, times of files tell a hint.
pub(super) fn of_one_look(results: &Path, found: Vec<Found>, known: &FirstSights) -> Vec<Ordered> {
    let ordered = |found: Found| {
        let via = receipt::origin(results, &found.miner, &found.sha256);
        Ordered { found, via, undecided: false }
    };
    let mut all: Vec<Ordered> = found.into_iter().map(ordered).collect();
    all.sort_by(|a, b| a.place().cmp(&b.place()));
    let mut heads: HashMap<String, (Origin, i64)> = HashMap::new();
    for one in all.iter_mut().filter(|one| known.first(&one.found.sha256).is_none()) {
        match heads.entry(one.found.sha256.clone()) {
            Entry::Vacant(head) => drop(head.insert((one.via, one.found.changed.0))),
            Entry::Occupied(head) => {
                let (via, changed) = *head.get();
                let is_later = one.found.ordered && one.found.changed.0.saturating_sub(changed) > APART;
                one.undecided = via == Origin::Dropped && !is_later;
            }
        }
    }
    all
}

impl Ordered {
    fn place(&self) -> (bool, (i64, i64), &str) {
        (self.via == Origin::Dropped, self.found.changed, &self.found.file)
    }
}
