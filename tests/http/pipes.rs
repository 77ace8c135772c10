//! Commands whose reader has left before they print.

use std::process::{Output, Stdio};

use crate::support::{Folder, GOOD, said};

/// Runs a command into a pipe that nobody reads.
fn unread(folder: &Folder, args: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    folder.command(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn a_token_that_nobody_could_read_is_not_kept() {
    let folder = Folder::new("");
    let output = unread(&folder, &["token", "add", "alice"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("the token can't be shown"), "{}", said(&output));
    assert!(folder.run(&["token", "list"]).stdout.is_empty());
}

#[test]
fn a_reader_that_has_left_is_no_error() {
    let folder = Folder::new("");
    folder.token("alice");
    folder.write("agent.py", GOOD);
    let file = folder.path().join("agent.py");
    let other = folder.path().join("other");
    for args in [
        &["token", "list"][..],
        &["token", "remove", "alice"],
        &["submit", file.to_str().unwrap(), "--miner", "alice"],
        &["init", other.to_str().unwrap()],
        &["tasks"],
        &["completions", "bash"],
        &["man"],
    ] {
        let output = unread(&folder, args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", said(&output));
        assert_eq!(said(&output), "", "{args:?}");
    }
}

#[test]
fn a_complaint_that_nobody_reads_keeps_its_exit_code() {
    let folder = Folder::new("");
    for args in [&["show", "nobody"][..], &["check", "no_such_task"], &["import", "mbpp", "/no/such/file"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = folder.command(args).stdout(Stdio::null()).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(2), "{args:?}");
    }
}
