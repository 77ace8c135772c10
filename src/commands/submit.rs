//! `submit`: an agent into the inbox, or to a platform.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::cli::{Exit, Submit};
use crate::client::submit::{self, Platform, Target};
use crate::config;
use crate::status::State;
use crate::submission::Channel;
use crate::term;
use crate::ui::Spinner;
use crate::workspace::PIPELINE;

/// Submits an agent, and waits for the verdict if asked to.
///
/// # Errors
/// It was refused, or the inbox or the platform can't be reached.
pub fn submit(dir: &Path, args: &Submit, quiet: bool) -> anyhow::Result<Exit> {
    let source = submit::read(&args.file)?;
    let pipeline;
    let target = match &args.to {
        Some(url) => Target::There(Platform::new(url)?),
        None => {
            pipeline = config::load(&dir.join(PIPELINE))?;
            Target::Here(&pipeline)
        }
    };
    let submitted = target
        .submit(&args.miner, &source, Channel::Submit)
        .with_context(|| format!("{} was not submitted", args.file.display()))?;
    if !quiet {
        term::print(&format!("{}: {}, sha256 {}\n", args.miner, submitted.status, submitted.sha256))?;
    }
    if let Target::Here(pipeline) = target
        && let Some(told) = pipeline.roster.as_ref().and_then(|roster| roster.stranger(&args.miner))
    {
        term::complain(format_args!("agentmill: {told}"));
    }
    if args.wait { wait(&target, args, quiet) } else { Ok(Exit::Done) }
}

fn wait(target: &Target<'_>, args: &Submit, quiet: bool) -> anyhow::Result<Exit> {
    let spinner = Spinner::new(quiet);
    spinner.wait("waiting for the verdict".to_owned());
    let late = || {
        spinner.tell("agentmill: there is no verdict yet; does agentmill watch or run work in that folder?")
    };
    let view = target.wait(&args.miner, Duration::from_secs(args.patience), &late);
    spinner.done();
    let Some(view) = view? else { return Ok(Exit::Unscored) };
    term::print(&format!("{}\n", submit::outcome(&view)))?;
    let evaluated = view.own.as_ref().and_then(|own| own.evaluated.as_ref());
    let ranked = view.ranking.as_ref().map(|row| row.unscored);
    let unscored = evaluated.map(|one| one.unscored).or(ranked).is_some_and(|runs| runs > 0);
    Ok(match view.state {
        State::Refused => Exit::Usage,
        State::Withdrawn => Exit::Unscored,
        _ if unscored => Exit::Unscored,
        _ => Exit::Done,
    })
}
