//! Data that the page's script works on. Compact: a big page holds 100,000 runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::iter::repeat_n;
use std::path::Path;

use rayon::prelude::*;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::config::{Board, Sampling};
use crate::model::feedback::{Feedback, Shown};
use crate::model::miner_id::Miner;
use crate::model::model_use::{ModelUse, Money};
use crate::model::report::{Outcome, Run, TestResult, Usage, Verdict};
use crate::pipeline::plan::Part;
use crate::pipeline::publish::Published;
use crate::pipeline::publish::history::{History, Point};
use crate::pipeline::publish::page::MODELS;
use crate::pipeline::publish::page::refused::refused;
use crate::pipeline::publish::page::stages::stages;
use crate::pipeline::publish::page::texts::{Room, Texts, tail};
use crate::pipeline::publish::roster;
use crate::pipeline::report_store::load_report;
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::samples;
use crate::pipeline::score::{Row, hundredths};
use crate::pipeline::terms::Terms;
use crate::task::Task;
use crate::util::json::Escaped;
use crate::util::natural::natural;
use crate::util::text::visible;

/// Most characters of a name or a reason.
const MAX: usize = 400;

/// Most lines of a message, and of stderr.
const LINES: usize = 12;

/// Most points of one history, and of all together.
const POINTS: usize = 60;
const ALL_POINTS: usize = 40_000;

#[derive(Serialize)]
struct TaskData<'a> {
    id: String,
    label: String,
    stage: usize,
    #[serde(flatten)]
    terms: Terms<'a>,
}

