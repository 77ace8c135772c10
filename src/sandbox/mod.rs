//! The only face of the sandbox that the pipeline sees: agents go in, judged runs come out.
//!
//! [`container`] is the real one: hostile code in cells, assertions in judges, both containers. [`fake`] is an
//! in-memory one for tests of the pipeline. From the outside in:
//!
//! * runs: `container` (what is known of tasks, judges that wait), `tenant` (an agent's runs), by `replay` (made ahead by
//!   what is known to be asked) or by `dialogue` (call by call); `cell` and `judge` are the host's ends of the two
//! * containers: `launcher` (start, ready, end), `nursery` (cells started ahead), `record` (the engine's word on deaths),
//!   `outage` (an engine that went away)
//! * the engine: `engine`, `spec` (what a container is), by its command line (`argv`, `client`, `ask`) or over its socket
//!   (`address`, `http`, `api`, `body`, `attached`, `demux`); `events`, `image`, `dialect` (Docker's words and Podman's)
//! * elsewhere: `launch`, `slurm`, `carry.sh`
//! * frames: `process`, `protocol`
//! * inside, in Python: `boot.py` reads a program; a cell's is `codec.py`, `agent.py`, `source.py`, `fence.py`, `relay.py` and
//!   `cell.py`, a judge's `codec.py`, `judge.py` and `rehearsal.py`

mod address;
mod api;
mod argv;
mod ask;
mod attached;
mod body;
mod cell;
mod client;
pub mod container;
mod demux;
mod dialect;
mod dialogue;
pub mod engine;
mod events;
pub mod fake;
#[cfg(any(test, fuzzing))]
pub mod foreign;
mod http;
pub mod image;
mod judge;
mod launch;
mod launcher;
mod nursery;
mod outage;
pub mod process;
mod protocol;
mod record;
mod replay;
mod slurm;
mod spec;
mod tenant;

use crate::config::Limits;
use crate::report::Scored;
use crate::task::Task;
use crate::yaml::Problem;

/// Why nothing could be judged; never the agent's doing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The engine failed, after all retries; what it said last.
    #[error("{0}")]
    Engine(String),
    /// Somebody asked us to stop.
    #[error("stopped before it was judged")]
    Stopped,
}

/// A place to run hostile code in.
pub trait Sandbox: Sync {
    /// The id of the image that cells run, which is part of what makes a run repeatable. Gets the image if need be.
    ///
    /// # Errors
    /// There is no engine, or no image and no way to make one.
    fn image(&self) -> Result<String, Fault>;

    /// Removes what an earlier session had no time to. Without an engine to do so, that is left to the next one.
    fn sweep(&self) {}

    /// What is wrong with the tasks' assertions and setup, by the Python that will run them.
    ///
    /// # Errors
    /// No judge could be had.
    fn check(&self, tasks: &[Task]) -> Result<Vec<Problem>, Fault>;

    /// Says that so many more agents are about to be opened, with these limits: a chance to start cells ahead.
    fn expect(&self, agents: usize, limits: &Limits);

    /// Brings an agent's source into a cell.
    ///
    /// # Errors
    /// No cell could be had.
    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault>;

    /// Ends everything that runs; calls in progress return [`Fault::Stopped`].
    fn stop(&self);
}

/// What became of an agent's source.
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

    /// Runs the agent on a task and judges it. What the agent does wrong is a verdict, never an error.
    ///
    /// # Errors
    /// Nothing could be judged, by our fault.
    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault>;
}

/// Whether two sets of limits differ in nothing that is fixed when a cell is started.
fn same_cell(a: &Limits, b: &Limits) -> bool {
    Limits { timeout: b.timeout, output: b.output, ..*a } == *b
}

/// The program that a cell runs, for whoever tests a part of it by itself.
pub fn cell_program() -> &'static str {
    cell::PROGRAM
}

/// What tells graders apart: a change of the code beside the agent or in the judge makes every run a new one.
pub fn grader_version() -> &'static str {
    use std::sync::LazyLock;
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        crate::digest::hex([cell::PROGRAM.as_bytes(), judge::PROGRAM.as_bytes(), launcher::BOOT.as_bytes()])
    });
    &VERSION
}
