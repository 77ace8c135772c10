//! Sandbox of a command that evaluates beside the folder's own agentmill, and work in it.

use std::sync::Arc;
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::cli::Exit;
use crate::client::generate::program::Children;
use crate::commands::interrupt::until_signal;
use crate::config::Pipeline;
use crate::sandbox::Sandbox;
use crate::sandbox::run::ContainerSandbox;
use crate::ui::{Events, Spinner};

/// A sandbox whose containers are told apart from those of a daemon in the same folder.
struct Aside {
    containers: Arc<ContainerSandbox>,
    /// Stands for a results folder, by which containers are told apart; removed when dropped.
    _place: TempDir,
    display: JoinHandle<()>,
}

impl Aside {
    /// For so many agents at the same time; the spinner shows its events.
    fn new(pipeline: &Pipeline, parallel: usize, spinner: &Spinner) -> std::io::Result<Self> {
        let (events, shown) = Events::channel();
        let display = spinner.follow(shown);
        let place = tempfile::tempdir()?;
        let containers = Arc::new(ContainerSandbox::new(&pipeline.sandbox, parallel, place.path(), events));
        Ok(Self { containers, _place: place, display })
    }

    /// Lets all events be shown. Nobody else may hold the sandbox any more.
    fn finish(self) {
        drop(self.containers);
        let _ = self.display.join();
    }
}

/// Does work that asks models and tries what they write, for so many agents at the same time, in a sandbox of its own. A
/// signal ends it, and the model's commands, early; gives the exit code then.
///
/// # Errors
/// There is no place for the sandbox, or signals can't be listened for.
pub(super) fn work<T: Send + 'static>(
    pipeline: &Pipeline,
    parallel: usize,
    spinner: &Spinner,
    children: &Children,
    work: impl FnOnce(&ContainerSandbox) -> T + Send + 'static,
) -> std::io::Result<Result<T, Exit>> {
    let aside = Aside::new(pipeline, parallel, spinner)?;
    let containers = Arc::clone(&aside.containers);
    let ended = until_signal(
        move || work(&containers),
        || {
            children.end();
            aside.containers.stop();
        },
    );
    spinner.done();
    let ended = ended?;
    if ended.is_ok() {
        aside.finish();
    }
    Ok(ended)
}
