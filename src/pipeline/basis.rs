//! Basis of scores: all that decides them but the submissions, digested part by part. Two of them tell why a score changed
//! although its miner submitted nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::{OnSimilar, Pipeline, Rewards, Season, Split, Stage, Ties};
use crate::pipeline::run_keys::EvaluationPlan;
use crate::util::digest;
use crate::util::first_few::first_few;

/// All that scores rest on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// By id.
    tasks: BTreeMap<String, TaskBasis>,
    /// The image's id.
    pub image: String,
    grader: String,
    /// Rules by which scores are made of runs, and submissions count.
    rules: String,
    /// Later closes of single miners.
    extensions: String,
    /// Rules that decide nothing but what is paid.
    rewards: String,
}

/// All that runs on one task rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TaskBasis {
    stage: String,
    task: String,
    limits: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    weight: String,
}

/// A part that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Tasks came, went or were edited.
    Task,
    /// Limits, by the task or by the pipeline.
    Limits,
    /// The budget or the endpoint for questions to a model.
    Model,
    /// The image.
    Image,
    /// The grader or the judge's limits.
    Grader,
    /// Stages, pass marks, rules of the season, an extension.
    Policy,
    /// Rewards, or what becomes of near copies.
    Rewards,
}

impl Part {
    /// Its word, as in the result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Limits => "limits",
            Self::Model => "model",
            Self::Image => "image",
            Self::Grader => "grader",
            Self::Policy => "policy",
            Self::Rewards => "rewards",
        }
    }
}

/// A part that changed, with the tasks that it changed for, where it is one of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The part.
    pub part: Part,
    /// Ids, sorted; none if it is no part of single tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

impl fmt::Display for Changed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.part.name())?;
        if !self.tasks.is_empty() {
            write!(to, " ({})", first_few(&self.tasks))?;
        }
        Ok(())
    }
}

impl Basis {
    /// The basis of a plan and the rules around it.
    pub fn of(plan: &EvaluationPlan<'_>, pipeline: &Pipeline) -> Self {
        let runs = || plan.parts().flat_map(|(part, runs)| runs.iter().map(move |run| (part.stage, run)));
        let tasks = runs().map(|(stage, run)| {
            let basis = TaskBasis {
                stage: stage.name.clone(),
                task: run.made_of.task.clone(),
                limits: run.made_of.limits.clone(),
                model: run.made_of.model.clone(),
                weight: run.task.weight.to_string(),
            };
            (run.task.id.clone(), basis)
        });
        let first = runs().next().map(|(_, run)| &run.made_of);
        Self {
            tasks: tasks.collect(),
            image: first.map(|made_of| made_of.image.clone()).unwrap_or_default(),
            grader: first.map(|made_of| made_of.grader.clone()).unwrap_or_default(),
            rules: digested(&rules(pipeline)),
            extensions: digested(&pipeline.season.as_ref().map(|season| &season.extensions)),
            rewards: digested(&rewards(pipeline)),
        }
    }

    /// This basis with another image.
    #[must_use]
    pub fn under(&self, image: &str) -> Self {
        Self { image: image.to_owned(), ..self.clone() }
    }

    /// All parts in which this one differs from an earlier one.
    pub fn changed_since(&self, before: &Self) -> Vec<Changed> {
        let differ = |part: fn(&TaskBasis) -> String| self.tasks_that_differ(before, part);
        let edited: Vec<String> = differ(|task| format!("{} {}", task.task, task.weight));
        let mut tasks: Vec<String> =
            self.ids_beside(before).chain(before.ids_beside(self)).chain(edited).collect();
        tasks.sort();
        let of_tasks = [
            (Part::Task, tasks),
            (Part::Limits, differ(|task| task.limits.clone())),
            (Part::Model, differ(|task| task.model.clone().unwrap_or_default())),
        ];
        let policy = self.rules != before.rules
            || self.extensions != before.extensions
            || !differ(|task| task.stage.clone()).is_empty();
        let of_all = [
            (Part::Image, self.image != before.image),
            (Part::Grader, self.grader != before.grader),
            (Part::Policy, policy),
            (Part::Rewards, self.rewards != before.rewards),
        ];
        let of_tasks = of_tasks.into_iter().filter(|(_, tasks)| !tasks.is_empty());
        let of_all = of_all.into_iter().filter(|(_, changed)| *changed);
        of_tasks
            .chain(of_all.map(|(part, _)| (part, Vec::new())))
            .map(|(part, tasks)| Changed { part, tasks })
            .collect()
    }

    /// All parts but extensions in which this one differs from an earlier one: what is granted to single miners changes no rule.
    pub fn rules_changed_since(&self, before: &Self) -> Vec<Changed> {
        Self { extensions: before.extensions.clone(), ..self.clone() }.changed_since(before)
    }

    /// Tasks of both in which this part differs.
    fn tasks_that_differ(&self, before: &Self, part: fn(&TaskBasis) -> String) -> Vec<String> {
        let differs =
            |id: &str, now: &TaskBasis| before.tasks.get(id).is_some_and(|old| part(old) != part(now));
        self.tasks.iter().filter(|(id, now)| differs(id, now)).map(|(id, _)| id.clone()).collect()
    }

