//! `run --dry-run`: the runs that would be made, and why.

use std::collections::BTreeMap;

use crate::cli::Exit;
use crate::model::miner_id::Miner;
use crate::model::report::of_sample;
use crate::pipeline::causes::Cause;
use crate::pipeline::dry_run::{DryRun, DueRun, Forecast};
use crate::pipeline::scope::Scope;
use crate::sandbox::run::ContainerSandbox;
use crate::term;
use crate::ui::Events;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::workspace::Workspace;

/// Prints the runs that are due and in scope. The engine is asked for the image's id only; where it can't tell, the image is
/// taken to be what it was.
///
/// # Errors
/// The ledger or the inbox can't be read, no submission is in scope, or the output can't be written.
pub fn dry_run(workspace: &Workspace, scope: &Scope, force: bool, json: bool) -> anyhow::Result<Exit> {
    let Workspace { pipeline, tasks, .. } = workspace;
    let image = image(workspace);
    let forecast = DryRun { pipeline, tasks, scope, force, image: image.as_deref() }.forecast()?;
    if json {
        term::print_json(&forecast)?;
    } else {
        term::print(&text(&forecast))?;
    }
    Ok(Exit::Done)
}

/// The image's id, if the engine tells it.
pub(super) fn image(workspace: &Workspace) -> Option<String> {
    let pipeline = &workspace.pipeline;
    // Nobody listens: what an engine says of itself belongs to a run.
    let (events, _) = Events::channel();
    let sandbox =
        ContainerSandbox::new(&pipeline.sandbox, pipeline.parallel.get(), &pipeline.results, events);
    sandbox.engine().image_id(&pipeline.sandbox.image).ok().flatten()
}

/// A line for each agent, stage and reason, and a sum.
fn text(forecast: &Forecast) -> String {
    let mut groups: BTreeMap<(&Miner, &str, bool, &[Cause]), Vec<String>> = BTreeMap::new();
    for DueRun { miner, stage, task, sample, why, if_passed, .. } in &forecast.runs {
        let run = task.clone() + &of_sample(*sample);
        groups.entry((miner, stage, *if_passed, why)).or_default().push(run);
    }
    let mut text = String::new();
    for ((miner, stage, if_passed, why), tasks) in groups {
        let why = why.iter().map(|cause| cause.words()).collect::<Vec<_>>().join(", ");
        let condition = if if_passed { ", if it gets there" } else { "" };
        let runs = counted(tasks.len(), "run");
        text += &format!("{miner}: {why}: {runs} in {stage}{condition}: {}\n", first_few(&tasks));
    }
    for one in &forecast.rejected {
        text += &format!("{}: refused, not run\n", one.file);
    }
    if forecast.unsettled {
        text += "a file in the inbox is still being written: nothing is told of it\n";
    }
    if forecast.image_assumed && !forecast.image.is_empty() {
        text += "the engine has not told the image's id: it is taken to be what it was\n";
    }
    let (runs, agents) = (counted(forecast.runs.len(), "run"), counted(forecast.agents, "agent"));
    text + &format!("{runs} of {agents}\n")
}
