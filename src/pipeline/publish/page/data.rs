//! What the page's script works on. Compact: a big page holds 100,000 runs.

use std::collections::{BTreeSet, HashMap};
use std::io;

use serde::Serialize;

use super::texts::{Room, Texts, tail};
use crate::config::Stage;
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::publish::Published;
use crate::pipeline::publish::history::{Histories, Point};
use crate::pipeline::publish::text::visible;
use crate::pipeline::score::{Row, hundredths, passes};
use crate::report::{Outcome, Report, Run, Scored, TestResult, Verdict};

/// Most characters of a name or a reason.
const MAX: usize = 400;

/// Most lines of a message, and of stderr.
const LINES: usize = 12;

/// Most refusals listed; the rest is in rejected.csv.
const REJECTED: usize = 1_000;

/// Most points of one history, and of all together.
const POINTS: usize = 60;
const ALL_POINTS: usize = 40_000;

#[derive(Serialize)]
struct Data<'a> {
    /// Seconds since 1970, like all times here.
    made: i64,
    /// Tells the page that a newer one has another script.
    build: &'a str,
    version: &'a str,
    image: String,
    pipeline: String,
    token: String,
    /// Whether somebody is at work who will write the page anew.
    live: bool,
    stages: Vec<StageData>,
    tasks: Vec<TaskData>,
    /// Lists of tests, as (name, weight, public).
    suites: Vec<Vec<(String, f64, bool)>>,
    texts: &'a [String],
    agents: Vec<Agent<'a>>,
    pending: Vec<&'a str>,
    rejected: Vec<Refused<'a>>,
    rejected_count: usize,
}

#[derive(Serialize)]
struct StageData {
    name: String,
    mark: f64,
    reached: usize,
    passed: usize,
}

#[derive(Serialize)]
struct TaskData {
    id: String,
    label: String,
    stage: usize,
}

#[derive(Serialize)]
struct Agent<'a> {
    miner: &'a str,
    rank: Option<u32>,
    score: Option<f64>,
    reward: f64,
    passed: u64,
    tests: u64,
    unscored: u64,
    stage: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<&'a str>,
    seen: i64,
    sha256: &'a str,
    file: String,
    bytes: u64,
    runs: Vec<RunData>,
    /// (time, score), oldest first.
    history: &'a [Point],
    /// Whether some texts did not fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// An array each, to be short: the script knows the places.
#[derive(Serialize)]
#[serde(untagged)]
enum RunData {
    /// Task, None, text.
    Unscored(usize, (), Option<usize>),
    /// Task, score in hundredths, a letter per test, milliseconds, CPU milliseconds, MiB, suite.
    Plain(usize, u32, String, u64, u64, u64, usize),
    /// The same with (test, text) of messages and stderr's text.
    Noted(usize, u32, String, u64, u64, u64, usize, Vec<(usize, usize)>, Option<usize>),
}

#[derive(Serialize)]
struct Refused<'a> {
    file: String,
    miner: &'a str,
    line: Option<u32>,
    reason: String,
}

/// The data as JSON that can stand in a script element.
pub(super) fn json(published: &Published, histories: &Histories, build: &str) -> io::Result<String> {
    let mut columns = Columns::of(published.stages, published.reports);
    let mut texts = Texts::default();
    let agents = agents(published, histories, &mut columns, &mut texts);
    let mut pending: Vec<&str> = published.pending.iter().map(Miner::as_str).collect();
    pending.sort_unstable();
    let data = Data {
        made: published.generated_at.as_second(),
        build,
        version: env!("CARGO_PKG_VERSION"),
        image: visible(published.image, MAX),
        pipeline: published.pipeline_sha256.chars().take(12).collect(),
        token: visible(published.token, MAX),
        live: published.live,
        stages: stages(published),
        tasks: columns.described(published.stages),
        suites: columns.suites.iter().map(|suite| suite.iter().map(described).collect()).collect(),
        texts: texts.all(),
        agents,
        pending,
        rejected: refused(published.rejections),
        rejected_count: published.rejections.len(),
    };
    // Only inside of strings can there be one, and there the escape means the same.
    Ok(serde_json::to_string(&data)?.replace('<', "\\u003c"))
}

