//! Inboxes and what is taken from them.

use std::fs::{File, FileTimes, Permissions};
use std::fs::{create_dir, hard_link, remove_file, rename, set_permissions, write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proptest::prelude::*;
use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use super::*;
use crate::model::first_sights::{Origin, Sight};
use crate::pipeline::intake::file::stood_still;
use crate::util::digest;

const LIMIT: Bounds = Bounds { bytes: 100, files: 1 };

static CLOSED: OnceLock<HashSet<PathBuf>> = OnceLock::new();

/// A temporary inbox, looked at long after everything in it was written.
struct Inbox(TempDir);

/// The listing at another time.
fn at(inbox: &Path, time: SystemTime) -> Listing {
    list_at(inbox, LIMIT, &Now { time, closed: &HashSet::new() }).unwrap()
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

    /// Listed files, as `miner file`.
    fn files(&self) -> Vec<String> {
        let shown = |inbox_file: &InboxFile| format!("{} {}", inbox_file.miner, inbox_file.file);
        self.list().files.iter().map(shown).collect()
    }

    /// The only rejection.
    fn rejection(&self) -> Rejection {
        let listing = self.list();
        assert!(listing.files.is_empty(), "{listing:?}");
        let [rejection] = &listing.rejected[..] else { panic!("{listing:?}") };
        rejection.clone()
    }

    /// The drop of a file, as if it had been listed.
    fn drop(&self, file: &str) -> InboxFile {
        let miner = "m".parse().unwrap();
        InboxFile { miner, file: file.to_owned(), path: self.path(file), stamp: None }
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
    let inbox = Inbox::with(&[
        "zoe.py",
        "bob/agent.py",
        "Alice-2.py",
        "bob/notes.txt",
        "7/agent.py",
        "4913/agent.py",
    ]);
    let listed =
        ["4913 4913/agent.py", "7 7/agent.py", "alice-2 Alice-2.py", "bob bob/agent.py", "zoe zoe.py"];
    assert_eq!(inbox.files(), listed);
    let listing = inbox.list();
    assert!(listing.rejected.is_empty());
    assert_eq!(listing.unsettled, 0);
    assert_eq!(listing.files[3].path, inbox.path("bob/agent.py"));
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
        "alice.py.filepart",
        "alice.py.crdownload",
        "alice.py.partial",
        "#alice.py#",
        "4913",
        "Thumbs.db",
        "desktop.ini",
        "__MACOSX/alice.py",
    ]);
    symlink("/etc/passwd", inbox.path(".link.py")).unwrap();
    let listing = inbox.list();
    assert_eq!((listing.files.len(), listing.rejected.len(), listing.unsettled), (0, 0, 0));
}

