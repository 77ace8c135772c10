//! `preview`: the effects of a change of tasks, limits, rules or image, evaluated beside the results.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::Exit;
use crate::commands::run::{self, Again};
use crate::pipeline::basis_memory::BasisMemory;
use crate::pipeline::comparison::{Comparison, Moved, Paid, TaskScore};
use crate::pipeline::preview::{self, Record, told};
use crate::pipeline::publish::json;
use crate::pipeline::report_store::Unwritable;
use crate::pipeline::scope::Scope;
use crate::term;
use crate::ui::Talk;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::workspace::Workspace;

/// Evaluates everybody under the present tasks and rules into `results/.preview`, and prints what differs from the results.
///
/// # Errors
/// As of `run`.
pub fn preview(dir: &Path, json: bool, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let _lock = workspace.lock()?;
    let results = &workspace.pipeline.results;
    let cant = || Unwritable(format!("the preview can't be written below {}", results.display()));
    preview::begin(results).with_context(cant)?;
    let previewed = Workspace { pipeline: preview::pipeline(&workspace.pipeline), ..workspace.clone() };
    // Its ranking is not the one that counts: only what differs is printed.
    let (summary, exit) =
        run::work(&previewed, results, &Scope::default(), Again::Nothing, Talk::of(quiet, true))?;
    if matches!(exit, Exit::Signal(_)) {
        return Ok(exit);
    }
    let before = BasisMemory::read(results).published().cloned();
    let after = BasisMemory::read(&previewed.pipeline.results).published().cloned().unwrap_or_default();
    let changed = before.as_ref().map(|before| after.changed_since(before)).unwrap_or_default();
    let ranked = summary.rows.iter().map(|row| (row.miner.clone(), row.sha256.clone())).collect();
    preview::finish(results, &Record { at: Timestamp::now(), before, after, ranked }).with_context(cant)?;
    let old = json::load(results).map(|published| published.rankings).unwrap_or_default();
    let comparison = Comparison::of(changed, (&old, results), (&summary.rows, &previewed.pipeline.results));
    if json {
        term::print_json(&comparison)?;
    } else if !quiet {
        term::print(&text(&comparison))?;
    }
    Ok(exit)
}

/// A line for each miner that moves, one for each that is paid otherwise, and a sum.
fn text(comparison: &Comparison) -> String {
    let Comparison { changed, moved, paid, agents } = comparison;
    let changed = if changed.is_empty() { "nothing".to_owned() } else { told(changed) };
    let lines: String = moved.iter().map(line).collect();
    let paid =
        paid.iter().map(|Paid { miner, before, after }| format!("{miner}: reward {before} -> {after}\n"));
    let lines: String = std::iter::once(lines).chain(paid).collect();
    format!("changed: {changed}\n{lines}{} of {} would move\n", moved.len(), counted(*agents, "agent"))
}

fn line(Moved { moved, causes, tasks }: &Moved) -> String {
    let or_none = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let pair = |before: Option<String>, after: Option<String>| match before == after {
        true => or_none(before),
        false => format!("{} -> {}", or_none(before), or_none(after)),
    };
    let rank =
        pair(moved.rank_before.map(|rank| rank.to_string()), moved.rank_after.map(|rank| rank.to_string()));
    let score = pair(
        moved.score_before.map(|score| score.to_string()),
        moved.score_after.map(|score| score.to_string()),
    );
    let why = if causes.is_empty() { "others".to_owned() } else { causes.join(" ") };
    let task = |one: &TaskScore| {
        let score =
            |score: Option<f64>| score.map(|score| crate::pipeline::score::hundredths(score).to_string());
        format!("{} {}", one.task, pair(score(one.before), score(one.after)))
    };
    let on =
        if tasks.is_empty() { String::new() } else { format!(": {}", first_few(tasks.iter().map(task))) };
    format!("{}: rank {rank}, score {score}, by {why}{on}\n", moved.miner)
}
