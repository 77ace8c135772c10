//! Order of what one look found: who was first with bytes that are new to the ledger, as far as files tell.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use crate::model::first_sights::{APART, FirstSights};
use crate::pipeline::ledger::found::Found;
use crate::pipeline::receipt::{self, Receipt};

/// A find in its place.
pub(super) struct Ordered {
    pub(super) found: Found,
    /// Receipt of the channel that it came by; None if it was dropped.
    pub(super) receipt: Option<Receipt>,
    /// True if the one before it with the same bytes may have come later.
    pub(super) undecided: bool,
}

/// Finds of one look in the order in which they are to stand in the ledger. What came by a channel of ours has a receipt, and is
/// before what was dropped; of the rest, times of files tell a hint.
pub(super) fn of_one_look(results: &Path, found: Vec<Found>, known: &FirstSights) -> Vec<Ordered> {
    let ordered = |found: Found| {
        let receipt = receipt::of(results, &found.miner, &found.sha256);
        let receipt = receipt.filter(|receipt| !is_of_earlier(receipt, &found, known));
        Ordered { found, receipt, undecided: false }
    };
    let mut all: Vec<Ordered> = found.into_iter().map(ordered).collect();
    all.sort_by(|a, b| a.place().cmp(&b.place()));
    let mut heads: HashMap<String, (bool, i64)> = HashMap::new();
    for one in all.iter_mut().filter(|one| known.first(&one.found.sha256).is_none()) {
        match heads.entry(one.found.sha256.clone()) {
            Entry::Vacant(head) => drop(head.insert((one.is_dropped(), one.found.changed.0))),
            Entry::Occupied(head) => {
                let (is_dropped, changed) = *head.get();
                let is_later = one.found.ordered && one.found.changed.0.saturating_sub(changed) > APART;
                one.undecided = is_dropped && !is_later;
            }
        }
    }
    all
}

/// True if a receipt tells of an earlier submission of the same bytes: it is older than what the miner was seen with since.
fn is_of_earlier(receipt: &Receipt, found: &Found, known: &FirstSights) -> bool {
    let is_return = known.is_return(&found.miner, &found.sha256, found.refused);
    let last = known.events(&found.miner).last().filter(|_| is_return && found.came.is_none());
    last.is_some_and(|last| receipt.received_at <= last.came)
}

impl Ordered {
    fn is_dropped(&self) -> bool {
        self.receipt.is_none()
    }

    fn place(&self) -> (bool, (i64, i64), &str) {
        (self.is_dropped(), self.found.changed, &self.found.file)
    }
}
