//! Ledger of first sights: `results/ledger.jsonl`, a line for each miner's bytes, written before anything is ranked by it.
//!
//! The file only grows, by whole lines, each batch synced. A crash may leave half of a line: what follows begins on a
//! line of its own, and the half is told and counts for nothing, as nothing was ranked by it. A pass writes to it what it
//! finds in the inbox, and a submission over a channel of ours itself, so that nothing is missed that is replaced at once.

mod found;
mod lines;
mod looked;
mod order;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::first_sights::{FirstSights, OtherBytes, Sight};
use crate::model::miner_id::Miner;
pub use crate::pipeline::ledger::found::Found;
pub use crate::pipeline::ledger::looked::last_look;
use crate::pipeline::ledger::looked::{Look, Looked};
use crate::pipeline::ledger::order::Ordered;
use crate::pipeline::report_summary::Remembered;
use crate::pipeline::{receipt, report_store};
use crate::util::atomic_file::{self, blame};
use crate::util::{line_file, private, regular};
use crate::yaml::Problems;

const FILE: &str = "ledger.jsonl";

/// Held while the file is written.
const LOCK: &str = ".ledger.lock";

/// How long others may hold it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ledger, and what it does not hold yet. Several processes may write to one file: each takes in what others wrote
/// before it adds a line.
#[derive(Debug)]
pub struct Ledger {
    results: PathBuf,
    path: PathBuf,
    sights: FirstSights,
    /// The organiser's word on who was first.
    originals: BTreeMap<String, Miner>,
    looked: Looked,
    /// Sights that are not on the disk, in their order.
    unwritten: Vec<Unwritten>,
    /// Length of the file in bytes, as far as it was taken in.
    length: u64,
    /// False if nothing may be written.
    is_writable: bool,
}

/// A sight that is not on the disk.
#[derive(Debug)]
struct Unwritten {
    sight: Sight,
    /// True if it is of bytes that were seen before, and a submission of its own.
    again: bool,
}

impl Ledger {
    /// Reads the ledger of a results folder. Where there is none, the reports tell who was first. Gives a warning, too,
    /// if a crash left half of a line.
    ///
    /// # Errors
    /// [`Problems`]: lines that are none of ours, all of them. The file is left as it is.
    pub fn open(results: &Path) -> Result<(Self, Option<String>), Problems> {
        Self::open_deciding(results, &BTreeMap::new())
    }

