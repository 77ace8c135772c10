//! The host's end of a cell: one container, one agent, its runs one after the other.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::judge::Request;
use super::launcher::Started;
use super::process::Received;
use super::protocol::{self, Frame};
use super::record::{Death, Record};
use super::{Fault, Refusal};
use crate::config::Limits;
use crate::report::{Usage, Verdict};

/// What runs as PID 1 of a cell.
pub const PROGRAM: &str = concat!(
    include_str!("codec.py"),
    "\n",
    include_str!("agent.py"),
    "\n",
    include_str!("source.py"),
    "\n",
    include_str!("fence.py"),
    "\n",
    include_str!("relay.py"),
    "\n",
    include_str!("cell.py")
);

/// How long the supervisor, which is ours, may take to end a run. Past it the container is removed instead.
const GRACE: Duration = Duration::from_secs(5);

/// How many times its budget a run may take, by the host's clock, on a machine that has no CPU for it.
const MAX_STRETCH: u32 = 30;

/// How long compiling a source may take; the size limit of submissions keeps it far below.
const COMPILE: Duration = Duration::from_secs(30);

/// A started container whose supervisor said *ready*.
#[derive(Debug)]
pub struct Cell {
    container: Started,
    state: State,
    /// Time that the run may take.
    budget: Duration,
    /// Time beyond it that the machine owes the run.
    owed: Duration,
    spent: Duration,
    /// All of it was used up.
    over: bool,
    cpus: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Fit for runs.
    Fit,
    /// Works, but this run is its last: its memory record or its writable folders are no longer clean.
    Spent,
    /// Ended, or no longer answering, with what that means for the run it happened in.
    Lost(Verdict),
}

/// What an agent made of a request.
#[derive(Debug)]
pub enum Reply {
    /// Its claim of a value or an exception; unread.
    Claim(Vec<u8>),
    /// What a script left, written by the supervisor.
    Script(Vec<u8>),
    /// It did not answer: why, and the same in words.
    Ended(Verdict, String),
}

/// What the supervisor says to a request.
pub(super) enum Answer {
    Reply(Reply),
    Exited(Exited),
}

/// One of several runs to make without a word in between.
#[derive(Debug)]
pub struct Part<'a> {
    /// The task's prompt.
    pub prompt: &'a str,
    /// The run's limits.
    pub limits: Limits,
    /// All that is asked, in order.
    pub requests: &'a [Request],
    /// How long it may take.
    pub patience: Duration,
}

/// What an agent answered to all that it was asked in a run; unread.
#[derive(Debug)]
pub struct Answers {
    /// Claims and what scripts left, as many as there were requests.
    pub claims: Vec<Frame>,
    /// What the run used.
    pub usage: Usage,
    /// What the agent wrote to stderr.
    pub stderr: String,
}

/// What came of several runs.
#[derive(Debug)]
pub struct Played {
    /// Of the first ones, as far as they went.
    pub answers: Vec<Answers>,
    /// Whether the next one can't be made this way.
    pub broke_off: bool,
}

/// The orders for several runs, as the supervisor takes them one by one.
fn orders(parts: &[Part<'_>]) -> Vec<u8> {
    let mut orders = Vec::new();
    for part in parts {
        protocol::put(&mut orders, b'R', &settings(part.prompt, &part.limits));
        for request in part.requests {
            protocol::put(&mut orders, request.kind, &request.payload);
        }
        protocol::put(&mut orders, b'E', b"");
    }
    orders
}

fn settings(prompt: &str, limits: &Limits) -> Vec<u8> {
    serde_json::json!({ "prompt": prompt, "output": limits.output }).to_string().into_bytes()
}

impl Answer {
    pub(super) fn of(frame: Frame) -> Result<Self, Fault> {
        let too_much = || "it printed or returned more than it may".to_owned();
        Ok(match frame.kind {
            b'v' => Answer::Reply(Reply::Claim(frame.payload)),
            b's' => Answer::Reply(Reply::Script(frame.payload)),
            b'o' => Answer::Reply(Reply::Ended(Verdict::OutputLimit, too_much())),
            _ => Answer::Exited(read(&frame.payload)?),
        })
    }
}

/// What our own code in the cell wrote.
fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::Engine(error.to_string()))
}

#[derive(Deserialize)]
pub(super) struct Exited {
    code: i32,
    oom_kills: u64,
}

impl Exited {
    pub(super) fn how(&self) -> String {
        match self.code {
            code @ ..0 => format!("its process was killed by signal {}", -code),
            code => format!("its process ended with exit code {code}"),
        }
    }
}

#[derive(Deserialize, Default)]
pub(super) struct Spending {
    cpu_ms: u64,
    max_rss_kib: u64,
    oom_kills: u64,
    clean: bool,
    #[serde(skip)]
    pub(super) stderr: String,
}

impl Spending {
    /// The length of the account, the account, and the end of what the agent wrote to stderr.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        let (length, rest) = payload.split_first_chunk()?;
        let (account, stderr) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let spending: Self = serde_json::from_slice(account).ok()?;
        Some(Self { stderr: String::from_utf8_lossy(stderr).into_owned(), ..spending })
    }
}

