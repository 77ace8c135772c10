//! Checks of the machine, for `check`: each finding comes with a remedy.
//!
//! [`machine`] looks at folders, disks and clocks, [`engine`] at what the container engine reports of itself ([`direct`] where
//! there is none), [`memory`] exceeds the memory limit in a real cell, as an engine may report a limit that its kernel doesn't keep, and [`roster`]
//! looks for people who are on no list.

mod board;
mod direct;
mod engine;
mod machine;
mod memory;
mod model_key;
pub mod modules;
mod roster;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::config::{self, Pipeline};
use crate::sandbox::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::backend::Backend;
use crate::term::{BAD, GOOD, Layout, ODD, Styled, left, table};
use crate::util::text::visible;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works; somebody should look at it.
    Odd,
    /// Agents can't be evaluated, or not safely.
    Bad,
}

/// A check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Subject in a word or two.
    pub what: &'static str,
    /// Result.
    pub health: Health,
    /// Details of the result.
    pub text: String,
    /// Advice; empty when all is as it should be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Ok, text: text.into(), remedy: String::new() }
    }

    fn odd(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Odd, text: text.into(), remedy: remedy.into() }
    }

    fn bad(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Bad, text: text.into(), remedy: remedy.into() }
    }

    /// Finding and remedy in one line.
    pub fn line(&self) -> String {
        match self.remedy.is_empty() {
            true => format!("{}: {}", self.what, self.text),
            false => format!("{}: {}; {}", self.what, self.text, self.remedy),
        }
    }
}

/// Looks at the engine and the machine; starts nothing.
///
/// # Errors
/// The engine can't be reached.
pub fn look(pipeline: &Pipeline, engine: &Engine) -> Result<Vec<Finding>, Fault> {
    let (mut findings, root, time) = match engine.backend()? {
        Backend::Direct(runtime) => {
            (direct::findings(runtime)?, Some(runtime.images().folder().to_owned()), None)
        }
        Backend::Socket(_) | Backend::Client(_) => {
            let answers = engine::Answers::ask(engine)?;
            (answers.findings(), answers.root(), answers.time())
        }
    };
    findings.extend(passed_over(engine.passed_over()));
    findings.extend(machine::folders(pipeline));
    findings.extend(machine::disks(pipeline, root.as_deref()));
    findings.push(machine::clock(pipeline, time));
    findings.extend(roster::look(pipeline));
    findings.extend(board::look(pipeline));
    findings.extend(model_key::look(pipeline));
    Ok(findings)
}

/// The engines that `engine: auto` could not take.
fn passed_over(engines: &[String]) -> Option<Finding> {
    let told = || visible(&format!("passed over {}", engines.join("; ")), 1000);
    (!engines.is_empty()).then(|| Finding::ok("auto", told()))
}

/// Asks the endpoint of the model that runs may ask, if they may; that may take seconds.
#[must_use]
pub fn ask_model(pipeline: &Pipeline) -> Option<Finding> {
    model_key::ask(pipeline)
}

/// Tries what can only be seen in a cell. The image must be there already.
///
/// # Errors
/// The engine fails in the middle of it.
pub fn try_out(pipeline: &Pipeline, sandbox: &dyn Sandbox, image: &str) -> Result<[Finding; 2], Fault> {
    let image = Finding::ok("image", images(&pipeline.sandbox, image));
    Ok([image, memory::eat(&pipeline.sandbox.limits, sandbox)?])
}

/// Names and ids of the images.
fn images(sandbox: &config::Sandbox, ids: &str) -> String {
    match ids.split_once('+') {
        None => format!("{} is {ids}", sandbox.image),
        Some((cell, judge)) => {
            format!("{} is {cell}, for judges {} is {judge}", sandbox.image, sandbox.judge_image)
        }
    }
}

/// The findings as a table, from its header on, or the lines of those behind the first `known`, which stand there already.
pub fn rows(findings: &[Finding], known: usize, layout: &Layout) -> String {
    let line = |finding: &Finding| {
        let (style, word) = match finding.health {
            Health::Ok => (GOOD, "ok"),
            Health::Odd => (ODD, "look"),
            Health::Bad => (BAD, "bad"),
        };
        vec![
            Styled::from(finding.what.to_owned()),
            Styled::new(style, word),
            Styled::from(finding.text.clone()),
        ]
    };
    let text = table(layout, &[left("CHECK"), left(""), left("FOUND")], findings.iter().map(line));
    let printed = if known == 0 { 0 } else { known + 1 };
    text.split_inclusive('\n').skip(printed).collect()
}

/// The findings that have a remedy, in full.
pub fn remedies(findings: &[Finding]) -> String {
    let odd = findings.iter().filter(|finding| !finding.remedy.is_empty());
    odd.map(|finding| format!("\n{}\n", finding.line())).collect()
}
