//! First sights: who submitted which bytes first, and under which file.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::arrival_order::{ArrivalOrder, Moved, Place};
use crate::model::miner_id::Miner;

/// Seconds by which two files must be apart to tell which was first: what is stored by way of a memory map changes a file's time
/// only with the next way of its page to the disk, half a minute later by Linux's defaults.
pub const APART: i64 = 60;

/// Channel by which bytes came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A file was put into the inbox.
    Dropped,
    /// `POST /upload/agent`.
    Http,
    /// `agentmill submit`.
    Submit,
    /// `agentmill generate`.
    Generate,
}

impl Origin {
    /// The word in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Http => "http",
            Self::Submit => "submit",
            Self::Generate => "generate",
        }
    }
}

/// Bytes that a miner was seen with for the first time, under another file than before, or again after others: a line of the
/// ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// The miner.
    pub miner: Miner,
    /// Time in whole milliseconds at which they were seen.
    pub at: Timestamp,
    /// Time from which they count, in whole milliseconds, where that is before they were seen. Of an upload it is its arrival; of a
    /// dropped file it is a hint, which tells nothing about who was first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Timestamp>,
    /// Path below the inbox.
    pub file: String,
    /// Channel that they came by.
    pub via: Origin,
    /// True if they are no agent, or turned out to be none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Fingerprints of the source, sorted, in lines of an older agentmill; now they are made of the archived source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prints: Vec<u32>,
    /// True if it can't be told that the first miner with these bytes, of a line before it, had them first: one look found
    /// both.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
    /// True if the source runs text that it decodes, so that its fingerprints tell nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packed: bool,
    /// Bytes that the same files are by another `validate.files`; None if they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherBytes>,
}

impl Sight {
    /// Arrival, where our own clock measured it: a file's times are the word of whoever drops it.
    pub fn arrival(&self) -> Option<Timestamp> {
        (self.via != Origin::Dropped).then(|| self.came.unwrap_or(self.at))
    }
}

/// Bytes that a miner's folder is by another `validate.files`: its agent alone where all files count, or all files together where
/// only the agent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherBytes {
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Time from which they would count, in whole milliseconds.
    pub came: Timestamp,
}

/// Bytes, and the miner that had them first.
#[derive(Debug)]
pub struct Document {
    /// The miner.
    pub miner: Miner,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Their fingerprints by the ledger, sorted; none where a newer agentmill wrote it.
    pub prints: Box<[u32]>,
    /// If they were dropped, the time of the look that found them and that from which they count.
    pub dropped: Option<(Timestamp, Timestamp)>,
}

impl Document {
    /// True if it can't be told that these bytes were there before those of a later document: one look found both, in files that were
    /// changed at nearly the same time.
    pub fn is_undecided(&self, later: &Self) -> bool {
        let looks = self.dropped.zip(later.dropped);
        looks.is_some_and(|((look, came), (other, later))| {
            look == other && later.as_second() - came.as_second() <= APART
        })
    }
}

/// Finding that most of an agent was seen with another miner first. Ordered by how much.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NearCopy {
    /// Share of its fingerprints, 0 to 100, rounded down.
    pub percent: u32,
    /// The other miner.
    pub similar_to: Miner,
    /// True if it is to earn nothing.
    pub withheld: bool,
}

/// Bytes that a miner submitted, at the first time that it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmittedBytes {
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Time in whole milliseconds, as [`FirstSights::seen`] tells it.
    pub at: Timestamp,
    /// Channel that they came by.
    pub via: Origin,
}

/// Miner that was seen with bytes.
#[derive(Debug)]
struct Holder {
    miner: Miner,
    /// Arrival of an upload; of a dropped file the look that found it.
    seen: Timestamp,
    /// If it was dropped, the time of the look and that from which it counts.
    dropped: Option<(Timestamp, Timestamp)>,
    place: Place,
}

/// Handing-in of bytes by a miner: one of its lines in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Time in whole milliseconds at which they were seen.
    pub at: Timestamp,
    /// Time from which they count.
    pub came: Timestamp,
    /// Channel that they came by.
    pub via: Origin,
    /// True if they are no agent.
    pub refused: bool,
}

