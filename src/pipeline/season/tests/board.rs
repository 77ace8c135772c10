//! The board of the simulated season: ranking by the best submission, rewards, history and freezes, beside what the model says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::model::{DAYS, MINERS, Model, miner, moment};
use super::*;
use crate::config::{Freeze, Pipeline, Split};
use crate::model::report::Report;
use crate::pipeline::basis::Basis;
use crate::pipeline::freeze;
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::samples::{report, rewards, run, stage, task};
use crate::pipeline::publish::{Published, Publisher};
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::score::{self, improvement::Past};
use crate::task::Task;

/// The tasks are other ones from then on.
const NEW_TASKS: i64 = 27 * 86_400;

/// The first freeze ends by itself, and the clock is set back in it; the second one is revealed.
const FROZEN: [(i64, Option<i64>); 2] = [(38, Some(41)), (70, None)];
const SECOND_IS_SET: i64 = 50 * 86_400;
const REVEALED: i64 = 86 * 86_400;

/// Millionths of a token.
const POOL: i64 = 100_000_000;

/// Miner, digest, hundredths, rank, the miner that it is a copy of, millionths.
type Line = (String, String, i64, i64, Option<String>, i64);

pub(super) struct Board<'a> {
    results: &'a Path,
    publisher: Publisher<'a>,
    pipeline: Pipeline,
    /// By the model: the last one that was published, and the one that is shown while a freeze is in force, with its lines of
    /// history.
    published: Vec<Line>,
    kept: [Option<(Vec<Line>, usize)>; 2],
    revealed: bool,
    /// By the model: the version of the tasks that everybody was ranked by last.
    version_of: BTreeMap<String, u64>,
    /// By the model: digest and hundredths of everybody's last line in the history; None if it tells that it left.
    told: BTreeMap<String, Option<(String, i64)>>,
    /// Lines of the history so far.
    lines: usize,
    /// Looks at a board that stood still while another one was published.
    pub(super) stood_still: usize,
}

impl<'a> Board<'a> {
    pub(super) fn new(results: &'a Path) -> Self {
        let pipeline = config::parse(Path::new("pipeline.yaml"), b"season: {counts: best}\n").unwrap();
        Self {
            results,
            publisher: Publisher::new(results),
            pipeline,
            published: Vec::new(),
            kept: [None, None],
            revealed: false,
            version_of: BTreeMap::new(),
            told: BTreeMap::new(),
            lines: 0,
            stood_still: 0,
        }
    }

    /// All that it knows is in the files.
    pub(super) fn kill(&mut self) {
        self.publisher = Publisher::new(self.results);
    }

    fn freeze(now: i64) -> (usize, Freeze) {
        let at = usize::from(now >= SECOND_IS_SET);
        let (from, until) = FROZEN[at];
        (at, Freeze { from: moment(from * 86_400), until: until.map(|day| moment(day * 86_400)) })
    }

    /// Publishes what counts, and compares all files with the model.
    pub(super) fn publish(&mut self, season: &Season, sights: &FirstSights, model: &Model, now: i64) {
        let version = u64::from(now >= NEW_TASKS);
        let (at, freeze) = Self::freeze(now);
        freeze::keep(self.results, &freeze, moment(now)).unwrap();
        if now >= FROZEN[at].0 * 86_400 && self.kept[at].is_none() {
            self.kept[at] = Some((self.published.clone(), self.lines));
        }
        let tasks = tasks(version);
        self.publish_real(season, sights, &tasks, version, now);
        self.published = ranking(model, version);
        assert_eq!(read(&self.results.join("rankings.json")), self.published, "day {}", now / 86_400);
        self.check_history(version);
        self.look(now);
    }

