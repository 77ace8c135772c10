//! Trials of a source: what the platform, Python and the public tests say to it.

use std::fmt::Write;

use crate::client::generate::wanted::Wanted;
use crate::config::Pipeline;
use crate::model::report::{Scored, Verdict};
use crate::sandbox::{Cell, Fault, Opened, Sandbox};
use crate::submission::{self, Refused};
use crate::task::Task;
use crate::ui::Spinner;
use crate::util::plural::counted;
use crate::util::text::visible;

/// The most of a message that is shown, in characters.
const SHOWN: usize = 300;

/// Rules and sandbox that sources are tried by.
pub struct Trial<'a> {
    /// Rules that a submission must satisfy.
    pub pipeline: &'a Pipeline,
    /// Sandbox that sources are compiled in; None: they are only scanned.
    pub sandbox: Option<&'a dyn Sandbox>,
    /// True if they must pass the public tests, too.
    pub tried: bool,
    /// Progress display.
    pub spinner: &'a Spinner,
}

impl Trial<'_> {
    /// The reason why a source is no answer to these tasks; None if it is one.
    ///
    /// # Errors
    /// It could not be tried, by our fault.
    pub fn problem(&self, source: &str, tasks: &[&Task]) -> Result<Option<String>, Fault> {
        if let Err(refused) = submission::check(source.as_bytes(), self.pipeline) {
            return Ok(Some(located(refused.line(), &refused)));
        }
        if let Some(lacking) = tasks.iter().find_map(|task| lacking(source, task)) {
            return Ok(Some(lacking));
        }
        let Some(sandbox) = self.sandbox else { return Ok(None) };
        let limits = tasks.first().map_or(self.pipeline.sandbox.limits, |task| task.limits_by(self.pipeline));
        let mut cell = match sandbox.open(source.as_bytes().to_vec(), &limits)? {
            Opened::Ready(cell) => cell,
            Opened::Refused(refusal) => {
                let line = refusal.line.map_or_else(String::new, |line| format!("line {line}: "));
                let message = visible(&refusal.message, SHOWN);
                let python = sandbox.library().map(|library| library.python).unwrap_or_default();
                return Ok(Some(format!("{line}it is not valid Python {python}: {message}")));
            }
        };
        let mut failures = String::new();
        for task in tasks.iter().filter(|_| self.tried) {
            failures += &self.failures(cell.as_mut(), task)?;
        }
        Ok((!failures.is_empty()).then_some(failures))
    }

    /// Public tests that did not pass, a paragraph each.
    fn failures(&self, cell: &mut dyn Cell, task: &Task) -> Result<String, Fault> {
        let public = public(task);
        if public.tests.is_empty() {
            return Ok(String::new());
        }
        let tests = counted(public.tests.len(), "public test");
        self.spinner.wait(format!("trying {} on {tests}", task.id));
        match cell.run(&public, &task.limits_by(self.pipeline)) {
            Ok(scored) => Ok(failed(&public, &scored)),
            // No source can pass then.
            Err(Fault::Task(reason)) => {
                self.spinner.say(&format!("{}: the task is at fault: {}", task.id, visible(&reason, SHOWN)));
                Ok(String::new())
            }
            Err(fault) => Err(fault),
        }
    }
}

/// The functions that a source should define and doesn't. A merged file defines its functions while it runs.
fn lacking(source: &str, task: &Task) -> Option<String> {
    let wanted = Wanted::of(task);
    let (lacking, ignored) = (wanted.lacking(source), wanted.ignored(source));
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        return Some(format!("it does not define {lacking} at its top level, which the public tests call"));
    }
    (!ignored.is_empty()).then(|| format!("it does not define {}, as the task asks", ignored.join(" or ")))
}

/// The task with its public tests only.
fn public(task: &Task) -> Task {
    let mut public = task.clone();
    public.tests.retain(|test| test.public);
    public
}

/// Tests that did not pass, a paragraph each.
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
