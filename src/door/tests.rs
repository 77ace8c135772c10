use std::os::unix::fs::symlink;
use std::thread;

use super::*;
use crate::pipeline::intake;

fn miner(id: &str) -> Miner {
    id.parse().unwrap()
}

fn inbox() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(inbox: &Path, id: &str, source: &str) -> Result<(Receipt, bool), Refused> {
    hand_in(inbox, &miner(id), source.as_bytes(), Door::Submit)
}

#[test]
fn a_first_submission_is_a_file_of_the_miners_name() {
    let inbox = inbox();
    let (receipt, changed) = put(inbox.path(), "alice", "x = 1\n").unwrap();
    assert!(changed);
    assert_eq!((receipt.file.as_str(), receipt.bytes), ("alice.py", 6));
    assert_eq!(fs::read(inbox.path().join("alice.py")).unwrap(), b"x = 1\n");
    assert_eq!(super::receipt(inbox.path(), &miner("alice")), Some(receipt));
}

#[test]
fn nothing_but_the_submission_is_seen_by_a_scan() {
    let inbox = inbox();
    put(inbox.path(), "alice", "x = 1\n").unwrap();
    let listing = intake::list(inbox.path()).unwrap();
    assert_eq!((listing.drops.len() + listing.unsettled, listing.rejected), (1, vec![]));
}

#[test]
fn the_same_bytes_again_change_nothing() {
    let inbox = inbox();
    let file = inbox.path().join("alice.py");
    let first = put(inbox.path(), "alice", "x = 1\n").unwrap().0;
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(put(inbox.path(), "alice", "x = 1\n").unwrap(), (first, false));
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    assert!(put(inbox.path(), "alice", "x = 2\n").unwrap().1);
    assert!(put(inbox.path(), "alice", "x = 1\n").unwrap().1);
}

#[test]
fn what_the_miner_has_is_replaced_where_it_lies() {
    for (old, new) in [("ALICE.py", "ALICE.py"), ("Alice/agent.py", "Alice/agent.py")] {
        let inbox = inbox();
        let path = inbox.path().join(old);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "old").unwrap();
        assert_eq!(put(inbox.path(), "alice", "x = 1\n").unwrap().0.file, new);
        assert_eq!(fs::read(&path).unwrap(), b"x = 1\n");
        assert!(!inbox.path().join("alice.py").exists());
    }
}

#[test]
fn links_are_replaced_and_never_followed() {
    let (inbox, outside) = (inbox(), inbox());
    let target = outside.path().join("agent.py");
    fs::write(&target, "theirs").unwrap();
    symlink(&target, inbox.path().join("alice.py")).unwrap();
    symlink(outside.path(), inbox.path().join("bob")).unwrap();
    assert_eq!(put(inbox.path(), "alice", "x = 1\n").unwrap().0.file, "alice.py");
    assert_eq!(put(inbox.path(), "bob", "x = 1\n").unwrap().0.file, "bob.py");
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
}

#[test]
fn what_is_in_the_way_is_a_conflict_and_stays() {
    let inbox = inbox();
    fs::create_dir(inbox.path().join("alice.py")).unwrap();
    fs::write(inbox.path().join("bob.py"), "one").unwrap();
    fs::write(inbox.path().join("Bob.py"), "two").unwrap();
    for id in ["alice", "bob"] {
        assert!(matches!(put(inbox.path(), id, "x = 1\n"), Err(Refused::Conflict(_))), "{id}");
    }
    assert_eq!(fs::read(inbox.path().join("bob.py")).unwrap(), b"one");
    let left = fs::read_dir(inbox.path().join(UPLOADS)).unwrap();
    assert!(!left.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")));
}

#[test]
fn of_many_at_once_the_last_stays_with_its_receipt() {
    let inbox = inbox();
    thread::scope(|scope| {
        for number in 0..16 {
            let inbox = inbox.path();
            scope.spawn(move || put(inbox, "alice", &format!("x = {number}\n")).unwrap());
        }
    });
    let bytes = fs::read(inbox.path().join("alice.py")).unwrap();
    assert_eq!(super::receipt(inbox.path(), &miner("alice")).unwrap().sha256, digest::sha256(&bytes));
}

#[test]
fn sources_are_refused_for_the_reasons_of_the_pipeline() {
    let rules = Validate { max_bytes: 20, forbid: Vec::new() };
    assert!(check(b"import os\n", &rules).is_ok());
    let numpy = check(b"\nimport numpy\n", &rules).unwrap_err();
    assert_eq!(numpy.line(), Some(2));
    assert!(
        matches!(check(&[b'x'; 21], &rules), Err(Refused::Large(reason)) if reason.contains("at most 20"))
    );
}

#[test]
fn what_a_killed_process_left_goes_after_a_while() {
    let inbox = inbox();
    tidy(inbox.path()).unwrap();
    put(inbox.path(), "alice", "x = 1\n").unwrap();
    let uploads = inbox.path().join(UPLOADS);
    for (name, age) in
        [(".new-old.tmp", HALF_MADE * 2), (".new-young.tmp", Duration::ZERO), ("old.json", HALF_MADE * 2)]
    {
        let file = File::create(uploads.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    }
    tidy(inbox.path()).unwrap();
    let left = |name: &str| uploads.join(name).exists();
    assert_eq!([left(".new-old.tmp"), left(".new-young.tmp"), left("old.json")], [false, true, true]);
}
