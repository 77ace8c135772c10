//! Table of the machine: a finding is printed as soon as it is known, so that the table stands there whatever comes of the tasks.

use crate::doctor::{self, Finding, Health};
use crate::term::{self, Layout, Unprinted};

/// The findings so far.
pub(super) struct Machine {
    findings: Vec<Finding>,
    /// None where nothing is printed.
    layout: Option<Layout>,
}

impl Machine {
    /// Nothing is known yet.
    pub(super) fn new(is_shown: bool) -> Self {
        Self { findings: Vec::new(), layout: is_shown.then(Layout::stdout) }
    }

    /// Adds findings, and prints their lines.
    ///
    /// # Errors
    /// They can't be printed.
    pub(super) fn add(&mut self, more: impl IntoIterator<Item = Finding>) -> Result<(), Unprinted> {
        let known = self.findings.len();
        self.findings.extend(more);
        match &self.layout {
            Some(layout) => term::print(&doctor::rows(&self.findings, known, layout)),
            None => Ok(()),
        }
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Findings that somebody should look at, a line each.
    pub(super) fn alarming(&self) -> Vec<String> {
        self.findings.iter().filter(|one| one.health != Health::Ok).map(Finding::line).collect()
    }

    /// Findings that keep agents from being evaluated, a line each.
    pub(super) fn bad(&self) -> Vec<String> {
        self.findings.iter().filter(|one| one.health == Health::Bad).map(Finding::line).collect()
    }
}
