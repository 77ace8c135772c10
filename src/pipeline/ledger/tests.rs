//! Ledgers: written, cut off, edited by others, and made of what reports remember.

use std::fs;

use jiff::SignedDuration;
use tempfile::TempDir;

use super::*;
use crate::pipeline::publish::samples::{miner, noon, report};
use crate::pipeline::report_store::save_report;

/// A results folder.
struct Results(TempDir);

impl Results {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(FILE)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// The miners of all lines, in their order.
    fn miners(&self) -> Vec<String> {
        let read = lines::read(&self.file(), &fs::read(self.file()).unwrap()).unwrap();
        read.sights.into_iter().map(|sight| sight.miner.to_string()).collect()
    }

    fn open(&self) -> Ledger {
        Ledger::open(self.0.path()).unwrap().0
    }

    /// Sees one file of a miner, and writes that.
    fn see(&self, id: &str, sha256: &str) {
        let mut ledger = self.open();
        ledger.add(vec![found(id, sha256, 0)], noon());
        ledger.write().unwrap();
    }

    fn first(&self, sha256: &str) -> Option<String> {
        self.open().sights().first(sha256).map(ToString::to_string)
    }
}

fn found(id: &str, sha256: &str, changed: i64) -> Found {
    Found {
        changed: (changed, 0),
        arrived: (changed, 0),
        came: None,
        ordered: true,
        file: format!("{id}.py"),
        miner: miner(id),
        sha256: sha256.into(),
        refused: false,
        packed: false,
        other: None,
    }
}

#[test]
fn the_first_stays_first_whatever_comes_after() {
    let results = Results::new();
    for (id, sha256) in [("zoe", "A"), ("abe", "A"), ("zoe", "B"), ("zoe", "A"), ("abe", "B")] {
        results.see(id, sha256);
    }
    assert_eq!(
        [results.first("A"), results.first("B"), results.first("C")],
        [Some("zoe".into()), Some("zoe".into()), None]
    );
    assert_eq!(results.miners(), ["zoe", "abe", "zoe", "zoe", "abe"], "a return takes a line");
    results.see("abe", "B");
    assert_eq!(results.miners().len(), 5, "what is known takes none");
}

#[test]
fn what_one_look_finds_is_ordered_by_the_change_of_its_inode() {
    let results = Results::new();
    let mut ledger = results.open();
    ledger.add(vec![found("abe", "A", 9), found("zoe", "A", 3), found("eve", "A", 3)], noon());
    ledger.write().unwrap();
    assert_eq!(results.miners(), ["eve", "zoe", "abe"]);
}

#[test]
fn equal_bytes_of_one_look_are_in_no_order_unless_their_times_are_far_apart_and_can_be_trusted() {
    let undecided = |others: Vec<Found>| {
        let results = Results::new();
        let mut ledger = results.open();
        ledger.add(std::iter::once(found("abe", "A", 100)).chain(others).collect(), noon());
        ledger.write().unwrap();
        let told = |ledger: &Ledger| {
            let all = ledger.sights().undecided("A");
            all.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&ledger), told(&results.open()), "it is written");
        told(&ledger)
    };
    let untold = |found: Found| Found { ordered: false, ..found };
    assert_eq!(undecided(vec![found("zoe", "A", 160)]), "abe zoe");
    assert_eq!(undecided(vec![found("zoe", "A", 161), found("eve", "A", 90)]), "eve abe");
    assert_eq!(undecided(vec![found("zoe", "A", 161)]), "");
    assert_eq!(undecided(vec![found("zoe", "B", 100)]), "");
    assert_eq!(undecided(vec![untold(found("zoe", "A", 9000))]), "abe zoe");
}