/// What a run has had of the machine, by the kernel's account.
#[derive(Deserialize, Default)]
pub(super) struct Had {
    cpu_ms: u64,
    waited_ms: u64,
}

impl Had {
    pub(super) fn owed(&self, budget: Duration, cpus: f64) -> Duration {
        if Duration::from_millis(self.cpu_ms) >= budget.mul_f64(cpus.min(1.0)) {
            return Duration::ZERO;
        }
        Duration::from_millis(self.waited_ms).min(budget * (MAX_STRETCH - 1))
    }
}

#[derive(Deserialize)]
pub(super) struct Compiled {
    line: Option<u32>,
    message: Option<String>,
}

impl Compiled {
    pub(super) fn refusal(self) -> Option<Refusal> {
        self.message.map(|message| Refusal { line: self.line, message })
    }
}

impl Cell {
    /// Takes over a container that said *ready*.
    pub fn new(container: Started) -> Self {
        Self {
            container,
            state: State::Fit,
            budget: Duration::ZERO,
            owed: Duration::ZERO,
            spent: Duration::ZERO,
            over: false,
            cpus: 1.0,
        }
    }

    /// The container, for whoever looks at it.
    pub fn started(&self) -> &Started {
        &self.container
    }

    /// The container, for whoever ends it.
    pub fn into_started(self) -> Started {
        self.container
    }

    /// Whether another run may take place in it.
    pub fn is_fit(&self) -> bool {
        self.state == State::Fit
    }

