//! `run`: one pass over the inbox.

use std::path::Path;
use std::sync::mpsc;

use crate::cli::Exit;
use crate::pipeline::{Mill, Summary, publish};
use crate::sandbox::container::Containers;
use crate::signals::Signals;
use crate::term;
use crate::ui::{self, Events, Talk};
use crate::workspace::Workspace;

/// Evaluates what is due and prints the ranking, or all that the pass came to as JSON.
///
/// # Errors
/// Mistakes in the configuration, another agentmill in the folder, no engine or image, or results that can't be
/// written.
pub fn run(dir: &Path, force: bool, quiet: bool, json: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let _lock = workspace.lock()?;
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker.clone())?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, json));
    let summary = {
        let results = &workspace.pipeline.results;
        publish::tidy(results)?;
        let sandbox = Containers::new(
            &workspace.pipeline.sandbox,
            workspace.pipeline.parallel.get(),
            results,
            events.clone(),
        );
        let mill = Mill {
            pipeline: &workspace.pipeline,
            tasks: &workspace.tasks,
            sandbox: &sandbox,
            events: &events,
            force,
            stay: false,
        };
        mill.turn(&waker, &wakes)
    };
    drop(events);
    display.join();
    let summary = summary?;
    if json {
        term::print_json(&summary)?;
    }
    Ok(signals.received().map_or_else(|| exit(&summary), Exit::Signal))
}

fn exit(summary: &Summary) -> Exit {
    let unscored = summary.rows.iter().any(|row| row.unscored > 0);
    if unscored || summary.pending > 0 || summary.unsettled { Exit::Unscored } else { Exit::Done }
}
