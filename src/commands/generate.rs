//! `generate`: a model writes an agent for one task or more.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::cli::{Exit, Generate};
use crate::config::Pipeline;
use crate::door::Door;
use crate::miner::draft::{Studio, choose};
use crate::miner::model::Model;
use crate::miner::submit::Target;
use crate::pipeline::publish::atomic;
use crate::sandbox::Sandbox;
use crate::sandbox::container::Containers;
use crate::task::Task;
use crate::ui::{Events, Spinner};
use crate::workspace::Workspace;

/// Asks the model of the `llm` section.
///
/// # Errors
/// There is no model or no key, or nothing usable came of it.
pub fn generate(dir: &Path, args: &Generate, quiet: bool) -> anyhow::Result<Exit> {
    ensure!(
        args.miner.is_some() || args.out.is_some(),
        "say whose agent it is (--miner) or where to write it (--out)"
    );
    let workspace = Workspace::open(dir)?;
    let tasks = choose(&workspace.tasks, &args.tasks, args.all)?;
    let model = Model::new(&workspace.pipeline.llm)?;
    let spinner = Spinner::new(quiet);
    let source = write(&workspace.pipeline, &tasks, &model, args.tried, &spinner);
    spinner.done();
    deliver(&workspace.pipeline, args, source?.as_bytes(), &spinner)?;
    Ok(Exit::Done)
}

fn write(
    pipeline: &Pipeline,
    tasks: &[&Task],
    model: &Model,
    tried: bool,
    spinner: &Spinner,
) -> anyhow::Result<String> {
    let (events, shown) = Events::channel();
    let display = spinner.follow(shown);
    // Not the results folder: what a daemon there has running must not be swept away.
    let place = tempfile::tempdir()?;
    let result = {
        let containers = Containers::new(&pipeline.sandbox, 1, place.path(), events);
        let there = tried || matches!(containers.engine().image_id(&pipeline.sandbox.image), Ok(Some(_)));
        if !there {
            spinner.say(
                "no container engine with the image: what the model writes is looked at, but not compiled",
            );
        }
        let sandbox: Option<&dyn Sandbox> = there.then_some(&containers);
        Studio { model, pipeline, sandbox, tried, spinner }.write(tasks)
    };
    let _ = display.join();
    result
}

fn deliver(pipeline: &Pipeline, args: &Generate, source: &[u8], spinner: &Spinner) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        atomic::replace(out, source).with_context(|| format!("can't write {}", out.display()))?;
        spinner.say(&format!("wrote {}", out.display()));
    } else if let Some(miner) = &args.miner {
        let handed = Target::Here(pipeline).hand_in(miner, source, Door::Generate)?;
        spinner.say(&format!("{miner}: {}, sha256 {}", handed.status, handed.sha256));
    }
    Ok(())
}