    /// Whether it has ended or answers no longer.
    pub fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost(_))
    }

    /// Sends the agent's source, once.
    ///
    /// # Errors
    /// The engine failed. That Python refuses the source, or does not survive it, is a [`Refusal`].
    pub fn load(&mut self, source: &[u8], record: &Record) -> Result<Option<Refusal>, Fault> {
        self.container.process.send(b'L', source);
        match self.container.process.receive(Instant::now() + COMPILE) {
            Received::Frame(frame) if frame.kind == b'l' => Ok(read::<Compiled>(&frame.payload)?.refusal()),
            Received::Late if record.is_there() => {
                Ok(Some(Refusal { line: None, message: "compiling it takes too long".into() }))
            }
            Received::Late => Err(self.engine_failed()),
            _ => match record.death(&self.container.name) {
                Death::EngineFailed => Err(self.engine_failed()),
                _ => {
                    Ok(Some(Refusal { line: None, message: "Python's compiler does not survive it".into() }))
                }
            },
        }
    }

    /// Begins a run: fresh processes, a fresh budget of time.
    pub fn begin(&mut self, prompt: &str, limits: &Limits) {
        (self.budget, self.cpus, self.over) = (limits.timeout, limits.cpus, false);
        (self.spent, self.owed) = (Duration::ZERO, Duration::ZERO);
        self.container.process.send(b'R', &settings(prompt, limits));
    }

    /// Puts a request of the judge to the agent. The clock runs only here, while it is the agent's turn.
    ///
    /// # Errors
    /// The engine failed.
    pub fn ask(&mut self, request: &Request, record: &Record) -> Result<Reply, Fault> {
        if let State::Lost(verdict) = self.state {
            return Ok(Reply::Ended(verdict, "its cell had ended before".into()));
        }
        if self.over {
            return Ok(self.timed_out());
        }
        self.container.process.send(request.kind, &request.payload);
        match self.receive() {
            Received::Frame(frame) => match Answer::of(frame) {
                Ok(Answer::Reply(reply)) => Ok(reply),
                Ok(Answer::Exited(exited)) => Ok(self.exited(&exited, record)),
                // Our own code writes no such thing. Whoever got at its pipes bears it: were it a fault, an agent that
                // finds a way there could stay unscored at will.
                Err(_) => {
                    self.state = State::Lost(Verdict::Crashed);
                    Ok(Reply::Ended(Verdict::Crashed, "its cell answered with nonsense".into()))
                }
            },
            Received::Late => {
                self.abandon();
                if self.is_lost() && self.is_cut_off(record) {
                    return Err(self.engine_failed());
                }
                Ok(self.timed_out())
            }
            Received::Gone => self.lost(record),
        }
    }

    /// Whether it is the way to the cell that is slow or gone, and not the agent.
    fn is_cut_off(&self, record: &Record) -> bool {
        !record.is_there() && record.death(&self.container.name) == Death::EngineFailed
    }

    /// The next frame, as long as the run has time. Time in which the agent was ready to run but the machine gave it no
    /// CPU is not its own: it gets that much more, unless it has had its CPU time already.
    fn receive(&mut self) -> Received {
        loop {
            let start = Instant::now();
            let left = (self.budget + self.owed).saturating_sub(self.spent);
            let received = self.container.process.receive(start + left);
            self.spent += start.elapsed();
            if !matches!(received, Received::Late) {
                return received;
            }
            let (owed, frame) = self.ask_for_more();
            if owed <= self.owed {
                return Received::Late;
            }
            self.owed = owed;
            if let Some(frame) = frame {
                return Received::Frame(frame);
            }
        }
    }

    /// How much time beyond its budget the run is owed, and what the agent said while that was found out.
    fn ask_for_more(&mut self) -> (Duration, Option<Frame>) {
        self.container.process.send(b'W', b"");
        let deadline = Instant::now() + GRACE;
        let mut said = None;
        loop {
            match self.container.process.receive(deadline) {
                Received::Frame(frame) if frame.kind == b'w' => {
                    let had: Had = serde_json::from_slice(&frame.payload).unwrap_or_default();
                    return (had.owed(self.budget, self.cpus), said);
                }
                Received::Frame(frame) => said = Some(frame),
                _ => return (Duration::ZERO, said),
            }
        }
    }

    /// Makes whole runs, one after the other, without a word in between: what each is asked is known. Tells what came of
    /// them as far as every request was answered within a run's `patience`, and all answers are within `room` bytes.
    /// After that, nothing is under way.
    pub fn play(&mut self, parts: &[Part<'_>], room: usize) -> Played {
        self.container.process.send(b'B', &orders(parts));
        let mut played = Played { answers: Vec::with_capacity(parts.len()), broke_off: false };
        let (mut start, mut left) = (Instant::now(), room);
        for part in parts {
            let Some(answers) = self.hear_answers(part, start, &mut left) else {
                self.end_run(b'K', b'k');
                // That one alone may find the room that it did not find beside the others.
                played.broke_off = played.answers.is_empty() || left > 0;
                break;
            };
            start = Instant::now();
            played.answers.push(answers);
            if !self.is_fit() {
                break; // the supervisor has dropped the rest
            }
        }
        played
    }

    fn hear_answers(&mut self, part: &Part<'_>, start: Instant, left: &mut usize) -> Option<Answers> {
        let deadline = start + part.patience;
        let mut claims = Vec::with_capacity(part.requests.len());
        while claims.len() < part.requests.len() {
            match self.container.process.receive(deadline) {
                Received::Frame(frame) if matches!(frame.kind, b'v' | b's') => {
                    *left = left.saturating_sub(frame.payload.len());
                    if *left == 0 {
                        return None;
                    }
                    claims.push(frame);
                }
                _ => return None,
            }
        }
        match self.container.process.receive(deadline) {
            Received::Frame(frame) if frame.kind == b'e' => {
                let spending = self.account(&frame);
                self.spent = start.elapsed();
                let usage = self.usage(&spending);
                Some(Answers { claims, usage, stderr: spending.stderr })
            }
            _ => None,
        }
    }

    /// Ends the run and tells what it used.
    pub fn finish(&mut self) -> (Usage, String) {
        let spending = match self.state {
            State::Lost(_) => Spending::default(),
            _ => self.end_run(b'E', b'e'),
        };
        (self.usage(&spending), spending.stderr)
    }

    fn usage(&self, spending: &Spending) -> Usage {
        let wall_ms = u64::try_from(self.spent.as_millis()).unwrap_or(u64::MAX);
        Usage { wall_ms, cpu_ms: spending.cpu_ms, max_rss_kib: spending.max_rss_kib }
    }

    /// What a run has used, and whether the cell is as it was.
    fn account(&mut self, frame: &Frame) -> Spending {
        let spending = Spending::of(&frame.payload).unwrap_or_default();
        if !spending.clean || spending.oom_kills > 0 {
            self.state = State::Spent;
        }
        spending
    }

    fn timed_out(&self) -> Reply {
        Reply::Ended(Verdict::Timeout, format!("the run's {:?} were used up", self.budget))
    }

    /// Ends what runs, with the time used up. What it used is told by `finish`.
    fn abandon(&mut self) {
        self.over = true;
        self.end_run(b'K', b'k');
    }

    /// Asks for the end of a run and passes over what was said before it.
    fn end_run(&mut self, order: u8, confirmation: u8) -> Spending {
        self.container.process.send(order, b"");
        let deadline = Instant::now() + GRACE;
        loop {
            match self.container.process.receive(deadline) {
                Received::Frame(frame) if frame.kind == confirmation => return self.account(&frame),
                Received::Frame(_) => {}
                _ => {
                    self.state = State::Lost(Verdict::Crashed);
                    return Spending::default();
                }
            }
        }
    }

    /// The agent's process ended in the middle of a request. The supervisor's count of out-of-memory kills only says
    /// whether the engine's record is worth waiting for.
    fn exited(&mut self, exited: &Exited, record: &Record) -> Reply {
        if exited.oom_kills > 0 {
            self.state = State::Spent;
            if record.ran_out_of_memory(&self.container.name) {
                return Reply::Ended(Verdict::OutOfMemory, "memory ran out".into());
            }
        }
        Reply::Ended(Verdict::Crashed, exited.how())
    }

    /// The container itself is gone in the middle of a request.
    fn lost(&mut self, record: &Record) -> Result<Reply, Fault> {
        let (verdict, how) = match record.death(&self.container.name) {
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
