//! `accept`: the change that was previewed comes into force.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;

use crate::cli::Exit;
use crate::commands::dry_run;
use crate::commands::run::{self, Again};
use crate::config::{Changes, Pipeline};
use crate::model::miner_id::Miner;
use crate::pipeline::Summary;
use crate::pipeline::basis::Basis;
use crate::pipeline::basis_memory::BasisMemory;
use crate::pipeline::preview::{self, Record, told};
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::scope::Scope;
use crate::term;
use crate::ui::Talk;
use crate::util::first_few::first_few;
use crate::workspace::Workspace;

/// Makes the previewed results those that count, and evaluates what was submitted since. Refuses if the preview no longer shows
/// what would happen.
///
/// # Errors
/// There is no finished preview, or not of these tasks, rules and image; or as of `run`.
pub fn accept(dir: &Path, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let _lock = workspace.lock()?;
    let results = &workspace.pipeline.results;
    let Some(record) = preview::record(results) else {
        bail!("there is no finished preview in {}: `agentmill preview` makes one", results.display());
    };
    must_be_current(&workspace, &record)?;
    // In one step with what is published: until then, whoever asks is told that nothing was accepted.
    let accepted = Pipeline { changes: Changes::Take, ..workspace.pipeline.clone() };
    let accepted = Workspace { pipeline: accepted, ..workspace.clone() };
    let (summary, exit) =
        run::work(&accepted, results, &Scope::default(), Again::Nothing, Talk::of(quiet, false))?;
    if let Some(since) = since(&summary, &record).filter(|_| !quiet) {
        term::print(&since)?;
    }
    Ok(exit)
}

/// Fails if tasks, rules or image are no longer those of the preview, or the results no longer those that it was compared with.
fn must_be_current(workspace: &Workspace, record: &Record) -> anyhow::Result<()> {
    let Workspace { pipeline, tasks, .. } = workspace;
    let image = dry_run::image(workspace).unwrap_or_else(|| record.after.image.clone());
    let now = Basis::of(&EvaluationPlan::new(pipeline, tasks, &image), pipeline);
    let changes = now.rules_changed_since(&record.after);
    if !changes.is_empty() {
        bail!(
            "changed since the preview: {}; `agentmill preview` shows what it would do now",
            told(&changes)
        );
    }
    let published = BasisMemory::read(&pipeline.results).published().cloned();
    if published != record.before {
        let changes = published.unwrap_or_default().changed_since(&record.before.clone().unwrap_or_default());
        let told = told(&changes);
        bail!(
            "the results rest on something else since the preview: {told}; `agentmill preview` compares anew"
        );
    }
    Ok(())
}

/// A line that names those who submitted or left since the preview.
fn since(summary: &Summary, record: &Record) -> Option<String> {
    let now: BTreeSet<(&Miner, &str)> =
        summary.rows.iter().map(|row| (&row.miner, row.sha256.as_str())).collect();
    let then: BTreeSet<(&Miner, &str)> =
        record.ranked.iter().map(|(miner, sha256)| (miner, sha256.as_str())).collect();
    let miners: BTreeSet<&Miner> = now.symmetric_difference(&then).map(|(miner, _)| *miner).collect();
    (!miners.is_empty())
        .then(|| format!("submitted or withdrawn since the preview: {}\n", first_few(&miners)))
}
