//! `show`: prints what the result files say.

use std::path::Path;

use jiff::Timestamp;

use crate::cli::{Exit, Shown};
use crate::client::submit;
use crate::config::{self, Pipeline};
use crate::show::{self, Query, ShowError};
use crate::status;
use crate::term::{self, Layout};
use crate::workspace::PIPELINE;

/// Prints the ranking, a miner's report, a run, or everybody's run on a task.
///
/// # Errors
/// Mistakes in the configuration, or there is no such thing.
pub fn print(dir: &Path, shown: &Shown) -> anyhow::Result<Exit> {
    let pipeline = config::load(&dir.join(PIPELINE))?;
    if let Some(name) = shown.miner.as_ref().filter(|_| shown.as_miner) {
        return as_miner(&pipeline, (name, shown.task.as_deref()), shown.json);
    }
    let what = match (&shown.miner, &shown.task, &shown.all_on) {
        (_, _, Some(task)) => Query::Task(task),
        (Some(miner), None, None) if shown.history => Query::History(miner),
        (Some(miner), Some(task), None) => Query::Run(miner, task),
        (Some(miner), None, None) => Query::Miner(miner),
        (None, ..) => Query::Ranking,
    };
    match shown.json {
        true => term::print_json(&show::data(&pipeline, what)?)?,
        false => term::print(&show::show(&pipeline, what, &Layout::stdout())?)?,
    }
    Ok(Exit::Done)
}

/// Prints what the miner sees of itself, of one task if that is asked for.
fn as_miner(pipeline: &Pipeline, (name, task): (&str, Option<&str>), json: bool) -> anyhow::Result<Exit> {
    let miner = show::miner(pipeline, name)?;
    let view = status::own_view(&miner, pipeline, Timestamp::now())?;
    let mut view = view.ok_or_else(|| ShowError::NothingHandedIn(miner.clone()))?;
    if let (Some(task), Some(own)) = (task, &mut view.own) {
        own.runs = show::on_task(&own.runs, task, |run| &run.task).into_iter().cloned().collect();
        if own.runs.is_empty() {
            return Err(ShowError::no_run(miner, task).into());
        }
    }
    match json {
        true => term::print_json(&view)?,
        false => term::print(&format!("{}\n", submit::outcome(&view)))?,
    }
    Ok(Exit::Done)
}