    fn publish_real(
        &mut self,
        season: &Season,
        sights: &FirstSights,
        tasks: &[Task],
        version: u64,
        now: i64,
    ) {
        let stages = [stage("all", "*", 0.0)];
        let plan = Plan::new(&stages, tasks);
        let evaluated: Vec<Vec<ReportSummary>> = (0..MINERS)
            .map(|number| {
                let (miner, course) = (miner(number), Course::of(season, &miner(number), sights));
                let of = |counted: &Counted| ReportSummary {
                    penalty: course.penalty(&counted.sha256),
                    first_seen: sights.seen(&counted.sha256, &miner).unwrap(),
                    ..ReportSummary::of(&judged(&miner, &counted.sha256, version), &plan)
                };
                course.counted().iter().map(of).collect()
            })
            .collect();
        let agents: Vec<&ReportSummary> =
            evaluated.iter().filter_map(|all| score::best(all.iter(), &plan)).collect();
        let pays = rewards(POOL as f64 / 1e6, Split::Proportional);
        let rows = score::rank(&agents, &plan, Some(&pays), sights, &Default::default(), &Past::default());
        let present: BTreeSet<Miner> = agents.iter().map(|agent| agent.miner.clone()).collect();
        let basis = Basis::of(&EvaluationPlan::new(&self.pipeline, tasks, "image"), &self.pipeline);
        let published = Published {
            rows: &rows,
            agents: &agents,
            pending: &[],
            evaluated: &[],
            rejections: &[],
            present: Some(&present),
            basis: &basis,
            whole: true,
            generated_at: moment(now),
            image: "image",
            engine: "",
            pipeline_sha256: "",
            title: None,
            token: Some("TAO"),
            roster: &[],
            submitted: &BTreeSet::new(),
            board: crate::config::Board::Private,
            plan: &plan,
            live: false,
        };
        self.publisher.publish(&published, true).unwrap();
    }

    /// A line for each change and for nothing else, and its cause.
    fn check_history(&mut self, version: u64) {
        let now: BTreeMap<&str, (String, i64)> = self
            .published
            .iter()
            .map(|(miner, sha256, cents, ..)| (miner.as_str(), (sha256.clone(), *cents)))
            .collect();
        let mut expected: BTreeMap<String, (Option<i64>, Vec<&str>)> = BTreeMap::new();
        for (miner, (sha256, cents)) in &now {
            let before = self.told.get(*miner).cloned().flatten();
            let is_other = before.as_ref().is_none_or(|(other, _)| other != sha256);
            if before.as_ref() != Some(&(sha256.clone(), *cents)) {
                let new_tasks = self.version_of.get(*miner).is_some_and(|known| *known != version);
                // With other tasks an earlier one may be the best, which is no new submission.
                let causes = match (new_tasks, is_other) {
                    (true, true) if before.is_some() => vec!["task", "submission task"],
                    (true, true) => vec!["submission task"],
                    (true, false) => vec!["task"],
                    (false, _) => vec!["submission"],
                };
                expected.insert((*miner).to_owned(), (Some(*cents), causes));
            }
        }
        for (miner, before) in &self.told {
            if before.is_some() && !now.contains_key(miner.as_str()) {
                expected.insert(miner.clone(), (None, vec!["withdrawal"]));
            }
        }
        let text = fs::read_to_string(self.results.join("history.csv")).unwrap();
        let lines: Vec<&str> = text.lines().skip(1 + self.lines).collect();
        assert_eq!(lines.len(), expected.len(), "{lines:?}\n{expected:?}");
        for line in &lines {
            let cells: Vec<&str> = line.split(',').collect();
            let (cents, causes) = &expected[cells[1]];
            let told =
                (!cells[2].is_empty()).then(|| (cells[2].parse::<f64>().unwrap() * 100.0).round() as i64);
            assert!(told == *cents && causes.contains(&cells[5]), "{line}: {cents:?} {causes:?}");
        }
        self.lines += lines.len();
        self.version_of.extend(now.keys().map(|miner| ((*miner).to_owned(), version)));
        for miner in expected.into_keys() {
            let last = now.get(miner.as_str()).cloned();
            self.told.insert(miner, last);
        }
    }

    /// Looks at what is shown.
    pub(super) fn look(&mut self, now: i64) {
        let (at, freeze) = Self::freeze(now);
        if now >= REVEALED && !self.revealed {
            assert!(freeze::reveal(self.results, &freeze, moment(now)).unwrap());
            self.revealed = true;
        }
        let until = FROZEN[at].1.unwrap_or(DAYS + 1) * 86_400;
        let kept = self.kept[at].as_ref().filter(|_| now < until && !(at == 1 && self.revealed));
        let folder = match freeze::is_in_force(self.results, &freeze, moment(now)) {
            true => freeze::folder(self.results, &freeze),
            false => self.results.to_owned(),
        };
        if self.lines > 0 {
            let shown = read(&folder.join("rankings.json"));
            let live = (self.published.clone(), self.lines);
            let (expected, lines) = kept.unwrap_or(&live);
            assert_eq!(shown, *expected, "day {}", now / 86_400);
            let history = fs::read_to_string(folder.join("history.csv")).unwrap();
            assert_eq!(history.lines().count(), 1 + lines);
            self.stood_still += usize::from(shown != self.published);
        }
    }
}

