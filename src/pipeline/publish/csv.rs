//! `rankings.csv`, `scores.csv`, `rejected.csv`.

use std::io::{self, Write};

use csv::Writer;

use super::text::{verdict, visible};
use crate::pipeline::brief::{Brief, Mark};
use crate::pipeline::intake::Rejection;
use crate::pipeline::plan::Plan;
use crate::pipeline::score::{Row, hundredths};

/// Most characters of a text cell; a spreadsheet takes 32,767.
const MAX: usize = 2_000;

/// One line a miner.
pub(super) fn rankings(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let header = "rank,miner,score,reward,passed,tests,unscored,stage,duplicate_of,first_seen,sha256";
    table(out, header, rows.iter().map(ranking))
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
pub(super) fn scores(out: &mut dyn Write, agents: &[&Brief], plan: &Plan) -> io::Result<()> {
    let header = "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib";
    let runs = agents.iter().flat_map(|agent| {
        plan.legs().zip(&agent.marks).map(|((at, task), mark)| {
            let mut line = vec![agent.miner.to_string(), text(&plan.parts[at].stage.name), text(&task.id)];
            line.extend(score(mark)?);
            Some(line)
        })
    });
    table(out, header, runs.flatten())
}

/// None if there is no such run.
fn score(mark: &Mark) -> Option<[String; 7]> {
    Some(match mark {
        Mark::Missing => return None,
        Mark::Unscored => ["", "unscored", "", "", "", "", ""].map(str::to_owned),
        Mark::Scored { verdict: of_run, score, passed, tests, usage } => [
            hundredths(*score).to_string(),
            verdict(*of_run).to_owned(),
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
        or_empty(rejection.miner.as_ref()),
        or_empty(rejection.line),
        text(&rejection.reason),
    ]
}

/// A header and lines below it.
pub(super) fn table(
    out: &mut dyn Write,
    header: &str,
    below: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    writeln!(out, "{header}")?;
    lines(out, below)
}

/// Lines without a header.
pub(super) fn lines(out: &mut dyn Write, lines: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut writer = Writer::from_writer(out);
    for line in lines {
        writer.write_record(line)?;
    }
    writer.flush()
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
            let mut bytes = Vec::new();
            rejected(&mut bytes, &[rejection]).unwrap();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
            let line = csv::Reader::from_reader(&bytes[..]).records().next().unwrap().unwrap();
            prop_assert_eq!(line.len(), 4);
            prop_assert!(!line[3].starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
