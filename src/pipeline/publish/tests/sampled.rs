//! Tests of results of agents that have several runs on a task.

use super::*;
use crate::config::{Reduce, Sampling};
use crate::model::feedback::Feedback;
use crate::model::report::Run;

fn pass(scores: [f64; 3]) -> Pass {
    let runs = (1..).zip(scores).map(|(sample, score)| Run { sample, ..run("main", "main/x", score) });
    let mut pass = Pass::new(vec![report("alice", runs.collect())]);
    pass.stages[1].sampling = Sampling { samples: 3, reduce: Reduce::PassAt(2) };
    pass
}

#[test]
fn the_page_tells_what_samples_come_to_and_each_of_them() {
    let dir = tempfile::tempdir().unwrap();
    pass([100.0, 25.0, 50.0]).publish(dir.path());
    let data = on_page(dir.path());
    assert_eq!(data["k"], 2);
    let agent = &data["agents"][0];
    assert_eq!((&agent["score"], &agent["pass"]), (&66.67.into(), &serde_json::json!([33.33, 66.67])));
    let run = &agent["runs"][0];
    assert_eq!(run.as_array().unwrap().len(), 5, "{run}");
    let head = serde_json::json!([0, 6667, "f", [25.0, 100.0, 38.19, 1.0]]);
    assert_eq!(run.as_array().unwrap()[..4], head.as_array().unwrap()[..]);
    let scores: Vec<_> = run[4].as_array().unwrap().iter().map(|sample| sample[1].clone()).collect();
    assert_eq!(scores, [10_000, 2_500, 5_000]);
}

#[test]
fn what_a_task_does_not_tell_its_samples_do_not_either() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = pass([100.0, 25.0, 50.0]);
    pass.stages[1].feedback = Feedback::Score;
    for run in &mut pass.reports[0].runs {
        let Outcome::Scored(scored) = &mut run.outcome else { panic!("{run:?}") };
        scored.tests.iter_mut().for_each(|test| test.public = false);
    }
    pass.publish(dir.path());
    let run = on_page(dir.path())["agents"][0]["runs"][0].clone();
    assert!((1..4).all(|at| run[at].is_null()), "{run}");
    assert!(run[4].as_array().unwrap().iter().all(|sample| sample[1].is_null()), "{run}");
}

#[test]
fn a_sample_that_was_not_judged_and_one_too_many_are_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let mut lost = pass([100.0, 25.0, 50.0]);
    lost.reports[0].runs[1] = Run { sample: 2, ..unscored("main", "main/x") };
    lost.publish(dir.path());
    let data = on_page(dir.path());
    assert_eq!(data["agents"][0]["runs"][0].as_array().unwrap().len(), 3, "unscored");
    assert_eq!(data["agents"][0]["unscored"], 1);
    assert!(!data.to_string().contains("the engine went away"), "why is the organiser's to know");

    let mut fewer = pass([100.0, 100.0, 0.0]);
    fewer.stages[1].sampling = Sampling { samples: 2, reduce: Reduce::Mean };
    fewer.publish(dir.path());
    let agent = on_page(dir.path())["agents"][0].clone();
    assert_eq!((&agent["score"], agent["runs"][0][4].as_array().unwrap().len()), (&100.0.into(), 2));
}
