//! The loop of a pass: from the inbox to the results, until nothing is left to do.

mod acceptance;
mod board_before;
mod publishing;
mod solutions;
mod trouble;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rayon::{ScopeFifo, ThreadPoolBuilder};

use crate::config::Pipeline;
use crate::pipeline::announcer::Announcer;
use crate::pipeline::basis::Basis;
use crate::pipeline::image_memory::KnownImage;
use crate::pipeline::ledger::{Ledger, last_look};
use crate::pipeline::near_copies::NearCopies;
use crate::pipeline::on_change::Teller;
use crate::pipeline::pass::board_before::BoardBefore;
use crate::pipeline::pass::trouble::Trouble;
use crate::pipeline::preview;
use crate::pipeline::publish::Publisher;
use crate::pipeline::report_store::{PendingReportWrites, Unwritable};
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::schedule::{Schedule, Situation, Step};
use crate::pipeline::submissions::SubmissionTable;
use crate::pipeline::workers::Workers;
use crate::pipeline::{Finished, PassContext, Summary, Wake, archive, publish, run_memory, submissions};
use crate::sandbox::{Fault, Sandbox};
use crate::ui::Event;
use crate::util::panics;
use crate::yaml::{self, Problems};

/// How far a clock may be set back that nobody needs to be told.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

impl PassContext<'_> {
    /// Evaluates what is due, and what is dropped meanwhile, until nothing is left or `wakes` ends it.
    ///
    /// # Errors
    /// The ledger of first sights can't be read ([`Problems`]), there is no engine or no image ([`Fault`]), the results can't be
    /// written ([`Unwritable`]), or the inbox can't be read.
    pub fn run_pass(&self, waker: &Sender<Wake>, wakes: &Receiver<Wake>) -> anyhow::Result<Summary> {
        self.sandbox.sweep();
        let pending_writes = PendingReportWrites::new(self.pipeline.season.is_some());
        let halted = AtomicBool::new(false);
        let Pipeline { records, similarity, .. } = self.pipeline;
        let (ledger, warning) = Ledger::open_deciding(records, &similarity.originals)?;
        let ledger = if self.pipeline.is_preview() { ledger.unwritable() } else { ledger };
        for warning in warning.into_iter().chain(self.ahead_of_clock(submissions::now())) {
            self.events.send(Event::Warning(warning));
        }
        let mut pass = Pass::new(*self, &pending_writes, &halted, waker, wakes, ledger);
        pass.must_be_accepted(false)?;
        if pass.known.image.is_empty() {
            // Which modules there are decides who is refused; who was first is noted without them.
            if let Err(error) = pass.prepare() {
                pass.list()?;
                return Err(error);
            }
        }
        pass.list()?;
        pass.take_preview()?;
        self.scope.check_agents(pass.submissions.miners(), &self.pipeline.inbox)?;
        if pass.needs_engine() {
            pass.prepare()?;
            pass.evaluate()?;
            if !self.stay {
                self.sandbox.rest();
            }
        }
        pass.recall_solutions();
        pass.publish()
    }

    /// A warning where the last look at the inbox is to come yet, by the clock: in a season all that is dropped would be late, and
    /// nobody would know why.
    fn ahead_of_clock(&self, now: Timestamp) -> Option<String> {
        let looked = self.pipeline.season.as_ref().and_then(|_| last_look(&self.pipeline.records));
        let looked = looked.filter(|looked| looked.duration_since(now) > AHEAD)?;
        Some(format!(
            "it is {now} by the clock, and the last look at the inbox was at {looked}: what is dropped counts from then on. If \
             the clock was wrong at that time, stop agentmill and remove results/.looked"
        ))
    }

    /// The image that was used last, and the engine; empty if none is known. They are taken to be what they were as long as nothing
    /// is due: to look into an inbox where nothing has changed takes no engine.
    fn last(&self) -> (String, String) {
        let last = publish::json::Last::read(&self.pipeline.results).filter(|_| !self.force);
        last.map_or_else(Default::default, |last| (last.image, last.engine))
    }
}

