//! Reload: an edited pipeline.yaml or task is read again while the program works.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode};

use crate::ui::{Event, Events};
use crate::util::watch_folder::watch_folder;
use crate::workspace::Workspace;
use crate::yaml::Problems;

/// An edit is looked at when nothing has changed for this long: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(200);

/// How often the files are looked at when nothing announces a change.
const RECHECK: Duration = Duration::from_secs(10);

/// The line after the last mistake was mended.
pub const RIGHT_AGAIN: &str = "pipeline.yaml and the tasks are right again";

/// A thread that follows the files of a workspace; it ends when this is dropped.
#[derive(Debug)]
pub struct Reload(Sender<Notice>);

/// Reasons to wake the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    Edited,
    Stop,
}

impl Reload {
    /// Calls `offer` with each new workspace that is free of mistakes, and warns of the mistakes of others. The workspace
    /// of digest `known` is not new.
    ///
    /// # Errors
    /// The folders can't be watched.
    pub fn follow(
        dir: &Path,
        workspace: &Workspace,
        known: String,
        events: &Events,
        offer: impl FnMut(Workspace) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (notices, noticed) = mpsc::channel();
        let tasks = workspace.pipeline.tasks.clone();
        let watchers = watch(dir, &tasks, &notices)?;
        let (dir, events, notices) = (dir.to_owned(), events.clone(), Self(notices));
        let follower = Follower {
            dir,
            tasks,
            known,
            complaint: String::new(),
            watchers,
            notices: notices.0.clone(),
            events,
            offer,
        };
        thread::spawn(move || follower.follow(&noticed));
        Ok(notices)
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        let _ = self.0.send(Notice::Stop);
    }
}

struct Follower<F> {
    dir: PathBuf,
    /// The tasks folder that is watched.
    tasks: PathBuf,
    /// Digest of the last workspace that was offered.
    known: String,
    /// The mistakes that were told last.
    complaint: String,
    watchers: Vec<RecommendedWatcher>,
    notices: Sender<Notice>,
    events: Events,
    offer: F,
}

impl<F: FnMut(Workspace)> Follower<F> {
    fn follow(mut self, noticed: &Receiver<Notice>) {
        while wait(noticed) {
            match Workspace::open(&self.dir) {
                Ok(workspace) => self.take(workspace),
                Err(problems) => self.complain(&problems),
            }
        }
    }

    fn take(&mut self, workspace: Workspace) {
        if !std::mem::take(&mut self.complaint).is_empty() {
            self.events.send(Event::Warning(RIGHT_AGAIN.to_owned()));
        }
        let digest = workspace.digest();
        if digest == self.known {
            return;
        }
        self.known = digest;
        let tasks = &workspace.pipeline.tasks;
        // Where the new folder can't be watched, it is still looked at now and then.
        if *tasks != self.tasks
            && let Ok(watchers) = watch(&self.dir, tasks, &self.notices)
        {
            (self.tasks, self.watchers) = (tasks.clone(), watchers);
        }
        (self.offer)(workspace);
    }

    fn complain(&mut self, problems: &Problems) {
        let complaint = problems.to_string();
        if complaint != self.complaint {
            let text = format!("the last good configuration stays in force:\n{complaint}");
            self.events.send(Event::Warning(text));
            self.complaint = complaint;
        }
    }
}

/// Waits until the files should be looked at; false if that is no longer wanted.
fn wait(noticed: &Receiver<Notice>) -> bool {
    let mut notice = match noticed.recv_timeout(RECHECK) {
        Err(RecvTimeoutError::Timeout) => return true,
        other => other,
    };
    while notice == Ok(Notice::Edited) {
        notice = noticed.recv_timeout(SETTLE);
    }
    notice == Err(RecvTimeoutError::Timeout)
}

fn watch(dir: &Path, tasks: &Path, notices: &Sender<Notice>) -> anyhow::Result<Vec<RecommendedWatcher>> {
    let folders = [(tasks, RecursiveMode::Recursive), (dir, RecursiveMode::NonRecursive)];
    let watcher = |(folder, mode)| {
        let notices = notices.clone();
        watch_folder(folder, mode, move |_| {
            let _ = notices.send(Notice::Edited);
        })
    };
    folders.into_iter().map(watcher).collect()
}
