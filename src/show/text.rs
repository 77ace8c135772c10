//! Answers to queries, laid out as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::config::Freeze;
use crate::model::miner_id::Miner;
use crate::model::model_use::ModelUse;
use crate::model::rejection::Rejection;
use crate::model::report::{Outcome, Report, Run, Scored, TestResult, Usage, Verdict};
use crate::model::samples::{by_task, spreads};
use crate::model::spread::{Spread, TaskSpread};
use crate::model::unpassed::Unpassed;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::publish::roster::Listed;
use crate::pipeline::score::{Evaluated, Row, hundredths, lateness};
use crate::show::data::{Data, Known, MinerRun};
use crate::show::history::Submitted;
use crate::show::query::shown;
use crate::show::ranking::{self, remarks, score};
use crate::show::rescored;
use crate::term::{Column, HEADING, Layout, ODD, Styled, left, of_verdict, right, table};
use crate::util::plural::counted;

/// Beginning of the message of a test that was not asked for want of time.
const UNASKED: &str = "not asked, as the run's ";

/// Most lines shown of one message or of stderr.
const LINES: usize = 20;

/// The data laid out for the layout.
pub(super) fn of(data: &Data, layout: &Layout) -> String {
    match data {
        Data::Ranking(rankings) => ranking(rankings, layout),
        Data::Miner(known) => miner(known, layout),
        Data::History(all) => history(all, layout),
        Data::Runs(runs) => {
            let texts: Vec<String> =
                runs.iter().map(|run| whole_run(run, has_samples(runs.iter()), layout)).collect();
            let samples = samples(runs, layout);
            samples.trim_start().to_owned() + if samples.is_empty() { "" } else { "\n" } + &texts.join("\n")
        }
        Data::Task(runs) => task_table(runs, layout),
    }
}

fn ranking(rankings: &Rankings, layout: &Layout) -> String {
    let title = rankings.title.as_deref().map(|title| layout.paint(HEADING, &shown(title)) + "\n\n");
    let mut text = title.unwrap_or_default();
    text += &match &rankings.rankings[..] {
        [] if rankings.roster.is_empty() => "no agents are ranked yet\n".to_owned(),
        _ => ranking::table_of(rankings, layout),
    };
    if !rankings.pending.is_empty() {
        let pending: Vec<&str> = rankings.pending.iter().map(Miner::as_str).collect();
        text += &format!("\npending: {}\n", pending.join(", "));
    }
    if !rankings.rejected.is_empty() {
        text += &format!("\n{}\n{}", layout.paint(ODD, "refused:"), refusals(&rankings.rejected));
    }
    let made = rankings.generated_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    text + &format!("\nmade {made}, image {}\n", shown(&rankings.image))
}

/// Says that others are shown an older ranking.
pub(super) fn frozen(freeze: Freeze) -> String {
    let until = freeze.until.map_or_else(String::new, |until| format!(" until {until}"));
    format!("the board is frozen from {} on{until}: over HTTP it is that of before\n", freeze.from)
}

fn refusals<'a>(rejections: impl IntoIterator<Item = &'a Rejection>) -> String {
    rejections.into_iter().fold(String::new(), |text, rejection| {
        let line = rejection.line.map(|line| format!(":{line}")).unwrap_or_default();
        text + &format!("  {}{line}: {}\n", shown(&rejection.file), shown(&rejection.told()))
    })
}

fn miner(known: &Known, layout: &Layout) -> String {
    let mut text = String::new();
    let (own, rivals): (Vec<&Rejection>, Vec<&Rejection>) =
        known.rejected.iter().partition(|rejection| rejection.claims.is_none());
    if !own.is_empty() {
        text += &format!("{} was refused:\n{}", known.miner, refusals(own));
    }
    if !rivals.is_empty() {
        text += &format!("refused beside what lies there for {}:\n{}", known.miner, refusals(rivals));
    }
    text += &known.evaluated.as_ref().map(not_best).unwrap_or_default();
    if known.pending {
        text += &format!("{}'s submission is not evaluated yet\n", known.miner);
    }
    if let (true, Some(person)) = (known.is_absent(), &known.person) {
        text += &absent(person, known);
    }
    if let Some(row) = &known.row {
        text += &layout.paint(HEADING, &status(row, known.token.as_deref()));
        text.push('\n');
    }
    text += &known.late.as_ref().map(|late| format!("late: {late}\n")).unwrap_or_default();
    text + &known.report.as_ref().map(|report| details(report, known, layout)).unwrap_or_default()
}

