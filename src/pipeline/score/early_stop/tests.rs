//! Tests of early stops: never one who would pass, always at the same run.

use super::*;
use crate::config::{Reduce, Sampling, Stage};
use crate::model::report::{Report, Run};
use crate::pipeline::publish::samples::{report, run, stage, task, task_fault, unscored};
use crate::task::Task;

fn early(pass_mark: f64, samples: u32, reduce: Reduce) -> Stage {
    Stage { sampling: Sampling { samples, reduce }, stop_early: true, ..stage("s", "*", pass_mark) }
}

fn tasks(count: usize) -> Vec<Task> {
    (0..count).map(|at| task(&format!("t{at}"), 1.0)).collect()
}

fn summary(report: &Report, stage: &Stage, tasks: &[Task]) -> ReportSummary {
    let plan = Plan::new(std::slice::from_ref(stage), tasks);
    applied(ReportSummary::of(report, &plan), &plan)
}

/// How many runs are made by an agent whose runs come to these scores, sample by sample.
fn made(scores: &[f64], stage: &Stage, tasks: &[Task]) -> usize {
    let of_sample = |(at, score): (usize, &f64)| Run {
        sample: (at / tasks.len() + 1) as u32,
        ..run("s", &tasks[at % tasks.len()].id, *score)
    };
    let runs = scores.iter().enumerate().map(of_sample).collect();
    let results = summary(&report("a", runs), stage, tasks).results;
    assert!(
        !results.iter().skip_while(|one| **one != RunResult::Stopped).any(|one| *one != RunResult::Stopped)
    );
    results.iter().filter(|one| **one != RunResult::Stopped).count()
}

#[test]
fn an_agent_is_run_until_the_mark_is_out_of_reach_and_no_further() {
    let (stage, tasks) = (early(60.0, 1, Reduce::Mean), tasks(10));
    let all_but = |failed: usize| [vec![0.0; failed], vec![100.0; 10 - failed]].concat();
    assert_eq!(made(&all_but(5), &stage, &tasks), 5, "what a report holds behind it changes nothing");
    assert_eq!(made(&all_but(4), &stage, &tasks), 10, "60 of 100 is just enough");
    assert_eq!(
        made(&[all_but(4), vec![]].concat(), &Stage { stop_early: false, ..stage.clone() }, &tasks),
        10
    );
    assert_eq!(made(&[75.0; 10], &stage, &tasks), 10);
    assert_eq!(made(&[50.0; 10], &stage, &tasks), 9, "only the ninth leaves 55 at best");
}

#[test]
fn weights_count() {
    let stage = early(60.0, 1, Reduce::Mean);
    let tasks = [task("t0", 1.0), task("t1", 8.0), task("t2", 1.0)];
    assert_eq!(made(&[0.0, 100.0, 0.0], &stage, &tasks), 3);
    assert_eq!(made(&[100.0, 25.0, 100.0], &stage, &tasks), 2);
}

#[test]
fn samples_count_as_their_stage_reduces_them() {
    let tasks = tasks(2);
    let fails = [0.0; 8];
    for (reduce, runs) in [
        // Of 8 runs more than 2 may not fail.
        (Reduce::Mean, 3),
        // Each task has a fourth sample.
        (Reduce::Best, 7),
        // After two failures of a task its chance is 5 of 6; then one after the other goes down.
        (Reduce::PassAt(2), 5),
        (Reduce::PassAll(4), 1),
    ] {
        assert_eq!(made(&fails, &early(75.0, 4, reduce), &tasks), runs, "{reduce:?}");
    }
}

#[test]
fn nobodys_fault_stops_nobody() {
    let (stage, tasks) = (early(60.0, 1, Reduce::Mean), tasks(5));
    let rest = |first: Vec<Run>| {
        let runs = first.into_iter().chain(tasks[2..].iter().map(|task| run("s", &task.id, 0.0))).collect();
        let results = summary(&report("a", runs), &stage, &tasks).results;
        results.iter().filter(|one| **one != RunResult::Stopped).count()
    };
    assert_eq!(rest(vec![run("s", "t0", 0.0), run("s", "t1", 0.0)]), 3);
    assert_eq!(rest(vec![unscored("s", "t0"), unscored("s", "t1")]), 5, "they may all have been passed");
    assert_eq!(rest(vec![unscored("s", "t0")]), 5, "and so may one that is missing");
    assert_eq!(rest(vec![task_fault("s", "t0"), run("s", "t1", 100.0)]), 4, "of four tasks, not of five");
}

#[test]
fn a_mark_of_100_that_weights_do_not_add_up_to_stops_nobody() {
    let tasks: Vec<Task> = (0..9).map(|at| task(&format!("t{at}"), 0.1)).collect();
    assert_eq!(made(&[100.0; 9], &early(100.0, 1, Reduce::Mean), &tasks), 9);
    assert_eq!(made(&[[100.0; 8].as_slice(), &[75.0]].concat(), &early(100.0, 1, Reduce::Mean), &tasks), 9);
}

#[test]
fn no_agent_that_would_pass_is_stopped() {
    let scores = [0.0, 25.0, 50.0, 75.0, 100.0];
    for seed in 0..2_000_usize {
        let stage = early(seed as f64 % 101.0, 1, Reduce::Mean);
        let tasks: Vec<Task> =
            (0..6).map(|at| task(&format!("t{at}"), 0.1 * (1 + (seed + at) % 7) as f64)).collect();
        let mut dice = seed;
        let mut roll = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % 5
        };
        let runs = tasks.iter().map(|task| run("s", &task.id, scores[roll()])).collect();
        let report = report("a", runs);
        let plan = Plan::new(std::slice::from_ref(&stage), &tasks);
        let all = ReportSummary::of(&report, &plan);
        let cut = applied(all.clone(), &plan);
        let passes =
            |summary: &ReportSummary| crate::pipeline::score::passes(&plan.parts[0], &summary.results);
        assert_eq!(passes(&all), passes(&cut), "seed {seed}");
        assert_eq!(passes(&all), of(&cut.results, &plan).is_none() && passes(&all), "seed {seed}");
    }
}

#[test]
fn a_stop_is_told_and_where_a_task_is_at_fault_it_counts_for_nobody() {
    let (stage, tasks) = (early(60.0, 1, Reduce::Mean), tasks(5));
    let plan = Plan::new(std::slice::from_ref(&stage), &tasks);
    let runs =
        |scores: &[f64]| scores.iter().zip(&tasks).map(|(score, task)| run("s", &task.id, *score)).collect();
    let weak = summary(&report("weak", runs(&[100.0, 0.0, 0.0, 0.0])), &stage, &tasks);
    let stopped = of(&weak.results, &plan).unwrap();
    assert_eq!(stopped.to_string(), "stopped early: 1 of 5 runs not made, 60 can't be reached any more");
    let mut all: Vec<Run> = runs(&[100.0; 4]);
    all.push(task_fault("s", "t4"));
    let strong = summary(&report("strong", all), &stage, &tasks);
    let agents = [&weak, &strong];
    let excused = excused(&agents, &plan);
    assert_eq!(excused.keys().collect::<Vec<_>>(), [&0]);
    let agents = instead(&agents, &excused);
    assert_eq!(agents[0].results.last(), Some(&RunResult::TaskFault));
    assert_eq!(agents[1].results, strong.results);
    assert!(super::excused(&[&strong], &plan).is_empty());
}