#[test]
fn what_an_earlier_look_or_a_channel_saw_is_first_and_the_organiser_decides_the_rest() {
    let results = Results::new();
    results.see("zoe", "A");
    let receipt = r#"{"miner": "http", "file": "http.py", "sha256": "B", "bytes": 1,
        "received_at": "2026-03-01T00:00:00Z", "door": "http"}"#;
    fs::create_dir(results.0.path().join(receipt::FOLDER)).unwrap();
    fs::write(results.0.path().join(receipt::FOLDER).join("http.json"), receipt).unwrap();
    let mut ledger = results.open();
    let all = [("abe", "A"), ("bob", "A"), ("cat", "B"), ("http", "B"), ("eve", "C"), ("fay", "C")];
    ledger.add(all.map(|(id, sha256)| found(id, sha256, 0)).into(), noon());
    ledger.write().unwrap();
    let first = |ledger: &Ledger, sha256| ledger.sights().first(sha256).map(ToString::to_string).unwrap();
    let open = |ledger: &Ledger| ["A", "B", "C"].map(|sha256| ledger.sights().undecided(sha256).len());
    assert_eq!(open(&ledger), [0, 0, 2]);
    assert_eq!([first(&ledger, "A"), first(&ledger, "B")], ["zoe", "http"]);
    let decided = |id: &str| {
        let word = BTreeMap::from([("C".to_owned(), miner(id))]);
        let ledger = Ledger::open_deciding(results.0.path(), &word).unwrap().0;
        (open(&ledger)[2], first(&ledger, "C"))
    };
    assert_eq!(decided("fay"), (0, "fay".to_owned()));
    assert_eq!(decided("zoe"), (2, "eve".to_owned()), "who never had it");
    // Another process was faster, and with another miner.
    let mut slower = results.open();
    slower.add(vec![found("abe", "D", 0), found("bob", "D", 0)], noon());
    results.see("zoe", "D");
    slower.write().unwrap();
    assert_eq!((slower.sights().undecided("D").len(), first(&slower, "D")), (0, "zoe".into()));
}

#[test]
fn times_never_go_back() {
    let results = Results::new();
    let mut ledger = results.open();
    for (id, hours) in [("zoe", 48), ("abe", 0), ("eve", 72)] {
        ledger.add(vec![found(id, "A", 0)], noon() + SignedDuration::from_hours(hours));
    }
    let at = |id: &str| ledger.sights().seen("A", &miner(id)).unwrap();
    assert!(at("zoe") < at("abe") && at("abe") < at("eve"));
    assert_eq!(at("eve"), noon() + SignedDuration::from_hours(72));
}

#[test]
fn what_others_hand_in_makes_nobody_late() {
    let results = Results::new();
    let mut ledger = results.open();
    let came = |ledger: &Ledger, id: &str| ledger.sights().events(&miner(id)).last().unwrap().came;
    let hour = |hour: i64| noon() + SignedDuration::from_hours(hour);
    ledger.looked(hour(0), BTreeSet::new());
    ledger.add(vec![Found { came: Some(hour(3)), ..found("bo", "B", 0) }], hour(3));
    ledger.add(vec![found("ann", "A", hour(2).as_second())], hour(4));
    assert_eq!(came(&ledger, "ann"), hour(2), "when its file came");
    ledger.add(vec![found("bo", "C", hour(1).as_second())], hour(5));
    assert_eq!(came(&ledger, "bo"), hour(3), "after what it had handed in");
}

