//! Passes over a made-up sandbox, in a folder of their own.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use agentmill::pipeline::scope::Scope;
use agentmill::pipeline::{PassContext, Summary, Wake};
use agentmill::sandbox::Sandbox;
use agentmill::ui::{Event, Events};
use agentmill::workspace::Workspace;

/// A folder with one task.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder whose task has these tests, such as `[assert x]`.
    pub fn new(tests: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        ["inbox", "tasks", "results"].iter().for_each(|name| fs::create_dir(dir.path().join(name)).unwrap());
        fs::write(dir.path().join("pipeline.yaml"), "parallel: 2\n").unwrap();
        fs::write(dir.path().join("tasks/t.yaml"), format!("prompt: p\ntests: {tests}\n")).unwrap();
        Self(dir)
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn read(&self, result: &str) -> String {
        fs::read_to_string(self.path("results").join(result)).unwrap()
    }

    /// Drops a file, later than all before, with a modification time that lies so far back.
    pub fn put(&self, file: &str, text: &str, age: Duration) {
        thread::sleep(Duration::from_millis(20));
        let path = self.path("inbox").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    /// Drops a file that has stood still for long.
    pub fn drop(&self, file: &str, text: &str) {
        self.put(file, text, Duration::from_secs(60));
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path("inbox").join(file)).unwrap();
    }

    pub fn workspace(&self) -> Workspace {
        Workspace::open(self.0.path()).unwrap()
    }

    /// One pass; gives what it told, too.
    pub fn pass(&self, sandbox: &dyn Sandbox) -> (anyhow::Result<Summary>, Vec<Event>) {
        let (events, told) = Events::channel();
        let summary = pass(&self.workspace(), sandbox, &events, false, mpsc::channel());
        drop(events);
        (summary, told.iter().collect())
    }
}

/// A pass over a workspace, which stays until it is stopped or ends when nothing is left to do.
pub fn pass(
    workspace: &Workspace,
    sandbox: &dyn Sandbox,
    events: &Events,
    stay: bool,
    (waker, wakes): (Sender<Wake>, Receiver<Wake>),
) -> anyhow::Result<Summary> {
    let Workspace { pipeline, tasks, .. } = workspace;
    let scope = &Scope::default();
    let context = PassContext {
        pipeline,
        tasks,
        sandbox,
        gateway: None,
        events,
        scope,
        force: false,
        stay,
        when_sound: None,
    };
    context.run_pass(&waker, &wakes)
}
