//! The host's end of a judge: trusted code that evaluates assertions, in a container of its own.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::Judge as Bounds;
use crate::model::report::Verdict;
use crate::sandbox::Fault;
use crate::sandbox::channel::Received;
use crate::sandbox::channel::frame::Frame;
use crate::sandbox::containers::death_log::{Death, DeathLog};
use crate::sandbox::containers::running::RunningContainer;
use crate::sandbox::guest::frames::{FromJudge, ToCell, ToJudge};
use crate::sandbox::run::case_files::CaseFile;
use crate::sandbox::run::slots::Slot;
use crate::sandbox::run::task_spec;
use crate::task::Task;

/// How much longer than its CPU time a test may take where the machine has no CPU for it, or it sleeps.
const MAX_STRETCH: u32 = 30;

/// How long a judge that has nothing to compute may be silent.
const UNRESPONSIVE: Duration = Duration::from_secs(60);

/// The number of a run without an agent.
const DRY: [u8; 4] = [0; 4];

/// A started judge that said *ready*.
#[derive(Debug)]
pub struct Judge {
    container: RunningContainer,
    bounds: Bounds,
    /// Bytes of a value, unless a task says otherwise.
    value: u64,
    slot: Slot,
    learnt: HashSet<String>,
    run: u32,
}

/// A judge's message while it grades.
#[derive(Debug)]
pub enum Said {
    /// It needs something of the agent.
    Request(Request),
    /// It needs a file of a case.
    Fetch(CaseFile),
    /// It has a prompt for its model.
    Consult(String),
    /// The result of one test.
    Result(Judged),
    /// All tests have been told of.
    Done,
    /// The task's author is at fault; nothing more is told of this run.
    Fault(Flaw),
    /// The process that ran the tests died in one; the judge itself goes on.
    Died(Demise),
    /// It did not answer in time.
    Late,
    /// It ended.
    Gone,
}

/// Something that an assertion asks of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A call or a script.
    pub kind: ToCell,
    /// For the cell, as it is.
    pub payload: Vec<u8>,
}

/// One test as the judge sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct Judged {
    /// The test's place in the task.
    pub test: usize,
    /// The judge's verdict.
    pub verdict: Opinion,
    /// Why it did not pass.
    pub message: Option<String>,
    /// Of a score, the share of the weight that was earned, where that is neither nothing nor all.
    #[serde(default)]
    pub share: Option<f64>,
}

/// A judge's verdict; of a test in which the agent ended, only the host knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Opinion {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// The agent gave nothing to look at.
    Error,
    /// Memory ran out over it.
    Memory,
    /// The agent ended meanwhile.
    Ended,
}

/// A task's text as the judge sees it.
#[derive(Debug, Deserialize)]
pub struct Lesson {
    /// All that is wrong with it.
    pub flaws: Vec<Flaw>,
    /// Its tests come to the same whenever they are given the same.
    pub steady: bool,
    /// Its tests can't tell when an answer came.
    pub timeless: bool,
}

/// The outcome of a task's tests without an agent.
#[derive(Debug)]
pub struct DryRun {
    /// Faults that no agent can mend.
    pub flaws: Vec<Flaw>,
    /// How it ended.
    pub end: DryRunEnd,
}

/// How a dry run ended.
#[derive(Debug)]
pub enum DryRunEnd {
    /// All tests were run.
    Whole(Foreseen),
    /// The process that ran them died in one.
    Died(Demise),
}

/// The questions that tests ask an agent.
#[derive(Debug, Deserialize)]
pub struct Foreseen {
    /// There are any.
    pub asks: bool,
    /// Kind and payload of each request; None if that depends on the answers.
    #[serde(rename = "foreseen")]
    pub requests: Option<Vec<(char, String)>>,
    /// Tests that may pass for no agent.
    pub doubtful: Vec<Flaw>,
    /// Tests that have the judge do what an agent says.
    pub trusting: Vec<Flaw>,
}

impl Foreseen {
    /// Something will be asked, and nothing is known of it.
    pub fn nothing() -> Self {
        Self { asks: true, requests: None, doubtful: Vec::new(), trusting: Vec::new() }
    }
}

/// A mistake in a task's Python.
#[derive(Debug, Clone, Deserialize)]
pub struct Flaw {
    /// The test's place in the task; None for `setup`.
    pub test: Option<usize>,
    /// 1-based line in the task's file.
    pub line: usize,
    /// Python's message, or ours.
    pub message: String,
    /// The consequence.
    #[serde(skip)]
    pub gravity: Gravity,
}

/// The consequence of a flaw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gravity {
    /// The task counts for nobody.
    #[default]
    Faulty,
    /// Nothing is run before it is mended.
    Refused,
    /// None: there may be agents that pass.
    Doubtful,
    /// None: but agents may pass by their word alone.
    Trusting,
}