fn agents<'a>(
    published: &Published<'a>,
    histories: &'a Histories,
    columns: &mut Columns<'a>,
    texts: &mut Texts,
) -> Vec<Agent<'a>> {
    let reports: HashMap<&Miner, &Report> =
        published.reports.iter().map(|report| (&report.miner, *report)).collect();
    let points = (ALL_POINTS / published.rows.len().max(1)).clamp(2, POINTS);
    let described = |row: &'a Row| {
        let mut room = Room::share(published.rows.len());
        let report = reports.get(&row.miner).copied();
        let runs = report.map_or(Vec::new(), |report| {
            report.runs.iter().filter_map(|run| columns.run(run, texts, &mut room)).collect()
        });
        let history = histories.of(&row.miner);
        Agent {
            miner: row.miner.as_str(),
            rank: row.rank.map(u32::from),
            score: row.score,
            reward: row.reward,
            passed: row.passed,
            tests: row.tests,
            unscored: row.unscored,
            stage: published.stages.iter().position(|stage| stage.name == row.stage).unwrap_or_default(),
            copy: row.duplicate_of.as_ref().map(Miner::as_str),
            seen: row.first_seen.as_second(),
            sha256: &row.sha256,
            file: report.map_or(String::new(), |report| visible(&report.file, MAX)),
            bytes: report.map_or(0, |report| report.bytes),
            runs,
            history: &history[history.len().saturating_sub(points)..],
            cut: room.cut,
        }
    };
    published.rows.iter().map(described).collect()
}

/// The tasks that were run, in stage order and then by id, and the lists of their tests.
struct Columns<'a> {
    all: Vec<(&'a str, &'a str)>,
    places: HashMap<(&'a str, &'a str), usize>,
    suites: Vec<&'a [TestResult]>,
    /// Of each column: usually one, several while agents have yet to meet an edited task.
    suites_of: Vec<Vec<usize>>,
}

