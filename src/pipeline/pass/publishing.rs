//! Publishing: ranks what is complete, writes the results, and tells what changed.

use std::collections::BTreeSet;
use std::io;
use std::time::Instant;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use tracing::debug;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::model::near_pair::NearPair;
use crate::model::rejection::Rejection;
use crate::pipeline::basis::Basis;
use crate::pipeline::change::Place;
use crate::pipeline::pass::board_before::Now;
use crate::pipeline::pass::{Ending, Pass};
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::Published;
use crate::pipeline::report_store::{PendingReportWrites, Unwritable};
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::schedule::Unpublished;
use crate::pipeline::score::{Evaluated, Row, early_stop};
use crate::pipeline::{PassContext, Summary, freeze, publish, report_summary, score, submissions};
use crate::ui::Event;
use crate::util::first_few::first_few;
use crate::util::plural::counted;

/// The reason why a pass publishes nothing while first sights are on no disk.
const NOT_RANKED: &str = "the ledger of first sights can't be written, and without it nobody new is ranked";

/// Everybody's place at a moment.
struct Standing<'s> {
    rows: Vec<Row>,
    agents: &'s [&'s ReportSummary],
    pending: Vec<Miner>,
    evaluated: Vec<Evaluated>,
    rejected: Vec<Rejection>,
    present: Option<BTreeSet<Miner>>,
    submitted: BTreeSet<Miner>,
    at: Timestamp,
}

impl Standing<'_> {
    /// All agents whose evaluation is complete.
    fn agents_now(&self) -> impl Iterator<Item = Now<'_>> {
        self.rows.iter().map(Now::from).chain(self.evaluated.iter().map(Now::from))
    }

    fn published<'p>(
        &'p self,
        context: PassContext<'p>,
        (basis, plan): (&'p Basis, &'p Plan<'p>),
        (image, engine): (&'p str, &'p str),
    ) -> Published<'p> {
        let Pipeline { title, roster, board, rewards, sha256, .. } = context.pipeline;
        Published {
            rows: &self.rows,
            agents: self.agents,
            pending: &self.pending,
            evaluated: &self.evaluated,
            rejections: &self.rejected,
            present: self.present.as_ref(),
            basis,
            whole: context.scope.is_all(),
            generated_at: self.at,
            image,
            engine,
            pipeline_sha256: sha256,
            title: title.as_deref(),
            token: rewards.as_ref().map(|rewards| rewards.token.as_str()),
            roster: roster.as_ref().map_or(&[], |roster| &roster.students),
            submitted: &self.submitted,
            board: *board,
            plan,
            live: context.stay || !self.pending.is_empty(),
        }
    }
}

impl PassContext<'_> {
    /// Keeps the board as it was before a freeze, once.
    fn keep_board(&self, now: Timestamp) -> anyhow::Result<()> {
        let Some(freeze) = &self.pipeline.freeze else { return Ok(()) };
        let unwritable = || Unwritable("the board before the freeze can't be kept".to_owned());
        freeze::keep(&self.pipeline.results, freeze, now).with_context(unwritable)
    }
}

