//! Rankings and rewards, worked out by hand.

use proptest::prelude::*;

use super::*;
use crate::config::grant::Grant;
use crate::config::{Split, Stage};
use crate::model::first_sights::{Origin, Sight};
use crate::model::model_use::ModelUse;
use crate::model::report::{Outcome, Report, SyntaxError};
use crate::pipeline::publish::samples::{
    first_sights, report, rewards as pay, run, stage, task, task_fault, unscored,
};
use crate::task::Task;

const SPLITS: [fn() -> Split; 3] =
    [|| Split::Proportional, || Split::Winner, || Split::Places(vec![50.0, 30.0, 20.0])];

/// One stage without a result and with one task.
fn ranked(reports: &[Report], rewards: &Rewards) -> Vec<Row> {
    ranked_by(reports, &[stage("s", "*", 0.0)], &[task("t", 1.0)], rewards)
}

fn ranked_by(reports: &[Report], stages: &[Stage], tasks: &[Task], rewards: &Rewards) -> Vec<Row> {
    let plan = Plan::new(stages, tasks);
    let agents: Vec<ReportSummary> = reports.iter().map(|report| ReportSummary::of(report, &plan)).collect();
    let agents: Vec<&ReportSummary> = agents.iter().collect();
    rank(&agents, &plan, Some(rewards), &first_sights(&agents), &HashMap::new(), &Past::default())
}

/// Tells whether the report passes the first stage.
fn passes_first(stages: &[Stage], tasks: &[Task], report: &Report) -> bool {
    let plan = Plan::new(stages, tasks);
    passes(&plan.parts[0], &ReportSummary::of(report, &plan).results)
}

fn scored(scores: &[(&str, f64)]) -> Vec<Report> {
    scores.iter().map(|(miner, score)| report(miner, vec![run("s", "t", *score)])).collect()
}

fn lines(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| line(row, "TAO")).collect()
}

