//! `show`: prints what the result files say.

use std::path::Path;

use crate::cli::{Exit, Shown};
use crate::config;
use crate::show::{self, Query};
use crate::term::{self, Layout};
use crate::workspace::PIPELINE;

/// Prints the ranking, a miner's report, a run, or everybody's run on a task.
///
/// # Errors
/// Mistakes in the configuration, or there is no such thing.
pub fn print(dir: &Path, shown: &Shown) -> anyhow::Result<Exit> {
    let pipeline = config::load(&dir.join(PIPELINE))?;
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
