//! An in-memory sandbox for tests of the pipeline: verdicts by a function, no engine.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::config::Limits;
use crate::model::report::{Scored, TestResult, Usage, Verdict};
use crate::sandbox::{Cell, Checked, Fault, Opened, Refusal, Sandbox};
use crate::task::Task;

/// Judges by looking for words in an agent's source, so that a test can say in the agent what should become of it (a task
/// whose prompt says `impossible` is its author's fault):
/// `syntax error` is refused; `fault` can't be judged; otherwise tests whose name stands in the source are passed,
/// and `passes all` passes every test; `fails with 2` fails all where chance begins with 2, and `fault with 2` can't be judged there.
#[derive(Debug, Default)]
pub struct Fake {
    /// How often an agent was brought into a cell.
    pub opened: AtomicUsize,
    /// How many runs were made.
    pub runs: AtomicUsize,
    /// The seed of each of them.
    pub seeds: Mutex<Vec<u32>>,
    stopped: AtomicBool,
}

struct FakeCell<'a> {
    sandbox: &'a Fake,
    source: String,
    seed: u32,
}

impl Sandbox for Fake {
    fn image(&self) -> Result<String, Fault> {
        Ok("sha256:fake".into())
    }

    fn check(&self, _tasks: &[Task]) -> Result<Checked, Fault> {
        Ok(Checked::default())
    }

    fn expect(&self, _agents: usize, _limits: &Limits) {}

    fn open(&self, source: Vec<u8>, _limits: &Limits) -> Result<Opened<'_>, Fault> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let source = String::from_utf8_lossy(&source).into_owned();
        if source.contains("syntax error") {
            return Ok(Opened::Refused(Refusal { line: Some(1), message: "invalid syntax".into() }));
        }
        Ok(Opened::Ready(Box::new(FakeCell { sandbox: self, source, seed: 0 })))
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

impl Cell for FakeCell<'_> {
    fn reseed(&mut self, seed: u32) {
        self.seed = seed;
    }

    fn run(&mut self, task: &Task, _limits: &Limits) -> Result<Scored, Fault> {
        if self.sandbox.stopped.load(Ordering::SeqCst) {
            return Err(Fault::Stopped);
        }
        self.sandbox.runs.fetch_add(1, Ordering::SeqCst);
        self.sandbox.seeds.lock().push(self.seed);
        if task.prompt.contains("impossible") {
            return Err(Fault::Task("setup raised ZeroDivisionError".into()));
        }
        let says = |word: &str| self.source.contains(&format!("{word} with {}", self.seed));
        if says("fault") || (self.source.contains("fault") && !self.source.contains("fault with")) {
            return Err(Fault::Engine("the fake engine is broken".into()));
        }
        let tests = task.tests.iter().map(|test| {
            let passed = self.source.contains("passes all") || self.source.contains(&test.name);
            let passed = passed && !says("fails");
            TestResult {
                name: test.name.clone(),
                verdict: if passed { Verdict::Passed } else { Verdict::Failed },
                weight: test.weight,
                public: test.public,
                message: None,
                share: None,
            }
        });
        Ok(Scored::new(tests.collect(), Usage::default(), String::new()))
    }
}
