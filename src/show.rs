//! `agentmill show`: what the result files say, as text for a terminal.

mod table;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write};
use std::io;
use std::path::{Path, PathBuf};

use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::publish::json::{self, Rankings};
use crate::pipeline::publish::load_report;
use crate::pipeline::publish::text::{verdict, visible};
use crate::pipeline::score::{Row, hundredths};
use crate::report::{Outcome, Report, Run, Scored, TestResult, Verdict};
use table::{left, right, table};

/// Longest line of foreign text, in characters.
const MAX: usize = 500;

/// Most lines shown of one message or of stderr.
const LINES: usize = 20;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Nothing has been published yet.
    #[error("there are no results in {}; `agentmill run` makes them", .0.display())]
    NoResults(PathBuf),
    /// `rankings.json` can't be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Nobody by that name has submitted.
    #[error("there is no miner \"{name}\"{nearest}")]
    NoMiner {
        /// As asked for.
        name: String,
        /// The nearest name, as a question.
        nearest: Nearest,
    },
    /// The miner is ranked but the report is gone.
    #[error("the report of {0} is missing or can't be read; the next run makes it anew")]
    NoReport(Miner),
    /// The agent has no run on such a task.
    #[error("{miner} has no run on a task \"{task}\"{nearest}")]
    NoRun {
        /// Whose report was asked.
        miner: Miner,
        /// As asked for.
        task: String,
        /// The nearest name, as a question.
        nearest: Nearest,
    },
    /// More than a miner and a task were given.
    #[error("at most a miner and a task can be shown")]
    TooMany,
}

/// The nearest name there is, if one is near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest(Option<String>);

impl Nearest {
    fn of<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let close = |name: &&str| strsim::jaro_winkler(asked, name) > 0.7;
        let order =
            |a: &&str, b: &&str| strsim::jaro_winkler(asked, a).total_cmp(&strsim::jaro_winkler(asked, b));
        Self(names.filter(close).max_by(order).map(str::to_owned))
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "; did you mean \"{}\"?", visible(name, MAX)),
            None => Ok(()),
        }
    }
}

/// The ranking, or one miner's report, or one miner's run on one task. Reads result files only.
///
/// # Errors
/// See [`ShowError`].
pub fn show(results_dir: &Path, what: &[String]) -> Result<String, ShowError> {
    let rankings = json::load(results_dir).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => ShowError::NoResults(results_dir.to_owned()),
        _ => ShowError::Unreadable(err),
    })?;
    match what {
        [] => Ok(ranking(&rankings)),
        [name] => miner(results_dir, &rankings, name),
        [name, task] => task_of(results_dir, &rankings, name, task),
        _ => Err(ShowError::TooMany),
    }
}

fn ranking(rankings: &Rankings) -> String {
    let mut text = match &rankings.rankings[..] {
        [] => "no agents are ranked yet\n".to_owned(),
        rows => ranking_table(rows, &rankings.token),
    };
    if !rankings.pending.is_empty() {
        let pending: Vec<&str> = rankings.pending.iter().map(Miner::as_str).collect();
        text += &format!("\npending: {}\n", pending.join(", "));
    }
    if !rankings.rejected.is_empty() {
        text += &format!("\nrejected:\n{}", refusals(rankings.rejected.iter()));
    }
    let made = rankings.generated_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    text + &format!("\nmade {made}, image {}\n", visible(&rankings.image, MAX))
}

fn ranking_table(rows: &[Row], token: &str) -> String {
    let reward = format!("REWARD ({})", visible(token, MAX));
    let header =
        [right("#"), left("MINER"), right("SCORE"), right(&reward), right("TESTS"), left("STAGE"), left("")];
    let line = |row: &Row| {
        vec![
            row.rank.map_or("-".into(), |rank| rank.to_string()),
            row.miner.to_string(),
            score(row.score),
            row.reward.to_string(),
            format!("{}/{}", row.passed, row.tests),
            visible(&row.stage, MAX),
            remarks(row).join(", "),
        ]
    };
    table(&header, rows.iter().map(line))
}

fn score(score: Option<f64>) -> String {
    score.map_or("-".into(), |score| score.to_string())
}

fn remarks(row: &Row) -> Vec<String> {
    let unscored = (row.unscored > 0).then(|| format!("{} unscored", row.unscored));
    let copy = row.duplicate_of.as_ref().map(|original| format!("copy of {original}"));
    unscored.into_iter().chain(copy).collect()
}

fn refusals<'a>(rejections: impl Iterator<Item = &'a Rejection>) -> String {
    rejections.fold(String::new(), |text, rejection| {
        let line = rejection.line.map(|line| format!(":{line}")).unwrap_or_default();
        text + &format!("  {}{line}: {}\n", visible(&rejection.file, MAX), visible(&rejection.reason, MAX))
    })
}

/// What is known of a miner.
struct Known<'a> {
    miner: Miner,
    row: Option<&'a Row>,
    pending: bool,
    refused: Vec<&'a Rejection>,
}

fn find<'a>(rankings: &'a Rankings, name: &str) -> Result<Known<'a>, ShowError> {
    let unknown = || ShowError::NoMiner {
        name: visible(name, MAX),
        nearest: Nearest::of(&name.to_lowercase(), names(rankings)),
    };
    let miner = Miner::try_from(name.to_owned()).map_err(|_| unknown())?;
    let known = Known {
        row: rankings.rankings.iter().find(|row| row.miner == miner),
        pending: rankings.pending.contains(&miner),
        refused: rankings
            .rejected
            .iter()
            .filter(|rejection| rejection.miner.as_ref() == Some(&miner))
            .collect(),
        miner,
    };
    if known.row.is_none() && !known.pending && known.refused.is_empty() { Err(unknown()) } else { Ok(known) }
}

