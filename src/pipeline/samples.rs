//! Samples of an agent on one task, and the one result that they come to.

use std::cmp::Ordering;

use crate::config::Reduce;
use crate::model::model_use::ModelUse;
use crate::model::report::{Usage, Verdict};
use crate::model::spread::Spread;
use crate::pipeline::plan::Part;
use crate::pipeline::report_summary::RunResult;
use crate::util::pass_at::{pass_all, pass_at};

/// A judged sample: its score, and true if all tests were passed.
pub type Judged = (f64, bool);

/// The results of all samples of one of a stage's tasks, by its place in the stage. `results` are an agent's, in the plan's order.
pub fn of_task<'a>(
    part: &Part<'_>,
    results: &'a [RunResult],
    task: usize,
) -> impl Iterator<Item = RunResult> + use<'a> {
    let places = (part.first + task..).step_by(part.tasks.len().max(1));
    let samples = places.take(part.stage.sampling.samples as usize);
    samples.map(|at| results.get(at).copied().unwrap_or(RunResult::Missing))
}

/// The one result on each of a stage's tasks.
pub fn reduced<'a>(
    part: &'a Part<'_>,
    results: &'a [RunResult],
) -> impl Iterator<Item = RunResult> + use<'a> {
    (0..part.tasks.len()).map(|task| reduce(of_task(part, results, task), part.stage.sampling.reduce))
}

/// The result that samples come to. One that is nobody's doing makes all of them so: the rest may be another rest than the
/// agent's rivals have. A sample that is not there is not known of, as where a pass was narrowed.
pub fn reduce(samples: impl Iterator<Item = RunResult>, by: Reduce) -> RunResult {
    let (mut all, mut sum) = (Vec::new(), RunResult::Missing);
    for sample in samples {
        all.extend(counted(&sample));
        sum = both(sum, sample);
    }
    let RunResult::Scored { verdict, passed, tests, usage, .. } = sum else { return sum };
    let score = score(&all, by);
    let verdict = if score == 100.0 { Verdict::Passed } else { verdict };
    RunResult::Scored { verdict, score, passed, tests, usage }
}

/// The score that judged samples, of which there is one at least, come to. A k that is larger than their number is it.
pub fn score(judged: &[Judged], by: Reduce) -> f64 {
    let samples = judged.len() as u32;
    let passed = || judged.iter().filter(|(_, passed)| *passed).count() as u32;
    let scores = || judged.iter().map(|(score, _)| score.clamp(0.0, 100.0));
    match by {
        Reduce::Mean => scores().fold(0.0, |sum, score| sum + score) / f64::from(samples),
        Reduce::Best => scores().fold(0.0, f64::max),
        Reduce::PassAt(k) => 100.0 * pass_at(k.min(samples), samples, passed()),
        Reduce::PassAll(k) => 100.0 * pass_all(k.min(samples), samples, passed()),
    }
}

/// How the judged ones differ; None if none was judged.
pub fn spread(samples: impl Iterator<Item = RunResult>) -> Option<Spread> {
    let judged: Vec<Judged> = samples.filter_map(|sample| judged(&sample)).collect();
    Spread::of(&judged)
}

/// The score of a sample that was judged.
pub fn judged(sample: &RunResult) -> Option<Judged> {
    match sample {
        RunResult::Scored { score, verdict, .. } => Some((*score, *verdict == Verdict::Passed)),
        RunResult::Missing | RunResult::Stopped | RunResult::TaskFault | RunResult::Unscored => None,
    }
}

/// The score of a sample that was judged, or is worth nothing as it was not made.
pub fn counted(sample: &RunResult) -> Option<Judged> {
    if *sample == RunResult::Stopped { Some((0.0, false)) } else { judged(sample) }
}

/// Two samples as one: the gravest verdict, the sums of tests and usage.
fn both(a: RunResult, b: RunResult) -> RunResult {
    match (a, b) {
        (
            RunResult::Scored { verdict, score, passed, tests, usage },
            RunResult::Scored { verdict: other, passed: more_passed, tests: more, usage: used, .. },
        ) => RunResult::Scored {
            verdict: verdict.max(other),
            score,
            passed: passed + more_passed,
            tests: tests + more,
            usage: together(usage, used),
        },
        (a, b) => match weight(&a).cmp(&weight(&b)) {
            Ordering::Less => b,
            Ordering::Equal | Ordering::Greater => a,
        },
    }
}

/// The order in which one sample decides for all.
fn weight(result: &RunResult) -> u8 {
    match result {
        RunResult::Missing => 0,
        RunResult::Stopped => 1,
        RunResult::Scored { .. } => 2,
        RunResult::Unscored => 3,
        RunResult::TaskFault => 4,
    }
}

