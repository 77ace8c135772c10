//! Tests of submitting, with an inbox that others own.

mod arrival;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;
use crate::config;
use crate::pipeline::intake;

fn miner(id: &str) -> Miner {
    id.parse().unwrap()
}

/// An inbox, and results in another folder.
struct Folders {
    inbox: tempfile::TempDir,
    results: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap())
    }

    fn with(inbox: tempfile::TempDir) -> Self {
        Self { inbox, results: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.inbox.path()
    }

    fn uploads(&self) -> PathBuf {
        self.results.path().join(".uploads")
    }

    fn pipeline(&self) -> Pipeline {
        let mut pipeline = config::parse(Path::new("pipeline.yaml"), b"").unwrap();
        (pipeline.inbox, pipeline.results) = (self.path().to_owned(), self.results.path().to_owned());
        pipeline
    }

    fn put(&self, id: &str, source: &str) -> Result<(Receipt, bool), Refused> {
        submit(&self.pipeline(), &miner(id), source.as_bytes(), (Channel::Submit, Instant::now()))
    }

    /// A file that somebody else puts there, and that stands still.
    fn drop(&self, id: &str, source: &str) {
        let path = self.path().join(format!("{id}.py"));
        fs::write(&path, source).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }

    fn receipt(&self, id: &str) -> Option<Receipt> {
        receipt(self.results.path(), &miner(id))
    }
}

#[test]
fn a_first_submission_is_a_file_of_the_miners_name() {
    let inbox = Folders::new();
    let (receipt, changed) = inbox.put("alice", "x = 1\n").unwrap();
    assert!(changed);
    assert_eq!((receipt.file.as_str(), receipt.bytes), ("alice.py", 6));
    assert_eq!(fs::read(inbox.path().join("alice.py")).unwrap(), b"x = 1\n");
    assert_eq!(inbox.receipt("alice"), Some(receipt));
}

#[test]
fn nothing_but_the_submission_is_seen_by_a_scan() {
    let inbox = Folders::new();
    inbox.put("alice", "x = 1\n").unwrap();
    let listing = intake::list(inbox.path(), intake::Bounds { bytes: 100, files: 1 }).unwrap();
    assert_eq!((listing.files.len() + listing.unsettled, listing.rejected), (1, vec![]));
}

#[test]
fn the_same_bytes_again_change_nothing() {
    let inbox = Folders::new();
    let file = inbox.path().join("alice.py");
    let first = inbox.put("alice", "x = 1\n").unwrap().0;
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(inbox.put("alice", "x = 1\n").unwrap(), (first, false));
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    assert!(inbox.put("alice", "x = 2\n").unwrap().1);
    assert!(inbox.put("alice", "x = 1\n").unwrap().1);
}

#[test]
fn what_the_miner_has_is_replaced_where_it_lies() {
    for (old, new) in [("ALICE.py", "ALICE.py"), ("Alice/agent.py", "Alice/agent.py")] {
        let inbox = Folders::new();
        let path = inbox.path().join(old);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "old").unwrap();
        assert_eq!(inbox.put("alice", "x = 1\n").unwrap().0.file, new);
        assert_eq!(fs::read(&path).unwrap(), b"x = 1\n");
        assert!(!inbox.path().join("alice.py").exists());
    }
}

#[test]
fn nothing_is_put_into_a_folder_of_somebody_elses() {
    let inbox = Folders::new();
    let folders = ["alice", "bob"].map(|id| inbox.path().join(id));
    folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
    fs::write(folders[1].join("agent.py"), "theirs").unwrap();
    // Who is not root can't give them away.
    if folders.iter().any(|folder| chown(folder, Some(12_345), None).is_err()) {
        return;
    }
    assert_eq!(inbox.put("alice", "x = 1\n").unwrap().0.file, "alice.py");
    let refused = inbox.put("bob", "x = 1\n").unwrap_err();
    assert!(matches!(&refused, Refused::Conflict(_)) && refused.to_string().contains("another user's"));
    assert_eq!(
        (inbox.receipt("bob"), fs::read(folders[1].join("agent.py")).unwrap()),
        (None, b"theirs".into())
    );
}

