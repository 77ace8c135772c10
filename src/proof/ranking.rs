//! Ranking anew: scores, ranks and rewards, from the reports, the ledger and the rules that a bundle holds.

use std::collections::HashMap;

use serde_json::Value;

use crate::config::{OnSimilar, Rewards};
use crate::model::first_sights::NearCopy;
use crate::model::miner_id::Miner;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::history;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::early_stop;
use crate::pipeline::score::{self, Row};
use crate::proof::finding::Finding;
use crate::proof::unpacked::Unpacked;

/// All lines of the ranking that do not follow from the rest of the bundle. What came late, and what is a near copy, is
/// taken from the lines themselves.
///
/// # Errors
/// The bundle's ledger can't be read.
pub fn check(bundle: &Unpacked) -> anyhow::Result<Vec<Finding>> {
    let rows = &bundle.rankings.rankings;
    let plan = bundle.plan();
    let summary = |row: &Row| {
        let report = bundle.report(row)?;
        let summary = ReportSummary { penalty: row.penalty, ..ReportSummary::of(&report, &plan.stages) };
        Some(early_stop::applied(summary, &plan.stages))
    };
    let agents: Vec<ReportSummary> = rows.iter().filter_map(summary).collect();
    let agents: Vec<&ReportSummary> = agents.iter().collect();
    let excused = early_stop::excused(&agents, &plan.stages);
    let agents = early_stop::instead(&agents, &excused);
    let originals = &bundle.pipeline.similarity.originals;
    let (ledger, _) = Ledger::open_deciding(&bundle.pipeline.results, originals)?;
    let near: HashMap<Miner, NearCopy> =
        rows.iter().filter_map(|row| near(row, bundle.pipeline.similarity.action)).collect();
    let rewards = bundle.pipeline.rewards.as_ref();
    let paid_by_past = rewards.is_some_and(Rewards::pay_improvements);
    let read = || history::past(&bundle.pipeline.results, ledger.sights(), bundle.rankings.generated_at);
    let past = paid_by_past.then(read).unwrap_or_default();
    let made = score::rank(&agents, &plan.stages, rewards, ledger.sights(), &near, &past);
    let mut findings = Vec::new();
    // An agent without a report is told of elsewhere, and moves all others.
    if agents.len() == rows.len() {
        let places = made.iter().zip(rows).filter_map(|(now, told)| difference(told, now));
        findings.extend(places);
    }
    Ok(findings)
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
    let (Ok(Value::Object(told_fields)), Ok(now)) = (serde_json::to_value(told), serde_json::to_value(now))
    else {
        return None;
    };
    let differs = told_fields.iter().filter(|(name, value)| now.get(name.as_str()) != Some(value));
    let fields: Vec<String> = differs
        .map(|(name, value)| {
            format!(
                "{name} is {value} in the ranking, {} by the reports",
                now.get(name).unwrap_or(&Value::Null)
            )
        })
        .collect();
    (!fields.is_empty()).then(|| Finding::of_agent(&told.miner, fields.join("; ")))
}