#[test]
fn a_faulty_task_counts_as_if_it_were_not_there() {
    let (stages, tasks) = ([stage("s", "*", 50.0)], [task("t", 1.0), task("u", 9.0)]);
    let reports = [
        report("alice", vec![run("s", "t", 100.0), task_fault("s", "u")]),
        report("bob", vec![run("s", "t", 40.0), task_fault("s", "u")]),
    ];
    let rows = ranked_by(&reports, &stages, &tasks, &pay(100.0, Split::Winner));
    assert_eq!(lines(&rows), ["1. alice: 100 (reward: 100 TAO)", "2. bob: 40 (reward: 0 TAO)"]);
    assert!(rows.iter().all(|row| row.unscored == 0));
    assert!(passes_first(&stages, &tasks, &reports[0]) && !passes_first(&stages, &tasks, &reports[1]));
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
        ranked(&scored(scores), &rewards).iter().map(|row| row.reward.unwrap()).collect()
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
fn first_sights_alone_decide_who_was_first() {
    let mut reports = scored(&[("a", 50.0), ("b", 50.0), ("c", 50.0)]);
    for report in &mut reports {
        report.sha256 = "same".into();
    }
    reports[0].modified -= jiff::SignedDuration::from_hours(1);
    let (stages, tasks) = ([stage("s", "*", 0.0)], [task("t", 1.0)]);
    let plan = Plan::new(&stages, &tasks);
    let agents: Vec<ReportSummary> = reports.iter().map(|report| ReportSummary::of(report, &plan)).collect();
    let agents: Vec<&ReportSummary> = agents.iter().collect();
    let copies = |order: [usize; 3]| -> Vec<Option<String>> {
        let seen = order.map(|at| Sight {
            sha256: "same".into(),
            miner: agents[at].miner.clone(),
            at: agents[at].first_seen,
            file: agents[at].file.clone(),
            came: None,
            via: Origin::Dropped,
            refused: false,
            prints: Vec::new(),
            undecided: false,
            packed: false,
            other: None,
        });
        let rows = rank(
            &agents,
            &plan,
            Some(&pay(1.0, Split::Winner)),
            &seen.iter().collect(),
            &HashMap::new(),
            &Past::default(),
        );
        rows.into_iter().map(|row| row.duplicate_of.map(String::from)).collect()
    };
    assert_eq!(copies([0, 1, 2]), [None, Some("a".into()), Some("a".into())]);
    assert_eq!(copies([2, 0, 1]), [Some("c".into()), Some("c".into()), None]);
    // The first one has withdrawn, or submitted something else.
    let gone: Vec<&ReportSummary> = agents[..2].to_vec();
    let seen = first_sights(&[agents[2], agents[2]]);
    let rows = rank(&gone, &plan, Some(&pay(1.0, Split::Winner)), &seen, &HashMap::new(), &Past::default());
    assert!(
        rows.iter().all(|row| row.duplicate_of == Some(agents[2].miner.clone()) && row.reward == Some(0.0))
    );
}

#[test]
fn a_near_copy_is_marked_and_earns_unless_that_is_withheld() {
    let (stages, tasks) = ([stage("s", "*", 0.0)], [task("t", 1.0)]);
    let plan = Plan::new(&stages, &tasks);
    // The original of 0 points has nothing to lose, and nobody loses by it.
    for (original, withheld, paid) in
        [(50.0, false, [5.0, 5.0]), (50.0, true, [10.0, 0.0]), (0.0, true, [10.0, 0.0])]
    {
        let reports = scored(&[("alice", original), ("carol", 50.0)]);
        let agents: Vec<ReportSummary> =
            reports.iter().map(|report| ReportSummary::of(report, &plan)).collect();
        let agents: Vec<&ReportSummary> = agents.iter().collect();
        let near = NearCopy { percent: 93, similar_to: agents[0].miner.clone(), withheld };
        let near = HashMap::from([(agents[1].miner.clone(), near)]);
        let rows = rank(
            &agents,
            &plan,
            Some(&pay(10.0, Split::Proportional)),
            &first_sights(&agents),
            &near,
            &Past::default(),
        );
        assert_eq!([rows[0].reward, rows[1].reward], paid.map(Some));
        let (copy, first) = if original > 0.0 { (&rows[1], &rows[0]) } else { (&rows[0], &rows[1]) };
        assert_eq!((&copy.similar_to, copy.similarity), (&Some(agents[0].miner.clone()), Some(0.93)));
        assert_eq!((&first.similar_to, first.similarity), (&None, None));
        assert_eq!(lines(&rows).iter().filter(|line| line.ends_with(" [similar to alice]")).count(), 1);
    }
}

#[test]
fn a_missed_mark_counts_the_stages_behind_as_zero() {
    let stages = [stage("easy", "easy/*", 60.0), stage("hard", "hard/*", 0.0)];
    let tasks = [task("easy/a", 1.0), task("easy/b", 3.0), task("hard/c", 4.0)];
    let reports = [
        report("fails", vec![run("easy", "easy/a", 100.0), run("easy", "easy/b", 0.0)]),
        // Remembered from when the result was lower: doesn't count any more.
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
            expect("1. held: 100 (reward: 0 T) [1 unscored]", "easy", 1),
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

/// Agents of one stage whose tasks pass or fail as the letters say.
fn passing(agents: &[(&str, &str)], rewards: &Rewards) -> Vec<Row> {
    let tasks: Vec<Task> = (0..agents[0].1.len()).map(|at| task(&format!("t{at:03}"), 1.0)).collect();
    let runs = |passed: &str| -> Vec<_> {
        let score = |passed| if passed == 'x' { 100.0 } else { 0.0 };
        passed.chars().zip(&tasks).map(|(passed, task)| run("s", &task.id, score(passed))).collect()
    };
    let reports: Vec<Report> = agents.iter().map(|(miner, passed)| report(miner, runs(passed))).collect();
    ranked_by(&reports, &[stage("s", "*", 0.0)], &tasks, rewards)
}

#[test]
fn agents_whose_order_may_be_chance_are_paid_the_same_where_ties_are_statistical() {
    let (ann, bo, eve) = ("x".repeat(40), "x".repeat(38) + "--", "-".repeat(39) + "x");
    let agents = [("ann", ann.as_str()), ("bo", bo.as_str()), ("eve", eve.as_str())];
    for split in [Split::Winner, Split::Places(vec![50.0, 30.0, 20.0]), Split::Proportional] {
        let rewards = Rewards { ties: Ties::Statistical, ..pay(120.0, split.clone()) };
        let rows = passing(&agents, &rewards);
        let ranges: Vec<_> =
            rows.iter().map(|row| [row.rank, row.rank_low, row.rank_high, row.tier]).collect();
        let of = |ranks: [u32; 4]| ranks.map(NonZeroU32::new);
        assert_eq!(ranges, [of([1, 1, 1, 1]), of([2, 1, 2, 1]), of([3, 3, 3, 3])]);
        let paid: Vec<f64> = rows.iter().map(|row| row.reward.unwrap()).collect();
        assert!(paid[0] == paid[1] && paid[1] > paid[2], "{paid:?}");
        let exact = passing(&agents, &pay(120.0, split));
        assert!(exact[0].reward > exact[1].reward);
    }
}

#[test]
fn of_equal_scores_the_cheaper_one_is_first_where_ties_go_by_cost() {
    let mut reports = scored(&[("ann", 80.0), ("bo", 80.0), ("cy", 80.0), ("di", 90.0), ("eve", 80.0)]);
    for (report, cost) in reports.iter_mut().zip([0.3, 0.1, 0.2, 5.0, 0.1]) {
        let Outcome::Scored(run) = &mut report.runs[0].outcome else { unreachable!() };
        let unpriced = u64::from(report.miner.as_str() == "cy");
        run.usage.model = Some(ModelUse { cost: Money::dollars(cost), unpriced, ..ModelUse::default() });
    }
    let stages = [Stage { model: Some(Grant::sample()), ..stage("s", "*", 0.0) }];
    let paid = |ties| {
        let rewards = Rewards { ties, ..pay(100.0, Split::Places(vec![50.0, 30.0, 10.0, 10.0])) };
        lines(&ranked_by(&reports, &stages, &[task("t", 1.0)], &rewards))
    };
    let by_cost = ["1. di: 90 (reward: 50 TAO)", "2. bo: 80 (reward: 20 TAO)", "2. eve: 80 (reward: 20 TAO)"];
    assert_eq!(paid(Ties::Cost)[..3], by_cost);
    assert_eq!(paid(Ties::Cost)[3..], ["4. ann: 80 (reward: 10 TAO)", "5. cy: 80 (reward: 0 TAO)"]);
    assert_eq!(paid(Ties::Exact)[1], "2. ann: 80 (reward: 12.5 TAO)");
}

#[test]
fn nobody_earns_more_than_the_cap_or_with_less_than_the_minimum() {
    let reports = scored(&[("ann", 80.0), ("bo", 20.0), ("eve", 19.99)]);
    let rewards = Rewards { cap: Some(50.0), minimum: 20.0, ..pay(100.0, Split::Proportional) };
    let paid: Vec<_> = ranked(&reports, &rewards).iter().map(|row| row.reward.unwrap()).collect();
    assert_eq!(paid, [50.0, 20.0, 0.0]);
}

#[test]
fn what_is_paid_to_nobody_is_told_with_the_rule_that_leaves_it() {
    let reports = scored(&[("ann", 80.0), ("bo", 20.0), ("eve", 0.0)]);
    let told = |rewards: &Rewards| unpaid::line(&ranked(&reports, rewards), rewards);
    let places = || Split::Places(vec![50.0, 30.0, 20.0]);
    let line = |text: &str| Some(format!("paid to nobody: {text}"));
    assert_eq!(told(&pay(100.0, places())), line("20 of 100 TAO: split has 3 places for 2 earners"));
    let short = Split::Places(vec![50.0, 30.0]);
    assert_eq!(told(&pay(100.0, short)), line("20 of 100 TAO: the places come to 80%"));
    let capped = Rewards { cap: Some(50.0), ..pay(100.0, Split::Proportional) };
    assert_eq!(told(&capped), line("30 of 100 TAO: what is above cap"));
    let minimum = Rewards { minimum: 90.0, ..pay(100.0, places()) };
    assert_eq!(told(&minimum), line("100 of 100 TAO: no agent that may earn has the score 90, the minimum"));
    let per_stage = Some(vec![("s".to_owned(), 100.0)]);
    let stages = Rewards { per_stage, ..pay(100.0, places()) };
    let told_of_stages = told(&stages).unwrap();
    assert!(told_of_stages.ends_with("for places of a stage that fewer than 3 passed"), "{told_of_stages}");
    for all in [pay(100.0, Split::Proportional), pay(1e-5, Split::Proportional), pay(0.0, places())] {
        assert_eq!(told(&all), None);
    }
    assert_eq!(unpaid::line(&[], &pay(100.0, places())), None);
}

#[test]
fn what_rounding_leaves_goes_to_the_best_and_equals_stay_equal() {
    let paid = |scores: &[f64], split: Split| -> Vec<f64> {
        let reports =
            scores.iter().zip(0..).map(|(score, n)| report(&format!("m{n}"), vec![run("s", "t", *score)]));
        ranked(&reports.collect::<Vec<_>>(), &pay(100.0, split))
            .iter()
            .map(|row| row.reward.unwrap())
            .collect()
    };
    assert_eq!(paid(&[70.0, 60.0, 50.0], Split::Proportional), [38.888890, 33.333333, 27.777777]);
    assert_eq!(paid(&[70.0, 50.0, 50.0], Split::Proportional), [41.176472, 29.411764, 29.411764]);
    assert_eq!(paid(&[9.0, 9.0, 9.0], Split::Winner), [33.333333; 3]);
    let thirds = Split::Places(vec![33.333333, 33.333333, 33.333333]);
    let odd = Split::Places(vec![50.000_001, 25.000_000_9, 24.999_998_1]);
    assert_eq!(paid(&[9.0, 8.0, 7.0], odd), [50.000001, 25.000001, 24.999998]);
    assert_eq!(paid(&[9.0, 8.0, 7.0], thirds), [33.333333; 3]);
}

proptest! {
    /// Of whole units, none is paid twice and none is lost but what can't be shared among equals.
    #[test]
    fn rewards_add_up_to_the_last_unit(
        scores in prop::collection::vec(prop_oneof![1u32..=10_000, 1u32..5, Just(10_000)], 1..40),
        units in 1u64..1_000_000_000_000,
        split in 0usize..2,
        cap in prop::option::of(0u64..1_000_000_000_000),
        minimum in prop_oneof![Just(0u32), 0u32..10_000],
    ) {
        let reports: Vec<Report> = (0..).zip(&scores)
            .map(|(n, score)| report(&format!("m{n}"), vec![run("s", "t", f64::from(*score) / 100.0)]))
            .collect();
        let (pool, minimum) = (units as f64 / 1e6, f64::from(minimum) / 100.0);
        let cap = cap.map(|units| units as f64 / 1e6);
        let rewards = Rewards { cap, minimum, ..pay(pool, SPLITS[split]()) };
        let rows = ranked(&reports, &rewards);
        let paid: Vec<u64> = rows.iter().map(|row| (row.reward.unwrap() * 1e6).round() as u64).collect();
        let (sum, earners) = (paid.iter().sum::<u64>(), paid.iter().filter(|paid| **paid > 0).count() as u64);
        prop_assert!(sum <= units);
        prop_assert!(rows.iter().zip(&paid).all(|(row, paid)| *paid == 0 || row.score.unwrap() >= minimum));
        prop_assert!(cap.is_none_or(|cap| paid.iter().all(|paid| *paid as f64 / 1e6 <= cap)));
        let is_earned = rows.iter().any(|row| row.score.unwrap() >= minimum);
        if cap.is_none() && is_earned {
            prop_assert!(units - sum < earners.max(1) + scores.len() as u64, "{units} of which {sum} are paid");
        }
    }

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

        let paid: u128 = rows.iter().map(|row| (row.reward.unwrap() * 1e6).round() as u128).sum();
        prop_assert!(paid as f64 / 1e6 <= pool, "{paid} of {pool}");
        prop_assert!(rows.iter().all(|row| row.reward == Some(0.0) || row.duplicate_of.is_none()));
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
