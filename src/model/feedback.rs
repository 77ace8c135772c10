//! Feedback: how much miners get to see of hidden tests, and of what those produce.

use serde::{Deserialize, Serialize};

use crate::model::report::{Scored, TestResult, Usage, Verdict};

/// Amount of feedback on hidden tests, from least to most. Public tests are shown under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feedback {
    /// Nothing but the fact that an agent was evaluated.
    None,
    /// The whole score and what follows from it: rank, reward, stage.
    Score,
    /// Each task's score and verdict, too.
    Tasks,
    /// Each test's name and verdict, how many passed, time and memory, too.
    Full,
}

/// A judged run as far as miners may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// None if it is not shown.
    pub verdict: Option<Verdict>,
    /// 0-100, as exact as in the report; None if it is not shown.
    pub score: Option<f64>,
    /// The first tests of the task; of hidden ones no message.
    pub tests: Vec<TestResult>,
    /// None if it is not shown.
    pub usage: Option<Usage>,
    /// The end of what the agent wrote to stderr; None if it is not shown.
    pub stderr: Option<String>,
}

impl Feedback {
    /// The least of several, for what they make up together.
    #[must_use]
    pub fn least(several: impl Iterator<Item = Self>) -> Self {
        several.min().unwrap_or(Self::None)
    }

    /// Tells whether scores of the ranking are shown.
    #[must_use]
    pub fn shows_ranking(self) -> bool {
        self >= Self::Score
    }

    /// Tells whether it is shown how many tests passed.
    #[must_use]
    pub fn shows_counts(self) -> bool {
        self == Self::Full
    }

    /// Takes out of a run what its miner may see. A run without hidden tests is shown whole.
    ///
    /// An agent remembers what it was asked: once a hidden test has begun, whatever the run says may tell of that test.
    /// So messages are those of the public tests before the first hidden one.
    #[must_use]
    pub fn of_run(self, run: Scored) -> Shown {
        let Scored { verdict, score, mut tests, usage, stderr } = run;
        let open = tests.iter().take_while(|test| test.public).count();
        let all = open == tests.len();
        tests[open..].iter_mut().for_each(|test| test.message = None);
        if self < Self::Full {
            tests.truncate(open);
        }
        let if_tasks = all || self >= Self::Tasks;
        if !if_tasks {
            // It passed: what it lost it lost by other cases of its folder, which may be hidden.
            tests.iter_mut().filter(|test| test.lost_with().is_some()).for_each(|test| test.share = None);
        }
        Shown {
            verdict: if_tasks.then_some(verdict),
            score: if_tasks.then_some(score),
            tests,
            usage: (all || self == Self::Full).then_some(usage),
            stderr: all.then_some(stderr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: [Feedback; 4] = [Feedback::None, Feedback::Score, Feedback::Tasks, Feedback::Full];

    /// A run of tests that are public or not; each says its place.
    fn run(public: &[bool]) -> Scored {
        let test = |(at, public): (usize, &bool)| TestResult {
            name: format!("test {at}"),
            verdict: Verdict::Failed,
            weight: 1.0,
            public: *public,
            message: Some(format!("message {at}")),
            share: None,
        };
        Scored::new(public.iter().enumerate().map(test).collect(), Usage::default(), "printed".into())
    }

    #[test]
    fn each_setting_shows_more_than_the_one_before() {
        let shown = EACH.map(|feedback| feedback.of_run(run(&[true, false, true])));
        assert_eq!(shown.each_ref().map(|one| one.tests.len()), [1, 1, 1, 3]);
        assert_eq!(shown.each_ref().map(|one| one.verdict.is_some()), [false, false, true, true]);
        assert_eq!(shown.each_ref().map(|one| one.score.is_some()), [false, false, true, true]);
        assert_eq!(shown.each_ref().map(|one| one.usage.is_some()), [false, false, false, true]);
        assert!(shown.iter().all(|one| one.stderr.is_none()));
    }

    /// A subtask may have public cases and hidden ones.
    #[test]
    fn no_hidden_case_is_told_by_the_worth_of_a_public_one() {
        let mut of = run(&[true, false]);
        (of.tests[0].verdict, of.tests[0].share) = (Verdict::Passed, Some(0.0));
        let shares = EACH.map(|feedback| feedback.of_run(of.clone()).tests[0].share);
        assert_eq!(shares, [None, None, Some(0.0), Some(0.0)]);
    }

    #[test]
    fn no_message_stands_behind_a_hidden_test() {
        for feedback in EACH {
            let tests = feedback.of_run(run(&[true, false, true])).tests;
            let told: Vec<&str> = tests.iter().filter_map(|test| test.message.as_deref()).collect();
            assert_eq!(told, ["message 0"]);
        }
    }

    #[test]
    fn a_run_without_hidden_tests_is_shown_whole() {
        let whole = Feedback::Full.of_run(run(&[true, true]));
        assert_eq!((whole.tests.len(), whole.stderr.as_deref()), (2, Some("printed")));
        for feedback in EACH {
            assert_eq!(feedback.of_run(run(&[true, true])), whole);
        }
    }
}