#[derive(Serialize)]
struct Agent<'a> {
    miner: &'a str,
    rank: Option<u32>,
    /// The best and the worst rank that chance could have given it.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<[u32; 2]>,
    /// Rank of the best agent whose lead over this one may be chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<u32>,
    score: Option<f64>,
    /// Price of what its runs asked of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Money>,
    /// pass@1 and pass@k.
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<[Option<f64>; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reward: Option<Option<f64>>,
    passed: Option<u64>,
    tests: u64,
    unscored: u64,
    stage: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<&'a str>,
    /// The miner that most of it was seen with first, and how much of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    similar: Option<(&'a str, f64)>,
    #[serde(skip_serializing_if = "<[Miner]>::is_empty")]
    same: &'a [Miner],
    /// Note that it was run no further in its stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    /// Percent that coming late cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<f64>,
    seen: i64,
    sha256: &'a str,
    file: String,
    bytes: u64,
    runs: Vec<RunData>,
    /// (time, score), oldest first.
    history: &'a [Point],
    /// True if some texts did not fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// An array each, to be short: the script knows the places.
#[derive(Serialize)]
#[serde(untagged)]
enum RunData {
    /// Task, None, None: the engine or a provider is at fault. The reason may tell of hidden tests, and of what others asked.
    Unscored(usize, (), ()),
    /// Task, None: the task's author is at fault. The reason may tell of hidden tests, too.
    TaskFault(usize, ()),
    /// Task, score in hundredths, verdict, a letter per test shown, usage, suite.
    Plain(usize, Option<u32>, Option<char>, String, Option<UsageData>, usize),
    /// The same with (test, text) of messages and stderr's text.
    Noted(
        usize,
        Option<u32>,
        Option<char>,
        String,
        Option<UsageData>,
        usize,
        Vec<(usize, usize)>,
        Option<usize>,
    ),
    /// Task, score in hundredths, verdict, (least, largest, deviation, passed) of the samples' scores, the samples.
    Sampled(usize, Option<u32>, Option<char>, Option<(f64, f64, f64, f64)>, Vec<RunData>),
}

impl RunData {
    fn shows_score(&self) -> bool {
        match self {
            Self::Plain(_, score, ..) | Self::Noted(_, score, ..) | Self::Sampled(_, score, ..) => {
                score.is_some()
            }
            Self::Unscored(..) | Self::TaskFault(..) => false,
        }
    }
}

/// Milliseconds, CPU milliseconds, MiB; requests, tokens of them and of answers, and price, if known, where models were asked.
#[derive(Serialize)]
#[serde(untagged)]
enum UsageData {
    Alone(u64, u64, u64),
    Asking(u64, u64, u64, (u64, u64, u64, Option<Money>)),
}

impl From<Usage> for UsageData {
    fn from(Usage { wall_ms, cpu_ms, max_rss_kib, model, .. }: Usage) -> Self {
        let mib = max_rss_kib.div_ceil(1024);
        match model {
            None => Self::Alone(wall_ms, cpu_ms, mib),
            Some(asked) => {
                let ModelUse { requests, tokens_in, tokens_out, .. } = asked;
                Self::Asking(wall_ms, cpu_ms, mib, (requests, tokens_in, tokens_out, asked.price()))
            }
        }
    }
}

/// Reports that are in memory at the same time.
const TOGETHER: usize = 64;

/// Writes the data as JSON that can stand in a script element.
pub(super) fn write(
    out: &mut dyn Write,
    results_dir: &Path,
    published: &Published,
    history: &History,
    build: &str,
) -> io::Result<()> {
    let out = Escaped { out, escape: |c| c == '<' };
    let mut columns = Columns::of(published);
    let mut texts = Texts::default();
    let mut pending: Vec<&str> = published.pending.iter().map(Miner::as_str).collect();
    pending.sort_unstable();
    let mut to = serde_json::Serializer::new(out);
    let mut data = to.serialize_map(None)?;
    // First, as they are written while reports are read, and only then the texts and suites are known.
    let feedback = published.plan.feedback();
    let rows = rows(published, feedback);
    let agents = agents(results_dir, published, &rows, history, &mut columns, &mut texts);
    data.serialize_entry("agents", &Streamed(RefCell::new(agents)))?;
    data.serialize_entry("texts", texts.all())?;
    data.serialize_entry("suites", &columns.suites())?;
    data.serialize_entry("feedback", &feedback)?;
    // Seconds since 1970, like all times here.
    data.serialize_entry("made", &published.generated_at.as_second())?;
    // Tells the page that a newer one has another script.
    data.serialize_entry("build", build)?;
    data.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
    data.serialize_entry("image", &visible(published.image, MAX))?;
    data.serialize_entry("pipeline", &published.pipeline_sha256.chars().take(12).collect::<String>())?;
    data.serialize_entry("title", &published.title.map(|title| visible(title, MAX)))?;
    if let Some(token) = published.token {
        data.serialize_entry("token", &visible(token, MAX))?;
    }
    if results_dir.join(MODELS).exists() {
        data.serialize_entry("models", MODELS)?;
    }
    if !published.roster.is_empty() {
        data.serialize_entry("roster", &roster::listed(published))?;
    }
    if let Some(k) = published.rows.iter().find_map(|row| row.k) {
        data.serialize_entry("k", &k)?;
    }
    // Whether somebody is at work who will write the page anew.
    data.serialize_entry("live", &published.live)?;
    data.serialize_entry("stages", &stages(published))?;
    data.serialize_entry("tasks", &columns.described())?;
    data.serialize_entry("pending", &pending)?;
    data.serialize_entry("rejected", &refused(published.rejections))?;
    data.serialize_entry("rejected_count", &published.rejections.len())?;
    Ok(SerializeMap::end(data)?)
}

/// A sequence of which one item at a time is in memory.
struct Streamed<I>(RefCell<I>);

impl<T: Serialize, I: Iterator<Item = T>> Serialize for Streamed<I> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.borrow_mut().by_ref())
    }
}

/// The ranking in its order, or by miner where ranks are not shown.
fn rows<'a>(published: &Published<'a>, feedback: Feedback) -> Vec<&'a Row> {
    let mut rows: Vec<&Row> = published.rows.iter().collect();
    if !feedback.shows_ranking() {
        rows.sort_by(|a, b| a.miner.cmp(&b.miner));
    }
    rows
}

