use proptest::prelude::*;

use super::*;
use crate::config::Stage;
use crate::pipeline::publish::samples::{report, run, stage, task, unscored};
use crate::report::{Report, SyntaxError};
use crate::task::Task;

const SPLITS: [fn() -> Split; 3] =
    [|| Split::Proportional, || Split::Winner, || Split::Places(vec![50.0, 30.0, 20.0])];

fn pay(pool: f64, split: Split) -> Rewards {
    Rewards { pool, token: "TAO".into(), split }
}

/// One stage without a mark and with one task.
fn ranked(reports: &[Report], rewards: &Rewards) -> Vec<Row> {
    ranked_by(reports, &[stage("s", "*", 0.0)], &[task("t", 1.0)], rewards)
}

fn ranked_by(reports: &[Report], stages: &[Stage], tasks: &[Task], rewards: &Rewards) -> Vec<Row> {
    let plan = Plan::new(stages, tasks);
    let agents: Vec<Brief> = reports.iter().map(|report| Brief::of(report, &plan)).collect();
    rank(&agents.iter().collect::<Vec<_>>(), &plan, rewards)
}

/// Whether the report passes the first stage.
fn passes_first(stages: &[Stage], tasks: &[Task], report: &Report) -> bool {
    let plan = Plan::new(stages, tasks);
    passes(&plan.parts[0], &Brief::of(report, &plan).marks)
}

fn scored(scores: &[(&str, f64)]) -> Vec<Report> {
    scores.iter().map(|(miner, score)| report(miner, vec![run("s", "t", *score)])).collect()
}

fn lines(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| line(row, "TAO")).collect()
}

#[test]
fn winners_share_and_ranks_skip() {
    let reports = scored(&[("carol", 40.0), ("bob", 100.0), ("alice", 100.0)]);
    let rows = ranked(&reports, &pay(100.0, Split::Winner));
    assert_eq!(
        lines(&rows),
        ["1. alice: 100 (reward: 50 TAO)", "1. bob: 100 (reward: 50 TAO)", "3. carol: 40 (reward: 0 TAO)"]
    );
}

#[test]
fn tied_places_share_what_they_hold() {
    let rewards = pay(100.0, Split::Places(vec![50.0, 30.0, 20.0]));
    let paid = |scores: &[(&str, f64)]| -> Vec<f64> {
        ranked(&scored(scores), &rewards).iter().map(|row| row.reward).collect()
    };
    assert_eq!(paid(&[("a", 90.0), ("b", 80.0), ("c", 70.0), ("d", 60.0)]), [50.0, 30.0, 20.0, 0.0]);
    assert_eq!(paid(&[("a", 90.0), ("b", 90.0), ("c", 70.0)]), [40.0, 40.0, 20.0]);
    assert_eq!(paid(&[("a", 90.0), ("b", 80.0), ("c", 80.0), ("d", 80.0)])[1..], [16.666666; 3]);
    assert_eq!(paid(&[("a", 90.0)]), [50.0]);
}

#[test]
fn a_copy_is_ranked_and_earns_nothing() {
    let mut reports = scored(&[("alice", 50.0), ("carol", 50.0), ("dave", 20.0)]);
    reports[0].sha256 = reports[1].sha256.clone();
    reports[0].first_seen = reports[1].first_seen + jiff::SignedDuration::from_secs(1);
    let rows = ranked(&reports, &pay(7.0, Split::Proportional));
    assert_eq!(
        lines(&rows),
        [
            "1. carol: 50 (reward: 5 TAO)",
            "1. alice: 50 (reward: 0 TAO) [copy of carol]",
            "3. dave: 20 (reward: 2 TAO)"
        ]
    );
}

#[test]
fn modified_then_miner_decide_who_was_first() {
    let mut reports = scored(&[("a", 50.0), ("b", 50.0), ("c", 50.0)]);
    for report in &mut reports {
        report.sha256 = "same".into();
    }
    let copies = |reports: &[Report]| -> Vec<Option<String>> {
        let rows = ranked(reports, &pay(1.0, Split::Winner));
        rows.into_iter().map(|row| row.duplicate_of.map(String::from)).collect()
    };
    assert_eq!(copies(&reports), [None, Some("a".into()), Some("a".into())]);
    reports[2].modified -= jiff::SignedDuration::from_secs(1);
    assert_eq!(copies(&reports), [Some("c".into()), Some("c".into()), None]);
}

