//! Submissions that stand: of each ranked miner the one that the ledger and the season's rules choose among those that were evaluated.
//! Without a season it is the last one that lay in the inbox, which nothing in a bundle tells.

use std::collections::BTreeSet;

use crate::config::{Counts, Season};
use crate::model::first_sights::FirstSights;
use crate::pipeline::report_store;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::score::{self, Evaluated, Row};
use crate::pipeline::season::Course;
use crate::proof::finding::Finding;
use crate::proof::unpacked::Unpacked;

/// Characters of a digest that name a submission.
const SHORT: usize = 12;

/// Ranked agents that are not those that stand.
pub(super) fn check(bundle: &Unpacked, plan: &EvaluationPlan<'_>, sights: &FirstSights) -> Vec<Finding> {
    let Some(season) = &bundle.pipeline.season else { return Vec::new() };
    let rows = bundle.rankings.rankings.iter().filter(|row| !bundle.is_pending(&row.miner));
    rows.filter_map(|row| of_row(bundle, (season, sights), plan, row)).collect()
}

fn of_row(
    bundle: &Unpacked,
    (season, sights): (&Season, &FirstSights),
    plan: &EvaluationPlan<'_>,
    row: &Row,
) -> Option<Finding> {
    let course = Course::of(season, &row.miner, sights);
    let told = |what: String| Some(Finding::of_agent(&row.miner, what));
    // What came since was not there to be ranked.
    let counted = course.counted().iter().filter(|counted| counted.came <= bundle.rankings.generated_at);
    let mut counted: Vec<&str> = counted.map(|counted| counted.sha256.as_str()).collect();
    if season.counts != Counts::Best {
        counted = counted.split_off(counted.len().saturating_sub(1));
    }
    let evaluated = bundle.rankings.evaluated.iter().filter(|agent| agent.miner == row.miner);
    let evaluated: Vec<&Evaluated> = evaluated.collect();
    let is_told = |sha256: &str| sha256 == row.sha256 || evaluated.iter().any(|agent| agent.sha256 == sha256);
    let counted: BTreeSet<&str> = counted.into_iter().collect();
    let agents = counted.iter().filter_map(|sha256| {
        let report = report_store::remembered_of(&bundle.pipeline.results, &row.miner, sha256)?;
        // Of those that the ranking knows, some runs may be unscored.
        let results = if is_told(sha256) { Some(plan.kept(&report)) } else { plan.done(&report) };
        let summary = report.summary(results?);
        let first_seen = sights.seen(sha256, &row.miner).unwrap_or(summary.first_seen);
        Some(ReportSummary { first_seen, penalty: course.penalty(sha256), ..summary })
    });
    let agents: Vec<ReportSummary> = agents.filter(|agent| agent.syntax.is_none()).collect();
    let best = score::best(agents.iter(), &plan.stages)?;
    if best.sha256 != row.sha256 {
        let [ranked, stands] =
            [&row.sha256, &best.sha256].map(|sha256| sha256.get(..SHORT).unwrap_or(sha256));
        return told(format!(
            "is ranked by submission {ranked}; by the ledger and the season {stands} stands"
        ));
    }
    let mut others: Vec<&ReportSummary> = agents.iter().filter(|agent| agent.sha256 != row.sha256).collect();
    others.sort_by_key(|agent| agent.first_seen);
    let is_as_told = |(agent, told): (&&ReportSummary, &&Evaluated)| {
        score::not_best(agent, told.in_inbox, &plan.stages) == **told
    };
    let same = others.len() == evaluated.len() && others.iter().zip(&evaluated).all(is_as_told);
    if same {
        None
    } else {
        told("its lines in evaluated are not as the reports and the ledger have them".into())
    }
}
