//! Run keys: what decides a run, digested, so that a run whose key is known is not made again.

use serde::{Deserialize, Serialize};

use crate::config::grant::Grant;
use crate::config::{Limits, Llm, Pipeline, Stage};
use crate::model::report::{Outcome, Run, first_sample, of_sample};
use crate::pipeline::plan::{Part, Plan};
use crate::pipeline::report_summary::{Remembered, RunResult};
use crate::pipeline::scope::Scope;
use crate::pipeline::score;
use crate::pipeline::score::early_stop::{self, Reach};
use crate::sandbox::{Sandbox, grader_version};
use crate::task::Task;
use crate::util::digest;

/// All that agents are evaluated on: the stages with their tasks, under one image and grader.
#[derive(Debug)]
pub struct EvaluationPlan<'a> {
    /// The stages with their tasks.
    pub stages: Plan<'a>,
    /// In the plan's order.
    runs: Vec<Vec<PlannedRun<'a>>>,
    grader: String,
}

/// Digests of all that decides a run but the agent, each for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOf {
    /// Of the task.
    pub task: String,
    /// Of the limits.
    pub limits: String,
    /// Of the budget for questions to a model, and who answers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The image's id.
    pub image: String,
    /// Of the grader and the judge's limits.
    pub grader: String,
}

/// One sample of one task of one stage, with all that decides a run but the agent.
#[derive(Debug, Clone)]
pub struct PlannedRun<'a> {
    /// The task.
    pub task: &'a Task,
    /// The stage's bounds with the task's own.
    pub limits: Limits,
    /// The stage's budget for questions to a model.
    pub grant: Option<&'a Grant>,
    /// The budget for questions of its tests to a model, if they ask one.
    pub judge_model: Option<&'a Grant>,
    /// Its number among the agent's runs on the task, from 1.
    pub sample: u32,
    /// False if the pass leaves it as it is.
    pub in_scope: bool,
    /// The parts of its digest.
    pub made_of: MadeOf,
    digest: String,
}

impl<'a> EvaluationPlan<'a> {
    /// The plan of a pipeline for an image, by its id.
    pub fn new(pipeline: &'a Pipeline, tasks: &'a [Task], image: &str) -> Self {
        let Pipeline { stages, .. } = pipeline;
        let judge = &pipeline.sandbox.judge;
        let judge = serde_json::json!(judge).to_string();
        let packages = pipeline.sandbox.packages.then_some("packages");
        let judging = || [grader_version(), judge.as_str()].into_iter().chain(packages);
        let grader = digest::hex([image].into_iter().chain(judging()).map(str::as_bytes));
        let made_of = (image, short(digest::hex(judging().map(str::as_bytes))));
        let stages = Plan::new(stages, tasks);
        let of_part = |part: &Part<'a>| {
            let planned = |task: &&'a Task| PlannedRun::new(task, part.stage, pipeline, (&grader, &made_of));
            let first: Vec<PlannedRun<'a>> = part.tasks.iter().map(planned).collect();
            let of_sample =
                |sample| first.iter().map(move |planned| PlannedRun { sample, ..planned.clone() });
            part.samples().flat_map(of_sample).collect()
        };
        let runs = stages.parts.iter().map(of_part).collect();
        Self { stages, runs, grader }
    }

    /// This plan with only the tasks of a scope to be run.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        let runs = self.runs.iter_mut().flatten();
        runs.for_each(|planned| planned.in_scope = scope.has_task(&planned.task.id));
        self
    }

    /// Gives what came of an agent's evaluation, if all of it that is in scope stands in its report under keys that are
    /// still right and at the places that they have now, and the report tells an early stop as it is now.
    pub fn done(&self, report: &Remembered) -> Option<Vec<RunResult>> {
        let results = self.results(report, |planned| planned.in_scope)?;
        (report.stopped_early == early_stop::of(&results, &self.stages)).then_some(results)
    }

    /// Gives what came of an agent's evaluation by its report, whether the keys are still right or not.
    pub fn kept(&self, report: &Remembered) -> Vec<RunResult> {
        self.results(report, |_| false).unwrap_or_default()
    }

    /// None if a run that is `due` unless its key is known has another key, or stands elsewhere: in a stage of another name.
    fn results(
        &self,
        report: &Remembered,
        is_due: impl Fn(&PlannedRun<'_>) -> bool,
    ) -> Option<Vec<RunResult>> {
        let (judged, any) = (report.judged(), report.any());
        let mut results = Vec::new();
        for (part, runs) in self.parts() {
            let mut reach = Reach::new(part);
            for planned in runs {
                if reach.is_lost() {
                    results.push(RunResult::Stopped);
                    continue;
                }
                let known = judged.get(planned.key(&report.sha256).as_str());
                let at_its_place = any.get(&planned.place(part.stage));
                if is_due(planned) && known.and(at_its_place).is_none() {
                    return None;
                }
                let result = known.or(at_its_place);
                results.push(reach.count(result.copied().unwrap_or(RunResult::Missing)));
            }
            if !score::passes(part, &results) {
                break;
            }
        }
        Some(results)
    }

    /// Each stage with its planned runs.
    pub fn parts(&self) -> impl Iterator<Item = (&Part<'a>, &Vec<PlannedRun<'a>>)> {
        self.stages.parts.iter().zip(&self.runs)
    }

    /// Tells whether the report's refusal is by the Python that would look at the source today.
    pub fn refused(&self, report: &Remembered) -> bool {
        report.syntax.as_ref().is_some_and(|syntax| syntax.key == self.syntax_key(&report.sha256))
    }

    /// Key of a refusal by Python: the agent's digest, the image and the grader.
    pub fn syntax_key(&self, agent: &str) -> String {
        digest::hex([agent.as_bytes(), self.grader.as_bytes()])
    }

    /// Tells the sandbox of agents to come.
    pub fn announce(&self, agents: usize, sandbox: &dyn Sandbox) {
        if let Some(limits) = self.first_limits() {
            sandbox.expect(agents, limits);
        }
    }

    /// The limits of the first run: what a cell is opened with.
    pub fn first_limits(&self) -> Option<&Limits> {
        self.runs.iter().flatten().map(|planned| &planned.limits).next()
    }
}

