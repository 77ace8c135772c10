//! `run`: one pass over the inbox.

use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc;

use anyhow::Context;

use crate::cli::{self, Exit};
use crate::commands::dry_run;
use crate::config::{Pipeline, Roster};
use crate::gateway::Gateway;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::model::report::Report;
use crate::model::unpassed::Unpassed;
use crate::pipeline::report_store::Unwritable;
use crate::pipeline::scope::Scope;
use crate::pipeline::{PassContext, Summary, publish, renamed, report_store};
use crate::sandbox::run::ContainerSandbox;
use crate::signals::Signals;
use crate::term;
use crate::ui::{self, Event, Events, Talk};
use crate::util::first_few::first_few;
use crate::workspace::{Workspace, parked};

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
    let before = quiet.then(|| ToldBefore::read(&workspace.pipeline));
    let (summary, exit) = evaluate(&workspace, &scope, again, Talk::of(quiet, args.json))?;
    if args.json {
        term::print_json(&summary)?;
    }
    let news = before.iter().flat_map(|before| before.news(&summary, &workspace.pipeline));
    news.for_each(|line| term::complain(format_args!("agentmill: {line}")));
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
    if let Some(parked) = parked(&workspace.pipeline, &workspace.tasks) {
        events.send(Event::Note(parked));
    }
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
            when_sound: None,
        };
        context.run_pass(&waker, &wakes)
    };
    if let Ok(summary) = &summary {
        unpassed(workspace, summary).into_iter().for_each(|told| events.send(Event::Note(told)));
    }
    drop(events);
    let printed = display.finish();
    let summary = summary?;
    printed?;
    let exit = signals.received().map_or_else(|| exit(&summary), Exit::Signal);
    Ok((summary, exit))
}

/// Lines on tests that none of the ranked agents passes, of tasks that no reference solution proves.
fn unpassed(workspace: &Workspace, summary: &Summary) -> Vec<String> {
    let unproved: HashSet<&str> =
        workspace.tasks.iter().filter(|task| task.solution.is_none()).map(|task| task.id.as_str()).collect();
    if unproved.is_empty() {
        return Vec::new();
    }
    let results = &workspace.pipeline.results;
    let reports: Vec<Report> =
        summary.rows.iter().filter_map(|row| report_store::load_report(results, &row.miner)).collect();
    let mut unpassed = Unpassed::default();
    for report in &reports {
        let runs = report.runs.iter().filter(|run| unproved.contains(run.task.as_str()));
        runs.for_each(|run| unpassed.add(&report.miner, run));
    }
    unpassed.told()
}

/// Facts that stand in the results, and need not be told again.
#[derive(Default)]
struct ToldBefore {
    rejected: Vec<Rejection>,
    /// Those who were not on the roster.
    strangers: HashSet<Miner>,
    /// Remedies for renamed files.
    renamed: Vec<String>,
}

impl ToldBefore {
    fn read(pipeline: &Pipeline) -> Self {
        let Ok(last) = publish::json::load(&pipeline.results) else { return Self::default() };
        let listed: HashSet<&Miner> = last.roster.iter().map(|one| &one.id).collect();
        let refused = last.rejected.iter().filter_map(|one| one.miner.as_ref());
        let miners: HashSet<Miner> =
            last.rankings.iter().map(|row| &row.miner).chain(refused).cloned().collect();
        let renamed = renamed::remedies(&last.rankings, &miners, pipeline);
        let mut strangers = miners;
        strangers.retain(|miner| !listed.is_empty() && !listed.contains(miner));
        Self { strangers, renamed, rejected: last.rejected }
    }

    /// Lines for the mail that cron sends.
    fn news(&self, summary: &Summary, pipeline: &Pipeline) -> Vec<String> {
        let refused = newly_refused(summary, &self.rejected, &pipeline.results);
        let strange = pipeline.roster.as_ref().and_then(|roster| self.new_strangers(summary, roster));
        let mut renamed = renamed::remedies(&summary.rows, &summary.submitters().collect(), pipeline);
        renamed.retain(|told| !self.renamed.contains(told));
        refused.into_iter().chain(strange).chain(renamed).collect()
    }

    fn new_strangers(&self, summary: &Summary, roster: &Roster) -> Option<String> {
        let mut new: Vec<Miner> = roster.strangers(summary.submitters()).collect();
        new.retain(|miner| !self.strangers.contains(miner));
        match new.as_slice() {
            [] => None,
            [one] => Some(roster.tell_stranger(one)),
            many => Some(format!(
                "{} are not on the roster, {}{}",
                first_few(many),
                roster.file.display(),
                many.iter()
                    .find_map(|one| roster.without_zeros(one).or_else(|| roster.within(one)))
                    .unwrap_or_default()
            )),
        }
    }
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
    let faulty = !summary.task_faults.is_empty() || !summary.refuted.is_empty();
    if unscored || faulty || summary.pending > summary.left_out || summary.unsettled {
        Exit::Unscored
    } else {
        Exit::Done
    }
}
