//! Score sheet: the results of a run's tests as they come in.

use std::collections::HashSet;

use crate::model::report::{Scored, TestResult, Usage, Verdict};
use crate::sandbox::Refusal;
use crate::sandbox::guest::frames::bounds::MAX_MESSAGE;
use crate::sandbox::run::judge::{Judged, Opinion};
use crate::task::{Form, Judging, Task, Test};
use crate::util::text::visible;

/// Most characters of a case's input in a message: as escapes they may be ten times as long, and are no longer than a message then.
const MAX_INPUT: usize = 60;

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
    /// True if a test has come to something else since.
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
    /// Verdict and message of the tests that come to no result.
    rest: Option<(Verdict, String)>,
}

impl<'a> ScoreSheet<'a> {
    /// No results yet but these.
    pub fn new(task: &'a Task, standing: &Standing) -> Self {
        let ended = (Verdict::Crashed, String::new());
        let mut results = standing.clone();
        results.results.resize(task.tests.len(), None);
        Self { task, results, ended, rest: None }
    }

    /// The results so far; none that [`ScoreSheet::rest`] gives.
    pub fn standing(&self) -> &Standing {
        &self.results
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
        let Some(known) = self.results.results.get(test) else { return };
        let input = || stdin(&self.task.tests[test]).unwrap_or_default();
        let message = message.map(|text| match verdict {
            Verdict::Passed => text,
            _ => with_input(text, input()),
        });
        let result = self.result(test, verdict, share, message);
        let earned = |result: &TestResult| (result.verdict, result.share);
        match known.as_ref().map(earned) {
            None => self.results.results[test] = Some(result),
            Some(before) => self.results.contradicted |= before != earned(&result),
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
        let message = message.map(|text| cut(text, MAX_MESSAGE));
        let all_or_nothing = if verdict == Verdict::Passed { 1.0 } else { 0.0 };
        let share = (test.form == Form::Score).then_some(share.unwrap_or(all_or_nothing));
        let Test { name, weight, public, .. } = test;
        TestResult { name: name.clone(), verdict, weight: *weight, public: *public, message, share }
    }

    /// Gives all tests that come to no result this one, unless it was done before.
    pub fn rest(&mut self, verdict: Verdict, message: &str) {
        self.rest.get_or_insert_with(|| (verdict, message.to_owned()));
    }

    /// A test without an explicit result is failed.
    pub fn add_up(mut self, usage: Usage, stderr: String) -> Scored {
        self.rest(Verdict::Failed, "it was not judged");
        let results = std::mem::take(&mut self.results.results);
        let (verdict, message) = self.rest.take().expect("it was given just now");
        let rest = |test| self.result(test, verdict, None, Some(message.clone()));
        let tests = results.into_iter().enumerate().map(|(test, known)| known.unwrap_or_else(|| rest(test)));
        let mut tests: Vec<TestResult> = tests.collect();
        take_from_groups(&mut tests, self.task);
        Scored::new(tests, usage, stderr)
    }
}

/// Takes the worth from cases that passed in a group of which another one did not.
fn take_from_groups(tests: &mut [TestResult], task: &Task) {
    let groups = || task.tests.iter().map(Test::group);
    let failed = tests.iter().zip(groups()).filter(|(test, _)| test.verdict != Verdict::Passed);
    let lost: HashSet<&str> = failed.filter_map(|(_, group)| group).collect();
    for (test, group) in tests.iter_mut().zip(groups()) {
        if group.is_some_and(|group| lost.contains(group)) && test.verdict == Verdict::Passed {
            test.share = Some(0.0);
        }
    }
}

/// A message and what stands behind it, which is not cut off.
fn with_input(message: String, input: String) -> String {
    cut(message, MAX_MESSAGE - input.len()) + &input
}

/// The beginning of a public case's input, which its miner has no file of; None for all other tests.
fn stdin(test: &Test) -> Option<String> {
    let Form::Case(case) = &test.form else { return None };
    let is_shown = test.public && !matches!(*case.judging, Judging::Interactor(_));
    let text = is_shown.then(|| case.input.beginning(4 * (MAX_INPUT as u64 + 1)))??;
    Some(match text.chars().nth(MAX_INPUT) {
        None => format!("; stdin is \"{}\"", visible(&text, MAX_INPUT)),
        Some(_) => format!("; stdin begins with \"{}\"", visible(&text, MAX_INPUT)),
    })
}

fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn judged(test: usize, share: f64) -> Judged {
        Judged { test, verdict: Opinion::Passed, message: None, share: Some(share) }
    }

    #[test]
    fn what_was_judged_stands_and_what_only_rests_does_not() {
        let text = "prompt: p\ntests:\n  - score: f(1)\n  - assert f(2)\n";
        let task = crate::task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap();
        let mut first = ScoreSheet::new(&task, &Standing::default());
        first.enter(judged(0, 0.25));
        first.rest(Verdict::Error, "the judge ended");
        first.rest(Verdict::Timeout, "later");
        let (standing, scored) = (first.standing().clone(), first.add_up(Usage::default(), String::new()));
        assert_eq!(scored.tests[1].verdict, Verdict::Error);
        for (share, is_contradicted) in [(0.25, false), (0.75, true)] {
            let mut second = ScoreSheet::new(&task, &standing);
            second.enter(judged(0, share));
            second.enter(judged(1, 1.0));
            assert_eq!(second.standing().is_contradicted(), is_contradicted);
            let tests = second.add_up(Usage::default(), String::new()).tests;
            assert_eq!((tests[0].share, tests[1].verdict), (Some(0.25), Verdict::Passed));
        }
    }
    #[test]
    fn a_public_case_that_failed_shows_how_its_input_begins_and_a_hidden_one_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        let long = "\u{202e}".repeat(200);
        for (name, input) in [("1", "7 8\n"), ("2", long.as_str()), ("3", "secret")] {
            std::fs::write(dir.path().join(format!("s/{name}.in")), input).unwrap();
            std::fs::write(dir.path().join(format!("s/{name}.out")), "1").unwrap();
        }
        std::fs::write(dir.path().join("t.yaml"), "prompt: p\ncases: {folder: s, public: [1, 2]}\n").unwrap();
        let task = &crate::task::load(dir.path()).unwrap()[0];
        let told = |message: &str| {
            let mut sheet = ScoreSheet::new(task, &Standing::default());
            (0..3).for_each(|test| sheet.enter_verdict(test, Verdict::Failed, message.to_owned()));
            let tests = sheet.add_up(Usage::default(), String::new()).tests;
            tests.into_iter().map(|test| test.message.unwrap()).collect::<Vec<_>>()
        };
        let [short, cut, hidden] = &told("wrong")[..] else { panic!("three tests") };
        assert_eq!(short, "wrong; stdin is \"7 8\\n\"");
        assert!(cut.starts_with("wrong; stdin begins with \"\\u{202e}") && cut.ends_with("…\""), "{cut}");
        assert_eq!(hidden, "wrong");
        assert!(told(&"x".repeat(5000)).iter().all(|message| message.len() <= MAX_MESSAGE));
    }
}
