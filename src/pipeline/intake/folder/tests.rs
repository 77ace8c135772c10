//! Folders of miners, whole and hostile ones.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::fs::mkfifoat;
use tempfile::TempDir;

use super::*;
use crate::model::first_sights::FirstSights;
use crate::pipeline::intake::{self, Inbox, SETTLE, Touched, Unreadable};

const BOUNDS: Bounds = Bounds { bytes: 10_000, files: 10 };

/// An inbox with the folder of one miner, bob.
struct Bob(TempDir);

impl Bob {
    fn with(files: &[(&str, &str)]) -> Self {
        let bob = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(file, text)| bob.put(file, text));
        bob
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join("bob").join(file)
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn file(&self) -> InboxFile {
        let (miner, file) = ("bob".parse().unwrap(), "bob/agent.py".to_owned());
        InboxFile { miner, path: self.0.path().join(&file), file, stamp: None }
    }

    fn read(&self) -> Result<Submission, Unreadable> {
        intake::read(&self.file(), BOUNDS)
    }

    fn names(&self) -> Vec<String> {
        let bytes = self.read().unwrap().bytes;
        joined::parts(&bytes).unwrap().iter().map(|part| part.path.to_owned()).collect()
    }

    #[track_caller]
    fn is_refused(&self, reason: &str) {
        let Err(Unreadable::Rejected(found)) = self.read() else { panic!("{:?}", self.read()) };
        assert!(found.reason.contains(reason), "{found:?} lacks {reason:?}");
        assert_eq!(found.file, "bob/agent.py");
    }

    /// The claim of bob in an inbox that is looked at.
    fn look(&self, inbox: &mut Inbox) -> Option<(bool, Option<Stamp>)> {
        let mut all = Touched::default();
        inbox.touch_all(&mut all).unwrap();
        inbox.look(all, &FirstSights::default());
        inbox.holder(&"bob".parse().unwrap()).map(|claim| (claim.settled, claim.inbox_file.stamp))
    }
}

const AGENT_TEXT: (&str, &str) = ("agent.py", "import helpers\n");

#[test]
fn all_modules_come_with_the_agent_and_one_alone_comes_as_it_is() {
    let bob = Bob::with(&[AGENT_TEXT]);
    let alone = bob.read().unwrap();
    assert_eq!(alone.bytes, b"import helpers\n");
    for file in [
        "helpers.py",
        "parts/__init__.py",
        "parts/deep/tree.py",
        ".git/x.py",
        "__pycache__/agent.pyc",
        "README.md",
    ] {
        bob.put(file, "x = 1\n");
    }
    bob.put("parts/notes.txt~", "");
    assert_eq!(bob.names(), ["agent.py", "helpers.py", "parts/__init__.py", "parts/deep/tree.py"]);
    let one = Bounds { files: 1, ..BOUNDS };
    assert_eq!(intake::read(&bob.file(), one).unwrap().bytes, alone.bytes);
    let whole = bob.read().unwrap();
    assert!(whole.changed >= alone.changed && whole.arrived >= whole.changed);
    let outside = joined(&bob.path(""), BOUNDS).unwrap();
    assert_eq!(outside, whole.bytes);
    let other = Bob::with(&[("parts/deep/tree.py", "x = 1\n"), ("helpers.py", "x = 1\n"), AGENT_TEXT]);
    other.put("parts/__init__.py", "x = 1\n");
    assert_eq!(other.read().unwrap().sha256, whole.sha256);
}

#[test]
fn what_is_no_module_is_refused_by_name() {
    for (file, reason) in [
        ("notes.txt", "has notes.txt beside it, which is no Python file"),
        ("fast.so", "has fast.so beside it, which is no Python file"),
        ("parts/fast.pyc", "has parts/fast.pyc beside it"),
        ("my-helper.py", "my-helper.py beside it, which can't be imported"),
        ("a\nb.py", "a\\nb.py beside it, which can't be imported"),
        ("\u{202e}x.py", "beside it, which can't be imported"),
        ("my-parts/x.py", "my-parts beside it, which can't be imported"),
        ("a/b/c/d/e/f/g/h/i/x.py", "a/b/c/d/e/f/g/h/i beside it, which lies too deep"),
    ] {
        let bob = Bob::with(&[AGENT_TEXT, (file, "x = 1\n")]);
        bob.is_refused(reason);
    }
    let bob = Bob::with(&[("agent.py", "==> 1 files <==\n"), ("x.py", "")]);
    bob.is_refused("has agent.py beside it, which is several files in one");
}