/// The end of a process that ran a task's tests.
#[derive(Debug, Deserialize)]
pub struct Demise {
    /// The test's place in the task; None for `setup`.
    pub test: Option<usize>,
    /// The agent had been asked something before: if not, this is the task's author's doing.
    pub asked: bool,
    cause: Cause,
    how: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cause {
    Time,
    Sleep,
    Memory,
    End,
}

impl Judge {
    /// Takes over a container that said *ready* and was started with these bounds.
    pub fn new(container: RunningContainer, bounds: Bounds, value: u64, slot: Slot) -> Self {
        Self { container, bounds, value, slot, learnt: HashSet::new(), run: 0 }
    }

    /// The container, for whoever ends it, and the slot that it takes until then.
    pub fn into_parts(self) -> (RunningContainer, Slot) {
        (self.container, self.slot)
    }

    /// The container, for whoever looks at it.
    pub fn container(&self) -> &RunningContainer {
        &self.container
    }

    /// True if it waits for something to do. One that has waited may have died meanwhile, with its engine.
    pub fn is_idle(&mut self) -> bool {
        self.container.channel.is_silent()
    }

    /// True if it went because the engine did.
    pub fn lost_by_engine(&self, deaths: &DeathLog) -> bool {
        deaths.death(&self.container.name) == Death::EngineFailed
    }

    /// Has it learn a task, as soon as it has done what it was told to before.
    pub fn begin_lesson(&mut self, task: &Task) {
        let spec = task_spec::json(&task.digest(), task, self.value);
        self.container.channel.send(ToJudge::Learn, &spec);
    }

    /// The end of the lesson that was begun first: what can be seen of the task.
    ///
    /// # Errors
    /// The judge failed.
    pub fn end_lesson(&mut self, task: &Task) -> Result<Lesson, Fault> {
        let frame = self.next(task)?;
        let mut lesson: Lesson = match FromJudge::of(frame.kind) {
            Some(FromJudge::Died) => {
                let demise: Demise = read(&frame.payload)?;
                let text = format!("Python can't compile it: {}", demise.happened(&self.bounds, 1));
                Lesson { flaws: vec![demise.flaw(task, text)], steady: false, timeless: false }
            }
            _ => read(&frame.payload)?,
        };
        lesson.flaws.iter_mut().for_each(|flaw| flaw.gravity = Gravity::Refused);
        self.learnt.insert(task.digest());
        Ok(lesson)
    }

    /// Has it run the tests of a task that it knows, from `first` on, without an agent, as soon as it has done what it was told to before.
    pub fn begin_dry_run(&mut self, task: &Task, first: usize) {
        let order = [&place(first)[..], task.digest().as_bytes()].concat();
        self.container.channel.send(ToJudge::DryRun, &order);
    }

    /// The end of the dry run that was begun first.
    ///
    /// # Errors
    /// The judge failed.
    pub fn end_dry_run(&mut self, task: &Task) -> Result<DryRun, Fault> {
        let mut flaws = Vec::new();
        loop {
            let frame = self.next(task)?;
            let end = match FromJudge::of(frame.kind) {
                Some(FromJudge::Fault) => {
                    flaws.push(read(&frame.payload)?);
                    continue;
                }
                Some(FromJudge::Fetch) => {
                    let file = read::<CaseFile>(&frame.payload)?.of(task).map_err(Fault::Task)?;
                    self.container.channel.send(ToJudge::File, &[&DRY[..], &file].concat());
                    continue;
                }
                Some(FromJudge::Died) => {
                    let demise: Demise = read(&frame.payload)?;
                    if !demise.waits_for_agent() {
                        let happened = demise.happened(&self.bounds, 2);
                        flaws.push(demise.flaw(task, format!("can't be judged: {happened}")));
                    }
                    DryRunEnd::Died(demise)
                }
                _ => DryRunEnd::Whole(read(&frame.payload)?),
            };
            return Ok(DryRun { flaws, end });
        }
    }

    /// The next frame of a judge that works on a task without an agent.
    fn next(&mut self, task: &Task) -> Result<Frame, Fault> {
        let deadline = Instant::now() + self.patience();
        match self.container.channel.receive(deadline) {
            Received::Frame(frame) => Ok(frame),
            _ => {
                let words = self.container.channel.last_words();
                Err(Fault::Engine(format!("the judge failed on task {} {words}", task.id)))
            }
        }
    }

    /// How long it may be silent: far longer than it needs to end a test by itself, even on a machine that is busy with
    /// other things.
    pub fn patience(&self) -> Duration {
        UNRESPONSIVE + self.bounds.time * MAX_STRETCH
    }

    /// The bounds that it was started with.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// True if it knows the task.
    pub fn knows(&self, task: &Task) -> bool {
        self.learnt.contains(&task.digest())
    }

    /// Begins to grade a run on a task that it knows, from the `first` test on.
    pub fn begin(&mut self, task: &Task, first: usize) {
        self.run = self.run.wrapping_add(1);
        let order = [&place(first)[..], task.digest().as_bytes()].concat();
        self.tell(ToJudge::Grade, &order);
    }

    /// Passes on what the agent claims.
    pub fn claim(&mut self, claim: &[u8]) {
        self.tell(ToJudge::Claim, claim);
    }

    /// Passes on what a program left.
    pub fn program_output(&mut self, left: &[u8]) {
        self.tell(ToJudge::Output, left);
    }

