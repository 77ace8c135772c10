//! Findings of a verification: what is not as the bundle says, by miner and task.

use std::fmt;

use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::model::report::{Scored, TestResult};
use crate::util::text::visible;

/// Tests of one run whose difference is told.
const MOST_TESTS: usize = 5;

/// Most characters of a finding.
const MOST_SHOWN: usize = 1000;

/// Something that is not as the bundle says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The agent's miner; None where it is of no single one.
    pub miner: Option<Miner>,
    /// The task's id, where it is of a run.
    pub task: Option<String>,
    /// The difference, as a fragment.
    pub what: String,
}

/// Findings about the ranking, and what could not be compared.
#[derive(Debug, Default)]
pub struct Checked {
    /// All that does not follow from the rest of the bundle.
    pub findings: Vec<Finding>,
    /// Tables that could not be compared.
    pub notes: Vec<String>,
}

impl Finding {
    /// A finding about a run.
    pub fn of_run(miner: &Miner, task: &str, what: impl Into<String>) -> Self {
        Self { miner: Some(miner.clone()), task: Some(task.to_owned()), what: what.into() }
    }

    /// A finding about an agent.
    pub fn of_agent(miner: &Miner, what: impl Into<String>) -> Self {
        Self { miner: Some(miner.clone()), task: None, what: what.into() }
    }

    /// A finding about all.
    pub fn general(what: impl Into<String>) -> Self {
        Self { miner: None, task: None, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.miner, &self.task) {
            (Some(miner), Some(task)) => write!(f, "{miner} on {}: ", visible(task, MOST_SHOWN))?,
            (Some(miner), None) => write!(f, "{miner}: ")?,
            (None, _) => {}
        }
        write!(f, "{}", visible(&self.what, MOST_SHOWN))
    }
}

/// The difference between the bundle's outcome of a run and what came of it now; None where there is none. Messages and usage
/// decide nothing and are not compared.
pub fn difference(recorded: &Scored, now: &Scored) -> Option<String> {
    let of_tests = recorded.tests.iter().zip(&now.tests).filter_map(|(a, b)| test_difference(a, b));
    let mut told: Vec<String> = of_tests.collect();
    if recorded.tests.len() != now.tests.len() {
        told.push(format!("{} tests in the bundle, {} now", recorded.tests.len(), now.tests.len()));
    }
    if recorded.verdict != now.verdict || recorded.score != now.score {
        let word = |scored: &Scored| format!("{} with {}", scored.verdict.name(), scored.score);
        told.insert(0, format!("{} in the bundle, {} now", word(recorded), word(now)));
    }
    let more = told.len().saturating_sub(MOST_TESTS + 1);
    told.truncate(MOST_TESTS + 1);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    (!told.is_empty()).then(|| told.join("; "))
}

fn test_difference(a: &TestResult, b: &TestResult) -> Option<String> {
    let facts = |test: &TestResult| (test.name.clone(), test.verdict, test.weight, test.public, test.share);
    if facts(a) == facts(b) {
        return None;
    }
    let word = |test: &TestResult| {
        let share = test.share.map_or_else(String::new, |share| format!(" ({share})"));
        format!("{}{share}", test.verdict.name())
    };
    let (before, after) = (word(a), word(b));
    Some(match before == after {
        true => format!("{}: another name, weight or visibility than {}", a.name, b.name),
        false => format!("{}: {before} in the bundle, {after} now", a.name),
    })
}