/// The agents in the order of `rows`, with what their reports tell.
fn agents<'a>(
    results_dir: &'a Path,
    published: &'a Published,
    rows: &'a [&'a Row],
    history: &'a History,
    columns: &'a mut Columns,
    texts: &'a mut Texts,
) -> impl Iterator<Item = Agent<'a>> {
    let summaries: HashMap<&Miner, &ReportSummary> =
        published.agents.iter().map(|agent| (&agent.miner, *agent)).collect();
    let points = (ALL_POINTS / rows.len().max(1)).clamp(2, POINTS);
    let load = |row: &&'a Row| (*row, load_report(results_dir, &row.miner));
    let chunks = rows.chunks(TOGETHER);
    let feedback = published.plan.feedback();
    let shown = feedback.shows_ranking();
    let marks_near = shown && published.board == Board::Private;
    let loaded = chunks.flat_map(move |rows| rows.par_iter().map(load).collect::<Vec<_>>());
    loaded.map(move |(row, report)| {
        let mut room = Room::share(rows.len());
        let runs =
            report.filter(|report| report.sha256 == row.sha256).map_or(Vec::new(), |report| report.runs);
        let stopped = row.stopped_early.as_ref().and_then(|stopped| published.plan.place(&stopped.stage));
        let runs = columns.runs(runs, stopped, texts, &mut room);
        let summary = summaries.get(&row.miner).copied();
        let past = if shown { history.of(&row.miner) } else { &[] };
        Agent {
            miner: row.miner.as_str(),
            rank: row.rank.map(u32::from).filter(|_| shown),
            range: row
                .rank_low
                .zip(row.rank_high)
                .map(|(low, high)| [low.into(), high.into()])
                .filter(|_| shown),
            tier: row.tier.map(u32::from).filter(|_| shown),
            score: row.score.filter(|_| shown),
            cost: row.cost.filter(|_| feedback.shows_counts()),
            pass: row.pass_at_1.filter(|_| shown).map(|at_1| [Some(at_1), row.pass_at_k]),
            reward: row.reward.map(|reward| shown.then_some(reward)),
            passed: feedback.shows_counts().then_some(row.passed),
            tests: row.tests,
            unscored: row.unscored,
            stage: shown.then(|| published.plan.place(&row.stage).unwrap_or_default()),
            copy: row.duplicate_of.as_ref().map(Miner::as_str),
            similar: row.similar_to.as_ref().map(Miner::as_str).zip(row.similarity).filter(|_| marks_near),
            same: &row.same_as,
            stopped: row.stopped_early.as_ref().filter(|_| shown).map(ToString::to_string),
            late: row.penalty.filter(|percent| shown && *percent > 0.0),
            seen: row.first_seen.as_second(),
            sha256: &row.sha256,
            file: summary.map_or(String::new(), |summary| visible(&summary.file, MAX)),
            bytes: summary.map_or(0, |summary| summary.bytes),
            runs,
            history: &past[past.len().saturating_sub(points)..],
            cut: room.cut,
        }
    })
}

/// A test's name, its weight, and whether it is public.
type Described = (String, f64, bool);

/// The tasks that were run, in stage order and then by id as people count, and the lists of their tests.
struct Columns<'a> {
    all: Vec<(usize, &'a str)>,
    /// Of each of them.
    terms: Vec<Terms<'a>>,
    /// Of each stage.
    feedback: Vec<Feedback>,
    sampling: Vec<Sampling>,
    places: HashMap<(&'a str, &'a str), usize>,
    suites: Vec<Vec<Described>>,
    /// Of each column: usually one, several while agents have yet to meet an edited task.
    suites_of: Vec<Vec<usize>>,
}