#[test]
fn an_inbox_that_is_not_there_is_our_error() {
    assert_eq!(list(Path::new("/nonexistent/inbox"), LIMIT).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(list(Inbox::with(&["a"]).path("a").as_path(), LIMIT).is_err());
}

#[test]
fn names_that_are_no_submissions() {
    for (file, shown, reason) in [
        ("alice.txt", "alice.txt", "is not a .py file"),
        (
            "alice.PY",
            "alice.PY",
            "is not a .py file, whose name ends in small letters; rename it to alice.py",
        ),
        ("alice", "alice", "is not a .py file"),
        ("alice.ipynb", "alice.ipynb", "is a Jupyter notebook; export it as .py"),
        ("alice.ZIP", "alice.ZIP", "is an archive"),
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
    assert!(listing.files.is_empty(), "{listing:?}");
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
    let inbox_file =
        InboxFile { miner: "m".parse().unwrap(), file: "null".into(), path: "/dev/null".into(), stamp: None };
    let Err(Unreadable::Rejected(found)) = read(&inbox_file, LIMIT) else { panic!() };
    assert!(found.reason.contains("a device"), "{found:?}");
}

#[test]
fn an_id_claimed_twice_stays_with_the_file_that_was_changed_earlier() {
    for [earlier, later] in
        [["alice.py", "Alice.py"], ["alice/agent.py", "alice.py"], ["alice/agent.py", "ALICE/agent.py"]]
    {
        let inbox = Inbox::with(&[earlier]);
        std::thread::sleep(Duration::from_millis(20));
        inbox.put(later, "x = 2");
        inbox.put("bob.py", "x");
        let ancient = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        File::open(inbox.path(later)).unwrap().set_times(ancient).unwrap();
        assert_eq!(inbox.files(), [format!("alice {earlier}"), "bob bob.py".to_owned()]);
        let rejected = inbox.list().rejected;
        let [found] = &rejected[..] else { panic!("{rejected:?}") };
        let reason =
            format!("names the same miner as {earlier}, which was there before; leave only one of them");
        assert_eq!((found.file.as_str(), &found.miner, &found.reason), (later, &None, &reason));
        assert!(found.concerns(&"alice".parse().unwrap()), "{found:?}");
    }
    let many = ["abc.py", "Abc.py", "aBc.py", "abC.py", "ABC.py", "ABc.py"];
    let listing = Inbox::with(&many).list();
    assert_eq!((listing.files.len(), listing.rejected.len()), (1, many.len() - 1));
}

#[test]
fn an_id_stays_with_the_file_that_has_it_until_it_goes() {
    let folder = Inbox::with(&["Alice.py"]);
    std::thread::sleep(Duration::from_millis(20));
    folder.put("alice.py", "x = 2");
    let now = || Now { time: SystemTime::now() + SETTLE, closed: CLOSED.get_or_init(HashSet::new) };
    let alice: Miner = "alice".parse().unwrap();
    let sight = Sight {
        sha256: digest::sha256(b"x = 2"),
        miner: alice.clone(),
        at: Timestamp::now(),
        file: "alice.py".into(),
        came: None,
        via: Origin::Dropped,
        refused: false,
        prints: Vec::new(),
        undecided: false,
        packed: false,
        other: None,
    };
    let known: FirstSights = [&sight].into_iter().collect();
    let both = || BTreeSet::from(["alice.py", "Alice.py"].map(OsString::from));

    let mut inbox = super::Inbox::new(folder.0.path(), LIMIT);
    let holder = |inbox: &super::Inbox| inbox.holder(&alice).map(|claim| claim.inbox_file.file.clone());
    assert!(inbox.look_at(both(), &now(), &known).refusals);
    assert_eq!(holder(&inbox).as_deref(), Some("alice.py"), "the one that it was last seen with");
    folder.put("alice.py", "x = 3");
    assert!(!inbox.look_at(both(), &now(), &FirstSights::default()).refusals);
    assert_eq!(holder(&inbox).as_deref(), Some("alice.py"), "the one that has it, though changed later");
    remove_file(folder.path("alice.py")).unwrap();
    assert!(inbox.look_at(both(), &now(), &known).refusals);
    assert_eq!(holder(&inbox).as_deref(), Some("Alice.py"));
    assert_eq!(inbox.refused().count(), 0);
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
        (listing.files.len(), listing.rejected.len(), listing.unsettled)
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
    let listing = list(inbox.0.path(), LIMIT).unwrap();
    assert_eq!((listing.files.len(), listing.unsettled), (0, 1));
    std::thread::sleep(SETTLE);
    assert_eq!(list(inbox.0.path(), LIMIT).unwrap().files.len(), 1);
}

#[test]
fn what_its_writer_has_closed_needs_no_time_to_settle() {
    let inbox = Inbox::with(&["alice.py", "bob.py"]);
    let closed = HashSet::from([PathBuf::from("alice.py")]);
    let listing =
        || list_at(inbox.0.path(), LIMIT, &Now { time: SystemTime::now(), closed: &closed }).unwrap();
    let unsettled = || listing().unsettled;
    let listing = listing();
    assert_eq!((listing.files[0].file.as_str(), listing.files.len(), listing.unsettled), ("alice.py", 1, 1));
    // What is touched twice within a tick of the clock looks the same: nobody may rely on its looks yet.
    assert!(listing.files[0].stamp.is_none());
    assert!(inbox.list().files.iter().all(|inbox_file| inbox_file.stamp.is_some()));
    hard_link(inbox.path("alice.py"), inbox.path(".alice")).unwrap();
    assert_eq!(unsettled(), 2);
}

#[test]
fn bytes_are_read_whole_up_to_the_limit() {
    let inbox = Inbox::new();
    inbox.put("alice.py", &"x".repeat(100));
    inbox.put("bob/agent.py", "");
    inbox.put("carol.py", &"x".repeat(101));
    let files = inbox.list().files;
    let alice = read(&files[0], LIMIT).unwrap();
    assert_eq!(alice.bytes, [b'x'; 100]);
    assert_eq!(alice.inbox_file, files[0]);
    assert!(Timestamp::now() >= alice.modified);
    let bob = read(&files[1], LIMIT).unwrap();
    assert_eq!(bob.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    inbox.refuses_to_read("carol.py", "is 101 bytes long; at most 100 are taken");
    assert_eq!(read(&files[2], Bounds { bytes: u64::MAX, files: 1 }).unwrap().bytes.len(), 101);
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
    let files = inbox.list().files;
    remove_file(inbox.path("alice.py")).unwrap();
    rename(inbox.path("bob"), inbox.path("carol")).unwrap();
    for inbox_file in &files {
        assert_eq!(read(inbox_file, LIMIT).unwrap_err(), Unreadable::Changing);
    }
}

#[test]
fn a_folder_swapped_for_a_link_is_not_followed() {
    let inbox = Inbox::with(&["bob/agent.py", "elsewhere/agent.py"]);
    let inbox_file = inbox.drop("bob/agent.py");
    rename(inbox.path("bob"), inbox.path("away")).unwrap();
    symlink("elsewhere", inbox.path("bob")).unwrap();
    inbox.refuses_to_read("bob/agent.py", "symbolic link");
    assert_eq!(reread(&inbox_file, &digest::sha256(b"x = 1"), LIMIT), None);
}

#[test]
fn an_inbox_behind_a_link_or_a_relative_path_is_fine() {
    let inbox = Inbox::with(&["in/alice.py"]);
    symlink("in", inbox.path("link")).unwrap();
    let listing = at(&inbox.path("link"), SystemTime::now() + SETTLE * 9);
    assert!(read(&listing.files[0], LIMIT).is_ok());
    let inbox_file = InboxFile {
        miner: "m".parse().unwrap(),
        file: "Cargo.toml".into(),
        path: "Cargo.toml".into(),
        stamp: None,
    };
    assert!(read(&inbox_file, Bounds { bytes: 1 << 20, files: 1 }).is_ok());
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
    let inbox_file = &inbox.list().files[0];
    let first = read(inbox_file, LIMIT).unwrap();
    assert_eq!(reread(inbox_file, &first.sha256, LIMIT), Some(first.bytes));
    assert_eq!(reread(inbox_file, &first.sha256, Bounds { bytes: 3, files: 1 }), None);
    inbox.put("alice.py", "x = 2");
    assert_eq!(reread(inbox_file, &first.sha256, LIMIT), None);
    remove_file(inbox.path("alice.py")).unwrap();
    assert_eq!(reread(inbox_file, &first.sha256, LIMIT), None);
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
    assert_eq!(listing.files.len(), 10_000);
    let read_all = listing.files.iter().all(|inbox_file| read(inbox_file, LIMIT).is_ok());
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
        prop_assert!(listing.files.len() + listing.rejected.len() <= 1);
        for inbox_file in &listing.files {
            prop_assert_eq!(format!("{}.py", inbox_file.miner), inbox_file.file.to_ascii_lowercase());
        }
        for found in &listing.rejected {
            prop_assert!(!found.file.contains(char::is_control) && !found.reason.contains(char::is_control));
        }
    }
}