/// All sights so far, taken together.
#[derive(Debug, Default)]
pub struct FirstSights {
    /// Miners by the bytes that they were seen with, the first one first.
    miners: HashMap<String, Vec<Holder>>,
    order: ArrivalOrder,
    /// Miners of whom it can't be told whether the first one by the ledger was first, by bytes.
    undecided: HashMap<String, Vec<Miner>>,
    /// Bytes whose fingerprints tell nothing.
    packed: HashSet<String>,
    /// Miners that are first with bytes by the organiser's word.
    decided: BTreeMap<String, Miner>,
    /// The file that each miner was last seen with.
    files: HashMap<Miner, String>,
    /// The bytes that each miner was last seen with, where they are others by another `validate.files`, with those.
    others: HashMap<Miner, (String, OtherBytes)>,
    /// Submissions of each miner, oldest first; the same bytes once.
    submitted: HashMap<Miner, Vec<SubmittedBytes>>,
    /// All lines of each miner, oldest first.
    events: HashMap<Miner, Vec<Event>>,
    newest: Option<Timestamp>,
    /// In the order in which their bytes came.
    documents: Vec<Document>,
    /// Places among the documents, by bytes.
    places: HashMap<String, usize>,
    /// How often documents came to stand elsewhere or to be another miner's.
    changes: usize,
}

impl FirstSights {
    /// None yet, with the organiser's word on bytes, by their digests.
    pub fn deciding(decided: BTreeMap<String, Miner>) -> Self {
        Self { decided, ..Self::default() }
    }

    /// Takes in a sight whose line stands behind all before.
    pub fn add(&mut self, sight: &Sight) {
        let tells_other_bytes_alone = self.tells_other_bytes_alone(sight);
        if self.seen(&sight.sha256, &sight.miner).is_none() {
            self.add_first(sight);
        }
        if !self.is_of_earlier(sight) {
            self.others.remove(&sight.miner);
            let others = sight.other.iter().map(|other| (sight.sha256.clone(), other.clone()));
            self.others.extend(others.map(|other| (sight.miner.clone(), other)));
        }
        if !tells_other_bytes_alone {
            self.add_event(sight);
        }
        self.files.insert(sight.miner.clone(), sight.file.clone());
        self.newest = self.newest.max(Some(sight.at));
        self.packed.extend(sight.packed.then(|| sight.sha256.clone()));
        let place = self.places.get(&sight.sha256).copied();
        if let Some(known) = place.map(|at| &mut self.documents[at]).filter(|known| known.prints.is_empty()) {
            known.prints = sight.prints.as_slice().into();
        }
    }

    /// Takes in the first sight of a miner with these bytes.
    fn add_first(&mut self, sight: &Sight) {
        let Sight { sha256, miner, at, came, via, .. } = sight;
        let (place, earlier) = self.order.add((sha256, miner), sight.arrival(), *at);
        for moved in earlier {
            self.move_forward(&moved);
        }
        let seen = sight.arrival().unwrap_or(*at);
        let dropped = (*via == Origin::Dropped).then(|| (*at, came.unwrap_or(*at)));
        let holders = self.miners.entry(sha256.clone()).or_default();
        let before = holders.partition_point(|holder| holder.place < place);
        let is_overtaken = before == 0 && !holders.is_empty();
        holders.insert(before, Holder { miner: miner.clone(), seen, dropped, place });
        if is_overtaken {
            // All that were in one look came after this one.
            self.undecided.remove(sha256);
        } else if sight.undecided {
            self.undecided.entry(sha256.clone()).or_default().push(miner.clone());
        }
        let submitted = SubmittedBytes { sha256: sha256.clone(), at: seen, via: *via };
        self.submitted.entry(miner.clone()).or_default().push(submitted);
        if before == 0 {
            self.place_document(sha256);
        }
    }

    /// Gives a dropped file an earlier place, as an upload that came later by its line might else be before it.
    fn move_forward(&mut self, Moved { sha256, miner, place }: &Moved) {
        let Some(holders) = self.miners.get_mut(sha256) else { return };
        let Some(holder) = holders.iter_mut().find(|holder| holder.miner == *miner) else { return };
        holder.place = *place;
        holders.sort_by_key(|holder| holder.place);
        self.place_document(sha256);
    }

