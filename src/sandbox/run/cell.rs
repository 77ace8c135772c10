//! The host's end of a cell: one container, one agent, its runs one after the other. How each ends is decided here: by a
//! claim, a timeout, a crash or for want of memory.

pub mod batch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::gateway::{Access, Connections, Environment};
use crate::model::claims::Reply;
use crate::model::report::{Usage, Verdict};
use crate::sandbox::channel::frame::Frame;
use crate::sandbox::channel::{Received, Side};
use crate::sandbox::containers::death_log::{Death, DeathLog};
use crate::sandbox::containers::running::RunningContainer;
use crate::sandbox::guest::frames::{FromCell, ToCell};
use crate::sandbox::run::cell_connections::CellConnections;
use crate::sandbox::run::cell_files;
use crate::sandbox::run::cell_messages::{Answer, Briefing, Compiled, Exited, Spending, read, settings};
use crate::sandbox::run::judge::Request;
use crate::sandbox::run::run_clock::{CpuAccount, RunClock};
use crate::sandbox::{Fault, Refusal};
use crate::task::{Folder, Task};

/// How long the supervisor, which is ours, may take to end a run. Past it the container is removed instead.
const GRACE: Duration = Duration::from_secs(5);

/// How long compiling a source may take on a machine that is busy; its CPU time is bounded in the cell.
const COMPILE: Duration = Duration::from_secs(30);

/// How long the CPU time of a run that may ask a model goes unlooked at.
const SLICE: Duration = Duration::from_millis(500);

/// The code of a process that was killed by SIGKILL, as the kernel kills for want of memory.
const SIGKILL: i32 = -9;

/// A started container whose supervisor said *ready*.
#[derive(Debug)]
pub struct LiveCell {
    container: RunningContainer,
    state: State,
    /// The number of the run that was begun last.
    run: u32,
    clock: RunClock,
    /// CPU time that it took to load the agent, as long as no run has paid for it.
    loading: Duration,
    /// The same, as the run that was begun last has.
    billed: Duration,
    /// The payload that began the run, but for its number: what the agent is told, and the limits.
    begun: Option<(Briefing, Limits)>,
    /// Usage of the run until a test of it was ended for its time.
    earlier: Spending,
    /// Frames that came while another one was waited for.
    heard: VecDeque<Frame>,
    /// The way to a model, and the variables by which the agent finds it; None where none is granted.
    connections: Option<(Arc<Connections>, Environment)>,
    /// Digest of the folder that it was given.
    folder: Option<String>,
    /// State of the agent's import, as far as answers tell.
    import: Import,
}

/// The import of the agent by the process that answers calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Import {
    /// It is due with the first call, which has not come.
    #[default]
    Due,
    /// A call waits, and none has been answered.
    Awaited,
    /// A call has been answered since.
    Made,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Fit for runs.
    Fit,
    /// Works, but this run is its last: something of it is no longer as a new cell has it.
    Spent,
    /// Ended, or no longer answering, with what that means for the run it happened in.
    Lost(Verdict),
}

impl LiveCell {
    /// Takes over a container that said *ready*.
    pub fn new(container: RunningContainer, limits: &Limits) -> Self {
        let (state, clock) = (State::Fit, RunClock::new(limits));
        let (loading, billed) = (Duration::ZERO, Duration::ZERO);
        let (begun, earlier) = (None, Spending::default());
        Self {
            container,
            state,
            run: 0,
            clock,
            loading,
            billed,
            begun,
            earlier,
            heard: VecDeque::new(),
            connections: None,
            folder: None,
            import: Import::Due,
        }
    }

    /// The container, for whoever looks at it.
    pub fn container(&self) -> &RunningContainer {
        &self.container
    }

    /// The container, for whoever ends it.
    pub fn into_container(self) -> RunningContainer {
        self.container
    }

    /// Tells whether another run may take place in it.
    pub fn is_fit(&self) -> bool {
        self.state == State::Fit
    }

