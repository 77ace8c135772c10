//! `run`: one pass over the inbox.

use std::path::Path;
use std::sync::mpsc;

use anyhow::Context;

use crate::cli::{self, Exit};
use crate::commands::dry_run;
use crate::gateway::Gateway;
use crate::model::rejection::Rejection;
use crate::pipeline::report_store::Unwritable;
use crate::pipeline::scope::Scope;
use crate::pipeline::{PassContext, Summary, publish, report_store};
use crate::sandbox::run::ContainerSandbox;
use crate::signals::Signals;
use crate::term;
use crate::ui::{self, Events, Talk};
use crate::util::first_few::first_few;
use crate::workspace::Workspace;

/// Runs that are made again although they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// None.
    Nothing,
    /// All, with the answers of models that are recorded.
    Everything,
    /// All, with new answers.
    Fresh,
}

impl Again {
    /// Meaning of the two options.
    pub fn of(force: bool, fresh: bool) -> Self {
        match (force, fresh) {
            (_, true) => Self::Fresh,
            (true, false) => Self::Everything,
            (false, false) => Self::Nothing,
        }
    }
}

/// Evaluates what is due and in scope, and prints the ranking, or all that the pass came to as JSON.
///
/// # Errors
/// Mistakes in the configuration, another agentmill in the folder, no engine or image, or results that can't be
/// written.
pub fn run(dir: &Path, args: &cli::Run, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let scope = Scope::new(&args.agents, &args.tasks, &workspace.tasks)?;
    let again = Again::of(args.force, args.fresh);
    if args.dry_run {
        return dry_run::dry_run(&workspace, &scope, again != Again::Nothing, args.json);
    }
    let known = quiet.then(|| refused_before(&workspace.pipeline.results));
    let (summary, exit) = evaluate(&workspace, &scope, again, Talk::of(quiet, args.json))?;
    if args.json {
        term::print_json(&summary)?;
    }
    if let Some(known) = known
        && let Some(refused) = newly_refused(&summary, &known, &workspace.pipeline.results)
    {
        term::complain(format_args!("agentmill: {refused}"));
    }
    Ok(if exit == Exit::Done && !summary.rejected.is_empty() { Exit::Unscored } else { exit })
}

/// Evaluates and prints, and gives the exit code as if everything had been taken.
///
/// # Errors
/// As of [`run`].
pub fn evaluate(
    workspace: &Workspace,
    scope: &Scope,
    again: Again,
    talk: Talk,
) -> anyhow::Result<(Summary, Exit)> {
    let _lock = workspace.lock()?;
    work(workspace, &workspace.pipeline.results, scope, again, talk)
}

/// Evaluates under a lock that the caller holds. `place` is the folder that is locked, by which containers are told apart from
/// those of others.
///
/// # Errors
/// As of [`run`].
pub(super) fn work(
    workspace: &Workspace,
    place: &Path,
    scope: &Scope,
    again: Again,
    talk: Talk,
) -> anyhow::Result<(Summary, Exit)> {
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker.clone())?;
    let (events, shown) = Events::channel();
    let display = ui::display(shown, talk);
    let summary = {
        let results = &workspace.pipeline.results;
        report_store::tidy(results)
            .with_context(|| Unwritable(format!("can't tidy {}", results.display())))?;
        let sandbox = ContainerSandbox::new(
            &workspace.pipeline.sandbox,
            workspace.pipeline.parallel.get(),
            place,
            events.clone(),
        );
        let gateway =
            Gateway::new(&workspace.pipeline, &events, again == Again::Fresh).context("no way to a model")?;
        let context = PassContext {
            pipeline: &workspace.pipeline,
            tasks: &workspace.tasks,
            sandbox: &sandbox,
            gateway: gateway.as_ref(),
            events: &events,
            scope,
            force: again != Again::Nothing,
            stay: false,
        };
        context.run_pass(&waker, &wakes)
    };
    drop(events);
    let printed = display.finish();
    let summary = summary?;
    printed?;
    let exit = signals.received().map_or_else(|| exit(&summary), Exit::Signal);
    Ok((summary, exit))
}

/// The refusals that stand in the results.
fn refused_before(results: &Path) -> Vec<Rejection> {
    publish::json::load(results).map(|last| last.rejected).unwrap_or_default()
}

/// The files that were not taken, unless the results told so before, in a line: cron passes it on.
fn newly_refused(summary: &Summary, known: &[Rejection], results: &Path) -> Option<String> {
    let new = summary.rejected.iter().filter(|one| !known.contains(one));
    let new: Vec<&str> = new.map(|one| one.file.as_str()).collect();
    let all = match summary.rejected.len() {
        all if all > new.len() => format!(" ({all} in all)"),
        _ => String::new(),
    };
    let told = results.join("rejected.csv");
    (!new.is_empty())
        .then(|| format!("{} refused: {}{all}; {} says why", new.len(), first_few(&new), told.display()))
}

fn exit(summary: &Summary) -> Exit {
    let unscored = summary.rows.iter().any(|row| row.unscored > 0);
    let faulty = !summary.task_faults.is_empty();
    if unscored || faulty || summary.pending > summary.left_out || summary.unsettled {
        Exit::Unscored
    } else {
        Exit::Done
    }
}
