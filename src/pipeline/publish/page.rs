//! `index.html`: one page without a script, for eyes.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::Published;
use super::text::{verdict, visible};
use crate::config::Stage;
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::score::{Row, hundredths};
use crate::report::{Outcome, Report, Run, Verdict};

const TEMPLATE: &str = include_str!("page.html");

/// Most characters of a text on the page.
const MAX: usize = 400;

/// A task within a stage: a column of the matrix.
type Column<'a> = (&'a str, &'a str);

/// Writes the page.
pub(super) fn render(published: &Published) -> io::Result<String> {
    let mut pending: Vec<String> = published.pending.iter().cloned().map(String::from).collect();
    pending.sort();
    let columns = columns(published.stages, published.reports);
    let context = context! {
        made => minute(published.generated_at),
        image => visible(published.image, MAX),
        pipeline => short(published.pipeline_sha256),
        version => env!("CARGO_PKG_VERSION"),
        token => visible(published.token, MAX),
        paid => (published.rows.iter().map(|row| row.reward * 100.0).sum::<f64>().round() / 100.0).to_string(),
        many_stages => published.stages.len() > 1,
        rows => published.rows.iter().map(ranking_line).collect::<Vec<_>>(),
        groups => groups(&columns),
        tasks => labelled(&columns),
        lines => matrix(published, &columns),
        rejected => rejected(published.rejections),
        pending => pending,
    };
    environment()
        .and_then(|environment| environment.get_template("page")?.render(context))
        .map_err(io::Error::other)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("plain", |number: f64| number.to_string());
    environment.add_template("page", TEMPLATE)?;
    Ok(environment)
}

fn ranking_line(row: &Row) -> Value {
    context! {
        rank => row.rank.map(u32::from),
        miner => row.miner.as_str(),
        score => row.score,
        reward => row.reward,
        passed => row.passed,
        tests => row.tests,
        unscored => row.unscored,
        stage => visible(&row.stage, MAX),
        duplicate_of => row.duplicate_of.as_ref().map(Miner::as_str),
        first_seen => minute(row.first_seen),
        sha256 => visible(&row.sha256, MAX),
        short => short(&row.sha256),
    }
}

/// Every task that was run, in stage order, then by id.
fn columns<'a>(stages: &[Stage], reports: &[&'a Report]) -> Vec<Column<'a>> {
    let place = |name: &str| stages.iter().position(|stage| stage.name == name);
    let runs = reports.iter().flat_map(|report| &report.runs);
    let seen: BTreeSet<Column> = runs.map(|run| (run.stage.as_str(), run.task.as_str())).collect();
    let mut columns: Vec<Column> = seen.into_iter().filter(|(stage, _)| place(stage).is_some()).collect();
    columns.sort_by_key(|(stage, _)| place(stage));
    columns
}

/// Task ids without their folders, where that leaves them distinct.
fn labelled(columns: &[Column]) -> Vec<Value> {
    let name = |id: &'_ str| id.rsplit('/').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = columns.iter().map(|(_, id)| name(id)).collect();
    let label = |id: &str| if names.len() == columns.len() { name(id) } else { id.to_owned() };
    columns
        .iter()
        .map(|(_, id)| context! { id => visible(id, MAX), label => visible(&label(id), MAX) })
        .collect()
}

/// The stages above their columns.
fn groups(columns: &[Column]) -> Vec<Value> {
    let group = |tasks: &[Column]| context! { stage => visible(tasks[0].0, MAX), tasks => tasks.len() };
    columns.chunk_by(|a, b| a.0 == b.0).map(group).collect()
}

/// The matrix, in the ranking's order.
fn matrix(published: &Published, columns: &[Column]) -> Vec<Value> {
    let reports: HashMap<&Miner, &Report> =
        published.reports.iter().map(|report| (&report.miner, *report)).collect();
    let report_of = |row: &'_ Row| reports.get(&row.miner).copied();
    let lines = published.rows.iter().filter_map(report_of);
    let line = |report: &Report| {
        context! { miner => report.miner.as_str(), cells => cells(report, columns) }
    };
    lines.map(line).collect()
}

/// A report's cells. Written here rather than by the template because a big page has 100,000 of
/// them; safe without escaping because only numbers and our own words go in.
fn cells(report: &Report, columns: &[Column]) -> Value {
    let runs: HashMap<Column, &Run> =
        report.runs.iter().map(|run| ((run.stage.as_str(), run.task.as_str()), run)).collect();
    let mut html = String::with_capacity(columns.len() * 56);
    for column in columns {
        cell(&mut html, runs.get(column).map(|run| &run.outcome));
    }
    Value::from_safe_string(html)
}

/// End tags of cells may be left out in HTML; it saves a tenth of a big page.
fn cell(html: &mut String, outcome: Option<&Outcome>) {
    let written = match outcome {
        None => html.write_str("<td class=n>·"),
        Some(Outcome::Unscored { .. }) => html.write_str("<td class=u title=unscored>?"),
        Some(Outcome::Scored(run)) => {
            let passed = run.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
            let score = hundredths(run.score.clamp(0.0, 100.0));
            // Only a perfect score gets the colour and the number of one.
            let (tenth, whole) = ((score / 10.0).floor(), score.floor());
            let (verdict, ms, tests) = (verdict(run.verdict), run.usage.wall_ms, run.tests.len());
            write!(html, r#"<td class=s{tenth} title="{verdict}, {passed}/{tests}, {ms} ms">{whole}"#)
        }
    };
    written.expect("writing to a string can't fail");
}

fn rejected(rejections: &[Rejection]) -> Vec<Value> {
    let mut sorted: Vec<&Rejection> = rejections.iter().collect();
    sorted.sort();
    let refused = |rejection: &Rejection| {
        context! {
            file => visible(&rejection.file, MAX),
            miner => rejection.miner.as_ref().map_or("", Miner::as_str),
            line => rejection.line,
            reason => visible(&rejection.reason, MAX),
        }
    };
    sorted.into_iter().map(refused).collect()
}

fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}