#[test]
fn a_missed_mark_counts_the_stages_behind_as_zero() {
    let stages = [stage("easy", "easy/*", 60.0), stage("hard", "hard/*", 0.0)];
    let tasks = [task("easy/a", 1.0), task("easy/b", 3.0), task("hard/c", 4.0)];
    let reports = [
        report("fails", vec![run("easy", "easy/a", 100.0), run("easy", "easy/b", 0.0)]),
        // Remembered from when the mark was lower: doesn't count any more.
        report("fell", vec![run("easy", "easy/a", 100.0), run("hard", "hard/c", 100.0)]),
        report("held", vec![run("easy", "easy/a", 100.0), unscored("easy", "easy/b")]),
        report("none", vec![unscored("easy", "easy/a"), unscored("easy", "easy/b")]),
        report(
            "through",
            vec![run("easy", "easy/b", 80.0), run("easy", "easy/a", 0.0), run("hard", "hard/c", 50.0)],
        ),
    ];
    let rows = ranked_by(&reports, &stages, &tasks, &pay(9.0, Split::Proportional));
    let seen: Vec<_> = rows.iter().map(|row| (line(row, "T"), row.stage.as_str(), row.unscored)).collect();
    let expect = |line: &str, stage, unscored| (line.to_owned(), stage, unscored);
    assert_eq!(
        seen,
        [
            expect("1. held: 100 (reward: 0 T)", "easy", 1),
            expect("2. through: 55 (reward: 9 T)", "hard", 0),
            expect("3. fails: 12.5 (reward: 0 T)", "easy", 0),
            expect("3. fell: 12.5 (reward: 0 T)", "easy", 0),
            expect("-. none: unscored", "easy", 2),
        ]
    );
    assert_eq!(rows[0].tests, tasks.iter().map(|task| task.tests.len() as u64).sum::<u64>());
    let passed: Vec<bool> = reports.iter().map(|report| passes_first(&stages, &tasks, report)).collect();
    assert_eq!(passed, [false, false, false, false, true]);
}

#[test]
fn a_mark_of_100_holds_for_weights_that_do_not_add_up() {
    let stages = [stage("s", "*", 100.0)];
    let tasks = ["a", "b", "c"].map(|id| task(id, 0.1));
    assert!(passes_first(
        &stages,
        &tasks,
        &report("m", ["a", "b", "c"].map(|id| run("s", id, 100.0)).into())
    ));
}

#[test]
fn nearly_perfect_is_not_called_perfect() {
    assert_eq!(hundredths(99.996), 99.99);
    assert_eq!(hundredths(99.999_999_999_99), 100.0);
    assert_eq!(hundredths(66.666_666), 66.67);
}

#[test]
fn what_python_does_not_compile_is_no_agent() {
    let mut reports = scored(&[("alice", 50.0)]);
    reports[0].syntax = Some(SyntaxError { key: String::new(), line: Some(1), message: "invalid".into() });
    assert!(ranked(&reports, &pay(1.0, Split::Winner)).is_empty());
}

proptest! {
    #[test]
    fn rewards_are_fair(
        scores in prop::collection::vec(prop_oneof![0u32..=10_000, 0u32..5, Just(10_000)], 1..30),
        copied in prop::collection::vec(any::<bool>(), 30),
        pool in prop_oneof![0.0..1e9, Just(0.000_007), Just(100.0)],
        split in 0usize..3,
        raised in 0usize..30,
        turn in 0usize..30,
    ) {
        let rewards = pay(pool, SPLITS[split]());
        let mut reports: Vec<Report> = scores
            .iter()
            .zip(0..)
            .map(|(score, n)| report(&format!("m{n}"), vec![run("s", "t", f64::from(*score) / 100.0)]))
            .collect();
        for (report, _) in reports.iter_mut().zip(&copied).filter(|(_, copied)| **copied) {
            report.sha256 = "same".into();
        }
        let rows = ranked(&reports, &rewards);

        let paid: u128 = rows.iter().map(|row| (row.reward * 1e6).round() as u128).sum();
        prop_assert!(paid as f64 / 1e6 <= pool, "{paid} of {pool}");
        prop_assert!(rows.iter().all(|row| row.reward == 0.0 || row.duplicate_of.is_none()));
        for (a, b) in rows.iter().zip(rows.iter().skip(1)) {
            prop_assert!(a.score >= b.score && a.rank <= b.rank);
            prop_assert_eq!(a.score == b.score, a.rank == b.rank);
        }
        let earners: Vec<_> = rows.iter().filter(|row| row.duplicate_of.is_none()).collect();
        for (a, b) in earners.iter().zip(earners.iter().skip(1)) {
            prop_assert!(a.reward >= b.reward);
            prop_assert!(a.score != b.score || a.reward == b.reward);
        }

        // Order of input is irrelevant.
        let mut turned = reports.clone();
        turned.rotate_left(turn % reports.len());
        prop_assert_eq!(&ranked(&turned, &rewards), &rows);

        // A better score never earns less.
        let raised = raised % reports.len();
        let miner = reports[raised].miner.clone();
        reports[raised].runs = vec![run("s", "t", 100.0)];
        let reward = |rows: &[Row]| rows.iter().find(|row| row.miner == miner).map(|row| row.reward);
        prop_assert!(reward(&ranked(&reports, &rewards)) >= reward(&rows));
    }
}