fn tasks(version: u64) -> [Task; 2] {
    let of = |id: &str| Task { prompt: format!("Version {version}"), ..task(id, 1.0) };
    [of("t0"), of("t1")]
}

/// Quarters of two tasks that a submission passes, for all time.
fn quarters(sha256: &str, version: u64) -> [i64; 2] {
    let hash = sha256.bytes().fold(7 + version * 1_000_003, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(17)
    });
    [(hash % 5) as i64, (hash / 5 % 5) as i64]
}

fn judged(miner: &Miner, sha256: &str, version: u64) -> Report {
    let runs = ["t0", "t1"].into_iter().zip(quarters(sha256, version));
    let runs = runs.map(|(task, quarters)| run("all", task, quarters as f64 * 25.0)).collect();
    Report { sha256: sha256.to_owned(), ..report(miner.as_str(), runs) }
}

/// The ranking by the model: everybody's best one, the first seen of equals, less 10 % for each day late.
fn ranking(model: &Model, version: u64) -> Vec<Line> {
    let best = |number: usize| {
        let counted = model.counted(number);
        let net = |sha256: &str, days: i64| quarters(sha256, version).iter().sum::<i64>() * 125 * (10 - days);
        let of_one = |(sha256, ..): &(String, i64, i64)| {
            let days = counted.iter().filter(|(other, ..)| other == sha256).map(|one| one.2).min().unwrap();
            (net(sha256, days), sha256.clone())
        };
        let seen = |sha256: &str| model.noted[&number].iter().position(|noted| noted.sha256 == sha256);
        counted.iter().map(of_one).max_by_key(|(net, sha256)| (*net, std::cmp::Reverse(seen(sha256))))
    };
    let ranked: Vec<(usize, i64, String)> =
        (0..MINERS).filter_map(|number| best(number).map(|(net, sha256)| (number, net, sha256))).collect();
    let first = |number: usize, sha256: &str| Some(model.first[sha256]).filter(|first| *first != number);
    let earners = ranked.iter().filter(|(number, _, sha256)| first(*number, sha256).is_none());
    let sum: i64 = earners.map(|(_, net, _)| net).sum();
    let line = |(number, net, sha256): &(usize, i64, String)| {
        let rank = 1 + ranked.iter().filter(|(_, other, _)| other > net).count() as i64;
        let copy_of = first(*number, sha256);
        let paid = if copy_of.is_some() || *net == 0 { 0 } else { POOL * net / sum };
        (
            miner(*number).to_string(),
            sha256.clone(),
            *net,
            rank,
            copy_of.map(|it| miner(it).to_string()),
            paid,
        )
    };
    let mut lines: Vec<Line> = ranked.iter().map(line).collect();
    pay_rest(&mut lines);
    assert!(lines.iter().map(|line| line.5).sum::<i64>() <= POOL);
    lines.sort();
    lines
}

/// Pays the rest of the pool to the best, and what is not enough for all of a score to the next ones, as long as no better one has
/// less.
fn pay_rest(lines: &mut [Line]) {
    let mut rest = POOL - lines.iter().map(|line| line.5).sum::<i64>();
    let mut scores: Vec<i64> = lines.iter().filter(|line| line.5 > 0).map(|line| line.2).collect();
    scores.sort_by_key(|score| -score);
    scores.dedup();
    let mut better = i64::MAX;
    for score in scores {
        let of_score = |line: &&mut Line| line.2 == score && line.4.is_none();
        let count = lines.iter_mut().filter(of_score).count() as i64;
        let each = lines.iter_mut().find(of_score).map_or(0, |line| line.5);
        let more = (rest / count.max(1)).min(better - each);
        lines.iter_mut().filter(of_score).for_each(|line| line.5 += more);
        rest -= more * count;
        better = each + more;
    }
}

/// The ranking in a file, as the model tells it; none if there is no file.
fn read(file: &Path) -> Vec<Line> {
    let Ok(bytes) = fs::read(file) else { return Vec::new() };
    let board: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let scaled = |row: &Value, name: &str, by: f64| (row[name].as_f64().unwrap() * by).round() as i64;
    let line = |row: &Value| {
        let (cents, paid) = (scaled(row, "score", 100.0), scaled(row, "reward", 1e6));
        let rank = row["rank"].as_i64().unwrap();
        (
            text(row, "miner").unwrap(),
            text(row, "sha256").unwrap(),
            cents,
            rank,
            text(row, "duplicate_of"),
            paid,
        )
    };
    let mut lines: Vec<Line> = board["rankings"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines
}