fn together(a: Usage, b: Usage) -> Usage {
    let sum = |a: Option<ModelUse>, b: Option<ModelUse>| {
        a.into_iter().chain(b).reduce(|a, b| [a, b].into_iter().sum())
    };
    Usage {
        wall_ms: a.wall_ms + b.wall_ms,
        cpu_ms: a.cpu_ms + b.cpu_ms,
        max_rss_kib: a.max_rss_kib.max(b.max_rss_kib),
        model: sum(a.model, b.model),
        judge_model: sum(a.judge_model, b.judge_model),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sampling, Stage};
    use crate::pipeline::plan::Plan;
    use crate::pipeline::publish::samples::{stage, task};

    fn sample(score: f64) -> RunResult {
        let verdict = if score == 100.0 { Verdict::Passed } else { Verdict::Failed };
        let usage = Usage { wall_ms: 10, cpu_ms: 5, max_rss_kib: score as u64, ..Usage::default() };
        RunResult::Scored { verdict, score, passed: 1, tests: 4, usage }
    }

    fn come_to(scores: &[f64], by: Reduce) -> f64 {
        match reduce(scores.iter().map(|score| sample(*score)), by) {
            RunResult::Scored { score, .. } => score,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn scores_come_to_one_by_each_rule() {
        let scores = [100.0, 50.0, 0.0, 100.0, 25.0];
        for (by, score) in [
            (Reduce::Mean, 55.0),
            (Reduce::Best, 100.0),
            (Reduce::PassAt(1), 40.0),
            (Reduce::PassAt(2), 70.0),
            (Reduce::PassAt(5), 100.0),
            (Reduce::PassAll(2), 10.0),
            (Reduce::PassAll(3), 0.0),
        ] {
            assert!((come_to(&scores, by) - score).abs() < 1e-9, "{by:?}");
        }
        for by in [Reduce::Mean, Reduce::Best, Reduce::PassAt(3), Reduce::PassAll(3)] {
            assert_eq!(come_to(&[100.0; 3], by), 100.0, "a perfect one is exact: {by:?}");
            assert_eq!(come_to(&[0.0; 3], by), 0.0, "{by:?}");
        }
        assert_eq!(come_to(&[100.0, 0.0], Reduce::PassAt(5)), 100.0, "k is at most what there is");
    }

    #[test]
    fn figures_are_of_all_samples_together() {
        let both = reduce([sample(50.0), sample(100.0)].into_iter(), Reduce::Mean);
        let usage = Usage { wall_ms: 20, cpu_ms: 10, max_rss_kib: 100, ..Usage::default() };
        let expected =
            RunResult::Scored { verdict: Verdict::Failed, score: 75.0, passed: 2, tests: 8, usage };
        assert_eq!(both, expected);
        let best = reduce([sample(50.0), sample(100.0)].into_iter(), Reduce::Best);
        assert!(matches!(best, RunResult::Scored { verdict: Verdict::Passed, .. }));
    }

    #[test]
    fn a_sample_that_is_nobodys_doing_decides_for_all() {
        let reduced = |samples: &[RunResult]| reduce(samples.iter().copied(), Reduce::Best);
        assert_eq!(reduced(&[sample(100.0), RunResult::Unscored]), RunResult::Unscored);
        assert_eq!(reduced(&[RunResult::Unscored, RunResult::TaskFault]), RunResult::TaskFault);
        assert_eq!(reduced(&[RunResult::Missing, RunResult::Missing]), RunResult::Missing);
        assert_eq!(reduced(&[sample(50.0), RunResult::Missing]), sample(50.0));
    }

    #[test]
    fn samples_of_a_task_stand_a_stage_apart() {
        let sampling = Sampling { samples: 2, reduce: Reduce::Mean };
        let stages = [stage("a", "a*", 0.0), Stage { sampling, ..stage("b", "b*", 0.0) }];
        let tasks = [task("a1", 1.0), task("b1", 1.0), task("b2", 1.0)];
        let plan = Plan::new(&stages, &tasks);
        let results: Vec<RunResult> = (0..5).map(|score| sample(f64::from(score))).collect();
        let of = |task| of_task(&plan.parts[1], &results, task).collect::<Vec<_>>();
        assert_eq!([of(0), of(1)], [[sample(1.0), sample(3.0)], [sample(2.0), sample(4.0)]]);
        let short = of_task(&plan.parts[1], &results[..4], 1).collect::<Vec<_>>();
        assert_eq!(short, [sample(2.0), RunResult::Missing]);
        assert_eq!(plan.tests(), 4 + 2 * 8);
    }
}