#[test]
fn nothing_special_is_opened_or_followed() {
    let bob = Bob::with(&[AGENT_TEXT, ("hidden.py", "x")]);
    let away = bob.0.path().join(".hidden.py");
    fs::rename(bob.path("hidden.py"), &away).unwrap();
    let make: [(&str, &dyn Fn(PathBuf)); 4] = [
        ("a symbolic link", &|path| symlink(&away, path).unwrap()),
        ("a hard link", &|path| fs::hard_link(&away, path).unwrap()),
        ("a named pipe", &|path| mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap()),
        ("a socket", &|path| drop(UnixListener::bind(path).unwrap())),
    ];
    for (kind, make) in make {
        make(bob.path("x.py"));
        bob.is_refused(&format!("has x.py beside it, which is {kind}"));
        fs::remove_file(bob.path("x.py")).unwrap();
    }
    symlink(bob.0.path(), bob.path("parts")).unwrap();
    bob.is_refused("has parts beside it, which is a symbolic link");
}

#[test]
fn neither_many_nor_large_files_are_read() {
    let bob = Bob::with(&[AGENT_TEXT]);
    (0..9).for_each(|number| bob.put(&format!("m{number}.py"), ""));
    assert_eq!(bob.names().len(), 10);
    bob.put("more.py", "");
    bob.is_refused("has more than 10 files");
    let bob = Bob::with(&[AGENT_TEXT]);
    (0..NAMES).for_each(|number| bob.put(&format!(".{number}"), ""));
    bob.is_refused("lies in a folder of more than 1000 files and folders");
    let bob = Bob::with(&[AGENT_TEXT]);
    File::create(bob.path("huge.py")).unwrap().set_len(1 << 40).unwrap();
    bob.is_refused("at most 10000 are taken");
    let bob = Bob::with(&[("agent.py", &"x".repeat(5000)), ("x.py", &"x".repeat(4990))]);
    bob.is_refused("at most 10000 are taken");
}

#[test]
fn what_goes_or_grows_while_it_is_read_is_left_to_the_next_look() {
    let bob = Bob::with(&[AGENT_TEXT, ("x.py", "x = 1\n")]);
    let folder = open(&bob.path("")).unwrap();
    let look = |name: &str| Look::of(&statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).unwrap());
    let read = |look: Look| content(&folder, &"x.py".into(), look);
    let before = look("x.py");
    assert_eq!(read(before).unwrap(), b"x = 1\n");
    bob.put("x.py", "x = 2222\n");
    assert!(matches!(read(before), Err(Fault::Changing)));
    fs::remove_file(bob.path("x.py")).unwrap();
    symlink(bob.path("agent.py"), bob.path("x.py")).unwrap();
    assert!(matches!(read(before), Err(Fault::Changing)));
    fs::remove_file(bob.path("x.py")).unwrap();
    assert!(matches!(read(before), Err(Fault::Changing)));
    fs::remove_file(bob.path("agent.py")).unwrap();
    bob.put("x.py", "");
    assert_eq!(bob.read().unwrap_err(), Unreadable::Changing);
    let walk = || walk(&folder, BOUNDS, &mut None).unwrap();
    let before = walk();
    assert_eq!(walk(), before);
    bob.put("parts/y.py", "");
    let with_parts = walk();
    assert_ne!(with_parts, before);
    fs::rename(bob.path("parts/y.py"), bob.path("parts/z.py")).unwrap();
    assert_ne!(walk(), with_parts);
}

#[test]
fn a_folder_is_settled_once_nothing_in_it_is_new() {
    let bob = Bob::with(&[AGENT_TEXT, ("parts/tree.py", "x = 1\n")]);
    let mut inbox = Inbox::new(bob.0.path(), BOUNDS);
    assert_eq!(bob.look(&mut inbox), Some((false, None)));
    std::thread::sleep(SETTLE * 2);
    let (settled, stamp) = bob.look(&mut inbox).unwrap();
    assert!(settled && stamp.is_some());
    assert_eq!(bob.look(&mut inbox), Some((true, stamp)));
    // Its own size, time and place say nothing of what lies beside the agent.
    bob.put("parts/tree.py", "x = 2\n");
    assert_eq!(bob.look(&mut inbox), Some((false, None)));
    std::thread::sleep(SETTLE * 2);
    let (settled, other) = bob.look(&mut inbox).unwrap();
    assert!(settled && other.is_some() && other != stamp);
    bob.put("notes.txt", "");
    assert_eq!(bob.look(&mut inbox), None);
}