    /// Puts the document of these bytes where the first sight of them belongs.
    fn place_document(&mut self, sha256: &str) {
        let Some(first) = self.miners.get(sha256).and_then(|holders| holders.first()) else { return };
        let miner = self.decided.get(sha256).unwrap_or(&first.miner).clone();
        let (place, dropped) = (first.place, first.dropped);
        let old = self.places.get(sha256).copied();
        let prints = old.map(|at| self.documents.remove(at).prints).unwrap_or_default();
        let place_of = |document: &Document| self.holders(&document.sha256).first().map(|first| first.place);
        let at = self.documents.partition_point(|document| place_of(document) < Some(place));
        self.documents.insert(at, Document { miner, sha256: sha256.to_owned(), prints, dropped });
        self.changes += usize::from(old.is_some() || at + 1 < self.documents.len());
        for at in old.unwrap_or(at).min(at)..self.documents.len() {
            self.places.insert(self.documents[at].sha256.clone(), at);
        }
    }

    /// True if nothing of what counts has changed: a file beside the agent has, where only the agent counts.
    fn tells_other_bytes_alone(&self, sight: &Sight) -> bool {
        let Sight { sha256, miner, file, .. } = sight;
        self.events(miner).last().is_some_and(|last| last.sha256 == *sha256)
            && self.is_last_file(miner, file)
            && self.other(miner, sha256) != sight.other.as_ref()
    }

    /// True if something was submitted since the bytes that turned out to be no agent.
    fn is_of_earlier(&self, sight: &Sight) -> bool {
        self.turned_out(sight).is_some_and(|at| at + 1 < self.events(&sight.miner).len())
    }

    /// Place among the miner's events of the one that a refusal is of: the last one, if it is of these bytes, or else the latest of
    /// them, unless that was refused, too. Then they are a return.
    fn turned_out(&self, sight: &Sight) -> Option<usize> {
        let events = self.events(&sight.miner);
        let latest = events.iter().rposition(|event| sight.refused && event.sha256 == sight.sha256)?;
        (latest + 1 == events.len() || !events[latest].refused).then_some(latest)
    }

    fn add_event(&mut self, sight: &Sight) {
        let before = self.turned_out(sight);
        let events = self.events.entry(sight.miner.clone()).or_default();
        match before {
            Some(before) => events[before].refused = true,
            None => events.push(Event {
                sha256: sight.sha256.clone(),
                at: sight.at,
                came: sight.came.unwrap_or(sight.at),
                via: sight.via,
                refused: sight.refused,
            }),
        }
    }

    /// All lines of a miner, oldest first, but for refusals of what was submitted before.
    pub fn events(&self, miner: &Miner) -> &[Event] {
        self.events.get(miner).map_or(&[], Vec::as_slice)
    }

    /// True if a look that finds these bytes sees a return: the miner was seen with them, and with others since. Of bytes that are
    /// `refused`, and were not before, a line would say that they turned out to be no agent when they came first.
    pub fn is_return(&self, miner: &Miner, sha256: &str, refused: bool) -> bool {
        let mut since = self.events(miner).iter().rev();
        let is_same = |event: &&Event| event.sha256 == sha256;
        since.next().is_some_and(|last| last.sha256 != sha256)
            && since.find(is_same).is_some_and(|latest| latest.refused || !refused)
    }

    /// Number that is another one whenever documents are others than before, or in another order.
    pub fn revision(&self) -> usize {
        self.documents.len() + self.changes
    }

    /// All bytes, in the order in which they came.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Place among the documents of bytes that a miner was the first to be seen with.
    pub fn document(&self, sha256: &str, miner: &Miner) -> Option<usize> {
        self.places.get(sha256).copied().filter(|at| self.documents[*at].miner == *miner)
    }

    /// Miners that were seen with these bytes, the first one first, and when.
    pub fn miners(&self, sha256: &str) -> impl Iterator<Item = (&Miner, Timestamp)> {
        self.holders(sha256).iter().map(|holder| (&holder.miner, holder.seen))
    }

    fn holders(&self, sha256: &str) -> &[Holder] {
        self.miners.get(sha256).map_or(&[], Vec::as_slice)
    }

