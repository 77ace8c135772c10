//! What was looked up, as text.

use std::fmt::Write;

use super::{Data, Entry, Known, shown};
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::publish::text::verdict;
use crate::pipeline::score::{Row, hundredths};
use crate::report::{Outcome, Report, Run, Scored, TestResult, Verdict};
use crate::term::{Cell, Column, HEADING, ODD, Paper, left, of_verdict, right, table};

/// Most lines shown of one message or of stderr.
const LINES: usize = 20;

/// The data laid out for the paper.
pub(super) fn of(data: &Data, paper: &Paper) -> String {
    match data {
        Data::Ranking(rankings) => ranking(rankings, paper),
        Data::Miner(known) => miner(known, paper),
        Data::Runs(runs) => {
            let texts: Vec<String> = runs.iter().map(|run| whole_run(run, paper)).collect();
            texts.join("\n")
        }
        Data::Task(entries) => task_table(entries, paper),
    }
}

fn ranking(rankings: &Rankings, paper: &Paper) -> String {
    let mut text = match &rankings.rankings[..] {
        [] => "no agents are ranked yet\n".to_owned(),
        rows => ranking_table(rows, &rankings.token, paper),
    };
    if !rankings.pending.is_empty() {
        let pending: Vec<&str> = rankings.pending.iter().map(Miner::as_str).collect();
        text += &format!("\npending: {}\n", pending.join(", "));
    }
    if !rankings.rejected.is_empty() {
        text += &format!("\n{}\n{}", paper.paint(ODD, "rejected:"), refusals(&rankings.rejected));
    }
    let made = rankings.generated_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    text + &format!("\nmade {made}, image {}\n", shown(&rankings.image))
}

fn ranking_table(rows: &[Row], token: &str, paper: &Paper) -> String {
    let reward = format!("REWARD ({})", shown(token));
    let header =
        [right("#"), left("MINER"), right("SCORE"), right(&reward), right("TESTS"), left("STAGE"), left("")];
    let line = |row: &Row| {
        [
            row.rank.map_or("-".into(), |rank| rank.to_string()),
            row.miner.to_string(),
            score(row.score),
            row.reward.to_string(),
            format!("{}/{}", row.passed, row.tests),
            shown(&row.stage),
            remarks(row).join(", "),
        ]
        .map(Cell::from)
        .to_vec()
    };
    table(paper, &header, rows.iter().map(line))
}

fn score(score: Option<f64>) -> String {
    score.map_or("-".into(), |score| score.to_string())
}

fn remarks(row: &Row) -> Vec<String> {
    let unscored = (row.unscored > 0).then(|| format!("{} unscored", row.unscored));
    let copy = row.duplicate_of.as_ref().map(|original| format!("copy of {original}"));
    unscored.into_iter().chain(copy).collect()
}

fn refusals(rejections: &[Rejection]) -> String {
    rejections.iter().fold(String::new(), |text, rejection| {
        let line = rejection.line.map(|line| format!(":{line}")).unwrap_or_default();
        text + &format!("  {}{line}: {}\n", shown(&rejection.file), shown(&rejection.reason))
    })
}

fn miner(known: &Known, paper: &Paper) -> String {
    let mut text = String::new();
    if !known.rejected.is_empty() {
        text += &format!("{} was rejected:\n{}", known.miner, refusals(&known.rejected));
    }
    if known.pending {
        text += &format!("{}'s submission is not evaluated yet\n", known.miner);
    }
    if let Some(row) = &known.row {
        text += &paper.paint(HEADING, &standing(row, &known.token));
        text.push('\n');
    }
    text + &known.report.as_ref().map(|report| details(report, paper)).unwrap_or_default()
}

fn standing(row: &Row, token: &str) -> String {
    let mut parts = match (row.rank, row.score) {
        (Some(rank), Some(score)) => vec![format!("rank {rank}"), format!("score {score}")],
        _ => vec!["unscored".to_owned()],
    };
    parts.push(format!("reward {} {}", row.reward, shown(token)));
    parts.push(format!("stage {}", shown(&row.stage)));
    parts.extend(remarks(row));
    format!("{}: {}", row.miner, parts.join(", "))
}