/// Somebody on the roster of whom nothing lies in the inbox.
fn absent(Listed { id, name, .. }: &Listed, known: &Known) -> String {
    let name = shown(name);
    if !known.withdrawn {
        return format!("{id} has submitted nothing: absent, on the roster as {name}\n");
    }
    let since = known.withdrawn_at.map(|at| at.strftime(" since %Y-%m-%d %H:%M:%S UTC").to_string());
    format!(
        "{id}, on the roster as {name}, has withdrawn: nothing of it lies in the inbox{}; `agentmill show {id} --history` lists what it \
         submitted\n",
        since.unwrap_or_default()
    )
}

/// The submission in the inbox, where another one stands.
fn not_best(one: &Evaluated) -> String {
    let Evaluated { miner, sha256, passed, tests, .. } = one;
    let file: String = shown(sha256).chars().take(12).collect();
    let told = [format!("score {}", score(one.score)), format!("{passed} of {tests} tests")];
    let told: Vec<String> = told.into_iter().chain(lateness(one.penalty)).collect();
    format!(
        "{miner}'s submission in the inbox, {file}, was evaluated, and an earlier one stands: {}\n",
        told.join(", ")
    )
}

/// Everything that a miner submitted; the bytes of each stand in the archive.
fn history(all: &[Submitted], layout: &Layout) -> String {
    let header = ["SUBMITTED", "SHA256"].map(left).into_iter();
    let header = header.chain([right("BYTES"), left("VIA"), right("SCORE"), left("STATE"), left("")]);
    let header: Vec<Column> = header.collect();
    let line = |one: &Submitted| {
        let bytes = one.bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        let state = one.state.name().to_owned();
        let why = one.reason.as_deref().map(shown).or_else(|| lateness(one.penalty));
        let received = one.received.then(|| "came then by extensions.yaml".to_owned());
        let remark: Vec<String> =
            why.into_iter().chain(received).chain(rescored::told(&one.scores_before, &one.changes)).collect();
        let at = one.came.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let sha256 = shown(&one.sha256).chars().take(12).collect();
        [at, sha256, bytes, one.via.name().to_owned(), score(one.score), state, remark.join("; ")]
            .map(Styled::from)
            .to_vec()
    };
    table(layout, &header, all.iter().map(line))
}

fn status(row: &Row, token: Option<&str>) -> String {
    let mut parts = match (row.rank, row.score) {
        (Some(rank), Some(score)) => vec![format!("rank {rank}"), format!("score {score}")],
        _ => vec!["unscored".to_owned()],
    };
    let reward = row.reward.zip(token);
    parts.extend(reward.map(|(reward, token)| format!("reward {reward} {}", shown(token))));
    parts.push(format!("stage {}", shown(&row.stage)));
    parts.extend(remarks(row));
    format!("{}: {}", row.miner, parts.join(", "))
}

fn details(report: &Report, known: &Known, layout: &Layout) -> String {
    let seen = report.first_seen.strftime("%Y-%m-%d %H:%M:%S UTC");
    let file = shown(&report.file);
    let sha256 = shown(&report.sha256);
    let mut text = format!("{file}, {} bytes, first seen {seen}\nsha256 {sha256}\n", report.bytes);
    if let Some(source) = &known.source {
        text += &format!("source {}\n", source.display());
    }
    if let Some(syntax) = &report.syntax {
        let line = syntax.line.map(|line| format!(" in line {line}")).unwrap_or_default();
        text += &format!("\nsyntax error{line}:\n{}", indented(&syntax.message, "  "));
    }
    text += &samples(&report.runs, layout);
    let runs: Vec<&Run> = by_task(&report.runs).concat();
    if !runs.is_empty() {
        text += &format!("\n{}", run_table(&runs, has_samples(runs.iter().copied()), &known.weights, layout));
    }
    text += &asked(&runs);
    runs.into_iter().fold(text, |text, run| text + &trouble(run, layout))
}

