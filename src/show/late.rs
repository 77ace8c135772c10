//! Lateness of a ranked submission: how late it came, and the score without the penalty.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use crate::config::Pipeline;
use crate::model::report::Report;
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::{Row, not_best};
use crate::show::history;
use crate::task::Task;
use crate::util::plural::counted;

/// How late a submission came, and what that cost.
#[derive(Debug, Clone, Serialize)]
pub struct Late {
    /// The score without the penalty; None where tasks have changed since.
    pub full_score: Option<f64>,
    /// Percent of it that are taken off.
    pub penalty: f64,
    /// Time at which it came.
    pub came: Timestamp,
    /// The close of its miner.
    pub closes: Timestamp,
    #[serde(skip)]
    zone: Offset,
}

/// None where it came in time, or late and nothing is taken off.
pub(super) fn of(
    pipeline: &Pipeline,
    rankings: &Rankings,
    (row, report): (&Row, &Report),
    tasks: &[Task],
) -> Option<Late> {
    let penalty = row.penalty.filter(|percent| *percent > 0.0)?;
    let zone = pipeline.season.as_ref()?.zone;
    let history = history::of(pipeline, rankings, row.miner.as_str()).ok()?;
    let stands = history.into_iter().find(|one| one.stands)?;
    Some(Late {
        full_score: full(pipeline, (row, report), tasks),
        penalty,
        came: stands.came,
        closes: stands.closed?,
        zone,
    })
}

/// The score without the penalty, if the runs and the tasks of now still come to the one that was published.
fn full(pipeline: &Pipeline, (row, report): (&Row, &Report), tasks: &[Task]) -> Option<f64> {
    let plan = Plan::new(&pipeline.stages, tasks);
    let summary = ReportSummary::of(report, &plan);
    let less = ReportSummary { penalty: row.penalty, ..summary.clone() };
    let score = |summary: &ReportSummary| not_best(summary, true, &plan).score;
    score(&summary).filter(|_| summary.sha256 == row.sha256 && score(&less) == row.score)
}

impl fmt::Display for Late {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { full_score, penalty, came, closes, zone } = self;
        match full_score {
            Some(full) => write!(to, "{full} less {penalty}%")?,
            None => write!(to, "{penalty}% off")?,
        }
        let closed = closes.display_with_offset(*zone).to_string().replacen('T', " ", 1);
        write!(to, ", as it came {} after {closed}", after(came.as_second() - closes.as_second()))
    }
}

/// A time in its two largest units, rounded down.
fn after(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{} {hours} h", counted(days as usize, "day")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_late_is_told_in_two_units() {
        for (seconds, told) in [
            (1, "less than a minute"),
            (61, "1 min"),
            (7500, "2 h 5 min"),
            (93_600, "1 day 2 h"),
            (172_800, "2 days 0 h"),
        ] {
            assert_eq!(after(seconds), told);
        }
    }
}
