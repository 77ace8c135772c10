//! One pass: intake -> validate -> evaluate -> score -> publish.
//!
//! The steps don't know each other; this file and its [`desk`] lead from one to the next.

pub mod brief;
mod desk;
pub mod evaluate;
pub mod intake;
pub mod plan;
pub mod publish;
pub mod score;
mod unsaved;
pub mod validate;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::Context;
use rayon::{ScopeFifo, ThreadPoolBuilder};
use tracing::debug;

use crate::config::Pipeline;
use crate::sandbox::{Fault, Sandbox};
use crate::task::Task;
use crate::ui::{Event, Events};
use crate::yaml::Problems;
use brief::Brief;
use desk::{Desk, Job};
use evaluate::{Course, End};
use intake::Rejection;
use publish::{Published, Publisher};
use score::Row;
use unsaved::Unsaved;

/// How often the inbox is looked at when nothing announces a change.
const RESCAN: Duration = Duration::from_secs(5);

/// One upload is several events, and a crowd's uploads are thousands: at least this many times longer than looking at
/// the inbox takes is spent on other things before the next event has it looked at again.
const SCAN_SHARE: u32 = 2;

/// Results are rewritten while agents finish, but this many times longer is spent on other things: more where nobody
/// waits for them, who sees them all when the pass ends.
const PUBLISH_SHARE: u32 = 40;
const PUBLISH_SHARE_OF_WATCH: u32 = 10;

/// How long a file that does not stand still is waited for when nothing else is left to do.
const RESTLESS: Duration = intake::SETTLE.saturating_mul(10);

/// The pause after results could not be written.
const RETRY: Duration = Duration::from_secs(5);

/// Everything that a pass works with.
#[derive(Clone, Copy)]
pub struct Mill<'a> {
    /// The checked pipeline.yaml.
    pub pipeline: &'a Pipeline,
    /// All tasks, checked.
    pub tasks: &'a [Task],
    /// Where agents run.
    pub sandbox: &'a dyn Sandbox,
    /// Where progress goes.
    pub events: &'a Events,
    /// Whether runs found in reports are made again.
    pub force: bool,
    /// Whether to wait for more when nothing is left to do.
    pub stay: bool,
}

/// Why a pass looks up from its work.
#[derive(Debug)]
pub enum Wake {
    /// Something changed in the inbox, perhaps; these files are known to be finished.
    Inbox(Vec<PathBuf>),
    /// The tasks or pipeline.yaml changed: finish what runs and return.
    Reload,
    /// End what runs, publish what is finished and return.
    Stop,
    /// An evaluation came back; without an end its file was no longer the same.
    Finished(Box<Brief>, Option<End>),
}

/// What a pass came to.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    /// The ranking as published.
    #[serde(rename = "rankings")]
    pub rows: Vec<Row>,
    /// Refused submissions.
    pub rejected: Vec<Rejection>,
    /// How many submissions are not completely evaluated.
    pub pending: usize,
    /// Whether a file in the inbox did not stand still long enough to be looked at.
    pub unsettled: bool,
    /// Whether it ended for a [`Wake::Stop`].
    pub stopped: bool,
}

impl Mill<'_> {
    /// Evaluates what is due, and what is dropped meanwhile, until nothing is left or `wakes` ends it.
    ///
    /// # Errors
    /// There is no image, the inbox can't be read, or the results can't be written.
    pub fn turn(&self, waker: &Sender<Wake>, wakes: &Receiver<Wake>) -> anyhow::Result<Summary> {
        self.sandbox.sweep();
        let unsaved = Unsaved::default();
        if let Some(image) = self.last_image().filter(|_| !self.stay) {
            let course = Course::new(&self.pipeline.stages, self.tasks, &image);
            let mut pass = Pass::new(*self, &course, &image, &unsaved);
            pass.scan()?;
            if pass.desk.is_done() {
                return pass.publish();
            }
        }
        let image = self.image()?;
        let course = Course::new(&self.pipeline.stages, self.tasks, &image);
        let stopped = AtomicBool::new(false);
        let workers = Workers { mill: *self, course: &course, unsaved: &unsaved, stopped, waker };
        let mut pass = Pass::new(*self, &course, &image, &unsaved);
        let pool = ThreadPoolBuilder::new().num_threads(self.pipeline.parallel.get()).build()?;
        pool.in_place_scope_fifo(|scope| {
            let result = pass.work(scope, &workers, wakes);
            workers.stopped.store(true, Ordering::SeqCst);
            result
        })?;
        pass.publish()
    }

    /// The image that was used last. It is taken to be what it was as long as nothing is due: to look into an inbox
    /// where nothing has changed takes no engine.
    fn last_image(&self) -> Option<String> {
        let last = publish::json::Last::read(&self.pipeline.results).filter(|_| !self.force);
        last.map(|last| last.image).filter(|image| !image.is_empty())
    }

    /// The image's id. Without an engine to ask it is taken to be what it was: a pass with something to evaluate fails
    /// when it starts to.
    fn image(&self) -> anyhow::Result<String> {
        match self.sandbox.image() {
            Err(Fault::Engine(reason)) => match self.last_image() {
                Some(last) => Ok(last),
                None => Err(Fault::Engine(reason)).context("there is no image to run agents in"),
            },
            image => Ok(image?),
        }
    }
}

