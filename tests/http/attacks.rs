//! Attacks by a local user who owns the inbox, or may read our folders.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::support::{Folder, GOOD, said};

/// Uploads for two miners, one of which has the name of a result file.
fn uploads_pass_by(set_trap: impl Fn(&Folder)) {
    let folder = Folder::new("");
    folder.write("results/rankings.json", "precious");
    set_trap(&folder);
    let api = folder.serve();
    for miner in ["alice", "rankings"] {
        assert_eq!(api.put(miner, "", GOOD).status, 201);
        assert_eq!(folder.read(&format!("inbox/{miner}.py")), GOOD);
    }
    assert_eq!(folder.read("results/rankings.json"), "precious");
}

fn pipe(path: std::path::PathBuf) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

#[test]
fn a_link_to_the_results_overwrites_nothing() {
    uploads_pass_by(|folder| symlink("../results", folder.inbox().join(".uploads")).unwrap());
}

#[test]
fn pipes_in_the_place_of_locks_and_agents_keep_nobody_waiting() {
    uploads_pass_by(|folder| {
        fs::create_dir(folder.inbox().join(".uploads")).unwrap();
        (0..64).for_each(|number| pipe(folder.inbox().join(format!(".uploads/.lock-{number}"))));
        pipe(folder.inbox().join("alice.py"));
    });
}

#[test]
fn locks_of_readers_keep_nobody_waiting() {
    let folder = Folder::new("");
    let locked = ["", "inbox", "results", "inbox/.uploads", "inbox/.uploads/.lock-0"].map(|name| {
        let path = folder.path().join(name);
        if name.contains("lock") {
            (0..64).for_each(|number| folder.write(&format!("inbox/.uploads/.lock-{number}"), ""));
        } else {
            fs::create_dir_all(&path).unwrap();
        }
        let file = File::open(path).unwrap();
        file.lock().unwrap();
        file
    });
    let output = folder.run(&["token", "add", "alice"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let token = String::from_utf8(output.stdout).unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", token.trim());
    assert_eq!(folder.serve().put("alice", &headers, GOOD).status, 201);
    drop(locked);
}

#[test]
fn a_lock_of_our_own_that_is_never_given_back_is_named() {
    let folder = Folder::new("");
    folder.write("agent.py", GOOD);
    let file = folder.path().join("agent.py");
    let submit = || folder.run(&["submit", file.to_str().unwrap(), "--miner", "alice"]);
    assert_eq!(submit().status.code(), Some(0));
    let uploads = folder.path().join("results/.uploads");
    let locks = fs::read_dir(&uploads).unwrap().map(|entry| entry.unwrap().path());
    let held: Vec<File> = locks
        .filter(|path| path.to_string_lossy().contains(".lock-"))
        .map(|path| {
            let file = File::options().write(true).open(path).unwrap();
            file.lock().unwrap();
            file
        })
        .collect();
    assert_eq!(held.len(), 1);
    let output = submit();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("another process has held it for 10 s"), "{}", said(&output));
}

#[test]
fn files_are_no_more_readable_than_the_umask_lets_them() {
    let folder = Folder::new("");
    folder.write("agent.py", GOOD);
    for (umask, expected) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        fs::write(folder.path().join("agent.py"), format!("{GOOD}# {umask}\n")).unwrap();
        let script = format!("umask {umask}; exec \"$0\" -C \"$1\" submit \"$1/agent.py\" --miner alice");
        let binary = env!("CARGO_BIN_EXE_agentmill");
        let mut command = Command::new("sh");
        let output = command.args(["-c", &script, binary]).arg(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let agent = fs::metadata(folder.inbox().join("alice.py")).unwrap();
        assert_eq!(agent.mode() & 0o777, expected, "{umask}");
        let receipt = fs::metadata(folder.path().join("results/.uploads/alice.json")).unwrap();
        assert_eq!(receipt.mode() & 0o777, 0o600);
    }
}
