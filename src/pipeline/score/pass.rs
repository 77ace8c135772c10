//! pass@1 and pass@k of an agent: the chance that one sample passes all tests of a task, and that one of k does.

use crate::pipeline::plan::Plan;
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::samples;
use crate::pipeline::score::{Counted, hundredths};
use crate::task::{Form, Task};
use crate::util::pass_at::pass_at;

/// The chances of one agent, in percent: means over tasks, whatever their weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Chances {
    /// Of one sample.
    pub(super) at_1: Option<f64>,
    /// Of one of k samples, of tasks with as many.
    pub(super) at_k: Option<f64>,
    /// The largest k that a stage has samples for; None where no stage has several.
    pub(super) k: Option<u32>,
}

/// The chances of an agent. None where they tell nothing: without samples, a task of several tests is passed by degrees.
pub(super) fn chances(agent: &ReportSummary, plan: &Plan) -> Chances {
    let sampled = plan.parts.iter().filter(|part| part.stage.sampling.samples > 1);
    let k = sampled.map(|part| part.stage.sampling.k()).max();
    if k.is_none() && !plan.tasks().all(|(_, task)| is_all_or_nothing(task)) {
        return Chances::default();
    }
    let (mut at_1, mut at_k) = (Mean::default(), Mean::default());
    for Counted { part, task, result } in Counted::of(plan, &agent.results) {
        let samples = samples::of_task(part, &agent.results, task);
        let (judged, passed) = match result {
            RunResult::Scored { .. } => samples
                .filter_map(|one| samples::counted(&one))
                .fold((0, 0), |(judged, passed), (_, is_passed)| (judged + 1, passed + u32::from(is_passed))),
            // Not reached: as if it had failed.
            RunResult::Missing | RunResult::Stopped => (1, 0),
            RunResult::Unscored | RunResult::TaskFault => continue,
        };
        at_1.add(pass_at(1, judged, passed));
        if let Some(k) = k.filter(|k| *k <= part.stage.sampling.samples) {
            at_k.add(pass_at(k.min(judged), judged, passed));
        }
    }
    Chances { at_1: at_1.percent(), at_k: at_k.percent(), k }
}

fn is_all_or_nothing(task: &Task) -> bool {
    task.tests.len() == 1 && task.tests[0].form != Form::Score
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, chance: f64) {
        self.sum += chance;
        self.count += 1;
    }

    fn percent(&self) -> Option<f64> {
        (self.count > 0).then(|| hundredths(100.0 * self.sum / f64::from(self.count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Reduce, Sampling, Stage};
    use crate::model::report::Run;
    use crate::pipeline::publish::samples::{report, run, stage, task, unscored};

    fn sampled(name: &str, pass_mark: f64, samples: u32) -> Stage {
        let sampling = Sampling { samples, reduce: Reduce::Mean };
        Stage { sampling, ..stage(name, &format!("{name}*"), pass_mark) }
    }

    fn samples_of(stage: &str, task: &str, scores: &[f64]) -> Vec<Run> {
        (1..).zip(scores).map(|(sample, score)| Run { sample, ..run(stage, task, *score) }).collect()
    }

    fn told(stages: &[Stage], tasks: &[Task], runs: Vec<Run>) -> [Option<f64>; 2] {
        let plan = Plan::new(stages, tasks);
        let Chances { at_1, at_k, .. } = chances(&ReportSummary::of(&report("a", runs), &plan), &plan);
        [at_1, at_k]
    }

    #[test]
    fn chances_are_means_over_tasks() {
        let (stages, tasks) = ([sampled("s", 0.0, 4)], [task("s1", 1.0), task("s2", 9.0)]);
        let runs =
            [samples_of("s", "s1", &[100.0, 75.0, 0.0, 100.0]), samples_of("s", "s2", &[75.0; 4])].concat();
        assert_eq!(told(&stages, &tasks, runs.clone()), [Some(25.0), Some(50.0)]);
        let reduce = Reduce::PassAt(2);
        let of_two = [Stage { sampling: Sampling { samples: 4, reduce }, ..stages[0].clone() }];
        assert_eq!(told(&of_two, &tasks, runs), [Some(25.0), Some(41.67)]);
    }

    #[test]
    fn stages_that_were_not_reached_count_and_what_is_nobodys_doing_does_not() {
        let stages = [sampled("a", 100.0, 2), sampled("b", 0.0, 3)];
        let tasks = [task("a1", 1.0), task("b1", 1.0)];
        let missed = samples_of("a", "a1", &[100.0, 0.0]);
        assert_eq!(told(&stages, &tasks, missed), [Some(25.0), Some(0.0)]);
        let mut lost = samples_of("a", "a1", &[100.0, 100.0]);
        lost.extend(samples_of("b", "b1", &[100.0, 100.0]));
        lost.push(Run { sample: 3, ..unscored("b", "b1") });
        assert_eq!(told(&stages, &tasks, lost), [Some(100.0), None]);
    }

    #[test]
    fn without_samples_only_tasks_of_one_test_tell_a_chance() {
        let (stages, four) = ([stage("s", "*", 0.0)], task("s1", 1.0));
        let runs = || vec![run("s", "s1", 100.0)];
        assert_eq!(told(&stages, std::slice::from_ref(&four), runs()), [None, None]);
        let one = Task { tests: four.tests[..1].to_vec(), ..four };
        assert_eq!(told(&stages, &[one], runs()), [Some(100.0), None]);
    }
}
