//! Sandbox of a `check`, which is in nobody's way.

use std::path::{Path, PathBuf};

use crate::config::Pipeline;
use crate::sandbox::run::ContainerSandbox;
use crate::ui::{self, Events, Talk};

/// Does something with a sandbox that is in nobody's way: another agentmill, a second `check` included, may be at work
/// in this folder, and its containers must not be taken for what an earlier one left behind.
pub(super) fn with_sandbox<T>(
    pipeline: &Pipeline,
    talk: Talk,
    work: impl FnOnce(&ContainerSandbox, &Events) -> T,
) -> T {
    let (events, shown) = Events::channel();
    let display = ui::display(shown, talk);
    let place = place_of_its_own(&pipeline.results);
    let sandbox = ContainerSandbox::new(&pipeline.sandbox, pipeline.parallel.get(), &place, events.clone());
    let result = work(&sandbox, &events);
    drop((sandbox, events));
    display.join();
    result
}

/// A results folder that no other `check` and no other agentmill names, and that is never made: containers are told
/// apart by it.
fn place_of_its_own(results: &Path) -> PathBuf {
    let now = jiff::Timestamp::now().as_nanosecond();
    results.join(format!(".check-{}-{now}", std::process::id()))
}
