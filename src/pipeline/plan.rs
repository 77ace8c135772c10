//! The stages with their tasks: what every agent goes through, in order.

use std::ops::RangeInclusive;

use crate::config::Stage;
use crate::model::feedback::Feedback;
use crate::task::Task;

/// All stages.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// In the order agents go through them.
    pub parts: Vec<Part<'a>>,
}

/// A stage and its tasks.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// The stage.
    pub stage: &'a Stage,
    /// Its tasks, sorted by id.
    pub tasks: Vec<&'a Task>,
    /// How many runs come before it: where its first one stands among all.
    pub first: usize,
}

impl<'a> Plan<'a> {
    /// The tasks that each stage asks for.
    pub fn new(stages: &'a [Stage], tasks: &'a [Task]) -> Self {
        let mut first = 0;
        let part = |stage: &'a Stage| {
            let tasks: Vec<&Task> = tasks.iter().filter(|task| stage.tasks.is_match(&task.id)).collect();
            let before = first;
            let part = Part { stage, tasks, first: before };
            first += part.runs();
            part
        };
        Self { parts: stages.iter().map(part).collect() }
    }

    /// Every task of every stage: the stage's place and the task.
    pub fn tasks(&self) -> impl Iterator<Item = (usize, &'a Task)> {
        self.parts.iter().enumerate().flat_map(|(at, part)| part.tasks.iter().map(move |task| (at, *task)))
    }

    /// Every run of an agent that gets through: its stage's place, its task, and the number of the sample.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &'a Task, u32)> {
        let of_part = |(at, part): (usize, &'_ Part<'a>)| {
            let tasks = part.tasks.clone();
            part.samples()
                .flat_map(move |sample| tasks.clone().into_iter().map(move |task| (at, task, sample)))
        };
        self.parts.iter().enumerate().flat_map(of_part)
    }

    /// Tells whether agents have several runs on some task.
    pub fn has_samples(&self) -> bool {
        self.parts.iter().any(|part| part.stage.sampling.samples > 1)
    }

    /// Feedback on what all stages make up together.
    pub fn feedback(&self) -> Feedback {
        Feedback::least(self.parts.iter().map(|part| part.stage.feedback))
    }

    /// Tells whether agents may ask a model in some stage.
    pub fn grants_models(&self) -> bool {
        self.parts.iter().any(|part| part.stage.model.is_some())
    }

    /// Where a stage stands, by its name.
    pub fn place(&self, stage: &str) -> Option<usize> {
        self.parts.iter().position(|part| part.stage.name == stage)
    }

    /// Tests of all runs of all stages.
    pub fn tests(&self) -> u64 {
        self.runs().map(|(_, task, _)| task.tests.len() as u64).sum()
    }
}

impl Part<'_> {
    /// The numbers of its samples.
    pub fn samples(&self) -> RangeInclusive<u32> {
        1..=self.stage.sampling.samples
    }

    /// How many runs an agent has in it. They go sample by sample, and then task by task.
    pub fn runs(&self) -> usize {
        self.tasks.len() * self.stage.sampling.samples as usize
    }

    /// The weight of its tasks.
    pub fn weight(&self) -> f64 {
        self.tasks.iter().map(|task| task.weight).sum()
    }
}
