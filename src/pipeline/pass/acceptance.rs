//! Acceptance of changed rules: a pass evaluates nothing by rules that wait for it, and takes what was evaluated before it.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use anyhow::Context;

use crate::config::Pipeline;
use crate::pipeline::PassContext;
use crate::pipeline::basis::Part;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::pass::Pass;
use crate::pipeline::preview::{self, NotAccepted};
use crate::pipeline::report_store::{PendingReportWrites, Unwritable};

impl PassContext<'_> {
    /// Notes in the ledger who has submitted, and evaluates nothing: for the time in which rules wait to be accepted.
    ///
    /// # Errors
    /// The inbox or the ledger can't be read, or the ledger can't be written.
    pub fn note_arrivals(&self) -> anyhow::Result<()> {
        let Pipeline { records, similarity, season, .. } = self.pipeline;
        let (ledger, _) = Ledger::open_deciding(records, &similarity.originals)?;
        let (pending_writes, halted) = (PendingReportWrites::new(season.is_some()), AtomicBool::new(false));
        let (waker, wakes) = mpsc::channel();
        let mut pass = Pass::new(*self, &pending_writes, &halted, &waker, &wakes, ledger);
        pass.list()?;
        let written = pass.submissions.write_ledger();
        written.with_context(|| Unwritable("the ledger of first sights can't be written".to_owned()))
    }
}

impl Pass<'_> {
    /// Fails if the rules have changed, or the image if it is known, and wait to be accepted.
    pub(super) fn must_be_accepted(&self, image_is_known: bool) -> anyhow::Result<()> {
        let Some(held_to) = &self.held_to else { return Ok(()) };
        let mut changes = self.basis.rules_changed_since(held_to);
        changes.retain(|change| image_is_known || change.part != Part::Image);
        if changes.is_empty() { Ok(()) } else { Err(NotAccepted(changes).into()) }
    }

    /// Takes what a preview of the same rules has evaluated.
    pub(super) fn take_preview(&mut self) -> anyhow::Result<()> {
        let pipeline = self.context.pipeline;
        if pipeline.is_preview() {
            return Ok(());
        }
        let taken = preview::take(pipeline, &self.basis, self.submissions.first_sights());
        if taken.with_context(|| Unwritable("the preview can't be taken".to_owned()))? {
            self.replan();
        }
        Ok(())
    }
}