    /// Tells whether it has ended or answers no longer.
    pub fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost(_))
    }

    /// Sends the agent's source, once. Compiling it may take as much CPU time as a run may take.
    ///
    /// # Errors
    /// The engine failed. That Python refuses the source, or does not survive it, is a [`Refusal`].
    pub fn load(
        &mut self,
        source: &[u8],
        limits: &Limits,
        deaths: &DeathLog,
    ) -> Result<Option<Refusal>, Fault> {
        let seconds = limits.timeout.min(COMPILE).as_secs_f64().ceil() as u32;
        self.container.channel.send(ToCell::Load, &[&seconds.to_be_bytes(), source].concat());
        let refused = |message: &str| Ok(Some(Refusal { line: None, message: message.into() }));
        match self.container.channel.receive(Instant::now() + COMPILE) {
            Received::Frame(frame) if frame.kind == u8::from(FromCell::Loaded) => {
                let compiled = read::<Compiled>(&frame.payload)?;
                self.loading = Duration::from_millis(compiled.cpu_ms);
                Ok(compiled.refusal())
            }
            Received::Late if deaths.is_there() => refused("compiling it takes too long"),
            Received::Late => Err(self.engine_failed()),
            _ => match deaths.death(&self.container.name) {
                Death::EngineFailed => Err(self.engine_failed()),
                _ => refused("Python's compiler does not survive it"),
            },
        }
    }

    /// Tells whether runs that find this folder may take place in it. A folder is given to a cell before its first run.
    pub fn suits(&self, folder: Option<&Folder>) -> bool {
        let wanted = folder.map(|folder| &folder.sha256);
        self.folder.as_ref() == wanted || (self.folder.is_none() && self.run == 0)
    }

    /// Gives it the folder that its runs are to find, unless it has it.
    ///
    /// # Errors
    /// A file of it has changed, or the cell does not take it: then it is of no more use.
    pub fn place(&mut self, folder: Option<&Folder>) -> Result<(), Fault> {
        let Some(folder) = folder.filter(|_| self.folder.is_none()) else { return Ok(()) };
        cell_files::place(&mut self.container.channel, folder)?;
        self.folder = Some(folder.sha256.clone());
        Ok(())
    }

    /// Lets the next run, within these limits, ask a model; without an access it asks nobody.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn grant(&mut self, access: Option<&Access>, limits: &Limits) -> Result<(), Fault> {
        let connections = access.map(Access::connections).transpose();
        let connections =
            connections.map_err(|error| Fault::Engine(format!("no way to a model: {error}")))?;
        let side =
            connections.clone().map(|connections| Box::new(CellConnections(connections)) as Box<dyn Side>);
        self.container.channel.set_side(side);
        self.connections = connections.zip(access.map(|access| access.environment(limits)));
        Ok(())
    }

    // -- one run, call by call --

    /// Begins a run: fresh processes, a fresh budget of time.
    pub fn begin(&mut self, task: &Task, limits: &Limits) {
        self.begin_clock(limits);
        let briefing = Briefing::of(task);
        let settings = settings(self.run, &briefing, limits, self.environment());
        self.begun = Some((briefing, *limits));
        self.earlier = Spending::default();
        self.container.channel.send(ToCell::Begin, &settings);
    }

    /// Begins a test, which may have a limit of its own.
    pub fn enter_test(&mut self, limit: Option<Duration>) {
        self.clock.enter_test(limit);
    }

    /// Puts a request of the judge to the agent. The clock runs only here, while it is the agent's turn.
    ///
    /// # Errors
    /// The engine failed.
    pub fn ask(&mut self, request: &Request, deaths: &DeathLog) -> Result<Reply, Fault> {
        if let Some(reply) = self.ended_before() {
            return Ok(reply);
        }
        self.container.channel.send(request.kind, &request.payload);
        self.turn_to(request.kind);
        self.reply(deaths)
    }

    /// Ends the run and tells what it used.
    pub fn finish(&mut self) -> (Usage, String) {
        let spending = if self.is_lost() { Spending::default() } else { self.end_run(ToCell::End, b"").0 };
        let spending = std::mem::take(&mut self.earlier).and(spending);
        (self.usage(&spending), spending.stderr)
    }

    // -- what both share --

    fn begin_clock(&mut self, limits: &Limits) {
        self.run = self.run.wrapping_add(1);
        (self.clock, self.import) = (RunClock::new(limits), Import::Due);
        self.billed = std::mem::take(&mut self.loading);
        self.clock.spend(self.billed);
    }

    /// The reply to every request after the end of the cell, or of the run's time.
    fn ended_before(&self) -> Option<Reply> {
        match self.state {
            State::Lost(verdict) => {
                Some(Reply::Ended(verdict, "not asked, as its cell had ended before".into()))
            }
            _ if self.clock.is_over() => Some(Reply::Ended(Verdict::Timeout, self.clock.reason_after())),
            _ => self.clock.test_over().map(|reason| Reply::Ended(Verdict::Timeout, reason)),
        }
    }

    /// Notes what the agent is asked.
    fn turn_to(&mut self, kind: ToCell) {
        if self.import != Import::Made {
            self.import = if kind == ToCell::Call { Import::Awaited } else { Import::Due };
        }
    }

    /// The reason of a timeout, which may be the import's where nothing was answered after it.
    fn late(&self, reason: String) -> Reply {
        let of_import =
            if self.import == Import::Awaited { " by importing the agent, or by the first call" } else { "" };
        Reply::Ended(Verdict::Timeout, reason + of_import)
    }

    fn reply(&mut self, deaths: &DeathLog) -> Result<Reply, Fault> {
        let received = self.receive();
        if let Some(reason) = self.connections.as_ref().and_then(|(connections, _)| connections.fault()) {
            return Err(Fault::Provider(reason.to_owned()));
        }
        match received {
            Received::Late => match self.clock.test_over() {
                Some(reason) => {
                    let reply = self.late(reason);
                    self.leave_test(deaths).map(|()| reply)
                }
                None => self.abandon(deaths).map(|_| self.timed_out()),
            },
            received => self.read_reply(received, deaths),
        }
    }

    /// Ends what runs, if anything does, as a new judge knows nothing of what it has shown; the run goes on as after a test's end.
    pub fn renew(&mut self, deaths: &DeathLog) -> Result<(), Fault> {
        if self.ended_before().is_some() { Ok(()) } else { self.leave_test(deaths) }
    }

    /// Ends what runs, with the time of a test used up; the run goes on in new processes with the time that is left.
    fn leave_test(&mut self, deaths: &DeathLog) -> Result<(), Fault> {
        let (spending, _) = self.kill_run(deaths)?;
        self.import = Import::Due;
        self.earlier = std::mem::take(&mut self.earlier).and(spending);
        self.run = self.run.wrapping_add(1);
        if let Some((briefing, limits)) = &self.begun {
            let settings = settings(self.run, briefing, limits, self.environment());
            self.container.channel.send(ToCell::Begin, &settings);
        }
        Ok(())
    }

    fn read_reply(&mut self, received: Received, deaths: &DeathLog) -> Result<Reply, Fault> {
        let Received::Frame(frame) = received else { return self.lost(deaths) };
        match Answer::of(frame, self.begun.as_ref().map(|(_, limits)| limits)) {
            Ok(Answer::Reply(reply)) => {
                if matches!(reply, Reply::Claim(_)) {
                    self.import = Import::Made;
                }
                Ok(reply)
            }
            Ok(Answer::Exited(exited)) => Ok(self.exited(&exited, deaths)),
            // Our own code writes no such thing. Whoever got at its pipes bears it: were it a fault, an agent that
            // finds a way there could stay unscored at will.
            Err(_) => {
                self.state = State::Lost(Verdict::Crashed);
                Ok(Reply::Ended(Verdict::Crashed, "its cell answered with nonsense".into()))
            }
        }
    }

    /// The next frame, as long as the run has time.
    fn receive(&mut self) -> Received {
        loop {
            if let Some(frame) = self.heard.pop_front() {
                return Received::Frame(frame);
            }
            let (start, waited) = (Instant::now(), self.waited());
            let patience =
                if self.connections.is_some() { self.clock.left().min(SLICE) } else { self.clock.left() };
            let received = self.container.channel.receive(start + patience);
            self.clock.spend(start.elapsed().saturating_sub(self.waited() - waited));
            if !matches!(received, Received::Late) || !self.goes_on(waited) {
                return received;
            }
        }
    }

    /// The variables by which the agent finds its way to a model.
    fn environment(&self) -> Option<&Environment> {
        self.connections.as_ref().map(|(_, environment)| environment)
    }

    /// Time that models have taken for answers in this run, which is not the agent's.
    fn waited(&self) -> Duration {
        self.connections.as_ref().map_or(Duration::ZERO, |(connections, _)| connections.waited())
    }

    /// Tells whether the run goes on after a time in which nothing came: it has time left or is owed some. Before that time
    /// models had taken as long as `waited`; what the agent does meanwhile is bounded by CPU time.
    fn goes_on(&mut self, waited: Duration) -> bool {
        if self.connections.as_ref().is_some_and(|(connections, _)| connections.fault().is_some()) {
            return false;
        }
        if self.clock.left().is_zero() {
            return self.weigh().is_some_and(|owed| self.clock.extend(owed)) || !self.heard.is_empty();
        }
        self.waited() == waited
            || self.weigh().is_none_or(|account| self.clock.affords(account))
            || !self.heard.is_empty()
    }

    /// The supervisor's account of what the run has had of the machine; None if it does not answer.
    fn weigh(&mut self) -> Option<CpuAccount> {
        self.container.channel.send(ToCell::Weigh, b"");
        let deadline = Instant::now() + GRACE;
        loop {
            match self.container.channel.receive(deadline) {
                Received::Frame(frame) if frame.kind == u8::from(FromCell::Account) => {
                    return Some(serde_json::from_slice(&frame.payload).unwrap_or_default());
                }
                Received::Frame(frame) => self.heard.push_back(frame),
                _ => return None,
            }
        }
    }

    /// Ends what runs, with the run's time used up.
    fn abandon(&mut self, deaths: &DeathLog) -> Result<(Spending, bool), Fault> {
        self.clock.stop();
        self.kill_run(deaths)
    }

    fn kill_run(&mut self, deaths: &DeathLog) -> Result<(Spending, bool), Fault> {
        let ended = self.end_run(ToCell::Kill, &self.run.to_be_bytes());
        // Was it the way to the cell that is slow or gone, and not the agent?
        let cut_off = || !deaths.is_there() && deaths.death(&self.container.name) == Death::EngineFailed;
        if self.is_lost() && cut_off() { Err(self.engine_failed()) } else { Ok(ended) }
    }

    /// Asks for the end of a run and passes over what was said before it.
    fn end_run(&mut self, order: ToCell, payload: &[u8]) -> (Spending, bool) {
        self.container.channel.send(order, payload);
        self.await_end()
    }

    /// Waits for the end of the run: what it has used, and whether the supervisor has dropped what comes after it.
    fn await_end(&mut self) -> (Spending, bool) {
        let deadline = Instant::now() + GRACE;
        loop {
            let received = match self.heard.pop_front() {
                Some(frame) => Received::Frame(frame),
                None => self.container.channel.receive(deadline),
            };
            let Received::Frame(frame) = received else {
                self.state = State::Lost(Verdict::Crashed);
                return (Spending::default(), true);
            };
            match FromCell::of(frame.kind) {
                Some(FromCell::Ended) => return (self.account(&frame), false),
                Some(FromCell::Killed) => return (self.account(&frame), true),
                _ => {}
            }
        }
    }

    /// Reads the account of a run; says whether the cell is as it was.
    fn account(&mut self, frame: &Frame) -> Spending {
        let spending = Spending::of(&frame.payload).unwrap_or_default();
        if !spending.clean {
            self.state = State::Spent;
        }
        spending
    }

    fn usage(&self, spending: &Spending) -> Usage {
        let wall_ms = u64::try_from(self.clock.spent().as_millis()).unwrap_or(u64::MAX);
        let cpu_ms = spending.cpu_ms + u64::try_from(self.billed.as_millis()).unwrap_or(u64::MAX);
        Usage { wall_ms, cpu_ms, max_rss_kib: spending.max_rss_kib, model: None, judge_model: None }
    }

    fn timed_out(&self) -> Reply {
        self.late(self.clock.reason())
    }

    /// The agent's process ended in the middle of a request. Whether memory had run out is the engine's to say; waiting
    /// for its word is the agent's time.
    fn exited(&mut self, exited: &Exited, deaths: &DeathLog) -> Reply {
        let start = Instant::now();
        let out_of_memory = exited.code == Some(SIGKILL) && deaths.ran_out_of_memory(&self.container.name);
        self.clock.spend(start.elapsed());
        if !out_of_memory {
            return Reply::Ended(Verdict::Crashed, exited.how());
        }
        self.state = State::Spent; // what is on record of this cell would be taken for a later run's
        Reply::Ended(Verdict::OutOfMemory, "memory ran out".into())
    }

    /// The container itself is gone in the middle of a request.
    fn lost(&mut self, deaths: &DeathLog) -> Result<Reply, Fault> {
        let (verdict, how) = match deaths.death(&self.container.name) {
            Death::OutOfMemory => (Verdict::OutOfMemory, "memory ran out"),
            Death::Ended => (Verdict::Crashed, "its cell ended"),
            Death::EngineFailed => return Err(self.engine_failed()),
        };
        self.state = State::Lost(verdict);
        Ok(Reply::Ended(verdict, how.into()))
    }

    fn engine_failed(&mut self) -> Fault {
        Fault::Engine(
            format!("the engine lost the cell {}", self.container.last_words()).trim_end().to_owned(),
        )
    }
}