#[test]
fn links_are_replaced_and_never_followed() {
    let (inbox, outside) = (Folders::new(), tempfile::tempdir().unwrap());
    let target = outside.path().join("agent.py");
    fs::write(&target, "theirs").unwrap();
    symlink(&target, inbox.path().join("alice.py")).unwrap();
    symlink(outside.path(), inbox.path().join("bob")).unwrap();
    assert_eq!(inbox.put("alice", "x = 1\n").unwrap().0.file, "alice.py");
    assert_eq!(inbox.put("bob", "x = 1\n").unwrap().0.file, "bob.py");
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
}

#[test]
fn what_is_in_the_way_is_a_conflict_and_stays() {
    let inbox = Folders::new();
    fs::create_dir(inbox.path().join("alice.py")).unwrap();
    let bob = inbox.put("bob", "x = 1\n").unwrap().0;
    fs::remove_file(inbox.path().join("bob.py")).unwrap();
    fs::create_dir(inbox.path().join("bob.py")).unwrap();
    for id in ["alice", "bob"] {
        assert!(matches!(inbox.put(id, "x = 2\n"), Err(Refused::Conflict(_))), "{id}");
    }
    assert_eq!([inbox.receipt("alice"), inbox.receipt("bob")], [None, Some(bob)], "receipts of what came in");
    let left = fs::read_dir(inbox.uploads()).unwrap();
    assert!(!left.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")));
}

/// Nobody keeps a miner from submitting by a second file for its id.
#[test]
fn a_second_claim_to_the_id_is_in_nobodys_way() {
    for [first, second] in [["alice.py", "Alice.py"], ["Alice.py", "alice.py"]] {
        let inbox = Folders::new();
        fs::write(inbox.path().join(first), "one").unwrap();
        thread::sleep(Duration::from_millis(20));
        fs::write(inbox.path().join(second), "two").unwrap();
        assert_eq!(inbox.put("alice", "x = 1\n").unwrap().0.file, first);
        assert_eq!(fs::read(inbox.path().join(first)).unwrap(), b"x = 1\n");
        assert_eq!(fs::read(inbox.path().join(second)).unwrap(), b"two");
    }
}

#[test]
fn of_many_at_once_the_last_stays_with_its_receipt() {
    let inbox = Folders::new();
    thread::scope(|scope| {
        for number in 0..16 {
            let inbox = &inbox;
            scope.spawn(move || inbox.put("alice", &format!("x = {number}\n")).unwrap());
        }
    });
    let bytes = fs::read(inbox.path().join("alice.py")).unwrap();
    assert_eq!(inbox.receipt("alice").unwrap().sha256, digest::sha256(&bytes));
}

#[test]
fn sources_are_refused_for_the_reasons_of_the_pipeline() {
    let mut pipeline = Folders::new().pipeline();
    pipeline.validate.max_bytes = 20;
    assert!(check(b"import os\n", &pipeline).is_ok());
    let numpy = check(b"\nimport numpy\n", &pipeline).unwrap_err();
    assert_eq!(numpy.line(), Some(2));
    assert!(
        matches!(check(&[b'x'; 21], &pipeline), Err(Refused::Large(reason)) if reason.contains("at most 20"))
    );
}

#[test]
fn what_a_killed_process_left_goes_after_a_while() {
    let inbox = Folders::new();
    prepare(&inbox.pipeline()).unwrap();
    inbox.put("alice", "x = 1\n").unwrap();
    let day = Duration::from_secs(86_400);
    for folder in [inbox.uploads(), inbox.path().to_owned()] {
        for (name, age) in [(".new-old.tmp", day), (".new-young.tmp", Duration::ZERO), ("old.json", day)] {
            File::create(folder.join(name)).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
        prepare(&inbox.pipeline()).unwrap();
        let left = |name: &str| folder.join(name).exists();
        assert_eq!([left(".new-old.tmp"), left(".new-young.tmp"), left("old.json")], [false, true, true]);
    }
}

#[test]
fn nothing_of_ours_lies_in_the_inbox_or_is_open_to_others() {
    let inbox = Folders::new();
    inbox.put("alice", "x = 1\n").unwrap();
    let names: Vec<_> = fs::read_dir(inbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["alice.py"]);
    assert_eq!(fs::metadata(inbox.uploads()).unwrap().mode() & 0o777, 0o700);
    for entry in fs::read_dir(inbox.uploads()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
}

/// The inbox's owner may put a link where the receipts once were, and pipes where the locks were.
#[test]
fn traps_in_the_inbox_catch_nobody() {
    let trapped = |set: &dyn Fn(&Path, &Path)| {
        let inbox = Folders::new();
        fs::write(inbox.results.path().join("rankings.json"), "precious").unwrap();
        set(&inbox.path().join(".uploads"), inbox.results.path());
        inbox.put("alice", "x = 1\n").unwrap();
        inbox.put("rankings", "x = 1\n").unwrap();
        assert_eq!(fs::read(inbox.results.path().join("rankings.json")).unwrap(), b"precious");
        assert!(inbox.receipt("alice").is_some() && inbox.receipt("bob").is_none());
    };
    let pipe = |path: PathBuf| mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
    trapped(&|old, results| symlink(results, old).unwrap());
    trapped(&|old, _| pipe(old.to_owned()));
    trapped(&|old, results| {
        fs::create_dir(old).unwrap();
        (0..64).for_each(|number| pipe(old.join(format!(".lock-{number}"))));
        pipe(old.join("bob.json"));
        symlink(results.join("rankings.json"), old.join("carol.json")).unwrap();
        fs::create_dir(old.join("dave.json")).unwrap();
        File::open(old).unwrap().lock().unwrap();
    });
}

#[test]
fn receipts_of_an_older_version_are_moved_over_once() {
    let inbox = Folders::new();
    let receipt = inbox.put("alice", "x = 1\n").unwrap().0;
    let old = inbox.path().join(".uploads");
    fs::rename(inbox.uploads(), &old).unwrap();
    prepare(&inbox.pipeline()).unwrap();
    assert_eq!(inbox.receipt("alice"), Some(receipt));
    fs::copy(inbox.uploads().join("alice.json"), old.join("alice.json")).unwrap();
    fs::remove_file(inbox.uploads().join("alice.json")).unwrap();
    prepare(&inbox.pipeline()).unwrap();
    assert_eq!(inbox.receipt("alice"), None, "the inbox is others', from then on");
}

/// A receipt says when something came, so one that somebody else has laid there would be before everybody.
#[test]
fn receipts_that_others_have_laid_there_are_none() {
    let stranger = Some(12_345);
    for of_folder in [false, true] {
        let inbox = Folders::new();
        inbox.put("alice", "x = 1\n").unwrap();
        let old = inbox.path().join(".uploads");
        fs::rename(inbox.uploads(), &old).unwrap();
        let theirs = if of_folder { old.clone() } else { old.join("alice.json") };
        // Who is not root can't give it away.
        if chown(theirs, stranger, None).is_ok() {
            prepare(&inbox.pipeline()).unwrap();
            assert_eq!(inbox.receipt("alice"), None);
        }
    }
}

#[test]
fn an_inbox_on_another_file_system_gets_whole_files() {
    let there = Path::new("/dev/shm");
    let inbox =
        Folders::with(tempfile::tempdir_in(if there.is_dir() { there } else { Path::new("/tmp") }).unwrap());
    for source in ["x = 1\n", "x = 2\n"] {
        assert!(inbox.put("alice", source).unwrap().1);
        assert_eq!(fs::read_to_string(inbox.path().join("alice.py")).unwrap(), source);
    }
    fs::create_dir(inbox.path().join("bob.py")).unwrap();
    assert!(matches!(inbox.put("bob", "x = 1\n"), Err(Refused::Conflict(_))));
    assert_eq!(fs::read_dir(inbox.path()).unwrap().count(), 2, "nothing half made is left");
}

/// The archive's submissions, sorted, and the miner's lines in the ledger, oldest first.
fn kept(inbox: &Folders, id: &str) -> (Vec<String>, Vec<String>) {
    let files = fs::read_dir(archive::folder(inbox.results.path())).unwrap();
    let mut bytes: Vec<String> =
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    bytes.sort();
    let ledger = Ledger::open(inbox.results.path()).unwrap().0;
    let lines = ledger.sights().submitted_by(&miner(id));
    (bytes, lines.iter().map(|line| format!("{} {}", line.via.name(), line.sha256)).collect())
}

#[test]
fn nothing_is_lost_by_overwriting_it() {
    let inbox = Folders::new();
    fs::write(inbox.path().join("alice.py"), "dropped = 1\n").unwrap();
    for source in ["x = 1\n", "x = 2\n", "x = 1\n"] {
        inbox.put("alice", source).unwrap();
    }
    let (bytes, lines) = kept(&inbox, "alice");
    assert_eq!(bytes, ["dropped = 1\n", "x = 1\n", "x = 2\n"]);
    let expected = [("dropped", "dropped = 1\n"), ("submit", "x = 1\n"), ("submit", "x = 2\n")];
    assert_eq!(lines, expected.map(|(via, source)| format!("{via} {}", digest::sha256(source.as_bytes()))));
}

#[test]
fn what_cannot_be_archived_is_not_taken_and_leaves_what_stands() {
    let inbox = Folders::new();
    inbox.put("alice", "x = 1\n").unwrap();
    fs::remove_dir_all(archive::folder(inbox.results.path())).unwrap();
    fs::write(archive::folder(inbox.results.path()), "").unwrap();
    assert!(matches!(inbox.put("alice", "x = 2\n"), Err(Refused::Inbox(_))));
    assert_eq!(fs::read(inbox.path().join("alice.py")).unwrap(), b"x = 1\n");
}

#[test]
fn refused_bytes_in_the_inbox_are_in_the_ledger_and_not_in_the_archive() {
    let inbox = Folders::new();
    fs::write(inbox.path().join("alice.py"), "import numpy\n").unwrap();
    inbox.put("alice", "x = 1\n").unwrap();
    let (bytes, lines) = kept(&inbox, "alice");
    assert_eq!((bytes.len(), lines.len()), (1, 2));
}

#[test]
fn a_ledger_that_could_not_be_written_is_forgotten() {
    let inbox = Folders::new();
    let submitter = Submitter::default();
    let put = |id: &str| {
        submitter
            .submit(
                &inbox.pipeline(),
                &miner(id),
                format!("# {id}\n").as_bytes(),
                (Channel::Submit, Instant::now()),
            )
            .unwrap()
    };
    put("alice");
    assert!(submitter.ledger.lock().is_some());
    let lock = inbox.results.path().join(".ledger.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    put("bob");
    assert!(submitter.ledger.lock().is_none());
    fs::remove_dir(&lock).unwrap();
    put("carol");
    let text = fs::read_to_string(inbox.results.path().join("ledger.jsonl")).unwrap();
    let has = |id: &str| text.contains(&format!("\"miner\":\"{id}\""));
    assert_eq!((has("alice"), has("bob"), has("carol")), (true, false, true), "a pass sees bob's: {text}");
}

/// Eight connections of one miner, with a limit of five a day: as many count as may, whoever is faster.
#[test]
fn a_flood_of_submissions_passes_no_limit_and_loses_nothing() {
    let inbox = Folders::new();
    let mut pipeline = inbox.pipeline();
    pipeline.season =
        config::parse(Path::new("pipeline.yaml"), b"season: {submissions: {per_day: 5}}").unwrap().season;
    // Another process beside the threads of this one.
    let (submitter, other) = (Submitter::default(), Submitter::default());
    let flood = |lane: usize| {
        let submitter = if lane == 0 { &other } else { &submitter };
        (0..12)
            .filter(|n| {
                let source = format!("x = {lane}{n:02}\n");
                submitter
                    .submit(&pipeline, &miner("ann"), source.as_bytes(), (Channel::Http, Instant::now()))
                    .is_ok()
            })
            .count()
    };
    let taken: usize = thread::scope(|scope| {
        let lanes: Vec<_> = (0..8).map(|lane| scope.spawn(move || flood(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    });
    assert_eq!(taken, 5);
    let ledger = fs::read_to_string(inbox.results.path().join("ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().count(), 5, "{ledger}");
    assert_eq!(fs::read_dir(archive::folder(inbox.results.path())).unwrap().count(), 5);
    let room = submitter.room(&pipeline, &miner("ann"), Timestamp::now()).unwrap().unwrap();
    assert_eq!((room.today, room.counts_now), (Some(0), false));
}

/// In a rush before the close, a look at a submission takes longer than is left.
#[test]
fn what_was_here_before_the_close_counts_however_long_it_waits() {
    let inbox = Folders::new();
    let mut pipeline = inbox.pipeline();
    let ago = |seconds: u64| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
    let closes = Timestamp::now() - SignedDuration::from_secs(5);
    let rules = format!(
        "season: {{closes: {closes}, late: {{until: {}, per_day: 10%}}}}",
        closes + SignedDuration::from_hours(9)
    );
    pipeline.season = config::parse(Path::new("pipeline.yaml"), rules.as_bytes()).unwrap().season;
    let season = pipeline.season.as_ref().unwrap();
    let put = |id: &str, here: Instant| {
        let source = format!("x = 1  # {id}\n");
        Submitter::default().submit(&pipeline, &miner(id), source.as_bytes(), (Channel::Http, here)).unwrap();
    };
    // Another one that came later is in the ledger before it.
    put("late", ago(0));
    put("early", ago(9));
    // A pass sees the file before it stands in the ledger.
    let lock = inbox.results.path().join(".ledger.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    put("seen", ago(9));
    fs::remove_dir(&lock).unwrap();
    let mut ledger = Ledger::open(inbox.results.path()).unwrap().0;
    assert!(ledger.sights().events(&miner("seen")).is_empty());
    let now = i64::from(u32::MAX);
    let found = Found {
        changed: (now, 0),
        arrived: (now, 0),
        came: None,
        ordered: true,
        file: "seen.py".into(),
        miner: miner("seen"),
        sha256: digest::sha256(b"x = 1  # seen\n"),
        refused: false,
        packed: false,
        other: None,
    };
    ledger.add(vec![found], Timestamp::now());
    let late = ["late", "early", "seen"].map(|id| {
        Course::of(season, &miner(id), ledger.sights()).standing().map(|counted| counted.days_late)
    });
    assert_eq!(late, [Some(1), Some(0), Some(0)]);
}

#[test]
fn what_others_have_dropped_is_seen_before_a_submission() {
    let inbox = Folders::new();
    inbox.drop("ann", "x = 1\n");
    inbox.drop("bob", "x = 2\n");
    inbox.put("mal", "x = 1\n").unwrap();
    let first = |source: &str| {
        let sha256 = crate::util::digest::sha256(source.as_bytes());
        let miners = Submitter::default().miners_of(inbox.results.path(), &sha256).unwrap();
        miners.into_iter().map(|(miner, _)| String::from(miner)).collect::<Vec<_>>()
    };
    assert_eq!((first("x = 1\n"), first("x = 2\n")), (vec!["ann".into(), "mal".into()], vec!["bob".into()]));
}

#[test]
fn what_others_have_dropped_is_kept_as_far_as_it_counts() {
    let inbox = Folders::new();
    let mut pipeline = inbox.pipeline();
    let rules = b"season: {submissions: {total: 1}, counts: last_valid}";
    pipeline.season = config::parse(Path::new("pipeline.yaml"), rules).unwrap().season;
    for (source, by) in [("import numpy\n", "mal"), ("x = 1\n", "eve"), ("x = 2\n", "cy")] {
        inbox.drop("bob", source);
        let channel = (Channel::Submit, Instant::now());
        submit(&pipeline, &miner(by), format!("# {by}\ny = 1\n").as_bytes(), channel).unwrap();
    }
    let (bytes, lines) = kept(&inbox, "bob");
    assert_eq!(lines.len(), 3);
    assert_eq!(bytes[3..], ["x = 1\n"], "it stands, whatever is put in its place: {bytes:?}");
}

/// Somebody who was moved out of the inbox after the close can't upload what stood there, and may before it.
#[test]
fn who_has_withdrawn_comes_anew_over_a_channel_of_ours() {
    let inbox = Folders::new();
    let mut pipeline = inbox.pipeline();
    let mut put = |closes: &str| {
        let rules = format!("season: {{closes: {closes}}}");
        pipeline.season = config::parse(Path::new("pipeline.yaml"), rules.as_bytes()).unwrap().season;
        submit(&pipeline, &miner("cy"), b"x = 1\n", (Channel::Http, Instant::now())).map(|(_, is_new)| is_new)
    };
    let (open, over) = ("2099-01-01T00:00Z", "2020-01-01T00:00Z");
    assert!(put(open).unwrap());
    assert!(!put(over).unwrap(), "it lies there");
    fs::remove_file(inbox.inbox.path().join("cy.py")).unwrap();
    assert!(matches!(put(over), Err(Refused::Season(_))));
    let log = fs::read_to_string(inbox.uploads().join("cy.refused.jsonl")).unwrap();
    let noted: serde_json::Value = serde_json::from_str(&log).unwrap();
    let told = ["miner", "deadline", "sha256"].map(|field| noted[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["cy".to_owned(), "2020-01-01T00:00:00Z".to_owned(), digest::sha256(b"x = 1\n")]);
    assert!(noted["received_at"].is_string() && noted["reason"].as_str().unwrap().starts_with("is late: "));
    assert!(put(open).unwrap());
}
