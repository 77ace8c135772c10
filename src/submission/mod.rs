//! Submitting: a submission is checked as the pipeline would, then put into the inbox whole.
//!
//! Every submission takes this way, whether HTTP or the command line brings it. Its receipt, which tells what is known
//! besides its bytes, stands in `results/.uploads/<miner>.json`, a folder that is ours alone: the inbox is others'.

mod compile;
mod others;
mod place;
mod refusal_log;
mod refused;
mod uploads;

use std::io;
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tracing::warn;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::pipeline::image_memory::KnownImage;
use crate::pipeline::intake::InboxFile;
use crate::pipeline::ledger::{Found, Ledger};
use crate::pipeline::season::{Course, Decision, Room};
use crate::pipeline::{archive, intake, receipt as receipts, season, validate};
use crate::submission::others::Others;
use crate::submission::place::Place;
use crate::submission::refusal_log::RefusedSubmission;
use crate::submission::uploads::Uploads;
use crate::util::digest;

pub use crate::pipeline::receipt::{Channel, Receipt};
pub use crate::submission::compile::Compiler;
pub use crate::submission::refused::Refused;

/// Checks a source as the pipeline would, as far as that is possible without running Python: by the modules of the image that
/// the last pass ran, or of the default one before any.
///
/// # Errors
/// The reason why the pipeline would not take it.
pub fn check(source: &[u8], pipeline: &Pipeline) -> Result<(), Refused> {
    let rules = &pipeline.validate;
    if let Some(reason) = intake::excess(source.len() as u64, rules.max_bytes) {
        return Err(Refused::Large(reason));
    }
    validate::check(source, rules, &KnownImage::read(&pipeline.results).library).map_err(Refused::Source)
}

/// [`Submitter::admit`] by itself.
///
/// # Errors
/// As of [`Submitter::admit`].
pub fn admit(pipeline: &Pipeline, miner: &Miner, source: &[u8], here: Instant) -> Result<(), Refused> {
    Submitter::default().admit(pipeline, miner, &digest::sha256(source), here).map(drop)
}

/// Memory from submission to submission: the ledger as far as it was read, and the inbox.
#[derive(Debug, Default)]
pub struct Submitter {
    ledger: Mutex<Option<Ledger>>,
    others: Mutex<Others>,
}

/// [`Submitter::submit`] by itself.
///
/// # Errors
/// As of [`Submitter::submit`].
pub fn submit(
    pipeline: &Pipeline,
    miner: &Miner,
    source: &[u8],
    (channel, here): (Channel, Instant),
) -> Result<(Receipt, bool), Refused> {
    Submitter::default().submit(pipeline, miner, source, (channel, here))
}

impl Submitter {
    /// Puts a checked source into the inbox as the miner's only submission. When it returns, the file is on the disk, whole
    /// and under its name, and stands in the archive. Tells whether anything changed: the same bytes again are left as they
    /// lie. What lies there before is archived, too, if no pass has seen it, and what others have dropped is seen before it. It counts from the moment on at which it was `here`,
    /// however long it has waited to be looked at since.
    ///
    /// # Errors
    /// What is in its way, or another process that holds the miner's lock for 10 s; the inbox is then as it was.
    pub fn submit(
        &self,
        pipeline: &Pipeline,
        miner: &Miner,
        source: &[u8],
        (channel, here): (Channel, Instant),
    ) -> Result<(Receipt, bool), Refused> {
        let Pipeline { inbox, results, .. } = pipeline;
        let uploads = Uploads::open(results, inbox)?;
        let _lock = uploads.lock(miner)?;
        let place = Place::of(pipeline, miner)?;
        place.check_alone()?;
        let sha256 = digest::sha256(source);
        let bytes = source.len() as u64;
        let before = receipt(results, miner);
        if let Some(known) = before.as_ref().filter(|known| known.sha256 == sha256)
            && place.holds(&sha256, bytes)
        {
            return Ok((known.clone(), false));
        }
        if let Some(standing) = place.content() {
            self.note(pipeline, standing, None)?;
        }
        // Who has withdrawn is let in only where new bytes would be.
        let submitted = if place.is_empty() { "" } else { &sha256 };
        let came = self.decide(pipeline, miner, (submitted, &sha256), here)?;
        // Only now: what is refused looks at nobody's file, as each look may make a draft that lies there a submission of a season.
        self.see_others(pipeline, miner)?;
        archive::keep(results, &sha256, source)?;
        let file = place.file().to_owned();
        let receipt = Receipt { miner: miner.clone(), file, sha256, bytes, received_at: came, channel };
        // First the receipt: whoever sees the file is to know how it came.
        uploads.keep(&receipt)?;
        place.put(&uploads, source).inspect_err(|_| uploads.restore(miner, before.as_ref()))?;
        if let Some(taken) = place.content() {
            // What can't be noted now is noted by a pass, or before it is replaced. Only what was admitted counts from then on.
            let admitted = Some(came).filter(|_| taken.sha256 == receipt.sha256);
            let _ = self.note(pipeline, taken, admitted);
        }
        Ok((receipt, true))
    }