/// One pass in progress.
struct Pass<'a> {
    context: PassContext<'a>,
    waker: &'a Sender<Wake>,
    wakes: &'a Receiver<Wake>,
    /// The id that the plan was made by.
    image: String,
    /// The image by whose modules submissions are checked.
    known: KnownImage,
    /// The engine that was used last.
    last_engine: String,
    submissions: SubmissionTable<'a>,
    basis: Basis,
    /// The basis that nothing may differ from before it is accepted.
    held_to: Option<Basis>,
    schedule: Schedule,
    board_before: BoardBefore,
    publisher: Publisher<'a>,
    near_copies: NearCopies<'a>,
    pending_writes: &'a PendingReportWrites,
    announcer: Announcer,
    teller: Option<Teller>,
    tasks: Tasks,
    /// Reference solutions that do not score 100; None as long as they were not told.
    refuted: Option<BTreeSet<String>>,
    /// Faults of the inbox.
    unreadable: Trouble,
    /// Faults of the results folder.
    unwritable: Trouble,
    /// Ranked agents that could not be scored anew.
    unscored: Trouble,
    /// Bytes of whom it can't be told who had them first.
    undecided: Trouble,
    /// True once no further evaluation is to begin.
    halted: &'a AtomicBool,
    ending: Option<Ending>,
}

/// A request to end before nothing is left to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Reload,
    Stop,
}

/// The tasks' Python is checked before the first agent runs, and only then: with nothing to evaluate, no container is
/// started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tasks {
    Unchecked,
    Checked,
}

/// Wakes the pass when it goes out of scope, as it does when its thread panics, too.
struct Bell(Sender<Wake>);

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.0.send(Wake::Prepared);
    }
}

impl<'a> Pass<'a> {
    fn new(
        context: PassContext<'a>,
        pending_writes: &'a PendingReportWrites,
        halted: &'a AtomicBool,
        waker: &'a Sender<Wake>,
        wakes: &'a Receiver<Wake>,
        ledger: Ledger,
    ) -> Self {
        let PassContext { pipeline, tasks, scope, force, stay, .. } = context;
        let (image, last_engine) = context.last();
        let plan = EvaluationPlan::new(pipeline, tasks, &image).within(scope);
        let known = KnownImage::read(&pipeline.results);
        let library = known.library.clone();
        let basis = Basis::of(&plan, pipeline);
        Self {
            context,
            waker,
            wakes,
            image,
            known,
            last_engine,
            submissions: SubmissionTable::new(pipeline, library, plan, scope, force, pending_writes, ledger),
            basis,
            held_to: preview::held_to(pipeline),
            schedule: Schedule::new(stay, Instant::now()),
            board_before: BoardBefore::default(),
            publisher: Publisher::new(&pipeline.results),
            near_copies: NearCopies::new(&pipeline.similarity, tasks, |sha256| {
                archive::read(&pipeline.records, sha256)
            }),
            pending_writes,
            announcer: Announcer::default(),
            teller: Teller::new(pipeline, context.events),
            tasks: Tasks::Unchecked,
            refuted: None,
            unreadable: Trouble::default(),
            unwritable: Trouble::default(),
            unscored: Trouble::default(),
            undecided: Trouble::default(),
            halted,
            ending: None,
        }
    }

    /// An inbox in which everything is done by the image that was used last needs none.
    fn needs_engine(&self) -> bool {
        self.context.stay || self.image.is_empty() || !self.submissions.is_done()
    }

    /// Gets the image, and decides by it what is done. Without an engine to ask it is taken to be what it was: a pass
    /// with something to evaluate fails when it starts to.
    fn prepare(&mut self) -> anyhow::Result<()> {
        let image = match self.aside(|sandbox| sandbox.image()) {
            Some(Ok(image)) => image,
            Some(Err(Fault::Engine(_))) if !self.image.is_empty() => return Ok(()),
            Some(Err(fault)) => return Err(fault).context("agents can't be run"),
            None => return Ok(()),
        };
        if image != self.image {
            self.image = image;
            self.replan();
        }
        self.must_be_accepted(true)?;
        self.learn_library()
    }