    fn ids_beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = String> + 'a {
        self.tasks.keys().filter(|id| !other.tasks.contains_key(*id)).cloned()
    }
}

/// Stages, and the season but for its extensions. Field by field, so that a new one can't be forgotten.
fn rules(pipeline: &Pipeline) -> impl Serialize {
    let stage = |stage: &Stage| {
        // The patterns show in the stages of the tasks, limits and the model in what runs are made of.
        let Stage { name, tasks: _, sampling, pass_mark, stop_early, feedback: _, limits: _, model: _ } =
            stage;
        // Nothing is said of what is off: bases of before there was an early stop stay the same.
        let stop_early = if *stop_early { " stop_early" } else { "" };
        (name.clone(), *pass_mark, format!("{sampling:?}{stop_early}"))
    };
    let season = |season: &Season| {
        let Season { opens, closes, zone, per_day, total, counts, late, extensions: _, file: _ } = season;
        let late = late.map(|late| (late.until, late.per_day));
        (*opens, *closes, zone.seconds(), *per_day, *total, format!("{counts:?}"), late)
    };
    let stages: Vec<_> = pipeline.stages.iter().map(stage).collect();
    (stages, pipeline.season.as_ref().map(season))
}

fn rewards(pipeline: &Pipeline) -> impl Serialize {
    let rewards = |rewards: &Rewards| {
        let Rewards { pool, token, split, ties, cap, minimum, improvement, per_stage } = rewards;
        let split = match split {
            Split::Proportional => Vec::new(),
            Split::Winner => vec![100.0],
            Split::Places(places) => places.clone(),
        };
        let improvement = improvement.as_ref().map(|it| (it.percent, it.margin.to_string(), it.half_life));
        let ties = match ties {
            Ties::Exact => json!(false), // as digests of older results have it
            Ties::Statistical => json!(true),
            Ties::Cost => json!("cost"),
        };
        (*pool, token.clone(), split, ties, *cap, *minimum, improvement, per_stage.clone())
    };
    let similarity = &pipeline.similarity;
    let base: Vec<String> = similarity.base.iter().map(|base| digest::sha256(&base.source)).collect();
    let similarity = (similarity.threshold, similarity.action == OnSimilar::Withhold, base);
    (pipeline.rewards.as_ref().map(rewards), similarity)
}

/// As much of a digest as tells two of them apart.
fn digested(value: &impl Serialize) -> String {
    let mut digest = digest::Writer::default();
    serde_json::to_writer(&mut digest, value).expect("text and numbers only");
    let mut digest = digest.hex();
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::pipeline::publish::samples::task;
    use crate::task::Task;

    fn basis(pipeline: &str, tasks: &[Task], image: &str) -> Basis {
        let pipeline = config::parse(Path::new("pipeline.yaml"), pipeline.as_bytes()).unwrap();
        Basis::of(&EvaluationPlan::new(&pipeline, tasks, image), &pipeline)
    }

    #[test]
    fn every_change_is_told_by_its_part_and_tasks() {
        let (plain, tasks) = ("stages: [{name: a}]\n", [task("one", 1.0), task("two", 1.0)]);
        let before = basis(plain, &tasks, "i");
        let told = |pipeline: &str, tasks: &[Task], image: &str| {
            let changed = basis(pipeline, tasks, image).changed_since(&before);
            changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(plain, &tasks, "i"), "");
        let edited = [Task { prompt: "other".into(), ..task("one", 1.0) }, task("three", 1.0)];
        assert_eq!(told(plain, &edited, "i"), "task (one, three, two)");
        assert_eq!(told(plain, &[task("one", 2.0), task("two", 1.0)], "i"), "task (one)");
        assert_eq!(told(&format!("{plain}sandbox: {{timeout: 3s}}\n"), &tasks, "i"), "limits (one, two)");
        assert_eq!(told(&format!("{plain}judge: {{time: 3s}}\n"), &tasks, "j"), "image, grader");
        assert_eq!(told("stages: [{name: a, pass_mark: 50}]\n", &tasks, "i"), "policy");
        assert_eq!(told("stages: [{name: a, stop_early: true}]\n", &tasks, "i"), "policy");
        assert_eq!(
            told("stages: [{name: a, tasks: [one]}, {name: b, tasks: [two]}]\n", &tasks, "i"),
            "policy"
        );
        assert_eq!(told(&format!("{plain}season: {{counts: best}}\n"), &tasks, "i"), "policy");
        assert_eq!(told(&format!("{plain}rewards: none\n"), &tasks, "i"), "rewards");
        assert_eq!(told(&format!("{plain}title: other\nparallel: 3\n"), &tasks, "i"), "");
    }

    #[test]
    fn an_extension_is_no_change_of_the_rules() {
        let before = Basis::default();
        let after = Basis { extensions: "more".into(), ..Basis::default() };
        assert_eq!(after.changed_since(&before), [Changed { part: Part::Policy, tasks: Vec::new() }]);
        assert_eq!(after.rules_changed_since(&before), []);
    }
}
