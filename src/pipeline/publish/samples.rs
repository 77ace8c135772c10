//! Small values for tests: stages, tasks, runs and reports.

use std::time::Duration;

use globset::{Glob, GlobSetBuilder};
use jiff::Timestamp;

use crate::config::{Limits, Rewards, Sampling, Split, Stage, Ties};
use crate::model::feedback::Feedback;
use crate::model::first_sights::{FirstSights, Origin, Sight};
use crate::model::miner_id::Miner;
use crate::model::report::{Outcome, Report, Run, Scored, TestResult, Usage, Verdict};
use crate::pipeline::report_summary::ReportSummary;
use crate::task::{Task, Test};

pub(crate) fn miner(id: &str) -> Miner {
    Miner::try_from(id.to_owned()).unwrap()
}

/// First sights as the reports' times have it.
pub(crate) fn first_sights(reports: &[&ReportSummary]) -> FirstSights {
    let sight = |report: &&ReportSummary| Sight {
        sha256: report.sha256.clone(),
        miner: report.miner.clone(),
        at: report.first_seen,
        file: report.file.clone(),
        came: None,
        via: Origin::Dropped,
        refused: false,
        prints: Vec::new(),
        undecided: false,
        packed: false,
        other: None,
    };
    let mut sights: Vec<Sight> = reports.iter().map(sight).collect();
    sights.sort_by(|a, b| (a.at, &a.miner).cmp(&(b.at, &b.miner)));
    sights.iter().collect()
}

pub(crate) fn stage(name: &str, glob: &str, pass_mark: f64) -> Stage {
    let limits = Limits {
        timeout: Duration::from_secs(10),
        memory: 1 << 28,
        cpus: 1.0,
        pids: 64,
        output: 1 << 16,
        tmp: 1 << 24,
        entries: 0,
        value: 1 << 20,
    };
    let tasks = GlobSetBuilder::new().add(Glob::new(glob).unwrap()).build().unwrap();
    Stage {
        name: name.into(),
        tasks,
        sampling: Sampling::ONE,
        pass_mark,
        stop_early: false,
        feedback: Feedback::Tasks,
        limits,
        model: None,
    }
}

/// Four tests, as in [`run`].
/// A pool that is shared by one rule and no other.
pub(crate) fn rewards(pool: f64, split: Split) -> Rewards {
    Rewards {
        pool,
        token: "TAO".into(),
        split,
        ties: Ties::Exact,
        cap: None,
        minimum: 0.0,
        improvement: None,
        per_stage: None,
    }
}

pub(crate) fn task(id: &str, weight: f64) -> Task {
    let task = Task::of_ours(id, "Do it", "assert True");
    let test = |name: &str| Test { name: name.into(), public: true, ..task.tests[0].clone() };
    let tests = ["test 1", "test 2", "test 3", "test 4"].map(test).into();
    Task { path: format!("tasks/{id}.yaml").into(), tests, weight, ..task }
}

/// As many of four tests passed as the score's quarters.
pub(crate) fn run(stage: &str, task: &str, score: f64) -> Run {
    let test = |n: u32| {
        let passed = score >= f64::from(n) * 25.0;
        TestResult {
            name: format!("test {n}"),
            verdict: if passed { Verdict::Passed } else { Verdict::Failed },
            weight: 1.0,
            public: true,
            message: (!passed).then(|| "3 == 4 is not so".into()),
            share: None,
        }
    };
    let scored = Scored {
        verdict: if score >= 100.0 { Verdict::Passed } else { Verdict::Failed },
        score,
        tests: (1..=4).map(test).collect(),
        usage: Usage { wall_ms: 12, cpu_ms: 9, max_rss_kib: 10_240, model: None, judge_model: None },
        stderr: String::new(),
    };
    Run {
        key: format!("key of {task}"),
        stage: stage.into(),
        task: task.into(),
        sample: 1,
        outcome: Outcome::Scored(scored),
    }
}

pub(crate) fn unscored(stage: &str, task: &str) -> Run {
    let outcome = Outcome::Unscored { unscored: "the engine went away".into() };
    Run { key: format!("key of {task}"), stage: stage.into(), task: task.into(), sample: 1, outcome }
}

pub(crate) fn task_fault(stage: &str, task: &str) -> Run {
    let outcome = Outcome::TaskFault { task_fault: "setup raised ZeroDivisionError".into() };
    Run { key: format!("key of {task}"), stage: stage.into(), task: task.into(), sample: 1, outcome }
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// First seen at noon; the sha256 is made up from the miner's name.
pub(crate) fn report(id: &str, runs: Vec<Run>) -> Report {
    Report {
        miner: miner(id),
        file: format!("{id}.py"),
        sha256: format!("{:064x}", id.bytes().fold(7u128, |sum, byte| sum * 31 + u128::from(byte))),
        bytes: 321,
        first_seen: noon(),
        modified: noon(),
        syntax: None,
        runs,
        spreads: Vec::new(),
        stopped_early: None,
    }
}

/// Many agents on many tasks, in two stages, with some of everything.
pub(crate) fn crowd(agents: u32, tasks: u32) -> Vec<Report> {
    (0..agents)
        .map(|agent| {
            // Some strong, some weak, by no visible order.
            let strength = agent * 7919 % 101;
            let outcome = |task: u32| {
                let luck = (agent * 31 + task * 17) % 60;
                let (stage, id) = place(task);
                match strength + luck {
                    _ if agent % 37 == 5 && task == 1 => unscored(stage, &id),
                    reached if reached > 75 => run(stage, &id, 100.0),
                    reached => run(stage, &id, f64::from(reached / 25 * 25)),
                }
            };
            let reached = if strength < 20 { tasks.div_ceil(3) } else { tasks };
            report(&format!("miner-{agent:04}"), (0..reached).map(outcome).collect())
        })
        .collect()
}

/// The first tasks of three are screening.
pub(crate) fn place(task: u32) -> (&'static str, String) {
    const NAMES: [&str; 6] = ["reverse", "parse_csv", "primes", "path_traversal", "lru_cache", "roman"];
    let stage = if task.is_multiple_of(3) { "screening" } else { "main" };
    (stage, format!("{stage}/{}_{task}", NAMES[task as usize % 6]))
}
