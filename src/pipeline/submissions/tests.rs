//! Tests of the table.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;

use super::*;
use crate::config;
use crate::model::report::Report;
use crate::pipeline::publish::samples::{miner, report};
use crate::util::digest;

/// An inbox in which ann drops one submission after the other, and the season's rules.
struct Drops {
    inbox: tempfile::TempDir,
    results: tempfile::TempDir,
    pipeline: Pipeline,
}

impl Drops {
    fn new(season: &str) -> Self {
        let (inbox, results) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let text = format!("season: {season}\n");
        let mut pipeline = config::parse(Path::new("pipeline.yaml"), text.as_bytes()).unwrap();
        pipeline.inbox = inbox.path().to_owned();
        (pipeline.results, pipeline.records) = (results.path().to_owned(), results.path().to_owned());
        Self { inbox, results, pipeline }
    }

    fn put(&self, source: &str) {
        let file = self.inbox.path().join("ann.py");
        fs::write(&file, source).unwrap();
        let a_while_ago = SystemTime::now() - Duration::from_secs(10);
        File::options().write(true).open(&file).unwrap().set_modified(a_while_ago).unwrap();
    }

    /// Tells of the first `count` ones whether the archive holds them.
    fn archived(&self, count: usize) -> Vec<bool> {
        let holds = |number: usize| archive::read(self.results.path(), &sha256(number)).is_some();
        (1..=count).map(holds).collect()
    }
}

fn source(number: usize) -> String {
    format!("x = {number}\n")
}

fn sha256(number: usize) -> String {
    digest::sha256(source(number).as_bytes())
}

/// Has ann drop submissions into an inbox, and looks at it.
fn play(season: &str, play: impl FnOnce(&Drops, &mut SubmissionTable<'_>)) {
    let drops = Drops::new(season);
    let (scope, pending_writes) = (Scope::default(), PendingReportWrites::new(true));
    let plan = EvaluationPlan::new(&drops.pipeline, &[], "image");
    let (library, ledger) = (Library::default(), Ledger::open(drops.results.path()).unwrap().0);
    let mut table =
        SubmissionTable::new(&drops.pipeline, library, plan, &scope, false, &pending_writes, ledger);
    play(&drops, &mut table);
}

/// Of the best ones all count, and a miner may have handed in thousands: none of them is read from the disk for each that comes.
#[test]
fn what_counts_beside_a_new_submission_is_not_read_anew() {
    play("{counts: best}", |drops, table| {
        let mut drop = |number: usize| {
            drops.put(&source(number));
            table.list().unwrap();
            let states = table.entries[&miner("ann")].archived.iter();
            states.map(|state| matches!(state, State::Waits(_))).collect::<Vec<_>>()
        };
        assert!(drop(1).is_empty());
        assert_eq!(drop(2), [true]);
        // By this one the first would be complete.
        let first = Report { sha256: sha256(1), ..report("ann", Vec::new()) };
        let path = report_store::path(drops.results.path(), &miner("ann"), &sha256(1), true);
        report_store::save(&path, &first).unwrap();
        assert_eq!(drop(3), [true, true]);
    });
}

#[test]
fn what_does_not_count_fills_no_archive() {
    play("{submissions: {total: 2}}", |drops, table| {
        for number in 1..=4 {
            drops.put(&source(number));
            table.list().unwrap();
            table.write_ledger().unwrap();
        }
        assert_eq!(drops.archived(4), [true, true, false, false]);
    });
}

#[test]
fn what_counts_from_another_day_on_is_archived_then() {
    play("{submissions: {per_day: 1}}", |drops, table| {
        for number in 1..=2 {
            drops.put(&source(number));
            table.list().unwrap();
            table.write_ledger().unwrap();
        }
        assert_eq!(drops.archived(2), [true, false]);
        let tomorrow = now() + SignedDuration::from_hours(36);
        table.ledger.looked(tomorrow, BTreeSet::new());
        assert!(table.reconsider(tomorrow));
        table.write_ledger().unwrap();
        assert_eq!(drops.archived(2), [true, true]);
    });
}

/// A writer that never pauses would have its file found changed again and again, thousands of times a second.
#[test]
fn what_an_evaluation_found_changed_is_due_once_it_was_read_again() {
    play("{counts: last}", |drops, table| {
        drops.put(&source(1));
        table.list().unwrap();
        assert_eq!((table.take_due(|_| false).len(), table.left(false).count()), (1, 1));
        table.finished(Finished::FileChanged(miner("ann")));
        let file = File::options().write(true).open(drops.inbox.path().join("ann.py")).unwrap();
        file.set_modified(SystemTime::now()).unwrap();
        table.look_at_touched();
        assert_eq!((table.due(), table.left(false).count()), (0, 0), "it is still being written");
        drops.put(&source(1));
        table.list().unwrap();
        assert_eq!((table.due(), table.left(false).count()), (1, 1));
    });
}

/// The best one may be any of them: it stands on the board, whatever lies in the inbox.
#[test]
fn all_that_wait_are_left_and_the_awaited_one_is_taken_first() {
    play("{counts: best}", |drops, table| {
        for number in 1..=3 {
            drops.put(&source(number));
            table.list().unwrap();
        }
        let mut left: Vec<&str> = table.left(false).map(|(_, sha256)| sha256).collect();
        left.sort_unstable();
        let mut all = [1, 2, 3].map(sha256);
        all.sort_unstable();
        assert_eq!(left, all);
        // Whoever has handed in thousands keeps no board waiting for them.
        let jobs = table.take_due(|(_, digest)| digest == sha256(2));
        assert_eq!(jobs.iter().map(|job| &job.head.sha256).collect::<Vec<_>>(), [&sha256(2)]);
    });
}
