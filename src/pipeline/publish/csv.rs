//! `scores.csv`, `rejected.csv`, and how CSV is written.

use std::io::{self, Write};

use csv::Writer;

use crate::model::model_use::ModelUse;
use crate::model::rejection::Rejection;
use crate::model::spread::Spread;
use crate::pipeline::plan::{Part, Plan};
use crate::pipeline::report_summary::{self, ReportSummary, RunResult};
use crate::pipeline::samples;
use crate::pipeline::score::hundredths;
use crate::util::text::visible;

/// Most characters of a text cell; a spreadsheet takes 32,767.
const MAX: usize = 2_000;

/// One line for each agent on each task; of several samples, what they come to.
///
/// # Errors
/// It can't be written.
pub fn scores(out: &mut dyn Write, agents: &[&ReportSummary], plan: &Plan) -> io::Result<()> {
    let asks = plan.grants_models();
    let header = "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib".to_owned();
    let has_samples = plan.has_samples();
    let header = header + if asks { ",requests,tokens_in,tokens_out,cost" } else { "" };
    let header = header + if has_samples { SPREAD } else { "" };
    let judge_asks = agents.iter().any(|agent| report_summary::asked_by_tests(&agent.results).is_some());
    let header = header + if judge_asks { JUDGE } else { "" };
    let line = |agent: &ReportSummary, part: &Part, at: usize, result: &RunResult| {
        let place = [text(&part.stage.name), text(&part.tasks[at].id)];
        let mut line: Vec<String> = [agent.miner.to_string()].into_iter().chain(place).collect();
        line.extend(score(result)?);
        line.extend(asks.then(|| cells(result.usage().and_then(|usage| usage.model))).into_iter().flatten());
        let spread = || spread(samples::spread(samples::of_task(part, &agent.results, at)));
        line.extend(has_samples.then(spread).into_iter().flatten());
        line.extend(
            judge_asks
                .then(|| cells(result.usage().and_then(|usage| usage.judge_model)))
                .into_iter()
                .flatten(),
        );
        Some(line)
    };
    let lines = agents.iter().flat_map(|agent| {
        let of_part = move |part: &Part| -> Vec<Vec<String>> {
            let results = samples::reduced(part, &agent.results).enumerate();
            results.filter_map(|(at, result)| line(agent, part, at, &result)).collect()
        };
        plan.parts.iter().flat_map(of_part)
    });
    table(out, &header, lines)
}

/// Columns of what tests asked of a model, which is no cost of the agent's.
const JUDGE: &str = ",judge_requests,judge_tokens_in,judge_tokens_out,judge_cost";

/// Columns of samples.
const SPREAD: &str = ",samples,samples_passed,score_min,score_max,score_stdev";

/// Their cells; empty where nothing was judged.
fn spread(spread: Option<Spread>) -> [String; 5] {
    let Some(Spread { samples, passed, min, max, stdev, .. }) = spread else { return Default::default() };
    let [min, max] = [min, max].map(|score| hundredths(score).to_string());
    [samples.to_string(), passed.to_string(), min, max, to_hundredths(stdev).to_string()]
}

/// Rounds what is no score.
fn to_hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Questions to a model; empty where none was granted.
fn cells(asked: Option<ModelUse>) -> [String; 4] {
    asked.map(|asked| asked.cells()).unwrap_or_default()
}

/// None if there is no such run.
fn score(result: &RunResult) -> Option<[String; 7]> {
    Some(match result {
        RunResult::Missing => return None,
        RunResult::Stopped => ["0", "stopped_early", "", "", "", "", ""].map(str::to_owned),
        RunResult::TaskFault => ["", "task_fault", "", "", "", "", ""].map(str::to_owned),
        RunResult::Unscored => ["", "unscored", "", "", "", "", ""].map(str::to_owned),
        RunResult::Scored { verdict: of_run, score, passed, tests, usage } => [
            hundredths(*score).to_string(),
            of_run.name().to_owned(),
            passed.to_string(),
            tests.to_string(),
            usage.wall_ms.to_string(),
            usage.cpu_ms.to_string(),
            usage.max_rss_kib.to_string(),
        ],
    })
}

/// One line a refused file.
pub(super) fn rejected(out: &mut dyn Write, rejections: &[Rejection]) -> io::Result<()> {
    let mut sorted: Vec<&Rejection> = rejections.iter().collect();
    sorted.sort();
    table(out, "file,miner,line,reason", sorted.into_iter().map(rejection))
}

fn rejection(rejection: &Rejection) -> Vec<String> {
    vec![
        text(&rejection.file),
        or_empty(rejection.miner.as_ref().or(rejection.claims.as_ref())),
        or_empty(rejection.line),
        text(&rejection.told()),
    ]
}

/// A header and lines below it.
///
/// # Errors
/// They can't be written.
pub fn table(out: &mut dyn Write, header: &str, below: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    writeln!(out, "{header}")?;
    lines(out, below)
}

/// Lines without a header.
///
/// # Errors
/// They can't be written.
pub fn lines(out: &mut dyn Write, lines: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut writer = Writer::from_writer(out);
    for line in lines {
        writer.write_record(line)?;
    }
    writer.flush()
}

/// Numbers and miners' ids, which need no escaping.
pub fn or_empty(plain: Option<impl ToString>) -> String {
    plain.map(|plain| plain.to_string()).unwrap_or_default()
}

/// Text that no spreadsheet takes for a formula.
pub fn text(text: &str) -> String {
    let shown = visible(text, MAX);
    // Some spreadsheets take the full-width signs for formulas too.
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'];
    // The raw text too: an escaped tab is harmless, but whoever unescapes it shall not be surprised.
    if text.starts_with(formula) || shown.starts_with(formula) { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_text() {
        assert_eq!(text("=cmd|'/c calc'!A1"), "'=cmd|'/c calc'!A1");
        assert_eq!(text("@x"), "'@x");
        assert_eq!(text("\t=1"), r"'\t=1");
        assert_eq!(text("a=1"), "a=1");
    }

    proptest! {
        #[test]
        fn any_text_is_one_harmless_cell(text in any::<String>()) {
            let rejection = Rejection { file: text.clone(), miner: None, line: None, reason: text, sha256: None, claims: None, perhaps: None };
            let mut bytes = Vec::new();
            rejected(&mut bytes, &[rejection]).unwrap();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
            let line = csv::Reader::from_reader(&bytes[..]).records().next().unwrap().unwrap();
            prop_assert_eq!(line.len(), 4);
            prop_assert!(!line[3].starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
