//! `rankings.csv`, `scores.csv`, `rejected.csv`.

use std::io;

use csv::Writer;

use super::text::{verdict, visible};
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::score::{Row, hundredths};
use crate::report::{Outcome, Report, Run, Scored, Verdict};

/// Most characters of a text cell; a spreadsheet takes 32,767.
const MAX: usize = 2_000;

/// One line a miner.
pub(super) fn rankings(rows: &[Row]) -> io::Result<Vec<u8>> {
    let header = "rank,miner,score,reward,passed,tests,unscored,stage,duplicate_of,first_seen,sha256";
    table(header, rows.iter().map(ranking))
}

fn ranking(row: &Row) -> Vec<String> {
    vec![
        or_empty(row.rank),
        row.miner.to_string(),
        or_empty(row.score),
        row.reward.to_string(),
        row.passed.to_string(),
        row.tests.to_string(),
        row.unscored.to_string(),
        text(&row.stage),
        or_empty(row.duplicate_of.as_ref()),
        row.first_seen.to_string(),
        text(&row.sha256),
    ]
}

/// One line a run.
pub(super) fn scores(reports: &[&Report]) -> io::Result<Vec<u8>> {
    let header = "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib";
    let runs = reports.iter().flat_map(|report| report.runs.iter().map(|run| (&report.miner, run)));
    table(header, runs.map(|(whose, run)| score(whose, run)))
}

fn score(whose: &Miner, run: &Run) -> Vec<String> {
    let mut line = vec![whose.to_string(), text(&run.stage), text(&run.task)];
    line.extend(match &run.outcome {
        Outcome::Scored(run) => judged(run),
        Outcome::Unscored { .. } => ["", "unscored", "", "", "", "", ""].map(str::to_owned),
    });
    line
}

fn judged(run: &Scored) -> [String; 7] {
    let passed = run.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
    [
        hundredths(run.score).to_string(),
        verdict(run.verdict).to_owned(),
        passed.to_string(),
        run.tests.len().to_string(),
        run.usage.wall_ms.to_string(),
        run.usage.cpu_ms.to_string(),
        run.usage.max_rss_kib.to_string(),
    ]
}

/// One line a refused file.
pub(super) fn rejected(rejections: &[Rejection]) -> io::Result<Vec<u8>> {
    let mut sorted: Vec<&Rejection> = rejections.iter().collect();
    sorted.sort();
    table("file,miner,line,reason", sorted.into_iter().map(rejection))
}

fn rejection(rejection: &Rejection) -> Vec<String> {
    vec![
        text(&rejection.file),
        or_empty(rejection.miner.as_ref()),
        or_empty(rejection.line),
        text(&rejection.reason),
    ]
}

/// A header and lines below it.
pub(super) fn table(header: &str, lines: impl Iterator<Item = Vec<String>>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(header.split(','))?;
    for line in lines {
        writer.write_record(line)?;
    }
    writer.into_inner().map_err(|err| err.into_error())
}

/// Numbers and miners' ids, which need no escaping.
pub(super) fn or_empty(plain: Option<impl ToString>) -> String {
    plain.map(|plain| plain.to_string()).unwrap_or_default()
}

/// Text that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
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
            let rejection = Rejection { file: text.clone(), miner: None, line: None, reason: text };
            let bytes = rejected(&[rejection]).unwrap();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
            let line = csv::Reader::from_reader(&bytes[..]).records().next().unwrap().unwrap();
            prop_assert_eq!(line.len(), 4);
            prop_assert!(!line[3].starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