    /// Passes on a file that it asked for.
    pub fn file(&mut self, bytes: &[u8]) {
        self.tell(ToJudge::File, bytes);
    }

    /// Passes on what came of a prompt: the model's answer, or why there is none.
    pub fn model_answer(&mut self, answer: Result<String, String>) {
        let (is_answer, text) = match answer {
            Ok(answer) => (1, answer),
            Err(reason) => (0, reason),
        };
        self.tell(ToJudge::ModelAnswer, &[&[is_answer][..], text.as_bytes()].concat());
    }

    /// Passes on a part of a dialogue.
    pub fn line(&mut self, heard: &[u8]) {
        self.tell(ToJudge::Line, heard);
    }

    /// Says that the agent did not answer.
    pub fn ended(&mut self) {
        self.tell(ToJudge::AgentEnded, b"");
    }

    fn tell(&mut self, kind: ToJudge, payload: &[u8]) {
        self.container.channel.send(kind, &[&self.run.to_be_bytes()[..], payload].concat());
    }

    /// Its next message.
    pub fn hear(&mut self) -> Said {
        match self.container.channel.receive(Instant::now() + self.patience()) {
            Received::Frame(frame) => Said::of(frame),
            Received::Late => Said::Late,
            Received::Gone => Said::Gone,
        }
    }
}

impl Said {
    /// Reads a frame of the judge; one that our own code does not write counts as its end.
    pub fn of(mut frame: Frame) -> Self {
        match FromJudge::of(frame.kind) {
            Some(FromJudge::Question) if !frame.payload.is_empty() => {
                match ToCell::of(frame.payload.remove(0)) {
                    Some(kind @ (ToCell::Call | ToCell::Script | ToCell::Stdin | ToCell::Talk)) => {
                        Said::Request(Request { kind, payload: frame.payload })
                    }
                    _ => Said::Gone,
                }
            }
            Some(FromJudge::Result) => {
                serde_json::from_slice(&frame.payload).map_or(Said::Gone, Said::Result)
            }
            Some(FromJudge::Done) => Said::Done,
            Some(FromJudge::Fetch) => read(&frame.payload).map_or(Said::Gone, Said::Fetch),
            Some(FromJudge::Consult) => String::from_utf8(frame.payload).map_or(Said::Gone, Said::Consult),
            Some(FromJudge::Fault) => read(&frame.payload).map_or(Said::Gone, Said::Fault),
            Some(FromJudge::Died) => read(&frame.payload).map_or(Said::Gone, Said::Died),
            _ => Said::Gone,
        }
    }
}

impl Flaw {
    /// The flaw and its place in the task, as one line.
    pub fn told(&self, task: &Task) -> String {
        let place = self.test.and_then(|test| task.tests.get(test)).map_or("setup", |test| &test.name);
        format!("{place} (line {}): {}", self.line, self.message)
    }
}

impl Demise {
    /// The verdict of the test, if the agent bears it.
    pub fn verdict(&self) -> Verdict {
        match self.cause {
            Cause::Time | Cause::Sleep => Verdict::Timeout,
            Cause::Memory => Verdict::OutOfMemory,
            Cause::End => Verdict::Error,
        }
    }

    /// True if a test has asked the agent and then slept: without an agent, it may wait for what one will do.
    fn waits_for_agent(&self) -> bool {
        self.asked && self.cause == Cause::Sleep
    }

    /// The cause in words, within bounds whose time was divided by `share`.
    pub fn happened(&self, bounds: &Bounds, share: u32) -> String {
        match self.cause {
            Cause::Time => {
                let (time, part) = (bounds.time / share, if share == 1 { "" } else { "half of " });
                format!(
                    "it takes more than {time:?} of CPU time ({part}`judge: time` in pipeline.yaml), or all tests of the run more \
                     than six times that"
                )
            }
            Cause::Sleep => "it sleeps for longer than three times `judge: time` in pipeline.yaml".to_owned(),
            Cause::Memory => format!(
                "it takes more than the {} MiB of `judge: memory` in pipeline.yaml",
                bounds.memory >> 20
            ),
            Cause::End => format!("it ends Python ({})", self.how),
        }
    }

    /// A flaw at the place where it happened.
    pub fn flaw(&self, task: &Task, message: String) -> Flaw {
        let code = match self.test {
            Some(test) => task.tests.get(test).map(|test| &test.assertion),
            None => task.setup.as_ref(),
        };
        let line = code.map_or(1, |code| code.line);
        Flaw { test: self.test, line, message, gravity: Gravity::Faulty }
    }
}

fn place(test: usize) -> [u8; 4] {
    u32::try_from(test).unwrap_or(u32::MAX).to_be_bytes()
}

/// Reads JSON that our own code in the judge wrote.
fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::Engine(error.to_string()))
}

impl Opinion {
    /// The test's verdict, given how the agent last ended.
    pub fn verdict(self, ended: Verdict) -> Verdict {
        match self {
            Opinion::Passed => Verdict::Passed,
            Opinion::Failed => Verdict::Failed,
            Opinion::Error => Verdict::Error,
            Opinion::Memory => Verdict::OutOfMemory,
            Opinion::Ended => ended,
        }
    }
}
