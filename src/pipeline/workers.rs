//! Evaluating agents on the threads of the pool.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use parking_lot::Mutex;
use rayon::ScopeFifo;

use crate::model::claims::Claims;
use crate::model::report::{Outcome, Report};
use crate::pipeline::evaluate::{self, End, Evaluation, Surroundings};
use crate::pipeline::report_store::{self, PendingReportWrites};
use crate::pipeline::report_summary::{ReportSummary, RunResult};
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::score::early_stop;
use crate::pipeline::submissions::Job;
use crate::pipeline::{Finished, PassContext, Wake, archive, claims_store, intake};
use crate::ui::Event;
use crate::util::panics::caught;
use crate::util::text::visible;

/// All that an evaluation needs but its agent.
pub struct Workers<'a> {
    /// The pass's surroundings.
    pub context: PassContext<'a>,
    /// The runs to be made.
    pub plan: Arc<EvaluationPlan<'a>>,
    /// The place of reports that can't be written now.
    pub pending_writes: &'a PendingReportWrites,
    /// True once no further evaluation is to begin.
    pub halted: &'a AtomicBool,
    /// The way back to the pass.
    pub waker: &'a Sender<Wake>,
    /// Reasons of unscored runs that were told.
    pub told: Mutex<BTreeSet<String>>,
}

/// The most reasons of unscored runs that a pass tells.
const MOST_TOLD: usize = 3;

/// The most of one that is told, in characters.
const SHOWN: usize = 500;

impl Workers<'_> {
    /// Queues one agent. Whatever becomes of it, a [`Wake::Finished`] follows.
    pub fn queue<'s>(&'s self, job: Job, scope: &ScopeFifo<'s>) {
        let waker = self.waker.clone();
        scope.spawn_fifo(move |_| {
            let finished = caught(|| self.serve(&job)).unwrap_or_else(|panic| self.lost(&job, panic));
            let _ = waker.send(Wake::Finished(finished));
        });
    }

    fn serve(&self, job: &Job) -> Finished {
        if self.halted.load(Ordering::SeqCst) {
            return Finished::Stopped(job.head.miner.clone());
        }
        let bounds = (&self.context.pipeline.validate).into();
        let sha256 = &job.head.sha256;
        let source = match job.archived {
            true => archive::read(&self.context.pipeline.records, sha256),
            false => intake::reread(&job.inbox_file, sha256, bounds),
        };
        let Some(source) = source else {
            return Finished::FileChanged(job.head.miner.clone());
        };
        match self.evaluate(source, job) {
            (summary, End::Complete) => Finished::Completed(Box::new(summary)),
            (summary, End::Stopped) => Finished::Stopped(summary.miner),
        }
    }

    /// Evaluates one agent on what its report does not hold yet, and writes the report.
    fn evaluate(&self, source: Vec<u8>, job: &Job) -> (ReportSummary, End) {
        let PassContext { pipeline, sandbox, gateway, events, scope, .. } = self.context;
        let remembered = report_store::load_report_of(&pipeline.results, &job.head.miner, &job.head.sha256);
        let mut runs = remembered.map_or_else(Vec::new, |report| report.runs);
        runs.retain(|run| !job.force || !scope.has_task(&run.task));
        let report = job.head.report(runs);
        // What can't be written now is told of at the end.
        let keep = |report: &Report, claims: &[Claims]| {
            drop(report_store::keep_unfinished(&pipeline.results, report, claims));
        };
        let surroundings = Surroundings { sandbox, gateway, events, keep: &keep };
        let Evaluation { report, claims, end } = evaluate::evaluate(source, report, &self.plan, surroundings);
        self.keep(&report, claims);
        self.tell_unscored(&report);
        let summary = ReportSummary::of(&report, &self.plan.stages);
        (early_stop::applied(summary, &self.plan.stages), end)
    }

    /// Tells why runs are unscored, each reason once, and the first run that it is of: whoever runs this can mend it, or must know that the
    /// next run tries again.
    fn tell_unscored(&self, report: &Report) {
        for run in &report.runs {
            let Outcome::Unscored { unscored } = &run.outcome else { continue };
            let mut told = self.told.lock();
            if told.len() < MOST_TOLD && told.insert(unscored.clone()) {
                let until = if run.outcome.is_unserved() { "it is served" } else { "the next run" };
                let (miner, label, reason) = (&report.miner, run.label(), visible(unscored, SHOWN));
                self.context
                    .events
                    .send(Event::Warning(format!("{miner} on {label}: unscored until {until}: {reason}")));
            }
        }
    }

    /// Keeps what an evaluation has come to: with it, nothing need be kept of it as an unfinished one.
    fn keep(&self, report: &Report, mut claims: Vec<Claims>) {
        let (results, each) = (&self.context.pipeline.results, self.context.pipeline.season.is_some());
        if !each {
            claims.splice(..0, report_store::claims_of_unfinished(results, report));
        }
        // Before the report: a run that it holds is not made again, and its claims would be missing for ever.
        let kept = claims_store::keep(results, report, &claims, each);
        if let Err(error) = &kept {
            self.context.events.send(Event::Warning(format!("claims can't be kept: {error}")));
        }
        let saved = self.pending_writes.save(results, report);
        if saved && kept.is_ok() && !each {
            report_store::forget_unfinished(results, report);
        }
    }

    /// An evaluation that a bug of ours ended outside of its runs. All of it counts as unscored, so that this pass does
    /// not try again; its report is left as it was, so that the next one does.
    fn lost(&self, job: &Job, panic: String) -> Finished {
        self.context.events.send(Event::Warning(format!("{}: {panic}", job.head.miner)));
        let results = vec![RunResult::Unscored; self.plan.stages.runs().count()].into();
        Finished::Completed(Box::new(ReportSummary { results, ..job.head.clone() }))
    }
}
