//! The stages with their tasks: what every agent goes through, in order.

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
            first += tasks.len();
            Part { stage, tasks, first: before }
        };
        Self { parts: stages.iter().map(part).collect() }
    }

    /// Every run of an agent that gets through: its stage's place and its task.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &'a Task)> {
        self.parts.iter().enumerate().flat_map(|(at, part)| part.tasks.iter().map(move |task| (at, *task)))
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

    /// Tests of all tasks of all stages.
    pub fn tests(&self) -> u64 {
        self.runs().map(|(_, task)| task.tests.len() as u64).sum()
    }
}

impl Part<'_> {
    /// The weight of its tasks.
    pub fn weight(&self) -> f64 {
        self.tasks.iter().map(|task| task.weight).sum()
    }
}
