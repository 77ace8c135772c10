//! Ranking anew: scores, ranks and rewards, from the reports, the ledger and the rules that a bundle holds.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::config::{OnSimilar, Rewards};
use crate::model::first_sights::{FirstSights, NearCopy};
use crate::model::miner_id::Miner;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::history;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::score::early_stop;
use crate::pipeline::score::{self, Row};
use crate::pipeline::season::Course;
use crate::proof::finding::{Checked, Finding};
use crate::proof::unpacked::Unpacked;
use crate::proof::{standing, tables};

/// All of the ranking and its tables that does not follow from the rest of the bundle. What is a near copy is taken from the lines
/// themselves.
///
/// # Errors
/// The bundle's ledger can't be read.
pub fn check(bundle: &Unpacked) -> anyhow::Result<Checked> {
    let Unpacked { pipeline, rankings, .. } = bundle;
    let (rows, plan) = (&rankings.rankings, bundle.plan());
    let (ledger, _) = Ledger::open_deciding(&pipeline.results, &pipeline.similarity.originals)?;
    let sights = ledger.sights();
    let agents: Vec<ReportSummary> =
        rows.iter().filter_map(|row| summary(bundle, row, &plan, sights)).collect();
    let agents: Vec<&ReportSummary> = agents.iter().collect();
    let excused = early_stop::excused(&agents, &plan.stages);
    let agents = early_stop::instead(&agents, &excused);
    let mut checked = Checked::default();
    // An agent without a report is told of elsewhere, and moves all others.
    if agents.len() == rows.len() {
        let near: HashMap<Miner, NearCopy> =
            rows.iter().filter_map(|row| near(row, pipeline.similarity.action)).collect();
        let rewards = pipeline.rewards.as_ref();
        let paid_by_past = rewards.is_some_and(Rewards::pay_improvements);
        let read = || history::past(&pipeline.results, sights, rankings.generated_at);
        let past = paid_by_past.then(read).unwrap_or_default();
        let made = score::rank(&agents, &plan.stages, rewards, sights, &near, &past);
        checked.findings.extend(made.iter().zip(rows).filter_map(|(now, told)| difference(told, now)));
        tables::check(bundle, &agents, &mut checked)?;
    }
    checked.findings.extend(standing::check(bundle, &plan, sights));
    Ok(checked)
}

/// A ranked agent by its report, and by the ledger, which tells how late it came.
fn summary(
    bundle: &Unpacked,
    row: &Row,
    plan: &EvaluationPlan<'_>,
    sights: &FirstSights,
) -> Option<ReportSummary> {
    let report = bundle.report(row)?;
    let season = bundle.pipeline.season.as_ref().filter(|_| !bundle.is_pending(&row.miner));
    let penalty = match season {
        Some(season) => Course::of(season, &row.miner, sights).penalty(&row.sha256),
        None => row.penalty,
    };
    let summary = ReportSummary { penalty, ..ReportSummary::of(&report, &plan.stages) };
    Some(early_stop::applied(summary, &plan.stages))
}

fn near(row: &Row, action: OnSimilar) -> Option<(Miner, NearCopy)> {
    let percent = (row.similarity? * 100.0).round() as u32;
    let withheld = action == OnSimilar::Withhold;
    Some((row.miner.clone(), NearCopy { percent, similar_to: row.similar_to.clone()?, withheld }))
}

/// The fields of a line that differ.
fn difference(told: &Row, now: &Row) -> Option<Finding> {
    if told.miner != now.miner {
        let what = format!("stands where {} should", now.miner);
        return Some(Finding::of_agent(&told.miner, what));
    }
    let [Some(told_fields), Some(now)] = [told, now].map(fields) else { return None };
    // Some are left out of the file where they say nothing.
    let names: BTreeSet<&String> = told_fields.keys().chain(now.keys()).collect();
    let value = |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
    let differing = names.into_iter().filter_map(|name| {
        let (told, now) = (value(&told_fields, name), value(&now, name));
        (told != now).then(|| format!("{name} is {told} in the ranking, {now} by the reports"))
    });
    let differing: Vec<String> = differing.collect();
    (!differing.is_empty()).then(|| Finding::of_agent(&told.miner, differing.join("; ")))
}

fn fields(row: &Row) -> Option<Map<String, Value>> {
    serde_json::to_value(row).ok()?.as_object().cloned()
}