impl<'a> Columns<'a> {
    fn of(published: &Published<'a>) -> Self {
        let reached = |part: &Part<'_>, task: usize| {
            let is_there = |result| result != RunResult::Missing;
            published.agents.iter().any(|agent| samples::of_task(part, &agent.results, task).any(is_there))
        };
        let of_stage = |(stage, part): (usize, &'_ Part<'a>)| {
            let tasks = part.tasks.iter().enumerate().filter(|(at, _)| reached(part, *at));
            tasks.map(|(_, task)| (stage, *task)).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = published.plan.parts.iter().enumerate().flat_map(of_stage).collect();
        all.sort_by(|(stage, task), (other, than)| {
            stage.cmp(other).then_with(|| natural(&task.id, &than.id))
        });
        let stage = |at: usize| published.plan.parts[at].stage;
        let terms =
            |(at, task): &(usize, &Task)| Terms::new(task, &stage(*at).limits, stage(*at).model.as_ref());
        let terms = all.iter().map(terms).collect();
        let all: Vec<_> = all.into_iter().map(|(stage, task)| (stage, task.id.as_str())).collect();
        let name = |stage: usize| published.plan.parts[stage].stage.name.as_str();
        let places = all.iter().enumerate().map(|(at, (stage, task))| ((name(*stage), *task), at)).collect();
        let feedback = published.plan.parts.iter().map(|part| part.stage.feedback).collect();
        let sampling = published.plan.parts.iter().map(|part| part.stage.sampling).collect();
        Self {
            feedback,
            sampling,
            places,
            suites: Vec::new(),
            suites_of: vec![Vec::new(); all.len()],
            all,
            terms,
        }
    }

    /// Lists of tests, fit to be shown.
    fn suites(&self) -> Vec<Vec<Described>> {
        let shown = |(name, weight, public): &Described| (visible(name, MAX), *weight, *public);
        self.suites.iter().map(|suite| suite.iter().map(shown).collect()).collect()
    }

    /// With short labels: ids without their folders, where that leaves them distinct.
    fn described(&self) -> Vec<TaskData<'a>> {
        let name = |id: &'a str| id.rsplit('/').next().unwrap_or_default();
        let distinct = self.all.iter().map(|(_, id)| name(id)).collect::<BTreeSet<_>>().len();
        let task = |((stage, id), terms): (&(usize, &'a str), &Terms<'a>)| TaskData {
            id: visible(id, MAX),
            label: visible(if distinct == self.all.len() { name(id) } else { id }, MAX),
            stage: *stage,
            terms: terms.clone(),
        };
        self.all.iter().zip(&self.terms).map(task).collect()
    }

    /// One for each task; of several samples, what they come to, and each of them. `stopped` is the stage in which those that
    /// are not there are worth nothing.
    fn runs(
        &mut self,
        runs: Vec<Run>,
        stopped: Option<usize>,
        texts: &mut Texts,
        room: &mut Room,
    ) -> Vec<RunData> {
        let mut tasks: BTreeMap<usize, Vec<Run>> = BTreeMap::new();
        for run in runs {
            if let Some(column) = self.places.get(&(run.stage.as_str(), run.task.as_str()))
                && run.sample <= self.sampling[self.all[*column].0].samples
            {
                tasks.entry(*column).or_default().push(run);
            }
        }
        let is_stopped = |column: usize, all: &[(usize, &str)]| stopped == Some(all[column].0);
        tasks
            .into_iter()
            .filter_map(|(column, runs)| self.task(column, runs, is_stopped(column, &self.all), texts, room))
            .collect()
    }

