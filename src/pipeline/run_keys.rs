//! Run keys: what decides a run, digested, so that a run whose key is known is not made again.

use crate::config::grant::Grant;
use crate::config::{Limits, Llm, Pipeline, Stage};
use crate::model::report::{Outcome, Run};
use crate::pipeline::plan::{Part, Plan};
use crate::pipeline::report_summary::{Remembered, RunResult};
use crate::pipeline::score;
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

/// One task of one stage, with all that decides a run but the agent.
#[derive(Debug)]
pub struct PlannedRun<'a> {
    /// The task.
    pub task: &'a Task,
    /// The stage's bounds with the task's own.
    pub limits: Limits,
    /// The stage's budget for questions to a model.
    pub grant: Option<&'a Grant>,
    digest: String,
}

impl<'a> EvaluationPlan<'a> {
    /// The plan of a pipeline for an image, by its id.
    pub fn new(pipeline: &'a Pipeline, tasks: &'a [Task], image: &str) -> Self {
        let Pipeline { stages, llm, .. } = pipeline;
        let judge = &pipeline.sandbox.judge;
        let judge = serde_json::json!(judge).to_string();
        let packages = pipeline.sandbox.packages.then_some("packages");
        let parts = [image, grader_version(), &judge].into_iter().chain(packages);
        let grader = digest::hex(parts.map(str::as_bytes));
        let stages = Plan::new(stages, tasks);
        let of_part = |part: &Part<'a>| {
            part.tasks.iter().map(|task| PlannedRun::new(task, part.stage, llm, &grader)).collect()
        };
        let runs = stages.parts.iter().map(of_part).collect();
        Self { stages, runs, grader }
    }

    /// Gives what came of an agent's evaluation, if all of it stands in its report under keys that are still right.
    pub fn done(&self, report: &Remembered) -> Option<Vec<RunResult>> {
        let known = report.judged();
        let mut results = Vec::new();
        for (part, runs) in self.parts() {
            for planned in runs {
                results.push(*known.get(planned.key(&report.sha256).as_str())?);
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
    fn new(task: &'a Task, stage: &'a Stage, llm: &Llm, grader: &str) -> Self {
        let limits = task.limits(&stage.limits);
        let bounds = serde_json::json!(limits).to_string();
        let model = stage.model.as_ref().map(|grant| model(grant, llm));
        let parts = [task.digest(), bounds, grader.to_owned()].into_iter().chain(model);
        let digest = digest::hex(parts.collect::<Vec<_>>().iter().map(String::as_bytes));
        Self { task, limits, grant: stage.model.as_ref(), digest }
    }

    /// The run's key, given the agent's digest.
    pub fn key(&self, agent: &str) -> String {
        digest::hex([agent.as_bytes(), self.digest.as_bytes()])
    }

    /// The run with its outcome, as reports hold it.
    pub fn run(&self, stage: &Stage, key: String, outcome: Outcome) -> Run {
        Run { key, stage: stage.name.clone(), task: self.task.id.clone(), outcome }
    }
}

/// All that decides what agents may ask, and who answers them.
fn model(grant: &Grant, llm: &Llm) -> String {
    let prices =
        grant.allow.iter().map(|model| llm.prices.get(model).map(|price| [price.prompt, price.reply]));
    let prices: Vec<_> = prices.collect();
    serde_json::json!([grant, llm.base_url, llm.api_version, llm.max_tokens, llm.body, prices]).to_string()
}