#[test]
fn a_return_came_when_its_file_or_its_upload_did_and_not_when_it_was_looked_at() {
    let results = Results::new();
    let mut ledger = results.open();
    let hour = |hour: i64| noon() + SignedDuration::from_hours(hour);
    let arrived = |sha256: &str, at: i64| Found {
        refused: sha256 == "bad",
        ..found("ann", sha256, hour(at).as_second())
    };
    let last = |ledger: &Ledger| ledger.sights().events(&miner("ann")).last().unwrap().came;
    for (sha256, at) in [("A", 1), ("bad", 2), ("B", 3), ("A", 4), ("bad", 5), ("B", 6)] {
        ledger.add(vec![arrived(sha256, at)], hour(9));
        assert_eq!(last(&ledger), hour(at), "{sha256}");
    }
    ledger.add(vec![arrived("B", 7)], hour(9));
    assert_eq!(last(&ledger), hour(6), "it was touched, and never left");
    ledger.looked(hour(10), BTreeSet::new());
    ledger.add(vec![arrived("A", 8)], hour(11));
    assert_eq!(last(&ledger), hour(10), "it did not lie there at the last look");
    ledger.add(vec![arrived("B", 99)], hour(12));
    assert!(last(&ledger) <= ledger.sights().newest().unwrap(), "by a clock that is ahead");
    // A pass is faster than the channel that took it; then the same bytes are dropped once more.
    let receipt = format!(
        r#"{{"miner": "ann", "file": "ann.py", "sha256": "A", "bytes": 1, "received_at": "{}", "door": "http"}}"#,
        hour(13)
    );
    fs::create_dir(results.0.path().join(receipt::FOLDER)).unwrap();
    fs::write(results.0.path().join(receipt::FOLDER).join("ann.json"), receipt).unwrap();
    for (sha256, at, came) in [("A", 14, 13), ("B", 15, 15), ("A", 16, 16)] {
        ledger.add(vec![arrived(sha256, at)], hour(20));
        assert_eq!(last(&ledger), hour(came), "{sha256}");
    }
    ledger.write().unwrap();
    let (known, read) = (ledger.sights(), results.open());
    assert_eq!(read.sights().events(&miner("ann")), known.events(&miner("ann")));
    let via = results.text().lines().map(|line| line.contains(r#""via":"http""#)).collect::<Vec<_>>();
    assert_eq!(via[via.len() - 3..], [true, false, false]);
    // Another process saw it, too.
    let mut slower = results.open();
    ledger.add(vec![arrived("B", 21)], hour(22));
    slower.add(vec![arrived("B", 21)], hour(22));
    ledger.write().unwrap();
    slower.write().unwrap();
    assert_eq!(results.text().lines().count(), via.len() + 1);
}

#[test]
fn what_a_look_did_not_see_had_not_come_before_it() {
    let results = Results::new();
    let hour = |hour: i64| noon() + SignedDuration::from_hours(hour);
    let old = hour(-9).as_second();
    let came = |ledger: &Ledger, id: &str| ledger.sights().events(&miner(id))[0].came;
    results.open().looked(hour(1), BTreeSet::from(["bob".to_owned()]));
    // Another process, and a clock that was set back.
    let mut ledger = results.open();
    ledger.looked(hour(-5), BTreeSet::from(["bob".to_owned()]));
    let bob = Found { file: "bob/agent.py".into(), ..found("bob", "A", old) };
    let late = Found { arrived: (hour(2).as_second(), 0), ..found("late", "C", old) };
    ledger.add(vec![found("abe", "B", old), bob, late], hour(3));
    assert_eq!(came(&ledger, "abe"), hour(1), "its file says otherwise");
    assert_eq!(came(&ledger, "bob"), hour(-9), "it was there, and could not be read");
    assert_eq!(came(&ledger, "late"), hour(2), "its folder came then");
    assert_eq!(last_look(results.0.path()), Some(hour(1)));
    let ledger = Ledger { sights: FirstSights::default(), ..results.open() };
    assert_eq!(ledger.now(hour(-5)), hour(1));
}

#[test]
fn order_of_lines_decides_though_somebody_edited_the_times() {
    let results = Results::new();
    results.see("zoe", "A");
    results.see("abe", "A");
    let edited = results.text().replacen("2026-", "2036-", 1);
    fs::write(results.file(), edited).unwrap();
    assert_eq!(results.first("A").as_deref(), Some("zoe"));
}

#[test]
fn another_file_takes_a_line_and_changes_nothing_about_who_was_first() {
    let results = Results::new();
    results.see("zoe", "A");
    let mut ledger = results.open();
    let first_seen = ledger.sights().seen("A", &miner("zoe"));
    ledger.add(vec![Found { file: "zoe/agent.py".into(), ..found("zoe", "A", 0) }], Timestamp::now());
    ledger.write().unwrap();
    let ledger = results.open();
    assert_eq!(ledger.sights().seen("A", &miner("zoe")), first_seen);
    assert!(ledger.sights().is_last_file(&miner("zoe"), "zoe/agent.py"));
    assert_eq!(results.text().lines().count(), 2);
}

#[test]
fn a_line_cut_off_anywhere_costs_no_other_line() {
    let results = Results::new();
    results.see("zoe", "A");
    let whole = results.text();
    results.see("abe", "A");
    let both = results.text();
    for length in whole.len() + 1..both.len() - 1 {
        fs::write(results.file(), &both.as_bytes()[..length]).unwrap();
        let (ledger, warning) = Ledger::open(results.0.path()).unwrap();
        assert!(warning.unwrap().contains("ledger.jsonl: line 2 ends in the middle"));
        assert_eq!(ledger.sights().seen("A", &miner("abe")), None);
        results.see("eve", "A");
        assert_eq!(results.miners(), ["zoe", "eve"]);
        assert!(results.text().starts_with(&both[..length]), "the file only grows");
    }
    // A line that lacks nothing but its end is whole.
    fs::write(results.file(), both.trim_end()).unwrap();
    results.see("eve", "A");
    assert_eq!(results.miners(), ["zoe", "abe", "eve"]);
    // What some file systems leave after a power loss.
    fs::write(results.file(), [whole.as_bytes(), &[0; 40]].concat()).unwrap();
    results.see("eve", "A");
    assert_eq!(results.miners(), ["zoe", "eve"]);
}

#[test]
fn foreign_lines_are_named_and_stay() {
    let results = Results::new();
    results.see("zoe", "A");
    let text = format!("{}hello\n[1]\n\n{}", results.text(), results.text());
    fs::write(results.file(), &text).unwrap();
    let problems = Ledger::open(results.0.path()).unwrap_err().to_string();
    assert_eq!(problems.lines().count(), 2, "{problems}");
    assert!(problems.contains("ledger.jsonl:2:") && problems.contains("ledger.jsonl:3:"), "{problems}");
    assert_eq!(results.text(), text);
}

#[test]
fn reports_of_an_older_agentmill_tell_who_was_first_once() {
    let results = Results::new();
    let old = |id: &str, minutes: i64| {
        let mut report = report(id, vec![]);
        report.sha256 = "A".into();
        report.first_seen += SignedDuration::from_mins(minutes);
        report.modified -= SignedDuration::from_mins(minutes);
        save_report(results.0.path(), &report).unwrap();
    };
    old("abe", 2);
    old("zoe", 1);
    let ledger = results.open();
    assert_eq!(ledger.sights().first("A"), Some(&miner("zoe")));
    assert!(!results.file().exists(), "reading writes nothing");
    results.see("eve", "A");
    assert_eq!(results.miners(), ["zoe", "abe", "eve"]);
    old("bob", 0);
    assert_eq!(results.first("A").as_deref(), Some("zoe"));
}

#[test]
fn what_cannot_be_written_is_kept_and_written_later() {
    let results = Results::new();
    results.see("zoe", "A");
    let mut ledger = results.open();
    let (file, away) = (results.file(), results.0.path().join("away"));
    fs::rename(&file, &away).unwrap();
    ledger.add(vec![found("abe", "A", 0)], noon());
    assert!(ledger.write().unwrap_err().to_string().contains("ledger.jsonl: "));
    assert!(ledger.write().is_err());
    fs::rename(&away, &file).unwrap();
    ledger.write().unwrap();
    assert_eq!(results.miners(), ["zoe", "abe"]);
}

#[test]
fn what_others_write_meanwhile_comes_first_and_nothing_twice() {
    let results = Results::new();
    results.see("zoe", "A");
    let mut ledger = results.open();
    ledger.add(vec![found("abe", "A", 0), found("eve", "B", 1)], noon());
    results.see("eve", "B");
    results.see("eve", "A");
    ledger.write().unwrap();
    assert_eq!(results.miners(), ["zoe", "eve", "eve", "abe"]);
    assert_eq!(ledger.sights().first("B"), Some(&miner("eve")));
    let at = |sha256, id| ledger.sights().seen(sha256, &miner(id)).unwrap();
    assert!(
        at("A", "zoe") < at("B", "eve") && at("B", "eve") < at("A", "eve") && at("A", "eve") < at("A", "abe")
    );
    results.see("bob", "C");
    ledger.add(vec![found("bob", "C", 0)], noon());
    ledger.write().unwrap();
    assert_eq!(results.miners().len(), 5);
}

#[test]
fn many_writers_lose_nothing_and_write_nothing_twice() {
    let results = Results::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let mut ledger = results.open();
            scope.spawn(move || {
                for number in 0..25 {
                    let sha256 = format!("{number:064}");
                    ledger.add(
                        vec![
                            found(&format!("all{number}"), &sha256, 0),
                            found(&format!("m{writer}"), &sha256, 1),
                        ],
                        noon(),
                    );
                    ledger.write().unwrap();
                }
            });
        }
    });
    let ledger = results.open();
    assert_eq!(results.miners().len(), 5 * 25);
    let times: Vec<_> = ledger.sights().submitted_by(&miner("m2")).iter().map(|one| one.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_file_that_was_cut_off_meanwhile_is_left_alone() {
    let results = Results::new();
    results.see("zoe", "A");
    let whole = results.text();
    results.see("eve", "A");
    let mut ledger = results.open();
    fs::write(results.file(), &whole).unwrap();
    ledger.add(vec![found("abe", "A", 0)], noon());
    assert!(ledger.write().unwrap_err().to_string().contains("somebody else"));
    assert_eq!(results.text(), whole);
}

#[test]
fn ten_thousand_lines_are_read() {
    let results = Results::new();
    let mut ledger = results.open();
    let all = (0..10_000).map(|number| found(&format!("m{number}"), &format!("{number:064}"), number));
    ledger.add(all.collect(), noon());
    ledger.write().unwrap();
    let began = std::time::Instant::now();
    let ledger = results.open();
    println!("read in {:?}", began.elapsed());
    assert_eq!(ledger.sights().first(&format!("{:064}", 77)), Some(&miner("m77")));
}

#[test]
fn a_flood_costs_no_more_than_its_lines_and_lines_of_an_older_agentmill_keep_their_fingerprints() {
    let results = Results::new();
    let mut ledger = results.open();
    for number in 0..200 {
        ledger.add(vec![found("abe", &format!("{number:064}"), 0)], noon());
    }
    ledger.add(vec![Found { refused: true, ..found("bob", "refused", 0) }], noon());
    ledger.write().unwrap();
    let text = results.text();
    assert!(text.len() < 201 * 400, "{} bytes", text.len());
    let documents = |ledger: &Ledger| -> Vec<(String, usize)> {
        let all = ledger.sights().documents().iter();
        all.map(|document| (document.miner.to_string(), document.prints.len())).collect()
    };
    assert_eq!(documents(&ledger).len(), 201);
    let old = r#"{"sha256":"old","miner":"zoe","at":"2026-11-22T12:00:00Z","file":"zoe.py","via":"dropped","prints":[1,2,3]}"#;
    fs::write(results.file(), format!("{old}\n{text}")).unwrap();
    let ledger = results.open();
    assert_eq!(documents(&ledger)[..2], [("zoe".to_owned(), 3), ("abe".to_owned(), 0)]);
}