    /// Like [`Ledger::open`], with the organiser's word on who was first with bytes, by their digests.
    ///
    /// # Errors
    /// As of [`Ledger::open`].
    pub fn open_deciding(
        results: &Path,
        originals: &BTreeMap<String, Miner>,
    ) -> Result<(Self, Option<String>), Problems> {
        let path = results.join(FILE);
        // What is just being written is no half of a line. A folder that can't be locked can't be written to, either.
        let lock = private::lock(&results.join(LOCK), PATIENCE);
        let bytes = match regular::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(lines::unreadable(&path, &error)),
        };
        drop(lock);
        let read = lines::read(&path, &bytes)?;
        let unwritten = if bytes.is_empty() { reported(results) } else { Vec::new() };
        let mut looked = Looked::default();
        looked.catch_up(results);
        let ledger = Self {
            results: results.to_owned(),
            looked,
            path,
            sights: together(originals, read.sights.iter().chain(&unwritten)),
            originals: originals.clone(),
            unwritten: unwritten.into_iter().map(|sight| Unwritten { sight, again: false }).collect(),
            length: bytes.len() as u64,
            is_writable: true,
        };
        Ok((ledger, read.warning))
    }

    /// The ledger as one that takes in and never writes.
    #[must_use]
    pub fn unwritable(self) -> Self {
        Self { is_writable: false, ..self }
    }

    /// False if nothing may be written beside it, either.
    pub fn is_writable(&self) -> bool {
        self.is_writable
    }

    /// The results folder that it is of.
    pub fn results(&self) -> &Path {
        &self.results
    }

    /// All sights so far, written or not.
    pub fn sights(&self) -> &FirstSights {
        &self.sights
    }

    /// Takes in what one look at the inbox found. What is new in it has its line after all that is known, whatever the clock says, and in
    /// the order in which the files were last changed, as far as that tells one. It came after the last complete look that did not see
    /// it and after all else of its miner's, whatever the file says; what others handed in meanwhile makes nobody late.
    pub fn add(&mut self, mut found: Vec<Found>, now: Timestamp) {
        // What can't be read now is taken in before anything is written.
        let _ = self.catch_up();
        self.looked.catch_up(&self.results);
        found.retain(|found| self.is_news(found));
        let at = self.now(now);
        for Ordered { found, receipt, undecided } in order::of_one_look(&self.results, found, &self.sights) {
            let via = receipt::channel(receipt.as_ref());
            let Found { arrived, came, file, miner, sha256, refused, packed, other, .. } = found;
            let again = self.sights.is_return(&miner, &sha256, refused);
            // A pass may see a file before the channel that took it has noted it.
            let is_news = again || self.sights.seen(&sha256, &miner).is_none();
            let taken = || receipt.as_ref().filter(|_| is_news).map(|receipt| receipt.received_at);
            let by_files = |arrived| self.by_files(&miner, &file, arrived);
            let as_other = || self.sights.came_as_other(&miner, &sha256, &other.as_ref()?.0);
            let came = came.or_else(taken).or_else(as_other).or_else(|| by_files(arrived));
            let came = came.filter(|came| *came < at);
            let other = other.map(|(sha256, arrived)| {
                let came = self.sights.came_as_any(&miner, &sha256).or_else(|| by_files(arrived));
                OtherBytes { sha256, came: came.unwrap_or(at).min(at) }
            });
            let prints = Vec::new();
            self.push(
                Sight { sha256, miner, at, came, file, via, refused, prints, undecided, packed, other },
                again,
            );
        }
    }

    /// The time at which a dropped file came that was changed last at `arrived`, in seconds and nanoseconds: after the last complete
    /// look that did not see it and after all else of its miner's. None if that is no time.
    pub fn by_files(&self, miner: &Miner, file: &str, arrived: (i64, i64)) -> Option<Timestamp> {
        let own = self.sights.events(miner).last().map(|last| last.came);
        let not_before = own.max(self.looked.before(file));
        Some(moment(arrived)?.max(not_before.unwrap_or(Timestamp::MIN)))
    }

    /// Notes that bytes which a miner was seen with before are a new submission, from `came` on.
    pub fn resubmit(&mut self, miner: &Miner, sha256: &str, file: &str, came: Timestamp, now: Timestamp) {
        self.again(miner, sha256, file, Some(came), self.now(now), false);
    }

    /// Notes that the bytes which a miner submitted are no agent, unless that is known.
    pub fn refuse(&mut self, miner: &Miner, sha256: &str, file: &str, now: Timestamp) {
        let events = self.sights.events(miner).iter();
        if events.rev().find(|event| event.sha256 == sha256).is_some_and(|event| !event.refused) {
            self.again(miner, sha256, file, None, self.now(now), true);
        }
    }

    fn again(
        &mut self,
        miner: &Miner,
        sha256: &str,
        file: &str,
        came: Option<Timestamp>,
        at: Timestamp,
        refused: bool,
    ) {
        let via = receipt::origin(&self.results, miner, sha256);
        let (miner, sha256, file) = (miner.clone(), sha256.to_owned(), file.to_owned());
        let came = came.filter(|came| *came < at);
        let (prints, undecided, packed) = (Vec::new(), false, false);
        let other = self.sights.other(&miner, &sha256).cloned();
        self.push(
            Sight { sha256, miner, at, came, file, via, refused, prints, undecided, packed, other },
            true,
        );
    }

    /// Notes that a look began at this time and has seen all that lies in the inbox, but for the bytes of these names.
    pub fn looked(&mut self, at: Timestamp, unread: BTreeSet<String>) {
        self.looked.take(Look { at, unread });
        if self.is_writable {
            // What can't be written now is written with a later look.
            let _ = self.looked.write(&self.results);
        }
    }

    /// The time of what comes next: the clock's, but never one before what is known.
    pub fn now(&self, clock: Timestamp) -> Timestamp {
        let later = |at: Timestamp| at.saturating_add(SignedDuration::from_millis(1)).unwrap_or(at);
        [self.sights.newest().map(later), self.looked.at()].into_iter().flatten().fold(clock, Timestamp::max)
    }

    fn push(&mut self, sight: Sight, again: bool) {
        self.sights.add(&sight);
        self.unwritten.push(Unwritten { sight, again });
    }

    fn is_news(&self, found: &Found) -> bool {
        self.sights.seen(&found.sha256, &found.miner).is_none()
            || self.sights.is_return(&found.miner, &found.sha256, found.refused)
            || !self.sights.is_last_file(&found.miner, &found.file)
            || self.has_other_bytes(
                &found.miner,
                &found.sha256,
                found.other.as_ref().map(|(sha256, _)| sha256),
            )
    }

    /// True if these bytes of a miner's would be others by another `validate.files` than the ledger knows.
    pub fn has_other_bytes(&self, miner: &Miner, sha256: &str, other: Option<&String>) -> bool {
        self.sights.other(miner, sha256).map(|known| &known.sha256) != other
    }

    /// Takes in what others have written since.
    ///
    /// # Errors
    /// The file can't be read, was cut off, or holds lines that are none of ours; the message names it.
    pub fn catch_up(&mut self) -> io::Result<()> {
        let tail = self.tail().map_err(|error| blame(&self.path, &error))?;
        if tail.is_empty() {
            return Ok(());
        }
        let read =
            lines::read(&self.path, &tail).map_err(|problems| io::Error::other(problems.to_string()))?;
        self.length += tail.len() as u64;
        if self.unwritten.is_empty() {
            read.sights.iter().for_each(|sight| self.sights.add(sight));
            return Ok(());
        }
        self.put_behind()
    }

    /// Lines that others have written, whole ones only.
    fn tail(&self) -> io::Result<Vec<u8>> {
        let mut file = match regular::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && self.length == 0 => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() < self.length {
            return Err(io::Error::other("somebody else has cut it off; start agentmill again"));
        }
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(self.length))?;
        file.read_to_end(&mut tail)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        tail.truncate(whole);
        Ok(tail)
    }

    /// Others were faster: what is not written yet comes after what they wrote.
    fn put_behind(&mut self) -> io::Result<()> {
        let mut bytes = regular::read(&self.path)?;
        bytes.truncate(usize::try_from(self.length).unwrap_or(usize::MAX));
        let read =
            lines::read(&self.path, &bytes).map_err(|problems| io::Error::other(problems.to_string()))?;
        self.sights = together(&self.originals, read.sights.iter());
        let is_theirs = |unwritten: &Unwritten| self.sights.first(&unwritten.sight.sha256).is_some();
        let mut unwritten = std::mem::take(&mut self.unwritten);
        // What others have seen before is no longer between those of one look.
        unwritten.iter_mut().filter(|one| is_theirs(one)).for_each(|one| one.sight.undecided = false);
        for unwritten in unwritten {
            if !self.holds(&unwritten) {
                let Unwritten { sight, again } = unwritten;
                // What was to count from the time of its line on does so all the same.
                let (at, came) = (self.now(sight.at), sight.came.unwrap_or(sight.at));
                self.push(Sight { at, came: Some(came).filter(|came| *came < at), ..sight }, again);
            }
        }
        Ok(())
    }

    /// Tells whether others have written the same.
    fn holds(&self, Unwritten { sight, again }: &Unwritten) -> bool {
        let Sight { sha256, miner, file, refused, other, .. } = sight;
        let last = self.sights.events(miner).last();
        match again {
            true => last.is_some_and(|last| last.sha256 == *sha256 && last.refused == *refused),
            false => {
                let other = other.as_ref().map(|other| &other.sha256);
                self.sights.seen(sha256, miner).is_some()
                    && self.sights.is_last_file(miner, file)
                    && !self.has_other_bytes(miner, sha256, other)
            }
        }
    }

    /// Writes what is not on the disk yet. When it returns, a power loss takes none of it.
    ///
    /// # Errors
    /// The file can't be written, or somebody has cut it off; the message names it. Nothing is forgotten.
    pub fn write(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() || !self.is_writable {
            return Ok(());
        }
        let lock = self.results.join(LOCK);
        let _lock = private::lock(&lock, PATIENCE).map_err(|error| blame(&self.path, &error))?;
        self.catch_up()?;
        let written = lines::render(self.unwritten.iter().map(|unwritten| &unwritten.sight)).and_then(
            |lines| match self.length {
                0 => self.create(&lines),
                _ => self.append(&lines),
            },
        );
        written.map_err(|error| blame(&self.path, &error))?;
        self.unwritten.clear();
        Ok(())
    }

    /// All at once: a file that holds a part of what the reports tell would hide the rest.
    fn create(&mut self, lines: &[u8]) -> io::Result<()> {
        atomic_file::replace(&self.path, lines)?;
        File::open(&self.results)?.sync_all()?;
        self.length = lines.len() as u64;
        Ok(())
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = File::options().append(true).read(true).open(&self.path)?;
        self.length = line_file::append(&file, lines)?;
        Ok(())
    }
}

/// Sights taken together, with the organiser's word on some.
fn together<'a>(originals: &BTreeMap<String, Miner>, sights: impl Iterator<Item = &'a Sight>) -> FirstSights {
    let mut all = FirstSights::deciding(originals.clone());
    sights.for_each(|sight| all.add(sight));
    all
}

/// The time of an inode's change, in whole milliseconds.
fn moment((seconds, nanoseconds): (i64, i64)) -> Option<Timestamp> {
    Timestamp::from_millisecond(seconds.checked_mul(1000)?.checked_add(nanoseconds / 1_000_000)?).ok()
}

/// First sights as the reports of an older agentmill tell them.
fn reported(results: &Path) -> Vec<Sight> {
    let sight = |report: Remembered| Sight {
        via: receipt::origin(results, &report.miner, &report.sha256),
        sha256: report.sha256,
        miner: report.miner,
        at: report.first_seen,
        came: None,
        file: report.file,
        refused: false,
        prints: Vec::new(),
        undecided: false,
        packed: false,
        other: None,
    };
    let mut sights: Vec<Sight> = report_store::all(results).map(sight).collect();
    sights.sort_by(|a, b| (a.at, &a.miner).cmp(&(b.at, &b.miner)));
    sights
}
