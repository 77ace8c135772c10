//! Sandbox: agents go in, judged runs come out. The traits here are all that the pipeline sees of it.
//!
//! [`run::ContainerSandbox`] is the real one: hostile code in cells, assertions in judges, both containers. [`fake`] is an
//! in-memory one for tests of the pipeline. From the top down:
//!
//! * `run`: judged runs. An agent session makes them by `replay` (ahead, by what a judge foresees) or `interactive`ly
//!   (call by call); `judge` is the host's end of a judge, `cell` that of a cell, which ends a run whose `run_clock` is used up
//! * `containers`: launching, ending, retries, the engine's word on deaths, and an engine that went away
//! * `engine`: a container to be (`spec`), put into the words of Docker Engine's API (`api`), of a command line (`cli`) or of an OCI runtime (`oci`)
//! * `remote`: cells on other machines
//! * `channel`: frames in and out, with deadlines
//! * `guest`: all that runs inside containers, in Python, and the table of frames

mod channel;
mod containers;
pub mod engine;
pub mod fake;
#[cfg(any(test, fuzzing))]
pub mod fuzz_entry;
mod guest;
mod remote;
pub mod run;

use crate::config::Limits;
use crate::gateway::{Access, JudgeModel};
use crate::model::claims::Exchange;
use crate::model::python::Library;
use crate::model::report::Scored;
use crate::task::Task;
use crate::yaml::Problem;

/// Why nothing could be judged; never the agent's doing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The engine failed, after all retries; what it said last.
    #[error("{0}")]
    Engine(String),
    /// The task's author is at fault: no agent can pass. What is wrong with the task.
    #[error("{0}")]
    Task(String),
    /// The provider of a model failed, or an answer of its can't be recorded; the reason.
    #[error("{0}")]
    Provider(String),
    /// Somebody asked us to stop.
    #[error("stopped before it was judged")]
    Stopped,
}

/// A place to run hostile code in.
pub trait Sandbox: Sync {
    /// The id of the image that cells run, which is part of what makes a run repeatable; where judges run another, the ids of both,
    /// with a `+` between them. Gets the images if need be.
    ///
    /// # Errors
    /// There is no engine, or no image and no way to make one.
    fn image(&self) -> Result<String, Fault>;

    /// The modules that the Python of cells can import. Asks the image itself once.
    ///
    /// # Errors
    /// As of [`Sandbox::image`]; or its Python does not tell.
    fn library(&self) -> Result<Library, Fault> {
        Ok(Library::default())
    }

    /// The engine that runs cells, by its name in pipeline.yaml; None as long as none was needed.
    fn engine(&self) -> Option<&'static str> {
        None
    }

    /// Removes what an earlier session had no time to. Without an engine to do so, that is left to the next one.
    fn sweep(&self) {}

    /// Checks the tasks' assertions and setup by the Python that will run them.
    ///
    /// # Errors
    /// No judge could be had.
    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault>;

    /// Says that so many more agents are about to be opened, with these limits: a chance to start cells ahead.
    fn expect(&self, agents: usize, limits: &Limits);

    /// Brings an agent's source into a cell.
    ///
    /// # Errors
    /// No cell could be had.
    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault>;

    /// Judges anew what an agent answered in a run, without the agent; in a judge that has judged nothing yet, if it must be new.
    ///
    /// # Errors
    /// Nothing could be judged, by our fault or the task's author's.
    fn judge_again(&self, _task: &Task, _exchanges: &[Exchange], _new: bool) -> Result<Rejudged, Fault> {
        Ok(Rejudged::Unlike("nothing is recorded here"))
    }

    /// Lets end what waits for more to do: nothing is expected for now.
    fn rest(&self) {}

    /// Ends everything that runs; calls in progress return [`Fault::Stopped`].
    fn stop(&self);
}

/// Mistakes in tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Mistakes for which nothing is run.
    pub refused: Vec<Problem>,
    /// Faults of single tasks, each of which then counts for nobody; the others are judged.
    pub faulty: Vec<Problem>,
    /// Tests that may pass for no agent, unless a solution shows one.
    pub doubtful: Vec<Problem>,
    /// Tests that have the judge do what an agent says.
    pub trusting: Vec<Problem>,
}

/// Result of judging recorded answers.
#[derive(Debug)]
pub enum Rejudged {
    /// The run, but for its usage.
    Scored(Scored),
    /// The answers are not to what the judge asks; why.
    Unlike(&'static str),
}

/// Result of bringing an agent's source into a cell.
pub enum Opened<'a> {
    /// It compiles.
    Ready(Box<dyn Cell + 'a>),
    /// It does not.
    Refused(Refusal),
}

/// Why Python does not compile a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 1-based, where Python names one.
    pub line: Option<u32>,
    /// Python's message.
    pub message: String,
}

/// An agent in its cell. Every run gets fresh processes, whatever became of the one before.
pub trait Cell {
    /// Says which runs will be asked for next, in this order, unless something comes in between: a chance to make them
    /// ahead.
    fn expect(&mut self, _runs: &[(&Task, &Limits)]) {}

    /// Gives the runs that come another seed of chance than 0, or 0 again: they are made in cells that no run with another one
    /// was in.
    fn reseed(&mut self, _seed: u32) {}

    /// Questions and answers of the last run; None where they are not kept. They are given once.
    fn exchanges(&mut self) -> Option<Vec<Exchange>> {
        None
    }

    /// Lets the next run ask a model.
    fn grant(&mut self, _access: Access) {}

    /// Lets the tests of the next run ask a model.
    fn set_judge_model(&mut self, _model: JudgeModel) {}

    /// Runs the agent on a task and judges it. What the agent does wrong is a verdict, never an error.
    ///
    /// # Errors
    /// Nothing could be judged, by our fault.
    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault>;
}

/// Tells whether two sets of limits differ in nothing that is fixed when a cell is started.
fn same_cell(a: &Limits, b: &Limits) -> bool {
    Limits { timeout: b.timeout, output: b.output, value: b.value, ..*a } == *b
}

/// The program that a cell runs, for whoever tests a part of it by itself.
pub fn cell_program() -> &'static str {
    &guest::CELL
}

/// The grader's digest: a change of the code beside the agent or in the judge makes every run a new one.
pub fn grader_version() -> &'static str {
    use std::sync::LazyLock;
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        crate::util::digest::hex([guest::CELL.as_bytes(), guest::JUDGE.as_bytes(), guest::BOOT.as_bytes()])
    });
    &VERSION
}