impl<'a> PlannedRun<'a> {
    fn new(
        task: &'a Task,
        stage: &'a Stage,
        pipeline: &'a Pipeline,
        (grader, (image, judging)): (&str, &(&str, String)),
    ) -> Self {
        let limits = task.limits(&stage.limits);
        let bounds = serde_json::json!(limits).to_string();
        let judge_model = pipeline.judge_model.as_ref().filter(|_| task.asks_model());
        let models = [("", stage.model.as_ref()), ("judge", judge_model)].into_iter();
        let models = models.filter_map(|(who, grant)| Some(format!("{who}{}", model(grant?, &pipeline.llm))));
        let models: Vec<String> = models.collect();
        let made_of = MadeOf {
            task: short(task.digest()),
            limits: short(digest::sha256(bounds.as_bytes())),
            model: (!models.is_empty()).then(|| short(digest::sha256(models.concat().as_bytes()))),
            image: (*image).to_owned(),
            grader: judging.clone(),
        };
        let parts = [task.digest(), bounds, grader.to_owned()].into_iter().chain(models);
        let digest = digest::hex(parts.collect::<Vec<_>>().iter().map(String::as_bytes));
        Self {
            task,
            limits,
            grant: stage.model.as_ref(),
            judge_model,
            sample: first_sample(),
            in_scope: true,
            made_of,
            digest,
        }
    }

    /// The run's key, given the agent's digest.
    pub fn key(&self, agent: &str) -> String {
        run_key(agent, &self.digest, self.sample)
    }

    /// Its place in reports: stage, task, sample.
    pub fn place<'b>(&'b self, stage: &'b Stage) -> (&'b str, &'b str, u32) {
        (&stage.name, &self.task.id, self.sample)
    }

    /// The task, and the sample where it is not the first.
    pub fn label(&self) -> String {
        self.task.id.clone() + &of_sample(self.sample)
    }

    /// The seed that chance begins with: 0 in the first sample, 1 in the second, for every agent.
    pub fn seed(&self) -> u32 {
        self.sample - first_sample()
    }

    /// Digest of all that decides it but the agent and the sample.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The run with its outcome, as reports hold it.
    pub fn run(&self, stage: &Stage, key: String, outcome: Outcome) -> Run {
        Run { key, stage: stage.name.clone(), task: self.task.id.clone(), sample: self.sample, outcome }
    }
}

/// Key of a run, given the agent's digest, that of all else, and the sample. That of a first sample is what keys were before
/// there were others.
pub fn run_key(agent: &str, planned: &str, sample: u32) -> String {
    let sample = sample.to_string();
    let parts = [agent, planned, &sample];
    let parts = if sample == "1" { &parts[..2] } else { &parts[..] };
    digest::hex(parts.iter().map(|part| part.as_bytes()))
}

/// As much of a digest as tells two of them apart.
fn short(mut digest: String) -> String {
    digest.truncate(16);
    digest
}

/// All that decides what agents may ask, and who answers them.
fn model(grant: &Grant, llm: &Llm) -> String {
    let prices =
        grant.allow.iter().map(|model| llm.prices.get(model).map(|price| [price.prompt, price.reply]));
    let prices: Vec<_> = prices.collect();
    serde_json::json!([grant, llm.base_url, llm.api_version, llm.max_tokens, llm.body, prices]).to_string()
}
