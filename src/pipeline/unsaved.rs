//! Reports that could not be written: kept until they can be, as an evaluation must not be lost to a full disk.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::intake::Miner;
use super::publish;
use crate::report::Report;

/// The last report of each miner whose report could not be written.
#[derive(Debug, Default)]
pub struct Unsaved(Mutex<BTreeMap<Miner, Report>>);

impl Unsaved {
    /// Writes a report, or keeps it.
    pub fn save(&self, results: &Path, report: &Report) {
        let mut kept = self.lock();
        kept.remove(&report.miner);
        if publish::save_report(results, report).is_err() {
            kept.insert(report.miner.clone(), report.clone());
        }
    }

    /// Writes what was kept.
    ///
    /// # Errors
    /// The first that still can't be written; the message names the file.
    pub fn retry(&self, results: &Path) -> io::Result<()> {
        let mut first = Ok(());
        self.lock().retain(|_, report| {
            let saved = publish::save_report(results, report);
            let failed = saved.is_err();
            first = std::mem::replace(&mut first, Ok(())).and(saved);
            failed
        });
        first
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Miner, Report>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