/// Questions of runs, and of their tests, to models, a line for each stage; empty where nobody might ask.
fn asked(runs: &[&Run]) -> String {
    let mut stages: Vec<&str> = runs.iter().map(|run| run.stage.as_str()).collect();
    stages.dedup();
    let of = |stage: &str, whose: &str, model: fn(&Usage) -> Option<ModelUse>| {
        let own = runs.iter().filter(|run| run.stage == stage);
        let asked = own.filter_map(|run| match &run.outcome {
            Outcome::Scored(run) => model(&run.usage),
            Outcome::TaskFault { .. } | Outcome::Unscored { .. } => None,
        });
        let asked = asked.reduce(|a, b| [a, b].into_iter().sum());
        asked.map(|asked| format!("{whose} in {}: {asked}\n", shown(stage)))
    };
    let lines = stages.into_iter().flat_map(|stage| {
        let agents = of(stage, "asked of models", |usage| usage.model);
        agents.into_iter().chain(of(stage, "asked by its tests", |usage| usage.judge_model))
    });
    let text: String = lines.collect();
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// How the samples of each task differ; empty where there is one of each.
fn samples(runs: &[Run], layout: &Layout) -> String {
    let spreads = spreads(runs);
    let numbers = ["SAMPLES", "PASSED", "MEAN", "LOWEST", "HIGHEST", "DEVIATION"].map(right);
    let header: Vec<Column> = ["STAGE", "TASK"].map(left).into_iter().chain(numbers).collect();
    let line = |TaskSpread { stage, task, spread }: &TaskSpread| {
        let Spread { samples, passed, mean, min, max, stdev } = spread;
        let scores = [mean, min, max].map(|score| hundredths(*score).to_string());
        let [mean, min, max] = scores;
        let deviation = format!("{stdev:.2}");
        [shown(stage), shown(task), samples.to_string(), passed.to_string(), mean, min, max, deviation]
            .map(Styled::from)
            .to_vec()
    };
    if spreads.is_empty() {
        String::new()
    } else {
        format!("\n{}", table(layout, &header, spreads.iter().map(line)))
    }
}

/// A line for each run, with the weights of their tasks where there are any.
fn run_table(runs: &[&Run], has_samples: bool, weights: &BTreeMap<String, f64>, layout: &Layout) -> String {
    let mut header = run_columns(["STAGE", "TASK", "VERDICT"], has_samples);
    header.extend((!weights.is_empty()).then(|| right("WEIGHT")));
    let line = |run: &&Run| {
        let weight = || weights.get(&run.task).map_or("-".to_owned(), f64::to_string);
        let weight = (!weights.is_empty()).then(|| Styled::from(weight()));
        run_cells(run, has_samples).into_iter().chain(weight).collect::<Vec<_>>()
    };
    table(layout, &header, runs.iter().map(line))
}

fn has_samples<'a>(mut runs: impl Iterator<Item = &'a Run>) -> bool {
    runs.any(|run| run.sample > 1)
}

fn run_columns<const N: usize>(words: [&str; N], has_samples: bool) -> Vec<Column> {
    let numbers = ["SCORE", "TESTS", "WALL", "CPU", "MEMORY"].map(right);
    let sample = has_samples.then(|| right("SAMPLE"));
    words.map(left).into_iter().chain(numbers).chain(sample).collect()
}