    /// Has the ledger know what others have dropped into the inbox.
    fn see_others(&self, pipeline: &Pipeline, miner: &Miner) -> io::Result<()> {
        let mut others = self.others.lock();
        let mut held = self.ledger.lock();
        let seen = others.see(pipeline, miner, open(&mut held, &pipeline.results)?);
        if seen.is_err() {
            // Both are read anew: what is not on the disk was not seen.
            (*held, *others) = (None, Others::default());
        }
        seen
    }

    /// Tells by the rules of the season, if there are any, whether a submission counts that was `here` at this moment; gives the time
    /// of that moment, from which it counts. One that does not is noted in the log of the miner's refusals.
    ///
    /// # Errors
    /// It would not; or the ledger can't be read.
    pub fn admit(
        &self,
        pipeline: &Pipeline,
        miner: &Miner,
        sha256: &str,
        here: Instant,
    ) -> Result<Timestamp, Refused> {
        self.decide(pipeline, miner, (sha256, sha256), here)
    }

    /// Decides by one digest on the bytes of another.
    fn decide(
        &self,
        pipeline: &Pipeline,
        miner: &Miner,
        (by, sha256): (&str, &str),
        here: Instant,
    ) -> Result<Timestamp, Refused> {
        let mut held = self.ledger.lock();
        let ledger = open(&mut held, &pipeline.results)?;
        ledger.catch_up()?;
        // Measured, not by a clock that may be set.
        let waited = SignedDuration::from_millis(here.elapsed().as_millis().try_into().unwrap_or(i64::MAX));
        let now = ledger.now(now());
        let came = now.checked_sub(waited).unwrap_or(now);
        let Some(season) = &pipeline.season else { return Ok(came) };
        let course = Course::of(season, miner, ledger.sights());
        let (decision, deadline) = (course.decide(by, came), course.end());
        drop(held);
        let Decision::Refused(refusal) = decision else { return Ok(came) };
        let reason = refusal.reason.as_str();
        let refused = RefusedSubmission { miner, received_at: came, deadline, sha256, reason };
        let uploads = Uploads::open(&pipeline.results, &pipeline.inbox);
        if let Err(error) = uploads.and_then(|uploads| uploads.note(&refused)) {
            warn!(%miner, sha256, %came, %error, "a refusal can't be noted");
        }
        Err(Refused::Season(refusal))
    }

    /// Miners that were seen with these bytes, the first one first, and when. Only reads.
    ///
    /// # Errors
    /// The ledger can't be read.
    pub fn miners_of(&self, results: &Path, sha256: &str) -> io::Result<Vec<(Miner, Timestamp)>> {
        let mut held = self.ledger.lock();
        let ledger = open(&mut held, results)?;
        ledger.catch_up()?;
        Ok(ledger.sights().miners(sha256).map(|(miner, at)| (miner.clone(), at)).collect())
    }

    /// Tells whether a miner has ever submitted anything. Only reads.
    ///
    /// # Errors
    /// The ledger can't be read.
    pub fn has_submitted(&self, results: &Path, miner: &Miner) -> io::Result<bool> {
        let mut held = self.ledger.lock();
        let ledger = open(&mut held, results)?;
        ledger.catch_up()?;
        Ok(!ledger.sights().events(miner).is_empty())
    }