fn names(rankings: &Rankings) -> impl Iterator<Item = &str> {
    let ranked = rankings.rankings.iter().map(|row| &row.miner);
    let refused = rankings.rejected.iter().filter_map(|rejection| rejection.miner.as_ref());
    ranked.chain(&rankings.pending).chain(refused).map(Miner::as_str)
}

fn miner(results_dir: &Path, rankings: &Rankings, name: &str) -> Result<String, ShowError> {
    let known = find(rankings, name)?;
    let mut text = String::new();
    if !known.refused.is_empty() {
        text += &format!("{} was rejected:\n{}", known.miner, refusals(known.refused.iter().copied()));
    }
    if known.pending {
        text += &format!("{}'s submission is not evaluated yet\n", known.miner);
    }
    match (known.row, load_report(results_dir, &known.miner)) {
        (Some(row), Some(report)) => Ok(text + &standing(row, &rankings.token) + &details(&report)),
        (Some(_), None) => Err(ShowError::NoReport(known.miner)),
        (None, Some(report)) if known.pending => Ok(text + &details(&report)),
        (None, _) => Ok(text),
    }
}

fn standing(row: &Row, token: &str) -> String {
    let mut parts = match (row.rank, row.score) {
        (Some(rank), Some(score)) => vec![format!("rank {rank}"), format!("score {score}")],
        _ => vec!["unscored".to_owned()],
    };
    parts.push(format!("reward {} {}", row.reward, visible(token, MAX)));
    parts.push(format!("stage {}", visible(&row.stage, MAX)));
    parts.extend(remarks(row));
    format!("{}: {}\n", row.miner, parts.join(", "))
}

fn details(report: &Report) -> String {
    let seen = report.first_seen.strftime("%Y-%m-%d %H:%M:%S UTC");
    let file = visible(&report.file, MAX);
    let sha256 = visible(&report.sha256, MAX);
    let mut text = format!("{file}, {} bytes, first seen {seen}\nsha256 {sha256}\n", report.bytes);
    if let Some(syntax) = &report.syntax {
        let line = syntax.line.map(|line| format!(" in line {line}")).unwrap_or_default();
        text += &format!("\nsyntax error{line}:\n{}", indented(&syntax.message, "  "));
    }
    if !report.runs.is_empty() {
        text += &format!("\n{}", run_table(&report.runs));
    }
    report.runs.iter().fold(text, |text, run| text + &trouble(run))
}

fn run_table(runs: &[Run]) -> String {
    let header = ["SCORE", "TESTS", "WALL", "CPU", "MEMORY"].map(right);
    let header: Vec<_> = ["STAGE", "TASK", "VERDICT"].map(left).into_iter().chain(header).collect();
    let line = |run: &Run| {
        let mut line = vec![visible(&run.stage, MAX), visible(&run.task, MAX)];
        line.extend(match &run.outcome {
            Outcome::Scored(run) => measured(run),
            Outcome::Unscored { .. } => ["unscored", "-", "-", "-", "-", "-"].map(str::to_owned),
        });
        line
    };
    table(&header, runs.iter().map(line))
}

fn measured(run: &Scored) -> [String; 6] {
    let usage = run.usage;
    [
        verdict(run.verdict).to_owned(),
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
fn trouble(run: &Run) -> String {
    let title = format!("\n{}:\n", visible(&run.task, MAX));
    match &run.outcome {
        Outcome::Unscored { unscored } => {
            title + "  unscored, to be tried again:\n" + &indented(unscored, "    ")
        }
        Outcome::Scored(run) if run.tests.iter().all(passed) => String::new(),
        Outcome::Scored(run) => {
            run.tests.iter().filter(|test| !passed(test)).fold(title, |text, one| text + &test(one))
        }
    }
}

fn test(test: &TestResult) -> String {
    let mut text = format!("  {}: {}", visible(&test.name, MAX), verdict(test.verdict));
    if test.weight != 1.0 {
        write!(text, ", weight {}", test.weight).expect("writing to a string can't fail");
    }
    text.push('\n');
    text + &test.message.as_deref().map(|message| indented(message, "    ")).unwrap_or_default()
}

fn task_of(results_dir: &Path, rankings: &Rankings, name: &str, task: &str) -> Result<String, ShowError> {
    let known = find(rankings, name)?;
    let report =
        load_report(results_dir, &known.miner).ok_or_else(|| ShowError::NoReport(known.miner.clone()))?;
    let runs = runs_on(&report, task);
    if runs.is_empty() {
        let tasks = report.runs.iter().map(|run| run.task.as_str());
        let nearest = Nearest::of(task, tasks);
        return Err(ShowError::NoRun { miner: known.miner, task: visible(task, MAX), nearest });
    }
    let texts: Vec<String> = runs.into_iter().map(whole_run).collect();
    Ok(texts.join("\n"))
}

/// By the task's id, else by its last part; several if a task was run in several stages.
fn runs_on<'a>(report: &'a Report, task: &str) -> Vec<&'a Run> {
    let named = |matches: &dyn Fn(&str) -> bool| -> Vec<&'a Run> {
        report.runs.iter().filter(|run| matches(&run.task)).collect()
    };
    let exact = named(&|id| id == task);
    if exact.is_empty() { named(&|id| id.rsplit('/').next() == Some(task)) } else { exact }
}

fn whole_run(run: &Run) -> String {
    let mut text = run_table(std::slice::from_ref(run)) + "\n";
    match &run.outcome {
        Outcome::Unscored { unscored } => text += &indented(unscored, "  "),
        Outcome::Scored(run) => {
            run.tests.iter().for_each(|one| text += &test(one));
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
        text + indent + &visible(&line.replace('\t', "    "), MAX) + "\n"
    })
}
