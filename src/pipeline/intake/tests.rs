//! Inboxes and what is taken from them.

use std::fs::{FileTimes, Permissions};
use std::fs::{create_dir, hard_link, remove_file, rename, set_permissions, write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Instant;

use proptest::prelude::*;
use rustix::fs::mkfifoat;
use tempfile::TempDir;

use super::*;

const LIMIT: u64 = 100;

/// A temporary inbox, looked at long after everything in it was written.
struct Inbox(TempDir);

/// The listing at another time.
fn at(inbox: &Path, time: SystemTime) -> Listing {
    list_at(inbox, &Now { time, closed: &HashSet::new() }).unwrap()
}

impl Inbox {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(files: &[&str]) -> Self {
        let inbox = Self::new();
        files.iter().for_each(|file| inbox.put(file, "x = 1"));
        inbox
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, file: impl AsRef<Path>, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(path, text).unwrap();
    }

    fn list(&self) -> Listing {
        at(self.0.path(), SystemTime::now() + Duration::from_secs(60))
    }

    /// What is listed, as `miner file`.
    fn drops(&self) -> Vec<String> {
        let shown = |drop: &Drop| format!("{} {}", drop.miner, drop.file);
        self.list().drops.iter().map(shown).collect()
    }

    /// The only rejection.
    fn rejection(&self) -> Rejection {
        let listing = self.list();
        assert!(listing.drops.is_empty(), "{listing:?}");
        let [rejection] = &listing.rejected[..] else { panic!("{listing:?}") };
        rejection.clone()
    }

    /// The drop of a file, as if it had been listed.
    fn drop(&self, file: &str) -> Drop {
        let miner = "m".parse().unwrap();
        Drop { miner, file: file.to_owned(), path: self.path(file), stamp: None }
    }

    #[track_caller]
    fn refuses_to_read(&self, file: &str, reason: &str) {
        match read(&self.drop(file), LIMIT) {
            Err(Unreadable::Rejected(found)) => {
                assert!(found.reason.contains(reason), "{found:?} lacks {reason:?}");
                assert_eq!(found.file, file);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn both_forms_are_listed_by_miner() {
    let inbox = Inbox::with(&["zoe.py", "bob/agent.py", "Alice-2.py", "bob/notes.txt", "7/agent.py"]);
    let listed = ["7 7/agent.py", "alice-2 Alice-2.py", "bob bob/agent.py", "zoe zoe.py"];
    assert_eq!(inbox.drops(), listed);
    let listing = inbox.list();
    assert!(listing.rejected.is_empty());
    assert_eq!(listing.unsettled, 0);
    assert_eq!(listing.drops[2].path, inbox.path("bob/agent.py"));
}

#[test]
fn what_editors_and_copiers_leave_is_passed_over() {
    let inbox = Inbox::with(&[
        ".alice.py.swp",
        ".gitkeep",
        "alice.py~",
        "alice.py.tmp",
        "alice.py.part",
        "README",
        "README.md",
        ".hidden/agent.py",
        "bob.tmp/agent.py",
        "__pycache__/alice.pyc",
    ]);
    symlink("/etc/passwd", inbox.path(".link.py")).unwrap();
    let listing = inbox.list();
    assert_eq!((listing.drops.len(), listing.rejected.len(), listing.unsettled), (0, 0, 0));
}

#[test]
fn an_inbox_that_is_not_there_is_our_error() {
    assert_eq!(list(Path::new("/nonexistent/inbox")).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(list(Inbox::with(&["a"]).path("a").as_path()).is_err());
}

#[test]
fn names_that_are_no_submissions() {
    for (file, shown, reason) in [
        ("alice.txt", "alice.txt", "is not a .py file"),
        ("alice.PY", "alice.PY", "is not a .py file"),
        ("alice", "alice", "is not a .py file"),
        ("=cmd().py", "=cmd().py", "is not a miner id"),
        ("a\nb\x1b.py", "a\\nb\\u{1b}.py", "\"a\\nb\\u{1b}\" is not a miner id"),
        ("con.py", "con.py", "Windows"),
        ("-rf.py", "-rf.py", "is not a miner id"),
        ("a.b.py", "a.b.py", "is not a miner id"),
        ("a b/agent.py", "a b", "is not a miner id"),
        ("alice/Agent.py", "alice", "without agent.py"),
        ("alice.py/agent.py", "alice.py", "is a directory"),
    ] {
        let inbox = Inbox::with(&[file]);
        let rejection = inbox.rejection();
        assert_eq!(rejection.file, shown);
        assert!(rejection.reason.contains(reason), "{rejection:?}");
    }
}

#[test]
fn names_are_escaped_and_bounded() {
    let inbox = Inbox::new();
    inbox.put(OsStr::from_bytes(b"\xff\xfe.py"), "x");
    let rejection = inbox.rejection();
    assert_eq!(rejection.file, "\\xff\\xfe.py");
    assert!(rejection.reason.contains("not UTF-8"), "{rejection:?}");
    let rejection = Inbox::with(&[&"é".repeat(120)]).rejection();
    assert_eq!(rejection.file.chars().count(), 80);
}

#[test]
fn special_files_are_refused_unopened_and_opened() {
    let inbox = Inbox::with(&[".hidden/target.py"]);
    let target = inbox.path(".hidden/target.py");
    let _listener = UnixListener::bind(inbox.path("a.py")).unwrap();
    mkfifoat(CWD, inbox.path("b.py"), Mode::RUSR | Mode::WUSR).unwrap();
    symlink(&target, inbox.path("c.py")).unwrap();
    symlink("nowhere", inbox.path("d.py")).unwrap();
    hard_link(&target, inbox.path("e.py")).unwrap();
    symlink(inbox.path(".hidden"), inbox.path("f")).unwrap();
    create_dir(inbox.path("g.py")).unwrap();
    create_dir(inbox.path("h")).unwrap();
    symlink(&target, inbox.path("h/agent.py")).unwrap();
    fs::create_dir_all(inbox.path("i/agent.py")).unwrap();

    let listing = inbox.list();
    assert!(listing.drops.is_empty(), "{listing:?}");
    let kinds = [
        ("a.py", "a socket"),
        ("b.py", "a named pipe"),
        ("c.py", "a symbolic link"),
        ("d.py", "a symbolic link"),
        ("e.py", "a hard link"),
        ("f", "a symbolic link"),
        ("g.py", "a directory"),
        ("h/agent.py", "a symbolic link"),
        ("i/agent.py", "a directory"),
    ];
    for ((file, kind), found) in kinds.into_iter().zip(&listing.rejected) {
        assert_eq!(found.file, file);
        assert!(found.reason.contains(kind), "{found:?}");
    }
    assert_eq!(listing.rejected.len(), kinds.len());
    assert_eq!(listing.rejected[0].miner, Some("a".parse().unwrap()));

    inbox.refuses_to_read("a.py", "socket");
    inbox.refuses_to_read("b.py", "named pipe");
    inbox.refuses_to_read("c.py", "symbolic link");
    inbox.refuses_to_read("d.py", "symbolic link");
    inbox.refuses_to_read("e.py", "hard link");
    inbox.refuses_to_read("f/target.py", "symbolic link");
    inbox.refuses_to_read("g.py", "directory");
    inbox.refuses_to_read("h/agent.py", "symbolic link");
}

#[test]
fn devices_are_refused() {
    let drop =
        Drop { miner: "m".parse().unwrap(), file: "null".into(), path: "/dev/null".into(), stamp: None };
    let Err(Unreadable::Rejected(found)) = read(&drop, LIMIT) else { panic!() };
    assert!(found.reason.contains("a device"), "{found:?}");
}

#[test]
fn two_claims_to_one_id_are_both_refused() {
    for files in
        [["Alice.py", "alice.py"], ["alice.py", "alice/agent.py"], ["ALICE/agent.py", "alice/agent.py"]]
    {
        let inbox = Inbox::with(&files);
        inbox.put("bob.py", "x");
        let listing = inbox.list();
        assert_eq!(inbox.drops(), ["bob bob.py"]);
        let [first, second] = &listing.rejected[..] else { panic!("{listing:?}") };
        assert_eq!([&first.file, &second.file], files);
        assert_eq!(first.reason, format!("names the same miner as {}; leave only one of them", files[1]));
        assert!(second.reason.contains(files[0]), "{second:?}");
        assert_eq!(first.miner, second.miner);
    }
    let many = ["abc.py", "Abc.py", "aBc.py", "abC.py", "ABC.py", "ABc.py"];
    let listing = Inbox::with(&many).list();
    assert_eq!(listing.rejected.len(), many.len());
    assert!(listing.rejected.iter().all(|found| found.reason.contains(" and others;")));
}

#[test]
fn a_drop_counts_once_it_has_settled() {
    let inbox = Inbox::with(&["alice.py", "bob/agent.py"]);
    create_dir(inbox.path("carol")).unwrap();
    let modified = |file: &str| inbox.path(file).metadata().unwrap().modified().unwrap();
    let now = modified("alice.py");
    let set = |file: &str, time: SystemTime| {
        let file = File::open(inbox.path(file)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    };
    for file in ["bob/agent.py", "carol"] {
        set(file, now);
    }
    let at = |now: SystemTime| {
        let listing = at(inbox.0.path(), now);
        (listing.drops.len(), listing.rejected.len(), listing.unsettled)
    };
    let almost = SETTLE - Duration::from_millis(1);
    assert_eq!(at(now), (0, 0, 3));
    assert_eq!(at(now + almost), (0, 0, 3));
    assert_eq!(at(now - almost), (0, 0, 3));
    assert_eq!(at(now + SETTLE), (2, 1, 0));
    assert_eq!(at(now - SETTLE), (2, 1, 0));
    set("alice.py", now + Duration::from_secs(9));
    assert_eq!(at(now), (1, 0, 2));
    // On its way from a temporary name to this one.
    hard_link(inbox.path("bob/agent.py"), inbox.path(".bob")).unwrap();
    assert_eq!(at(now), (1, 0, 2));
    assert_eq!(at(now + SETTLE), (1, 2, 0));
}

#[test]
fn what_was_just_written_is_unsettled_by_the_real_clock() {
    let inbox = Inbox::with(&["alice.py"]);
    let listing = list(inbox.0.path()).unwrap();
    assert_eq!((listing.drops.len(), listing.unsettled), (0, 1));
    std::thread::sleep(SETTLE);
    assert_eq!(list(inbox.0.path()).unwrap().drops.len(), 1);
}

#[test]
fn what_its_writer_has_closed_needs_no_time_to_settle() {
    let inbox = Inbox::with(&["alice.py", "bob.py"]);
    let closed = HashSet::from([inbox.path("alice.py")]);
    let listing = list_with(inbox.0.path(), &closed).unwrap();
    assert_eq!((listing.drops[0].file.as_str(), listing.drops.len(), listing.unsettled), ("alice.py", 1, 1));
    // What is touched twice within a tick of the clock looks the same: nobody may rely on its looks yet.
    assert!(listing.drops[0].stamp.is_none());
    assert!(inbox.list().drops.iter().all(|drop| drop.stamp.is_some()));
    hard_link(inbox.path("alice.py"), inbox.path(".alice")).unwrap();
    assert_eq!(list_with(inbox.0.path(), &closed).unwrap().unsettled, 2);
}

#[test]
fn bytes_are_read_whole_up_to_the_limit() {
    let inbox = Inbox::new();
    inbox.put("alice.py", &"x".repeat(100));
    inbox.put("bob/agent.py", "");
    inbox.put("carol.py", &"x".repeat(101));
    let drops = inbox.list().drops;
    let alice = read(&drops[0], LIMIT).unwrap();
    assert_eq!(alice.bytes, [b'x'; 100]);
    assert_eq!(alice.drop, drops[0]);
    assert!(Timestamp::now() >= alice.modified);
    let bob = read(&drops[1], LIMIT).unwrap();
    assert_eq!(bob.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    inbox.refuses_to_read("carol.py", "is 101 bytes long; at most 100 are taken");
    assert_eq!(read(&drops[2], u64::MAX).unwrap().bytes.len(), 101);
}

#[test]
fn sparse_monsters_are_not_read() {
    let inbox = Inbox::with(&["a.py"]);
    File::options().write(true).open(inbox.path("a.py")).unwrap().set_len(1 << 40).unwrap();
    inbox.refuses_to_read("a.py", "is 1099511627776 bytes long");
}

#[test]
fn what_vanished_is_left_to_the_next_scan() {
    let inbox = Inbox::with(&["alice.py", "bob/agent.py"]);
    let drops = inbox.list().drops;
    remove_file(inbox.path("alice.py")).unwrap();
    rename(inbox.path("bob"), inbox.path("carol")).unwrap();
    for drop in &drops {
        assert_eq!(read(drop, LIMIT).unwrap_err(), Unreadable::Changing);
    }
}

#[test]
fn a_folder_swapped_for_a_link_is_not_followed() {
    let inbox = Inbox::with(&["bob/agent.py", "elsewhere/agent.py"]);
    let drop = inbox.drop("bob/agent.py");
    rename(inbox.path("bob"), inbox.path("away")).unwrap();
    symlink("elsewhere", inbox.path("bob")).unwrap();
    inbox.refuses_to_read("bob/agent.py", "symbolic link");
    assert_eq!(reread(&drop, &digest::sha256(b"x = 1"), LIMIT), None);
}

#[test]
fn an_inbox_behind_a_link_or_a_relative_path_is_fine() {
    let inbox = Inbox::with(&["in/alice.py"]);
    symlink("in", inbox.path("link")).unwrap();
    let listing = at(&inbox.path("link"), SystemTime::now() + SETTLE * 9);
    assert!(read(&listing.drops[0], LIMIT).is_ok());
    let drop = Drop {
        miner: "m".parse().unwrap(),
        file: "Cargo.toml".into(),
        path: "Cargo.toml".into(),
        stamp: None,
    };
    assert!(read(&drop, 1 << 20).is_ok());
}

#[test]
fn a_file_we_may_not_read_is_refused_with_the_reason() {
    let inbox = Inbox::with(&["alice.py"]);
    set_permissions(inbox.path("alice.py"), Permissions::from_mode(0o0)).unwrap();
    // Root may.
    if File::open(inbox.path("alice.py")).is_err() {
        inbox.refuses_to_read("alice.py", "can't be read: Permission denied");
    }
}

#[test]
fn files_that_change_while_read_are_seen() {
    let inbox = Inbox::with(&["a.py", "b.py"]);
    let look = || inbox.path("a.py").symlink_metadata().unwrap();
    let before = look();
    assert!(stood_still(&before, &look(), 5));
    assert!(!stood_still(&before, &look(), 4));
    assert!(!stood_still(&before, &look(), 6));
    std::thread::sleep(Duration::from_millis(20));
    inbox.put("a.py", "x = 2");
    assert!(!stood_still(&before, &look(), 5));

    let handle = File::open(inbox.path("a.py")).unwrap();
    rename(inbox.path("b.py"), inbox.path("a.py")).unwrap();
    let replaced = handle.metadata().unwrap();
    assert!(!stood_still(&replaced, &replaced, 5));
}

#[test]
fn the_same_bytes_are_read_again_or_none() {
    let inbox = Inbox::with(&["alice.py"]);
    let drop = &inbox.list().drops[0];
    let first = read(drop, LIMIT).unwrap();
    assert_eq!(reread(drop, &first.sha256, LIMIT), Some(first.bytes));
    assert_eq!(reread(drop, &first.sha256, 3), None);
    inbox.put("alice.py", "x = 2");
    assert_eq!(reread(drop, &first.sha256, LIMIT), None);
    remove_file(inbox.path("alice.py")).unwrap();
    assert_eq!(reread(drop, &first.sha256, LIMIT), None);
}

#[test]
fn ten_thousand_files_are_listed_and_read_swiftly() {
    let inbox = Inbox::new();
    for number in 0..10_000 {
        write(inbox.path(format!("miner-{number}.py")), "x = 1").unwrap();
    }
    let start = Instant::now();
    let listing = inbox.list();
    let listed = start.elapsed();
    assert_eq!(listing.drops.len(), 10_000);
    let read_all = listing.drops.iter().all(|drop| read(drop, LIMIT).is_ok());
    println!("listed in {listed:?}, read in {:?}", start.elapsed() - listed);
    assert!(read_all);
    // Takes a hundredth of that on an idle machine.
    assert!(listed < Duration::from_secs(3), "{listed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_is_listed_rejected_or_passed_over(name in "[^/\0]{1,60}|[a-zA-Z0-9_.-]{1,70}\\.py") {
        let bytes = name.clone().into_bytes();
        prop_assume!(bytes.len() < 256 && name != "." && name != "..");
        let inbox = Inbox::new();
        inbox.put(std::ffi::OsString::from_vec(bytes), "x = 1");
        let listing = inbox.list();
        prop_assert!(listing.drops.len() + listing.rejected.len() <= 1);
        for drop in &listing.drops {
            prop_assert_eq!(format!("{}.py", drop.miner), drop.file.to_ascii_lowercase());
        }
        for found in &listing.rejected {
            prop_assert!(!found.file.contains(char::is_control) && !found.reason.contains(char::is_control));
        }
    }
}
