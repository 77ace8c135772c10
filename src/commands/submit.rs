//! `submit`: an agent into the inbox, or to a platform.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::cli::{Exit, Submit};
use crate::config;
use crate::door::Door;
use crate::miner::submit::{self, Platform, Target};
use crate::standing::State;
use crate::ui::Spinner;
use crate::workspace::PIPELINE;

/// Hands in, and waits if asked to.
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
    let handed = target
        .hand_in(&args.miner, &source, Door::Submit)
        .with_context(|| format!("{} was not handed in", args.file.display()))?;
    if !quiet {
        println!("{}: {}, sha256 {}", args.miner, handed.status, handed.sha256);
    }
    if args.wait { wait(&target, args, quiet) } else { Ok(Exit::Done) }
}

fn wait(target: &Target<'_>, args: &Submit, quiet: bool) -> anyhow::Result<Exit> {
    let spinner = Spinner::new(quiet);
    spinner.wait("waiting for the verdict".to_owned());
    let view = target.wait(&args.miner, Duration::from_secs(args.patience));
    spinner.done();
    let Some(view) = view? else {
        eprintln!("agentmill: there is no verdict yet; does agentmill watch or run work in that folder?");
        return Ok(Exit::Unscored);
    };
    println!("{}", submit::outcome(&view));
    let unscored = view.ranking.as_ref().is_some_and(|row| row.unscored > 0);
    Ok(match view.state {
        State::Refused => Exit::Usage,
        _ if unscored => Exit::Unscored,
        _ => Exit::Done,
    })
}