impl Pass<'_> {
    /// Writes the results as they are now, and tells what changed; but where the board of before stands, only the reports that wait.
    ///
    /// # Errors
    /// Something can't be written; everything else is written all the same.
    pub(super) fn publish(&mut self) -> anyhow::Result<Summary> {
        let began = Instant::now();
        let stands = self.board_stands();
        self.submissions.write_ledger().with_context(|| Unwritable(NOT_RANKED.to_owned()))?;
        let Pipeline { results, rewards, similarity, .. } = self.context.pipeline;
        let (at, sights) = (submissions::now(), self.submissions.first_sights());
        let (complete, plan) = (self.submissions.complete(), &self.submissions.plan().stages);
        let excused = early_stop::excused(&complete, plan);
        let agents = early_stop::instead(&complete, &excused);
        let near = self.near_copies.among(&agents, sights);
        let past = self.publisher.past(rewards.as_ref(), sights, at);
        let past = past.with_context(|| Unwritable("the history can't be put aside".to_owned()))?;
        let standing = Standing {
            rows: score::rank(&agents, plan, rewards.as_ref(), sights, &near, &past),
            agents: &agents,
            pending: self.submissions.pending(),
            evaluated: self.submissions.not_best(),
            rejected: self.submissions.rejections(),
            present: self.submissions.present(),
            submitted: self.submitted(),
            at,
        };
        let told_before = || score::undecided(&publish::json::load(results).ok()?.rankings, similarity);
        self.undecided.is_still(
            score::undecided(&standing.rows, similarity),
            told_before,
            self.context.events,
        );
        self.context.keep_board(at)?;
        // Whoever asks a model that is not served would hold it up for ever.
        let unserved = self.submissions.unserved();
        let agents_now = standing.agents_now().filter(|agent| !unserved.contains(&agent.submission()));
        let unscored = self.board_before.unscored_anew(agents_now, results);
        let stands = stands || !unscored.is_empty();
        if self.submissions.is_idle() {
            self.unscored.is_now(not_scored_anew(unscored), self.context.events);
        }
        let written = if stands {
            self.pending_writes.retry()
        } else {
            let pairs = self.near_copies.pairs(&agents, sights, &near);
            let saved = save(self.pending_writes, self.context.pipeline, &agents, pairs);
            let by = (self.image.as_str(), self.context.sandbox.engine().unwrap_or(&self.last_engine));
            let published = standing.published(self.context, (&self.basis, plan), by);
            let evaluated = self.schedule.unpublished() == Unpublished::Evaluations;
            self.publisher.publish(&published, evaluated).and(saved)
        };
        written
            .with_context(|| Unwritable(format!("the results can't be written to {}", results.display())))?;
        self.publisher.take_remarks().for_each(|it| self.context.events.send(Event::Warning(it)));
        debug!(
            agents = standing.rows.len(),
            took_ms = began.elapsed().as_millis() as u64,
            stands,
            "results published"
        );
        self.schedule.published(began, Instant::now());
        let task_faults = report_summary::task_faults(&agents, plan);
        let summary = self.summary(standing, task_faults);
        if !stands {
            self.board_before.is_now(&summary.rows);
            self.announce(&summary);
        }
        Ok(summary)
    }

    /// Those of the roster who ever submitted something.
    fn submitted(&self) -> BTreeSet<Miner> {
        let students = self.context.pipeline.roster.iter().flat_map(|roster| &roster.students);
        let sights = self.submissions.first_sights();
        students.map(|student| &student.id).filter(|id| !sights.events(id).is_empty()).cloned().collect()
    }

    /// Tells whether the board of before stands for now. Whoever hands in other bytes meanwhile holds nobody up.
    fn board_stands(&mut self) -> bool {
        let results = &self.context.pipeline.results;
        let left = self.submissions.left(self.ending.is_some());
        let left = left.filter(|agent| self.board_before.waits_for(*agent, results)).count();
        if left > 0 && self.board_before.tell() {
            let agents = counted(left, "ranked agent");
            self.context.events.send(Event::Note(format!(
                "{agents} to be evaluated anew: the results stay as they are until all of them are"
            )));
        }
        left > 0
    }

    fn summary(&self, standing: Standing<'_>, task_faults: BTreeSet<String>) -> Summary {
        let Standing { rows, pending, rejected, evaluated, .. } = standing;
        let left_out = pending.iter().filter(|miner| !self.context.scope.has_agent(miner)).count();
        Summary {
            rows,
            rejected,
            withdrawn: self.publisher.withdrawn(),
            task_faults,
            pending: pending.len(),
            left_out,
            // A pass that stays looks again.
            unsettled: self.submissions.is_unsettled() && !self.context.stay,
            stopped: self.ending == Some(Ending::Stop),
            not_taken: self.submissions.not_taken(),
            refuted: self.refuted.clone().unwrap_or_default(),
            evaluated,
        }
    }

    /// Tells what changed whenever nothing is left to do.
    fn announce(&mut self, summary: &Summary) {
        if !self.submissions.is_idle() {
            return;
        }
        if let Some(news) = self.announcer.news(summary, self.context.pipeline) {
            self.context.events.send(Event::Ranking(news));
        }
        if let Some(teller) = &self.teller {
            teller.tell(summary.rows.iter().map(Place::from).collect());
        }
    }
}

/// Says that the board stands, as these have a score on it and could not be given one anew.
fn not_scored_anew(miners: &BTreeSet<Miner>) -> Option<anyhow::Error> {
    let named = first_few(miners);
    (!miners.is_empty()).then(|| {
        anyhow!(
            "{named}: not scored anew, as runs could not be judged; the results stay as they were until all of the ranking are"
        )
    })
}

/// Writes reports that wait for it, and near copies beside their originals. One that can't be written keeps nothing else from being
/// written, and is told all the same.
fn save(
    pending_writes: &PendingReportWrites,
    Pipeline { results, title, .. }: &Pipeline,
    agents: &[&ReportSummary],
    pairs: &[NearPair],
) -> io::Result<()> {
    let ranked = agents.iter().map(|agent| (&agent.miner, agent.sha256.as_str()));
    let saved = pending_writes.retry();
    let saved = saved.and(pending_writes.show(results, ranked));
    saved.and(publish::similar::write(results, pairs, title.as_deref()))
}
