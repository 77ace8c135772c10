//! A task -> a source that the platform would take: asked for, looked at, and repaired once.

use std::fmt::Write;

use anyhow::{bail, ensure};

use super::merge::{Part, merge};
use super::model::Model;
use super::{prompt, reply};
use crate::config::{Limits, Pipeline};
use crate::door::{self, Refused};
use crate::pipeline::publish::text::visible;
use crate::report::{Scored, Verdict};
use crate::sandbox::{Opened, Sandbox};
use crate::task::Task;
use crate::ui::Spinner;

/// The most of a message that is shown, in characters.
const SHOWN: usize = 300;

/// All that drafts are made with.
pub struct Studio<'a> {
    /// Who writes.
    pub model: &'a Model,
    /// What a submission must satisfy.
    pub pipeline: &'a Pipeline,
    /// Where drafts are compiled; None: they are only looked at.
    pub sandbox: Option<&'a dyn Sandbox>,
    /// Whether drafts must pass the public tests, too.
    pub tried: bool,
    /// Shows what is going on.
    pub spinner: &'a Spinner,
}

impl Studio<'_> {
    /// One file that serves all the tasks.
    ///
    /// # Errors
    /// The model can't be asked, or its second reply is of no use either.
    pub fn write(&self, tasks: &[&Task]) -> anyhow::Result<String> {
        let mut parts = Vec::new();
        for (number, task) in (1..).zip(tasks) {
            self.spinner.wait(format!("asking for {} ({number} of {})", task.id, tasks.len()));
            let source = self.draft(task)?;
            parts.push(Part { id: task.id.clone(), prompt: task.prompt.clone(), source });
        }
        let merged = merge(&parts);
        if parts.len() > 1
            && let Some(problem) = self.problem(&merged, tasks)?
        {
            bail!("the drafts are good, but the file that they were merged into is not: {problem}");
        }
        Ok(merged)
    }

    /// The first reply if it is good, else the second.
    fn draft(&self, task: &Task) -> anyhow::Result<String> {
        let first = self.ask(task, &prompt::ask(task))?;
        let Some(problem) = self.problem_with(first.as_deref(), task)? else {
            return Ok(first.unwrap_or_default());
        };
        self.spinner.wait(format!("asking for a repair of {}: {}", task.id, first_line(&problem)));
        let second = self.ask(task, &prompt::repair(task, first.as_deref(), &problem))?;
        match self.problem_with(second.as_deref(), task)? {
            None => Ok(second.unwrap_or_default()),
            Some(problem) => bail!("no usable code for {}, not even after a repair: {problem}", task.id),
        }
    }

    fn ask(&self, task: &Task, prompt: &str) -> anyhow::Result<Option<String>> {
        let tell = |news: String| self.spinner.say(&format!("{}: {news}", task.id));
        Ok(reply::source(&self.model.ask(prompt, &tell)?))
    }

    fn problem_with(&self, source: Option<&str>, task: &Task) -> anyhow::Result<Option<String>> {
        match source {
            None => Ok(Some("the reply holds no Python code".to_owned())),
            Some(source) => self.problem(source, &[task]),
        }
    }

    /// Why the platform would not take the source, or what fails when it is tried.
    fn problem(&self, source: &str, tasks: &[&Task]) -> anyhow::Result<Option<String>> {
        if let Err(refused) = door::check(source.as_bytes(), &self.pipeline.validate) {
            return Ok(Some(located(refused.line(), &refused)));
        }
        let Some(sandbox) = self.sandbox else { return Ok(None) };
        let limits = tasks.first().map_or(self.pipeline.sandbox.limits, |task| self.limits(task));
        let mut cell = match sandbox.open(source.as_bytes().to_vec(), &limits)? {
            Opened::Ready(cell) => cell,
            Opened::Refused(refusal) => {
                let line = refusal.line.map_or_else(String::new, |line| format!("line {line}: "));
                return Ok(Some(format!(
                    "{line}it is not valid Python 3.11: {}",
                    visible(&refusal.message, SHOWN)
                )));
            }
        };
        let mut failures = String::new();
        for task in tasks.iter().filter(|_| self.tried) {
            let public = public(task);
            if !public.tests.is_empty() {
                self.spinner.wait(format!("trying {} on {} public tests", task.id, public.tests.len()));
                failures += &failed(&public, &cell.run(&public, &self.limits(task))?);
            }
        }
        Ok((!failures.is_empty()).then_some(failures))
    }

    /// As in the stage that the task is in.
    fn limits(&self, task: &Task) -> Limits {
        let stage = self.pipeline.stages.iter().find(|stage| stage.tasks.is_match(&task.id));
        task.limits(stage.map_or(&self.pipeline.sandbox.limits, |stage| &stage.limits))
    }
}

/// The task with its public tests only.
fn public(task: &Task) -> Task {
    let mut public = task.clone();
    public.tests.retain(|test| test.public);
    public
}

/// What did not pass, a paragraph each.
fn failed(task: &Task, scored: &Scored) -> String {
    let mut text = String::new();
    for (test, result) in task.tests.iter().zip(&scored.tests) {
        if result.verdict != Verdict::Passed {
            // It came out of code that nobody has read yet.
            let message = visible(result.message.as_deref().unwrap_or_default(), SHOWN);
            let _ =
                writeln!(text, "{}: {}: {message}\n{}", task.id, result.name, test.assertion.text.trim_end());
        }
    }
    text
}

fn located(line: Option<u32>, refused: &Refused) -> String {
    match line {
        Some(line) => format!("line {line}: {refused}"),
        None => refused.to_string(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The tasks of these ids; all of them if `all`.
///
/// # Errors
/// There is no such task, or none was named.
pub fn choose<'a>(tasks: &'a [Task], ids: &[String], all: bool) -> anyhow::Result<Vec<&'a Task>> {
    ensure!(all || !ids.is_empty(), "say which task: its id, several, or --all; agentmill tasks lists them");
    if all {
        return Ok(tasks.iter().collect());
    }
    let mut chosen: Vec<&Task> = Vec::new();
    for id in ids {
        match tasks.iter().find(|task| task.id == *id) {
            Some(task) if chosen.iter().any(|other| other.id == task.id) => {}
            Some(task) => chosen.push(task),
            None => bail!("there is no task {id:?}; agentmill tasks lists them"),
        }
    }
    Ok(chosen)
}