    fn task(
        &mut self,
        column: usize,
        mut runs: Vec<Run>,
        is_stopped: bool,
        texts: &mut Texts,
        room: &mut Room,
    ) -> Option<RunData> {
        let Sampling { samples, reduce } = self.sampling[self.all[column].0];
        if samples == 1 {
            return runs.pop().map(|run| self.run(column, run, texts, room));
        }
        let results: Vec<RunResult> = runs.iter().map(|run| RunResult::of(&run.outcome)).collect();
        let not_run = if is_stopped { (samples as usize).saturating_sub(runs.len()) } else { 0 };
        let all = results.iter().copied().chain(repeat_n(RunResult::Stopped, not_run));
        let reduced = samples::reduce(all, reduce);
        let RunResult::Scored { verdict, score, .. } = reduced else {
            let at = results.iter().position(|result| *result == reduced)?;
            return Some(self.run(column, runs.swap_remove(at), texts, room));
        };
        let spread = samples::spread(results.into_iter())?;
        let each: Vec<RunData> = runs.into_iter().map(|run| self.run(column, run, texts, room)).collect();
        let is_shown = each.iter().all(RunData::shows_score);
        let spread = [spread.min, spread.max, spread.stdev, f64::from(spread.passed)];
        let [min, max, stdev, passed] = spread.map(|figure| (figure * 100.0).round() / 100.0);
        Some(RunData::Sampled(
            column,
            is_shown.then(|| hundredths_of(score)),
            is_shown.then(|| letter(verdict)),
            is_shown.then_some((min, max, stdev, passed)),
            each,
        ))
    }

    fn run(&mut self, column: usize, run: Run, texts: &mut Texts, room: &mut Room) -> RunData {
        match run.outcome {
            Outcome::TaskFault { .. } => RunData::TaskFault(column, ()),
            Outcome::Unscored { .. } => RunData::Unscored(column, (), ()),
            Outcome::Scored(run) => {
                let run = self.feedback[self.all[column].0].of_run(run);
                scored(column, self.suite(column, &run.tests), &run, texts, room)
            }
        }
    }

    fn suite(&mut self, column: usize, tests: &[TestResult]) -> usize {
        let known = self.suites_of[column].iter().find(|&&number| same(&self.suites[number], tests));
        known.copied().unwrap_or_else(|| {
            self.suites
                .push(tests.iter().map(|test| (test.name.clone(), test.weight, test.public)).collect());
            self.suites_of[column].push(self.suites.len() - 1);
            self.suites.len() - 1
        })
    }
}

fn scored(column: usize, suite: usize, run: &Shown, texts: &mut Texts, room: &mut Room) -> RunData {
    let letters = run.tests.iter().map(|test| letter(test.verdict)).collect();
    let score = run.score.map(hundredths_of);
    let verdict = run.verdict.map(letter);
    let usage = run.usage.map(UsageData::from);
    let notes: Vec<_> = run
        .tests
        .iter()
        .enumerate()
        .filter_map(|(at, test)| Some((at, texts.number(tail(&told(test)?, LINES), room)?)))
        .collect();
    let stderr = run.stderr.as_deref().map(str::trim_end).filter(|text| !text.trim().is_empty());
    let stderr = stderr.and_then(|text| texts.number(tail(text, LINES), room));
    if notes.is_empty() && stderr.is_none() {
        return RunData::Plain(column, score, verdict, letters, usage, suite);
    }
    RunData::Noted(column, score, verdict, letters, usage, suite, notes, stderr)
}

/// A score in hundredths.
fn hundredths_of(score: f64) -> u32 {
    (hundredths(score.clamp(0.0, 100.0)) * 100.0).round() as u32
}

/// The message of a test that did not pass, or what it is worth where that says nothing.
fn told(test: &TestResult) -> Option<String> {
    let message = test.message.clone().filter(|_| test.verdict != Verdict::Passed);
    message.or_else(|| test.worth())
}

/// Tells whether these are the tests of a suite, whatever became of them.
fn same(suite: &[Described], tests: &[TestResult]) -> bool {
    let alike = |(known, test): (&Described, &TestResult)| {
        (known.0.as_str(), known.1, known.2) == (test.name.as_str(), test.weight, test.public)
    };
    suite.len() == tests.len() && suite.iter().zip(tests).all(alike)
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
