//! The tasks as miners see them, and the rules that uploads are checked by, kept as new as the files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;
use std::time::Duration;

use axum::body::Bytes;
use notify::{RecommendedWatcher, RecursiveMode};
use serde::Serialize;

use crate::config::Validate;
use crate::task::Task;
use crate::watch::eye;
use crate::workspace::Workspace;

/// An edit is looked at when nothing has changed for this long.
const SETTLE: Duration = Duration::from_millis(200);

/// How often the files are looked at when nothing announces a change.
const RECHECK: Duration = Duration::from_secs(10);

/// What the files say at some time.
#[derive(Debug)]
pub(super) struct Page {
    /// What uploads must satisfy.
    pub(super) rules: Validate,
    /// All tasks, as JSON.
    pub(super) tasks: Bytes,
    /// Each task by its id, as JSON.
    pub(super) by_id: HashMap<String, Bytes>,
    digest: String,
}

/// A task as miners see it: hidden tests only as a number.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    prompt: &'a str,
    weight: f64,
    tests: Vec<ShownTest<'a>>,
    hidden_tests: usize,
}

#[derive(Serialize)]
struct ShownTest<'a> {
    name: &'a str,
    assert: &'a str,
    weight: f64,
}

/// The page in force.
#[derive(Debug)]
pub(super) struct Catalog(Arc<RwLock<Arc<Page>>>);

impl Catalog {
    /// Follows the files for as long as it lives.
    pub(super) fn follow(dir: &Path, workspace: &Workspace) -> anyhow::Result<Self> {
        let page = Arc::new(RwLock::new(Arc::new(Page::of(workspace))));
        let (edits, edited) = mpsc::channel();
        let mut eyes = Vec::new();
        for (folder, mode) in [
            (workspace.pipeline.tasks.as_path(), RecursiveMode::Recursive),
            (dir, RecursiveMode::NonRecursive),
        ] {
            let edits = edits.clone();
            eyes.push(eye(folder, mode, move |_| {
                let _ = edits.send(());
            })?);
        }
        let (dir, shared) = (dir.to_owned(), Arc::downgrade(&page));
        thread::spawn(move || follow(&dir, &shared, &edited, eyes));
        Ok(Self(page))
    }

    /// What is in force now.
    pub(super) fn page(&self) -> Arc<Page> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// While the files are wrong, the last good page stays in force.
fn follow(
    dir: &Path,
    shared: &Weak<RwLock<Arc<Page>>>,
    edited: &mpsc::Receiver<()>,
    eyes: Vec<RecommendedWatcher>,
) {
    loop {
        match edited.recv_timeout(RECHECK) {
            Ok(()) => while edited.recv_timeout(SETTLE).is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let Some(page) = shared.upgrade() else { break };
        if let Ok(workspace) = Workspace::open(dir) {
            let known = page.read().unwrap_or_else(PoisonError::into_inner).digest.clone();
            if known != workspace.digest() {
                *page.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Page::of(&workspace));
            }
        }
    }
    drop(eyes);
}

impl Page {
    fn of(workspace: &Workspace) -> Self {
        let shown: Vec<Shown<'_>> = workspace.tasks.iter().map(shown).collect();
        let by_id = shown.iter().map(|task| (task.id.to_owned(), json(task))).collect();
        let (rules, tasks) = (workspace.pipeline.validate.clone(), json(&shown));
        Self { rules, tasks, by_id, digest: workspace.digest() }
    }
}

fn shown(task: &Task) -> Shown<'_> {
    let public = task.tests.iter().filter(|test| test.public);
    let tests: Vec<_> = public
        .map(|test| ShownTest { name: &test.name, assert: &test.assertion.text, weight: test.weight })
        .collect();
    Shown {
        id: &task.id,
        prompt: &task.prompt,
        weight: task.weight,
        hidden_tests: task.tests.len() - tests.len(),
        tests,
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("text and numbers only").into()
}