impl Summary {
    /// The ranking, what was refused, and where to read on; a line each.
    fn lines(&self, pipeline: &Pipeline) -> String {
        let ranking = self.rows.iter().map(|row| score::line(row, &pipeline.rewards.token));
        let refused = self.rejected.iter().map(|rejection| {
            let line = rejection.line.map_or_else(String::new, |line| format!(" line {line}"));
            format!("refused: {}{line}: {}", rejection.file, rejection.reason)
        });
        let pending = (self.pending > 0).then(|| format!("not evaluated: {}", self.pending));
        let restless = "left to the next run: a file in the inbox that is still being written".to_owned();
        let restless = self.unsettled.then_some(restless);
        let place = format!("results: {}", pipeline.results.display());
        ranking.chain(refused).chain(pending).chain(restless).chain([place]).collect::<Vec<_>>().join("\n")
    }
}

/// What evaluates agents, on the threads of the pool.
struct Workers<'a> {
    mill: Mill<'a>,
    course: &'a Course<'a>,
    unsaved: &'a Unsaved,
    stopped: AtomicBool,
    waker: &'a Sender<Wake>,
}

impl Workers<'_> {
    /// Evaluates one agent and tells what came of it.
    fn serve(&self, job: Job) {
        let source = intake::reread(&job.drop, &job.head.sha256, self.mill.pipeline.validate.max_bytes);
        let finished = match source {
            Some(source) if !self.stopped.load(Ordering::SeqCst) => {
                let (brief, end) = self.evaluate(source, &job);
                Wake::Finished(Box::new(brief), Some(end))
            }
            _ => Wake::Finished(Box::new(job.head), None),
        };
        let _ = self.waker.send(finished);
    }

    /// Evaluates one agent on what its report does not hold yet, and writes the report.
    fn evaluate(&self, source: Vec<u8>, job: &Job) -> (Brief, End) {
        let Mill { pipeline, sandbox, events, .. } = self.mill;
        let remembered = publish::load_report(&pipeline.results, &job.head.miner);
        let remembered = remembered.filter(|report| !job.force && report.sha256 == job.head.sha256);
        let report = job.head.report(remembered.map_or_else(Vec::new, |report| report.runs));
        let (report, end) = evaluate::evaluate(source, report, self.course, sandbox, events);
        self.unsaved.save(&pipeline.results, &report);
        (Brief::of(&report, &self.course.plan), end)
    }
}

/// One pass in progress.
struct Pass<'a> {
    mill: Mill<'a>,
    desk: Desk<'a>,
    course: &'a Course<'a>,
    image: &'a str,
    unsaved: &'a Unsaved,
    publisher: Publisher<'a>,
    published: Option<(Instant, Duration)>,
    announced: Option<String>,
    /// When the inbox was looked at last, and how long that took.
    scanned: Option<(Instant, Duration)>,
    /// Whether it has to be looked at again.
    knocked: bool,
    /// Whether an evaluation ended since, in a pass that nobody tells of changes.
    outdated: bool,
    /// When an evaluation came back last.
    idle_since: Instant,
    /// Files that were closed or moved there since.
    closed: HashSet<PathBuf>,
    changed: bool,
    /// Whether an evaluation came back.
    evaluated: bool,
    checked: bool,
    /// What is wrong with the inbox.
    unreadable: Trouble,
    /// What is wrong with the results.
    unwritable: Trouble,
    ending: Option<Ending>,
    begun: Instant,
}