fn run_cells(run: &Run, has_samples: bool) -> Vec<Styled> {
    let sample = has_samples.then(|| run.sample.to_string());
    let numbers = match &run.outcome {
        Outcome::Scored(run) => measured(run),
        Outcome::TaskFault { .. } | Outcome::Unscored { .. } => ["-"; 5].map(str::to_owned),
    };
    let place = [shown(&run.stage), shown(&run.task)].map(Styled::from);
    let verdict = Styled::new(of_verdict(run.outcome.verdict()), run.outcome.word());
    let numbers = numbers.into_iter().chain(sample).map(Styled::from);
    place.into_iter().chain([verdict]).chain(numbers).collect()
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

/// Tests of a run that did not pass, with their messages; empty if all passed.
fn trouble(run: &Run, layout: &Layout) -> String {
    let points = points(&run.outcome).map(|points| format!(" {points}")).unwrap_or_default();
    let title = format!("\n{}:{points}\n", layout.paint(HEADING, &shown(&run.label())));
    match &run.outcome {
        Outcome::TaskFault { task_fault } => {
            title + "  task_fault, counts for nobody:\n" + &indented(task_fault, "    ")
        }
        Outcome::Unscored { unscored } => {
            title + "  unscored, to be tried again:\n" + &indented(unscored, "    ")
        }
        Outcome::Scored(run) if run.tests.iter().all(passed) => String::new(),
        Outcome::Scored(run) => {
            let failed = run.tests.iter().filter(|test| !passed(test));
            failed.fold(title, |text, one| text + &test(one, layout))
                + &lost(&run.tests)
                + &unasked(&run.tests)
        }
    }
}

/// Cases that passed and are worth nothing, as another one of their folder did not: a line for each folder.
fn lost(tests: &[TestResult]) -> String {
    let mut folders: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (folder, test) in tests.iter().filter_map(|test| Some((test.lost_with()?, test))) {
        let (cases, weight) = folders.entry(folder).or_default();
        (*cases, *weight) = (*cases + 1, *weight + test.weight);
    }
    let line = |(folder, (cases, weight)): (&str, (usize, f64))| {
        let cases = counted(cases, "case");
        let folder = shown(folder);
        format!("  {folder}: {cases} passed, worth nothing, as {folder} is all or nothing, weight {weight}\n")
    };
    folders.into_iter().map(line).collect()
}

/// Advice where tests were not asked, as those before had taken the run's time.
fn unasked(tests: &[TestResult]) -> String {
    let is_unasked = |test: &&TestResult| test.message.as_ref().is_some_and(|told| told.starts_with(UNASKED));
    match tests.iter().filter(is_unasked).count() {
        0 => String::new(),
        all => format!(
            "  {} not asked for want of time: a `timeout` of each test's own, such as 1s, keeps an endless loop in one from the others\n",
            counted(all, "test")
        ),
    }
}

/// Points of a run whose tests have weights: `6 of 8 points`.
fn points(outcome: &Outcome) -> Option<String> {
    let Outcome::Scored(run) = outcome else { return None };
    let (earned, all): (f64, f64) =
        (run.tests.iter().map(TestResult::earned).sum(), run.tests.iter().map(|test| test.weight).sum());
    let is_weighted = run.tests.iter().any(|test| test.weight != 1.0);
    is_weighted.then(|| format!("{} of {} points", hundredths(earned), hundredths(all)))
}

fn test(test: &TestResult, layout: &Layout) -> String {
    let verdict = layout.paint(of_verdict(Some(test.verdict)), test.verdict.name());
    let mut text = format!("  {}: {verdict}", shown(&test.name));
    if let Some(worth) = test.worth() {
        write!(text, ", {worth}").expect("writing to a string can't fail");
    }
    if test.weight != 1.0 {
        write!(text, ", weight {}", test.weight).expect("writing to a string can't fail");
    }
    text.push('\n');
    text + &test.message.as_deref().map(|message| indented(message, "    ")).unwrap_or_default()
}

/// Everybody's runs on a task.
fn task_table(runs: &[MinerRun], layout: &Layout) -> String {
    let has_samples = has_samples(runs.iter().map(|one| &one.run));
    let header = run_columns(["MINER", "STAGE", "TASK", "VERDICT"], has_samples);
    let line = |run: &MinerRun| {
        let miner = Styled::from(run.miner.to_string());
        std::iter::once(miner).chain(run_cells(&run.run, has_samples)).collect()
    };
    let mut unpassed = Unpassed::default();
    runs.iter().for_each(|run| unpassed.add(&run.miner, &run.run));
    let unpassed: String = unpassed.told().iter().map(|told| format!("\n{}\n", shown(told))).collect();
    table(layout, &header, runs.iter().map(line)) + &unpassed
}

fn whole_run(run: &Run, has_samples: bool, layout: &Layout) -> String {
    let points = points(&run.outcome).map(|points| points + "\n").unwrap_or_default();
    let mut text = run_table(&[run], has_samples, &BTreeMap::new(), layout) + &asked(&[run]) + "\n" + &points;
    match &run.outcome {
        Outcome::TaskFault { task_fault } => text += &indented(task_fault, "  "),
        Outcome::Unscored { unscored } => text += &indented(unscored, "  "),
        Outcome::Scored(run) => {
            run.tests.iter().for_each(|one| text += &test(one, layout));
            text += &unasked(&run.tests);
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
    let note = (skipped > 0).then(|| format!("{indent}… {} before\n", counted(skipped, "line")));
    lines[skipped..].iter().fold(note.unwrap_or_default(), |text, line| {
        // Indentation by tabs is no danger here.
        text + indent + &shown(&line.replace('\t', "    ")) + "\n"
    })
}
