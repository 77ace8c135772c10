//! `generate` stopped by a signal or by time: nothing of it is left.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Folder, said};

/// A folder whose model is a command with a child, which holds the pipe `fifo` open as long as it lives.
fn folder(timeout: &str) -> Folder {
    let folder = Folder::new("");
    let fifo = folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let script = format!("(exec sleep 600 > {}) & sleep 600", fifo.display());
    folder.write("pipeline.yaml", &format!("llm: {{command: [sh, -c, '{script}'], timeout: {timeout}}}"));
    folder
}

fn start(folder: &Folder) -> Child {
    let mut command = folder.command(&["generate", "--all", "--miner", "alice"]);
    command.env("TMPDIR", folder.path().join("tmp")).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Reads to the end of the pipe, which the command's child has to open and to leave.
fn is_left(fifo: &Path, meanwhile: impl FnOnce()) {
    let mut held = File::open(fifo).unwrap();
    meanwhile();
    assert_eq!(held.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_signal_ends_the_command_with_its_children_and_leaves_no_folder() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let folder = folder("10m");
        let child = start(&folder);
        is_left(&folder.path().join("fifo"), || kill_process(Pid::from_child(&child), signal).unwrap());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }
}

#[test]
fn a_command_that_takes_too_long_ends_with_its_children() {
    let folder = folder("2s");
    let child = start(&folder);
    is_left(&folder.path().join("fifo"), || {});
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("sh did not reply within 2 s"), "{}", said(&output));
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}
