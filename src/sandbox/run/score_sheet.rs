//! Score sheet: the results of a run's tests as they come in.

use crate::model::report::{Scored, TestResult, Usage, Verdict};
use crate::sandbox::Refusal;
use crate::sandbox::guest::frames::bounds::MAX_MESSAGE;
use crate::sandbox::run::judge::{Judged, Opinion};
use crate::task::{Form, Task, Test};

/// A run that did not come about, because Python does not compile the source within the run's limits.
pub fn refused(task: &Task, refusal: &Refusal) -> Scored {
    let mut sheet = ScoreSheet::new(task, &Standing::default());
    sheet.rest(Verdict::Crashed, &refusal.message);
    sheet.add_up(Usage::default(), String::new())
}

/// Results that stand though their run is made again: those that it had come to as it had to. An agent that draws its answers
/// would else draw again where it was wrong, as a failed assertion is what most runs are made again for.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    results: Vec<Option<TestResult>>,
    /// The same test has come to another verdict since.
    contradicted: bool,
}

impl Standing {
    /// Tells whether the run that was made again is another one: what the agent answered then is not what it was judged by.
    pub fn is_contradicted(&self) -> bool {
        self.contradicted
    }
}

/// The results of a run's tests as they come in.
pub struct ScoreSheet<'a> {
    task: &'a Task,
    results: Standing,
    ended: (Verdict, String),
}

impl<'a> ScoreSheet<'a> {
    /// No results yet but these.
    pub fn new(task: &'a Task, standing: &Standing) -> Self {
        let ended = (Verdict::Crashed, String::new());
        let mut results = standing.clone();
        results.results.resize(task.tests.len(), None);
        Self { task, results, ended }
    }

    /// The results so far.
    pub fn standing(&self) -> Standing {
        self.results.clone()
    }

    /// Notes how the agent ended: the reason of the tests that it happened in.
    pub fn note_end(&mut self, verdict: Verdict, how: String) {
        self.ended = (verdict, how);
    }

    /// Only the first result of a test counts.
    pub fn enter(&mut self, judged: Judged) {
        let verdict = judged.verdict.verdict(self.ended.0);
        let mut message = judged.message;
        if judged.verdict == Opinion::Ended {
            let calls = message.unwrap_or_default();
            message = Some(format!("{}: {calls}", self.ended.1));
        }
        self.put(judged.test, verdict, judged.share, message);
    }

    /// Enters a test whose verdict is not the judge's.
    pub fn enter_verdict(&mut self, test: usize, verdict: Verdict, message: String) {
        self.put(test, verdict, None, Some(message));
    }

    /// The test after this one, if there is one.
    pub fn after(&self, test: usize) -> Option<usize> {
        (test + 1 < self.task.tests.len()).then_some(test + 1)
    }

    fn put(&mut self, test: usize, verdict: Verdict, share: Option<f64>, message: Option<String>) {
        match self.results.results.get(test) {
            Some(None) => self.results.results[test] = Some(self.result(test, verdict, share, message)),
            Some(Some(before)) => self.results.contradicted |= before.verdict != verdict,
            None => {}
        }
    }

    fn result(
        &self,
        test: usize,
        verdict: Verdict,
        share: Option<f64>,
        message: Option<String>,
    ) -> TestResult {
        let test = &self.task.tests[test];
        let message = message.map(|mut text| {
            text.truncate(text.floor_char_boundary(MAX_MESSAGE));
            text
        });
        let all_or_nothing = if verdict == Verdict::Passed { 1.0 } else { 0.0 };
        let share = (test.form == Form::Score).then_some(share.unwrap_or(all_or_nothing));
        let Test { name, weight, public, .. } = test;
        TestResult { name: name.clone(), verdict, weight: *weight, public: *public, message, share }
    }

    /// Gives all tests without a result this one.
    pub fn rest(&mut self, verdict: Verdict, message: &str) {
        for test in 0..self.task.tests.len() {
            if self.results.results[test].is_none() {
                self.results.results[test] = Some(self.result(test, verdict, None, Some(message.to_owned())));
            }
        }
    }

    /// A test without an explicit result is failed.
    pub fn add_up(mut self, usage: Usage, stderr: String) -> Scored {
        self.rest(Verdict::Failed, "it was not judged");
        let tests: Vec<TestResult> = self.results.results.into_iter().flatten().collect();
        Scored::new(tests, usage, stderr)
    }
}