impl<'a> Columns<'a> {
    fn of(stages: &[Stage], reports: &[&'a Report]) -> Self {
        let place = |name: &str| stages.iter().position(|stage| stage.name == name);
        let runs = reports.iter().flat_map(|report| &report.runs);
        let seen: BTreeSet<_> = runs.map(|run| (run.stage.as_str(), run.task.as_str())).collect();
        let mut all: Vec<_> = seen.into_iter().filter(|(stage, _)| place(stage).is_some()).collect();
        all.sort_by_key(|(stage, _)| place(stage));
        let places = all.iter().enumerate().map(|(at, column)| (*column, at)).collect();
        Self { places, suites: Vec::new(), suites_of: vec![Vec::new(); all.len()], all }
    }

    /// With short labels: ids without their folders, where that leaves them distinct.
    fn described(&self, stages: &[Stage]) -> Vec<TaskData> {
        let name = |id: &'a str| id.rsplit('/').next().unwrap_or_default();
        let distinct = self.all.iter().map(|(_, id)| name(id)).collect::<BTreeSet<_>>().len();
        let task = |(stage, id): &(&str, &'a str)| TaskData {
            id: visible(id, MAX),
            label: visible(if distinct == self.all.len() { name(id) } else { id }, MAX),
            stage: stages.iter().position(|one| one.name == *stage).unwrap_or_default(),
        };
        self.all.iter().map(task).collect()
    }

    fn run(&mut self, run: &'a Run, texts: &mut Texts, room: &mut Room) -> Option<RunData> {
        let column = *self.places.get(&(run.stage.as_str(), run.task.as_str()))?;
        Some(match &run.outcome {
            Outcome::Unscored { unscored } => {
                RunData::Unscored(column, (), texts.number(tail(unscored, LINES), room))
            }
            Outcome::Scored(run) => scored(column, self.suite(column, &run.tests), run, texts, room),
        })
    }

    fn suite(&mut self, column: usize, tests: &'a [TestResult]) -> usize {
        let known = self.suites_of[column].iter().find(|&&number| same(self.suites[number], tests));
        known.copied().unwrap_or_else(|| {
            self.suites.push(tests);
            self.suites_of[column].push(self.suites.len() - 1);
            self.suites.len() - 1
        })
    }
}

fn scored(column: usize, suite: usize, run: &Scored, texts: &mut Texts, room: &mut Room) -> RunData {
    let letters = run.tests.iter().map(|test| letter(test.verdict)).collect();
    let score = (hundredths(run.score.clamp(0.0, 100.0)) * 100.0).round() as u32;
    let usage = run.usage;
    let (wall, cpu, mib) = (usage.wall_ms, usage.cpu_ms, usage.max_rss_kib.div_ceil(1024));
    let notes: Vec<_> = run
        .tests
        .iter()
        .enumerate()
        .filter_map(|(at, test)| Some((at, texts.number(tail(told(test)?, LINES), room)?)))
        .collect();
    // An agent can print what it was asked: its stderr is for everybody only if all of its tests are.
    let shown = Some(run.stderr.trim_end())
        .filter(|text| !text.trim().is_empty() && run.tests.iter().all(|test| test.public));
    let stderr = shown.and_then(|text| texts.number(tail(text, LINES), room));
    if notes.is_empty() && stderr.is_none() {
        return RunData::Plain(column, score, letters, wall, cpu, mib, suite);
    }
    RunData::Noted(column, score, letters, wall, cpu, mib, suite, notes, stderr)
}

/// The message, if it is for everybody: others would give away what is tested.
fn told(test: &TestResult) -> Option<&str> {
    test.message.as_deref().filter(|_| test.public && test.verdict != Verdict::Passed)
}

/// Whether these are the same tests, whatever became of them.
fn same(a: &[TestResult], b: &[TestResult]) -> bool {
    let alike =
        |(a, b): (&TestResult, &TestResult)| a.name == b.name && a.weight == b.weight && a.public == b.public;
    a.len() == b.len() && a.iter().zip(b).all(alike)
}

fn described(test: &TestResult) -> (String, f64, bool) {
    (visible(&test.name, MAX), test.weight, test.public)
}

fn letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Passed => 'p',
        Verdict::Failed => 'f',
        Verdict::Error => 'e',
        Verdict::Crashed => 'c',
        Verdict::OutputLimit => 'o',
        Verdict::Timeout => 't',
        Verdict::OutOfMemory => 'm',
    }
}

/// Each stage with how many agents reached it and how many passed it.
fn stages(published: &Published) -> Vec<StageData> {
    let place = |name: &str| published.stages.iter().position(|stage| stage.name == name).unwrap_or_default();
    let mut stand = vec![0; published.stages.len() + 1];
    for row in published.rows {
        if let Some(count) = stand.get_mut(place(&row.stage)) {
            *count += 1;
        }
    }
    if let Some(cleared) = published.stages.len().checked_sub(1) {
        // Who stands at the last stage may have passed it.
        let passed = cleared_last(published);
        stand[cleared] -= passed;
        stand[cleared + 1] = passed;
    }
    let from = |at: usize| stand[at..].iter().sum();
    let stages = published.stages.iter().enumerate();
    stages
        .map(|(at, stage)| StageData {
            name: visible(&stage.name, MAX),
            mark: stage.pass_mark,
            reached: from(at),
            passed: from(at + 1),
        })
        .collect()
}

/// How many agents passed the last stage.
fn cleared_last(published: &Published) -> usize {
    let Some(last) = published.stages.last() else { return 0 };
    let standing: BTreeSet<&Miner> =
        published.rows.iter().filter(|row| row.stage == last.name).map(|row| &row.miner).collect();
    let reports = published.reports.iter().filter(|report| standing.contains(&report.miner));
    reports.filter(|report| passes(last, published.tasks, report)).count()
}

fn refused(rejections: &[Rejection]) -> Vec<Refused<'_>> {
    let mut sorted: Vec<&Rejection> = rejections.iter().collect();
    sorted.sort();
    sorted.truncate(REJECTED);
    sorted
        .into_iter()
        .map(|rejection| Refused {
            file: visible(&rejection.file, MAX),
            miner: rejection.miner.as_ref().map_or("", Miner::as_str),
            line: rejection.line,
            reason: visible(&rejection.reason, MAX),
        })
        .collect()
}
