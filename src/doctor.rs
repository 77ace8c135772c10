//! What `check` finds out about the machine: each with what to do about it.
//!
//! [`machine`] looks at folders, disks and clocks, [`engine`] at what the container engine says of itself, and
//! [`memory`] lets an agent eat its cell's memory up, as what an engine says and what a kernel does are two things.

mod engine;
mod machine;
mod memory;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::config::Pipeline;
use crate::sandbox::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::engine::Engine;
use crate::term::{BAD, Cell, GOOD, ODD, Paper, left, table};

/// How something came out.
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

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: &'static str,
    /// How it came out.
    pub health: Health,
    /// What was found.
    pub text: String,
    /// What to do; empty when it is as it should be.
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

/// Looks at everything. The image must be there already.
///
/// # Errors
/// The engine fails in the middle of it.
pub fn examine(
    pipeline: &Pipeline,
    engine: &Engine,
    sandbox: &dyn Sandbox,
    image: &str,
) -> Result<Vec<Finding>, Fault> {
    let engine = engine::Answers::ask(engine)?;
    let mut findings = engine.findings();
    findings.push(Finding::ok("image", format!("{} is {image}", pipeline.sandbox.image)));
    findings.push(memory::eat(&pipeline.sandbox.limits, sandbox)?);
    findings.extend(machine::folders(pipeline));
    findings.extend(machine::disks(pipeline, engine.root().as_deref()));
    findings.push(machine::clock(pipeline, engine.time()));
    Ok(findings)
}

/// The findings as a table; remedies stand below it, in full.
pub fn text(findings: &[Finding], paper: &Paper) -> String {
    let line = |finding: &Finding| {
        let (style, word) = match finding.health {
            Health::Ok => (GOOD, "ok"),
            Health::Odd => (ODD, "look"),
            Health::Bad => (BAD, "bad"),
        };
        vec![Cell::from(finding.what.to_owned()), Cell::new(style, word), Cell::from(finding.text.clone())]
    };
    let text = table(paper, &[left("CHECK"), left(""), left("FOUND")], findings.iter().map(line));
    let odd = findings.iter().filter(|finding| !finding.remedy.is_empty());
    odd.fold(text, |text, finding| text + &format!("\n{}\n", finding.line()))
}
