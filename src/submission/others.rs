//! Files that others have dropped into the inbox and no look has seen yet. A submission that a channel of ours takes is seen at once,
//! so it has them seen before itself: whoever can read the inbox would else be first with a file of somebody else's.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::pipeline::archive;
use crate::pipeline::intake::{self, Bounds, Stamp};
use crate::pipeline::ledger::{Found, Ledger};
use crate::pipeline::season::{Course, Decision};

/// How many times longer than a look took is at least spent on other things.
const SHARE: u32 = 20;

/// The inbox as far as it was looked at for others' files.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Files that were read, as they were then.
    read: HashMap<String, Stamp>,
    /// The time until which nothing is looked at again.
    until: Option<Instant>,
}

impl Others {
    /// Has the ledger know the bytes of all files but this miner's that stand still and are not known yet, and the archive those
    /// that count: they may be replaced before a pass looks.
    ///
    /// # Errors
    /// The inbox can't be read, or the ledger or the archive can't be written.
    pub(super) fn see(&mut self, pipeline: &Pipeline, miner: &Miner, ledger: &mut Ledger) -> io::Result<()> {
        let began = Instant::now();
        if self.until.is_some_and(|until| began < until) {
            return Ok(());
        }
        let found = self.unseen(pipeline, miner, ledger)?;
        if !found.is_empty() {
            ledger.add(found, Timestamp::now());
            ledger.write()?;
        }
        self.until = Some(Instant::now() + began.elapsed() * SHARE);
        Ok(())
    }

    fn unseen(&mut self, pipeline: &Pipeline, miner: &Miner, ledger: &mut Ledger) -> io::Result<Vec<Found>> {
        let Pipeline { inbox, validate: rules, .. } = pipeline;
        let bounds = Bounds::from(rules);
        let ordered = intake::order::unreliable(inbox).is_none();
        ledger.catch_up()?;
        let mut found = Vec::new();
        for file in intake::list(inbox, bounds)?.files {
            let is_known = file.stamp.is_some_and(|stamp| self.read.get(&file.file) == Some(&stamp));
            if is_known || file.miner == *miner {
                continue;
            }
            let Ok(submission) = intake::read(&file, bounds) else { continue };
            self.read.extend(file.stamp.map(|stamp| (file.file.clone(), stamp)));
            if ledger.sights().seen(&submission.sha256, &file.miner).is_none() {
                let refused = super::check(&submission.bytes, pipeline).is_err();
                let one = Found { refused, ..Found::dropped(&submission, ordered) };
                if counts(pipeline, ledger, &one) {
                    archive::keep(&pipeline.results, &one.sha256, &submission.bytes)?;
                }
                found.push(one);
            }
        }
        Ok(found)
    }
}

/// Tells whether an agent that the ledger does not know counts by the rules of the season.
fn counts(pipeline: &Pipeline, ledger: &Ledger, found: &Found) -> bool {
    let Some(season) = pipeline.season.as_ref().filter(|_| !found.refused) else { return !found.refused };
    let now = ledger.now(Timestamp::now());
    let came = ledger.by_files(&found.miner, &found.file, found.arrived).map_or(now, |came| came.min(now));
    let course = Course::of(season, &found.miner, ledger.sights());
    !matches!(course.decide(&found.sha256, came), Decision::Refused(_))
}