    /// Submissions that the rules of the season leave a miner; None where there are no rules.
    ///
    /// # Errors
    /// The ledger can't be read.
    pub fn room(&self, pipeline: &Pipeline, miner: &Miner, now: Timestamp) -> io::Result<Option<Room>> {
        let Some(season) = &pipeline.season else { return Ok(None) };
        let mut held = self.ledger.lock();
        let ledger = open(&mut held, &pipeline.results)?;
        ledger.catch_up()?;
        let now = ledger.now(now);
        Ok(Some(Course::of(season, miner, ledger.sights()).room(now)))
    }

    /// Writes what lies in the inbox into the ledger and the archive, unless it stands there. What was admitted counts from
    /// then on.
    fn note(
        &self,
        pipeline: &Pipeline,
        submission: intake::Submission,
        admitted: Option<Timestamp>,
    ) -> io::Result<()> {
        let results = &pipeline.results;
        let refused = check(&submission.bytes, pipeline).is_err();
        if !refused {
            archive::keep(results, &submission.sha256, &submission.bytes)?;
        }
        let mut held = self.ledger.lock();
        let ledger = open(&mut held, results)?;
        let found = Found { refused, came: admitted, ..Found::dropped(&submission, true) };
        let now = Timestamp::now();
        ledger.add(vec![found], now);
        if let Some(season) = pipeline.season.as_ref().filter(|_| !refused) {
            let now = admitted.unwrap_or_else(|| ledger.now(now));
            let InboxFile { miner, file, .. } = &submission.inbox_file;
            season::settle(ledger, season, miner, (&submission.sha256, file), now);
        }
        let written = ledger.write();
        if written.is_err() {
            // It is read anew: what is not on the disk was not seen.
            *held = None;
        }
        written
    }
}

/// Now, in whole milliseconds.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The ledger as far as it was read, or anew.
fn open<'a>(held: &'a mut Option<Ledger>, results: &Path) -> io::Result<&'a mut Ledger> {
    let ledger = match held.take().filter(|ledger| ledger.results() == results) {
        Some(ledger) => ledger,
        None => Ledger::open(results).map_err(|problems| io::Error::other(problems.to_string()))?.0,
    };
    Ok(held.insert(ledger))
}

/// The bytes of the miner's submission that lies in the inbox, if there is one that a pass would read.
#[must_use]
pub fn present(pipeline: &Pipeline, miner: &Miner) -> Option<Vec<u8>> {
    let place = Place::of(pipeline, miner).ok()?;
    place.content().map(|submission| submission.bytes)
}

/// Makes ready for submissions: the private folder is there, and nothing half made in it or in the inbox.
///
/// # Errors
/// The private folder can't be made or used. That a file can't be removed is no error: it is in nobody's way.
pub fn prepare(pipeline: &Pipeline) -> io::Result<()> {
    Uploads::open(&pipeline.results, &pipeline.inbox)?.tidy(&pipeline.inbox);
    Ok(())
}

/// The receipt of the miner's last submission, if there is one.
#[must_use]
pub fn receipt(results: &Path, miner: &Miner) -> Option<Receipt> {
    receipts::read(results, miner)
}

/// Tells whether nothing lies in the inbox any more for the miner of a submission.
#[must_use]
pub fn is_withdrawn(pipeline: &Pipeline, receipt: &Receipt) -> bool {
    let there = |file: &str| pipeline.inbox.join(file).symlink_metadata().is_ok();
    !there(&receipt.file) && Place::of(pipeline, &receipt.miner).is_ok_and(|place| !there(place.file()))
}

/// Tells whether other bytes than a submission's lie in the inbox for its miner: somebody put them there by other ways.
#[must_use]
pub fn is_replaced(pipeline: &Pipeline, receipt: &Receipt) -> bool {
    Place::of(pipeline, &receipt.miner).map_or(true, |place| !place.holds(&receipt.sha256, receipt.bytes))
}

#[cfg(test)]
mod tests;