fn details(report: &Report, paper: &Paper) -> String {
    let seen = report.first_seen.strftime("%Y-%m-%d %H:%M:%S UTC");
    let file = shown(&report.file);
    let sha256 = shown(&report.sha256);
    let mut text = format!("{file}, {} bytes, first seen {seen}\nsha256 {sha256}\n", report.bytes);
    if let Some(syntax) = &report.syntax {
        let line = syntax.line.map(|line| format!(" in line {line}")).unwrap_or_default();
        text += &format!("\nsyntax error{line}:\n{}", indented(&syntax.message, "  "));
    }
    if !report.runs.is_empty() {
        text += &format!("\n{}", run_table(&report.runs, paper));
    }
    report.runs.iter().fold(text, |text, run| text + &trouble(run, paper))
}

fn run_table(runs: &[Run], paper: &Paper) -> String {
    table(paper, &run_columns(["STAGE", "TASK", "VERDICT"]), runs.iter().map(run_cells))
}

fn run_columns<const N: usize>(words: [&str; N]) -> Vec<Column> {
    let numbers = ["SCORE", "TESTS", "WALL", "CPU", "MEMORY"].map(right);
    words.map(left).into_iter().chain(numbers).collect()
}

fn run_cells(run: &Run) -> Vec<Cell> {
    let numbers = match &run.outcome {
        Outcome::Scored(run) => measured(run),
        Outcome::Unscored { .. } => ["-"; 5].map(str::to_owned),
    };
    let place = [shown(&run.stage), shown(&run.task)].map(Cell::from);
    let outcome = run.outcome.verdict();
    let verdict = Cell::new(of_verdict(outcome), outcome.map_or("unscored", verdict));
    place.into_iter().chain([verdict]).chain(numbers.map(Cell::from)).collect()
}

fn measured(run: &Scored) -> [String; 5] {
    let usage = run.usage;
    [
        hundredths(run.score).to_string(),
        format!("{}/{}", run.tests.iter().filter(|test| passed(test)).count(), run.tests.len()),
        format!("{} ms", usage.wall_ms),
        format!("{} ms", usage.cpu_ms),
        format!("{} MiB", usage.max_rss_kib.div_ceil(1024)),
    ]
}

fn passed(test: &TestResult) -> bool {
    test.verdict == Verdict::Passed
}

/// What did not pass in a run, and why; nothing if all did.
fn trouble(run: &Run, paper: &Paper) -> String {
    let title = format!("\n{}:\n", paper.paint(HEADING, &shown(&run.task)));
    match &run.outcome {
        Outcome::Unscored { unscored } => {
            title + "  unscored, to be tried again:\n" + &indented(unscored, "    ")
        }
        Outcome::Scored(run) if run.tests.iter().all(passed) => String::new(),
        Outcome::Scored(run) => {
            run.tests.iter().filter(|test| !passed(test)).fold(title, |text, one| text + &test(one, paper))
        }
    }
}

fn test(test: &TestResult, paper: &Paper) -> String {
    let verdict = paper.paint(of_verdict(Some(test.verdict)), verdict(test.verdict));
    let mut text = format!("  {}: {verdict}", shown(&test.name));
    if test.weight != 1.0 {
        write!(text, ", weight {}", test.weight).expect("writing to a string can't fail");
    }
    text.push('\n');
    text + &test.message.as_deref().map(|message| indented(message, "    ")).unwrap_or_default()
}

/// Everybody's runs on a task.
fn task_table(entries: &[Entry], paper: &Paper) -> String {
    let header = run_columns(["MINER", "STAGE", "TASK", "VERDICT"]);
    let line = |entry: &Entry| {
        let miner = Cell::from(entry.miner.to_string());
        std::iter::once(miner).chain(run_cells(&entry.run)).collect()
    };
    table(paper, &header, entries.iter().map(line))
}

fn whole_run(run: &Run, paper: &Paper) -> String {
    let mut text = run_table(std::slice::from_ref(run), paper) + "\n";
    match &run.outcome {
        Outcome::Unscored { unscored } => text += &indented(unscored, "  "),
        Outcome::Scored(run) => {
            run.tests.iter().for_each(|one| text += &test(one, paper));
            if !run.stderr.is_empty() {
                text += &format!("\nthe end of stderr:\n{}", indented(&run.stderr, "  "));
            }
        }
    }
    text
}

/// Foreign text, line by line; the last lines matter most, as in a traceback.
fn indented(text: &str, indent: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES);
    let note = (skipped > 0).then(|| format!("{indent}… {skipped} lines before\n"));
    lines[skipped..].iter().fold(note.unwrap_or_default(), |text, line| {
        // Indentation by tabs is no danger here.
        text + indent + &shown(&line.replace('\t', "    ")) + "\n"
    })
}