    fn holder(&self, sha256: &str, miner: &Miner) -> Option<&Holder> {
        self.holders(sha256).iter().find(|holder| holder.miner == *miner)
    }

    /// The miner that had these bytes before everybody else, or did by the organiser's word.
    pub fn first(&self, sha256: &str) -> Option<&Miner> {
        self.decided(sha256).or_else(|| self.seen_first(sha256))
    }

    fn seen_first(&self, sha256: &str) -> Option<&Miner> {
        self.holders(sha256).first().map(|holder| &holder.miner)
    }

    /// The organiser's word, of one who was seen with these bytes at all.
    fn decided(&self, sha256: &str) -> Option<&Miner> {
        self.decided.get(sha256).filter(|miner| self.seen(sha256, miner).is_some())
    }

    /// Miners of whom it can't be told who had these bytes first; none where that is known.
    pub fn undecided(&self, sha256: &str) -> Vec<&Miner> {
        match self.undecided.get(sha256).filter(|_| self.decided(sha256).is_none()) {
            Some(later) => self.seen_first(sha256).into_iter().chain(later).collect(),
            None => Vec::new(),
        }
    }

    /// Tells whether a source runs text that it decodes.
    pub fn is_packed(&self, sha256: &str) -> bool {
        self.packed.contains(sha256)
    }

    /// Tells whether this miner is first with these bytes by the organiser's word.
    pub fn is_vouched_for(&self, sha256: &str, miner: &Miner) -> bool {
        self.decided(sha256) == Some(miner)
    }

    /// Tells whether another miner is first with these bytes by the organiser's word.
    pub fn is_disowned(&self, sha256: &str, miner: &Miner) -> bool {
        self.decided(sha256).is_some_and(|first| first != miner)
    }

    /// The time at which a miner was first seen with these bytes: their arrival, or the look that found the file.
    pub fn seen(&self, sha256: &str, miner: &Miner) -> Option<Timestamp> {
        self.holder(sha256, miner).map(|holder| holder.seen)
    }

    /// The time by which it is decided what a miner's bytes came before.
    pub fn decides(&self, sha256: &str, miner: &Miner) -> Option<Timestamp> {
        self.holder(sha256, miner).map(|holder| holder.place.time())
    }

    /// Submissions of a miner, oldest first; the same bytes once.
    pub fn submitted_by(&self, miner: &Miner) -> &[SubmittedBytes] {
        self.submitted.get(miner).map_or(&[], Vec::as_slice)
    }

    /// Tells whether this is the file that the miner was last seen with.
    pub fn is_last_file(&self, miner: &Miner, file: &str) -> bool {
        self.files.get(miner).is_some_and(|last| last == file)
    }

    /// The bytes that what a miner was last seen with is by another `validate.files`, if it was these.
    pub fn other(&self, miner: &Miner, sha256: &str) -> Option<&OtherBytes> {
        self.others.get(miner).filter(|(of, _)| of == sha256).map(|(_, other)| other)
    }

    /// The time at which bytes came, if what the miner was last seen with is these and those others by another `validate.files`:
    /// nothing but that has changed.
    pub fn came_as_other(&self, miner: &Miner, sha256: &str, others: &str) -> Option<Timestamp> {
        let (of, other) = self.others.get(miner)?;
        (of == others && other.sha256 == sha256).then_some(other.came)
    }

    /// The time from which bytes count or would, if they are what the miner was last seen with, by whichever `validate.files`.
    pub fn came_as_any(&self, miner: &Miner, sha256: &str) -> Option<Timestamp> {
        let other = self.others.get(miner).map(|(_, other)| other).filter(|other| other.sha256 == sha256);
        let last = || self.events(miner).last().filter(|last| last.sha256 == sha256);
        other.map(|other| other.came).or_else(|| last().map(|last| last.came))
    }

    /// The latest time of all sights.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}

impl<'a> FromIterator<&'a Sight> for FirstSights {
    fn from_iter<T: IntoIterator<Item = &'a Sight>>(sights: T) -> Self {
        let mut all = Self::default();
        sights.into_iter().for_each(|sight| all.add(sight));
        all
    }
}

#[cfg(test)]
mod tests;
