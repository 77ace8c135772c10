//! Tests of the table.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::config;
use crate::model::report::Report;
use crate::pipeline::publish::samples::{miner, report};
use crate::util::digest;

/// Of the best ones all count, and a miner may have handed in thousands: none of them is read from the disk for each that comes.
#[test]
fn what_counts_beside_a_new_submission_is_not_read_anew() {
    let (inbox, results) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut pipeline = config::parse(Path::new("pipeline.yaml"), b"season: {counts: best}\n").unwrap();
    pipeline.inbox = inbox.path().to_owned();
    (pipeline.results, pipeline.records) = (results.path().to_owned(), results.path().to_owned());
    let (plan, scope) = (EvaluationPlan::new(&pipeline, &[], "image"), Scope::default());
    let (pending_writes, ledger) = (PendingReportWrites::new(true), Ledger::open(results.path()).unwrap().0);
    let mut table =
        SubmissionTable::new(&pipeline, Library::default(), plan, &scope, false, &pending_writes, ledger);
    let mut drop = |source: &str| {
        let file = inbox.path().join("ann.py");
        fs::write(&file, source).unwrap();
        let a_while_ago = SystemTime::now() - Duration::from_secs(10);
        File::options().write(true).open(&file).unwrap().set_modified(a_while_ago).unwrap();
        table.list().unwrap();
        let states = table.entries[&miner("ann")].archived.iter();
        states.map(|state| matches!(state, State::Waits(_))).collect::<Vec<_>>()
    };
    assert!(drop("x = 1\n").is_empty());
    assert_eq!(drop("x = 2\n"), [true]);
    // By this one the first would be complete.
    let sha256 = digest::sha256(b"x = 1\n");
    let first = Report { sha256: sha256.clone(), ..report("ann", Vec::new()) };
    report_store::save(&report_store::path(results.path(), &miner("ann"), &sha256, true), &first).unwrap();
    assert_eq!(drop("x = 3\n"), [true, true]);
}