/// Something wrong that may pass: told once, not as often as it is met.
#[derive(Default)]
struct Trouble(Option<String>);

impl Trouble {
    fn is_now(&mut self, error: Option<anyhow::Error>, events: &Events) {
        let before = std::mem::replace(&mut self.0, error.map(|error| format!("{error:#}")));
        if let Some(trouble) = self.0.as_ref().filter(|_| self.0 != before) {
            events.send(Event::Warning(trouble.clone()));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Reload,
    Stop,
}

impl<'a> Pass<'a> {
    fn new(mill: Mill<'a>, course: &'a Course<'a>, image: &'a str, unsaved: &'a Unsaved) -> Self {
        Self {
            mill,
            desk: Desk::new(mill.pipeline, course, mill.force),
            course,
            image,
            unsaved,
            publisher: Publisher::new(&mill.pipeline.results),
            published: None,
            announced: None,
            scanned: None,
            knocked: false,
            outdated: false,
            idle_since: Instant::now(),
            closed: HashSet::new(),
            changed: true, // what an earlier agentmill published may no longer be so
            evaluated: false,
            checked: false,
            unreadable: Trouble::default(),
            unwritable: Trouble::default(),
            ending: None,
            begun: Instant::now(),
        }
    }

    fn work<'s>(
        &mut self,
        scope: &ScopeFifo<'s>,
        workers: &'s Workers<'s>,
        wakes: &Receiver<Wake>,
    ) -> anyhow::Result<()> {
        self.scan()?;
        if self.mill.stay {
            // Whoever drops first then finds a judge that knows the tasks, and a cell.
            workers.course.announce(1, self.mill.sandbox);
            self.check_tasks()?;
        }
        loop {
            if self.ending.is_none() {
                self.start(scope, workers)?;
            }
            if self.desk.is_idle() && (self.ending.is_some() || !self.mill.stay && self.is_through()) {
                return Ok(());
            }
            if self.outdated && self.desk.is_idle() {
                self.scan_again();
                continue;
            }
            self.publish_if_due();
            if self.knocked && self.until_scan().is_zero() {
                self.scan_again();
                continue;
            }
            match wakes.recv_timeout(self.patience()) {
                Ok(Wake::Finished(brief, end)) => self.finished(*brief, end),
                Ok(Wake::Stop) => self.stop(workers),
                Ok(Wake::Reload) => self.reload(workers),
                Ok(Wake::Inbox(finished)) => {
                    self.knocked = true;
                    self.closed.extend(finished);
                }
                Err(RecvTimeoutError::Timeout) => self.scan_again(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Whether a pass that does not stay may end: what it evaluated still lies in the inbox, and nothing there is about
    /// to become something else. Who never stops writing is not waited for.
    fn is_through(&self) -> bool {
        !self.outdated && (!self.desk.is_unsettled() || self.idle_since.elapsed() > RESTLESS)
    }

    fn scan(&mut self) -> anyhow::Result<()> {
        let (start, inbox) = (Instant::now(), &self.mill.pipeline.inbox);
        (self.knocked, self.outdated) = (false, false);
        let closed = std::mem::take(&mut self.closed);
        let changed = self
            .desk
            .scan(&closed)
            .with_context(|| format!("the inbox {} can't be read", inbox.display()))?;
        self.changed |= changed;
        self.scanned = Some((Instant::now(), start.elapsed()));
        Ok(())
    }

    /// The inbox was there at first; that it is not for a while is no reason to end.
    fn scan_again(&mut self) {
        let trouble = self.scan().err();
        self.unreadable.is_now(trouble, self.mill.events);
    }

    fn start<'s>(&mut self, scope: &ScopeFifo<'s>, workers: &'s Workers<'s>) -> anyhow::Result<()> {
        let jobs = self.desk.due();
        if jobs.is_empty() {
            return Ok(());
        }
        // Cells start while a judge learns the tasks.
        workers.course.announce(jobs.len(), self.mill.sandbox);
        self.check_tasks()?;
        self.mill.events.send(Event::Due { agents: jobs.len() });
        for job in jobs {
            scope.spawn_fifo(move |_| workers.serve(job));
        }
        Ok(())
    }

    /// Before the first agent runs, and only then: with nothing to evaluate, no container is started.
    fn check_tasks(&mut self) -> anyhow::Result<()> {
        if !self.checked {
            Problems::check(self.mill.sandbox.check(self.mill.tasks)?)?;
            self.checked = true;
        }
        Ok(())
    }

    fn finished(&mut self, brief: Brief, end: Option<End>) {
        self.mill.events.send(Event::Finished { miner: brief.miner.clone() });
        self.desk.finished(brief, end);
        (self.changed, self.evaluated) = (true, true);
        (self.outdated, self.idle_since) = (!self.mill.stay, Instant::now());
        if end.is_none() && self.ending.is_none() {
            // Changed or withdrawn: the next scan, soon, tells which.
            self.scan_again();
        }
    }

    /// What runs is finished; what waits is left to the pass that comes next.
    fn reload(&mut self, workers: &Workers<'_>) {
        self.ending = self.ending.or(Some(Ending::Reload));
        workers.stopped.store(true, Ordering::SeqCst);
    }

    fn stop(&mut self, workers: &Workers<'_>) {
        self.ending = Some(Ending::Stop);
        workers.stopped.store(true, Ordering::SeqCst);
        self.mill.sandbox.stop();
    }

    /// How long to wait for the next wake.
    fn patience(&self) -> Duration {
        let rescan = if self.desk.is_unsettled() { intake::SETTLE } else { RESCAN };
        let rescan = if self.knocked { rescan.min(self.until_scan()) } else { rescan };
        if self.changed { rescan.min(self.until_publish()) } else { rescan }
    }

    fn until_scan(&self) -> Duration {
        let next = |(at, took): (Instant, Duration)| (took * SCAN_SHARE).saturating_sub(at.elapsed());
        self.scanned.map_or(Duration::ZERO, next)
    }

    fn until_publish(&self) -> Duration {
        let next =
            |(at, took): (Instant, Duration)| (took * self.publish_share()).saturating_sub(at.elapsed());
        self.published.map_or(Duration::ZERO, next)
    }

    fn publish_share(&self) -> u32 {
        if self.mill.stay { PUBLISH_SHARE_OF_WATCH } else { PUBLISH_SHARE }
    }

    fn publish_if_due(&mut self) {
        // Whoever is just handing in must not miss from the first ranking; but nobody can hold it up for long.
        let early = self.desk.is_unsettled() && self.begun.elapsed() < intake::SETTLE * 10;
        if self.changed && !early && self.until_publish().is_zero() {
            let trouble = self.publish().err();
            if trouble.is_some() {
                self.published = Some((Instant::now(), RETRY / self.publish_share()));
            }
            self.unwritable.is_now(trouble, self.mill.events);
        }
    }

    fn publish(&mut self) -> anyhow::Result<Summary> {
        let start = Instant::now();
        let Pipeline { results, rewards, sha256, .. } = self.mill.pipeline;
        let (agents, pending, rejected) = (self.desk.complete(), self.desk.pending(), self.desk.rejections());
        let rows = score::rank(&agents, &self.course.plan, rewards);
        let published = Published {
            rows: &rows,
            agents: &agents,
            pending: &pending,
            rejections: &rejected,
            generated_at: desk::now(),
            image: self.image,
            pipeline_sha256: sha256,
            token: &rewards.token,
            plan: &self.course.plan,
            live: self.mill.stay || !pending.is_empty(),
        };
        // One report that can't be written keeps nothing else from being published, and is told all the same.
        let saved = self.unsaved.retry(results);
        let written = self.publisher.publish(&published, self.evaluated).and(saved);
        written.with_context(|| format!("the results can't be written to {}", results.display()))?;
        debug!(agents = rows.len(), took_ms = start.elapsed().as_millis() as u64, "results published");
        self.published = Some((start, start.elapsed()));
        self.changed = false;
        let stopped = self.ending == Some(Ending::Stop);
        // Who stays looks again.
        let unsettled = self.desk.is_unsettled() && !self.mill.stay;
        let summary = Summary { rows, rejected, pending: pending.len(), unsettled, stopped };
        self.announce(summary.lines(self.mill.pipeline));
        Ok(summary)
    }

    /// Tells of the ranking whenever nothing is left to do, unless nothing in it changed.
    fn announce(&mut self, ranking: String) {
        if self.desk.is_idle() && self.announced.as_ref() != Some(&ranking) {
            self.mill.events.send(Event::Ranking(ranking.clone()));
            self.announced = Some(ranking);
        }
    }
}