    /// Decides anew what is done.
    fn replan(&mut self) {
        let PassContext { pipeline, tasks, scope, .. } = self.context;
        let plan = EvaluationPlan::new(pipeline, tasks, &self.image).within(scope);
        self.basis = Basis::of(&plan, pipeline);
        self.submissions.replan(plan);
    }

    /// Asks the image for its modules, if it is another one than submissions were checked by. What was refused or taken by those of
    /// the other one is looked at again.
    fn learn_library(&mut self) -> anyhow::Result<()> {
        if self.known.image == self.image {
            return Ok(());
        }
        let Some(library) = self.aside(|sandbox| sandbox.library()) else { return Ok(()) };
        let library = library.context("the image does not tell its modules")?;
        self.known = KnownImage { image: self.image.clone(), library };
        let results = &self.context.pipeline.results;
        self.known
            .keep(results)
            .with_context(|| Unwritable("the image's modules can't be kept".to_owned()))?;
        self.submissions.learn(self.known.library.clone());
        if self.submissions.look_at_touched() {
            self.schedule.changed();
        }
        Ok(())
    }

    /// Has the sandbox do something that may take long, and listens meanwhile; None if the pass is to end.
    fn aside<T: Send>(
        &mut self,
        work: impl FnOnce(&dyn Sandbox) -> Result<T, Fault> + Send,
    ) -> Option<Result<T, Fault>> {
        let (sandbox, bell) = (self.context.sandbox, Bell(self.waker.clone()));
        let result = thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let _bell = bell;
                work(sandbox)
            });
            while let Ok(wake) = self.wakes.recv() {
                match wake {
                    Wake::Prepared => break,
                    wake => self.take(wake),
                }
                if self.ending.is_some() {
                    // Nothing else runs yet, and what is being made ready is for nobody.
                    sandbox.stop();
                }
            }
            worker.join()
        });
        let result = result.unwrap_or_else(|panic| Err(Fault::Engine(panics::message(panic.as_ref()))));
        self.ending.is_none().then_some(result)
    }

    fn evaluate(&mut self) -> anyhow::Result<()> {
        let workers = Workers {
            context: self.context,
            plan: Arc::clone(self.submissions.plan()),
            pending_writes: self.pending_writes,
            halted: self.halted,
            waker: self.waker,
            told: Mutex::default(),
        };
        let pool = ThreadPoolBuilder::new().num_threads(self.context.pipeline.parallel.get()).build()?;
        pool.in_place_scope_fifo(|scope| {
            let result = self.work(scope, &workers);
            self.halted.store(true, Ordering::SeqCst);
            result
        })
    }

    fn work<'s>(&mut self, scope: &ScopeFifo<'s>, workers: &'s Workers<'s>) -> anyhow::Result<()> {
        if self.context.stay && self.ending.is_none() {
            // Warm up: teach one judge the tasks and start one cell, so that the first submission need not wait.
            workers.plan.announce(1, self.context.sandbox);
            self.check_tasks()?;
        }
        loop {
            self.start(scope, workers)?;
            if self.is_through() {
                return Ok(());
            }
            match self.schedule.step(Instant::now(), self.situation()) {
                Step::List => self.list_again(),
                Step::Look => self.look(),
                Step::Publish => self.publish_in_between(),
                Step::Wait(patience) => match self.wakes.recv_timeout(patience) {
                    Ok(wake) => self.take_all(wake),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                },
            }
        }
    }

    fn situation(&self) -> Situation {
        Situation { idle: self.submissions.is_idle(), unsettled: self.submissions.is_unsettled() }
    }

    fn is_through(&self) -> bool {
        let idle = self.submissions.is_idle();
        let done = || !self.context.stay && self.schedule.is_through(Instant::now(), self.situation());
        idle && (self.ending.is_some() || done())
    }

    /// Queues what is due.
    fn start<'s>(&mut self, scope: &ScopeFifo<'s>, workers: &'s Workers<'s>) -> anyhow::Result<()> {
        let agents = self.submissions.due();
        if agents == 0 || self.ending.is_some() {
            return Ok(());
        }
        // Cells start while a judge learns the tasks.
        workers.plan.announce(agents, self.context.sandbox);
        self.check_tasks()?;
        if self.ending.is_none() {
            // Only the reasons for the next runs are lost where it can't be written.
            let _ = run_memory::remember(&self.context.pipeline.results, self.submissions.plan());
            self.context.events.send(Event::Due { agents });
            // The board waits for what is on it, however much else its miner has handed in.
            let (board, results) = (&mut self.board_before, &self.context.pipeline.results);
            let jobs = self.submissions.take_due(|agent| board.waits_for(agent, results));
            jobs.into_iter().for_each(|job| workers.queue(job, scope));
        }
        Ok(())
    }

    fn check_tasks(&mut self) -> anyhow::Result<()> {
        let tasks = self.context.tasks;
        if self.tasks == Tasks::Unchecked
            && let Some(checked) = self.aside(|sandbox| sandbox.check(tasks))
        {
            let checked = checked?;
            Problems::check(checked.refused)?;
            for fault in yaml::told(&checked.faulty) {
                self.context.events.send(Event::Warning(format!("task_fault, counts for nobody: {fault}")));
            }
            self.tasks = Tasks::Checked;
            let sound = self.context.when_sound.take();
            sound.into_iter().for_each(|line| self.context.events.send(Event::Warning(line.to_owned())));
            self.prove_solutions();
        }
        Ok(())
    }

    /// Takes a wake and all that have come behind it, then looks at the files that they name.
    fn take_all(&mut self, first: Wake) {
        self.take(first);
        while let Ok(wake) = self.wakes.try_recv() {
            self.take(wake);
        }
        if self.ending.is_none() && self.submissions.look_at_touched() {
            self.schedule.changed();
        }
    }

    fn take(&mut self, wake: Wake) {
        match wake {
            Wake::Inbox(change) => {
                if !self.submissions.touch(&change) {
                    self.schedule.request_rescan();
                }
            }
            Wake::Finished(finished) => self.finished(finished),
            Wake::Reload => self.end(Ending::Reload),
            Wake::Stop => {
                self.end(Ending::Stop);
                self.teller.take().into_iter().for_each(Teller::stop);
                self.context.sandbox.stop();
            }
            Wake::Prepared => {}
        }
    }

    fn finished(&mut self, finished: Finished) {
        self.context.events.send(Event::Finished { miner: finished.miner().clone() });
        self.schedule.finished(Instant::now());
        if let Finished::FileChanged(miner) = &finished {
            self.board_before.has_changed(miner);
        }
        self.submissions.finished(finished);
    }

    /// Lets finish what runs. What waits is left to the pass that comes next.
    fn end(&mut self, ending: Ending) {
        if self.ending != Some(Ending::Stop) {
            self.ending = Some(ending);
        }
        self.halted.store(true, Ordering::SeqCst);
    }

    fn list(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let listed = self.submissions.list();
        self.schedule.listed(began, Instant::now());
        if listed? {
            self.schedule.changed();
        }
        Ok(())
    }

    /// The inbox was there at first; that it is not for a while is no reason to end.
    fn list_again(&mut self) {
        let trouble = self.list().err();
        self.unreadable.is_now(trouble, self.context.events);
        if self.context.stay && self.ending.is_none() && self.submissions.is_idle() {
            // The engine or the provider may be back by now.
            self.submissions.try_again(self.board_before.take_due_again(Instant::now()));
        }
    }

    /// Looks at the files that did not stand still.
    fn look(&mut self) {
        if self.submissions.look_at_unsettled() {
            self.schedule.changed();
        }
        self.schedule.looked(Instant::now());
    }

    fn publish_in_between(&mut self) {
        let trouble = self.publish().err();
        if trouble.is_some() {
            self.schedule.publish_failed(Instant::now());
        }
        self.unwritable.is_now(trouble, self.context.events);
    }
}
