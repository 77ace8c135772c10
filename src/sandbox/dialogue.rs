//! One run: the judge asks, the agent answers, the host keeps the clock and the verdicts.

use std::time::{Duration, Instant};

use super::cell::{Cell, Reply};
use super::judge::{Judge, Judged, Said};
use super::record::Record;
use super::replay::Script;
use super::{Fault, Refusal};
use crate::config::Limits;
use crate::report::{Scored, TestResult, Usage, Verdict};
use crate::task::Task;

/// Thinking time of a judge per run, beside the agent's. Only values that an agent built to be slow to look at come
/// near it.
const JUDGE_TIME: Duration = Duration::from_secs(10);

/// Longest message of a test, in bytes.
pub(super) const MAX_MESSAGE: usize = 700;

/// Why a dialogue broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The engine failed.
    #[error(transparent)]
    Engine(Fault),
    /// The judge took too long over what the agent returned. Holds the run as it stands with that verdict.
    #[error("the judge took too long")]
    JudgeLate(Box<Scored>),
    /// The judge ended over it. Holds the run as it stands with that verdict.
    #[error("the judge ended")]
    JudgeGone(Box<Scored>),
}

/// Runs the agent in `cell` on a task that `judge` knows.
///
/// # Errors
/// Something other than the agent broke; the cell and the judge must not be used again.
pub fn run(
    cell: &mut Cell,
    judge: &mut Judge,
    task: &Task,
    limits: &Limits,
    record: &Record,
    script: &mut Script,
) -> Result<Scored, Broken> {
    let mut sheet = Sheet::new(task);
    cell.begin(&task.prompt, limits);
    judge.begin(task);
    let mut thinking = JUDGE_TIME;
    loop {
        let asked = Instant::now();
        let said = judge.hear(asked + thinking);
        thinking = thinking.saturating_sub(asked.elapsed());
        match said {
            Said::Request(request) => {
                let reply = cell.ask(&request, record).map_err(Broken::Engine)?;
                script.note(request, &reply);
                sheet.pass_on(reply, judge);
            }
            Said::Result(judged) => sheet.enter(judged),
            Said::Done => return Ok(sheet.close(cell)),
            Said::Late => {
                sheet.rest(Verdict::Timeout, "the assertion took too long over what the agent returned");
                return Err(Broken::JudgeLate(Box::new(sheet.close(cell))));
            }
            Said::Gone if judge.lost_by_engine(record) => {
                return Err(Broken::Engine(Fault::Engine("the engine lost the judge".into())));
            }
            Said::Gone => {
                sheet.rest(Verdict::Error, "the assertion could not be evaluated on what the agent returned");
                return Err(Broken::JudgeGone(Box::new(sheet.close(cell))));
            }
        }
    }
}

/// A run that did not come about, because Python does not compile the source within the run's limits.
pub fn refused(task: &Task, refusal: &Refusal) -> Scored {
    let mut sheet = Sheet::new(task);
    sheet.rest(Verdict::Crashed, &refusal.message);
    sheet.add_up(Usage::default(), String::new())
}

/// The results of a run's tests as they come in.
pub(super) struct Sheet<'a> {
    task: &'a Task,
    results: Vec<Option<TestResult>>,
    ended: (Verdict, String),
}

impl<'a> Sheet<'a> {
    pub(super) fn new(task: &'a Task) -> Self {
        let ended = (Verdict::Crashed, String::new());
        Self { task, results: vec![None; task.tests.len()], ended }
    }

    fn pass_on(&mut self, reply: Reply, judge: &mut Judge) {
        match reply {
            Reply::Claim(claim) => judge.claim(&claim),
            Reply::Script(left) => judge.script(&left),
            Reply::Ended(verdict, how) => {
                self.ended = (verdict, how);
                judge.ended();
            }
        }
    }

    /// Only the first result of a test counts.
    pub(super) fn enter(&mut self, judged: Judged) {
        let verdict = judged.verdict.verdict(self.ended.0);
        let mut message = judged.message;
        if judged.verdict == super::judge::Opinion::Ended {
            let calls = message.unwrap_or_default();
            message = Some(format!("{}: {calls}", self.ended.1));
        }
        if self.results.get(judged.test).is_some_and(Option::is_none) {
            self.results[judged.test] = Some(self.result(judged.test, verdict, message));
        }
    }

    fn result(&self, test: usize, verdict: Verdict, message: Option<String>) -> TestResult {
        let test = &self.task.tests[test];
        let message = message.map(|mut text| {
            text.truncate(text.floor_char_boundary(MAX_MESSAGE));
            text
        });
        TestResult { name: test.name.clone(), verdict, weight: test.weight, public: test.public, message }
    }

    /// Gives all tests without a result this one.
    fn rest(&mut self, verdict: Verdict, message: &str) {
        for test in 0..self.results.len() {
            if self.results[test].is_none() {
                self.results[test] = Some(self.result(test, verdict, Some(message.to_owned())));
            }
        }
    }

    fn close(self, cell: &mut Cell) -> Scored {
        let (usage, stderr) = cell.finish();
        self.add_up(usage, stderr)
    }

    /// A test without an explicit result is failed.
    pub(super) fn add_up(mut self, usage: Usage, stderr: String) -> Scored {
        self.rest(Verdict::Failed, "it was not judged");
        let tests: Vec<TestResult> = self.results.into_iter().flatten().collect();
        Scored::new(tests, usage, stderr)
    }
}
