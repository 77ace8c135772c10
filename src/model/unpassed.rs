//! Unpassed tests: those that no agent has earned anything by. With enough agents, it may be the test that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::miner_id::Miner;
use crate::model::report::{Outcome, Run, TestResult, Verdict};
use crate::util::first_few::first_few;

/// Fewest agents of whom it is told: of a few, none may be good.
const LEAST: usize = 5;

/// Results of the tests of tasks, of all agents together.
#[derive(Debug, Default)]
pub struct Unpassed<'a>(BTreeMap<&'a str, Tally<'a>>);

/// Results of one task's tests.
#[derive(Debug, Default)]
struct Tally<'a> {
    miners: BTreeSet<&'a Miner>,
    /// Each test's name, and true if some agent has earned anything by it.
    tests: Vec<(&'a str, bool)>,
}

impl<'a> Unpassed<'a> {
    /// Adds a run; what was not judged says nothing.
    pub fn add(&mut self, miner: &'a Miner, run: &'a Run) {
        let Outcome::Scored(scored) = &run.outcome else { return };
        let tally = self.0.entry(&run.task).or_default();
        tally.miners.insert(miner);
        for (at, test) in scored.tests.iter().enumerate() {
            let is_earned = is_earned(test);
            match tally.tests.get_mut(at) {
                Some((_, earned)) => *earned |= is_earned,
                None => tally.tests.push((&test.name, is_earned)),
            }
        }
    }

    /// A line for each task that has such tests, in the order of their ids.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.0.iter().filter_map(|(task, tally)| tally.told(task)).collect()
    }
}

impl Tally<'_> {
    fn told(&self, task: &str) -> Option<String> {
        let agents = self.miners.len();
        let left: Vec<&str> =
            self.tests.iter().filter(|(_, earned)| !earned).map(|(name, _)| *name).collect();
        let which = match left.len() {
            _ if agents < LEAST => return None,
            0 => return None,
            1 => format!("{} of {task}: none of {agents} agents passes it", left[0]),
            all if all == self.tests.len() => {
                format!("{task}: none of {agents} agents passes any of its tests")
            }
            _ => format!("{} of {task}: none of {agents} agents passes them", first_few(left)),
        };
        Some(format!("{which}; a test may be wrong"))
    }
}

fn is_earned(test: &TestResult) -> bool {
    test.verdict == Verdict::Passed || test.earned() > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::{Scored, Usage};

    /// The lines that are told of a task's tests after runs of so many agents with these verdicts.
    fn told(agents: usize, verdicts: &[Verdict], share: Option<f64>) -> Vec<String> {
        let test = |(at, verdict): (usize, &Verdict)| TestResult {
            name: format!("test {}", at + 1),
            verdict: *verdict,
            weight: 1.0,
            public: false,
            message: None,
            share: share.filter(|_| *verdict == Verdict::Failed),
        };
        let tests: Vec<TestResult> = verdicts.iter().enumerate().map(test).collect();
        let outcome = Outcome::Scored(Scored::new(tests, Usage::default(), String::new()));
        let run = Run { key: String::new(), stage: "all".into(), task: "ggt".into(), sample: 1, outcome };
        let miners: Vec<Miner> = (0..agents).map(|at| format!("m{at}").parse().unwrap()).collect();
        let mut unpassed = Unpassed::default();
        for miner in &miners {
            unpassed.add(miner, &run);
            unpassed.add(miner, &run); // another sample
        }
        unpassed.told()
    }

    #[test]
    fn tests_that_none_of_several_agents_passes_are_told_with_their_task() {
        use Verdict::{Failed, Passed};
        let told_one = ["test 2 of ggt: none of 5 agents passes it; a test may be wrong"];
        assert_eq!(told(5, &[Passed, Failed], None), told_one);
        assert_eq!(told(4, &[Passed, Failed], None), [""; 0], "none of a few may be good");
        assert_eq!(
            told(59, &[Failed, Passed, Failed], None),
            ["test 1, test 3 of ggt: none of 59 agents passes them; a test may be wrong"]
        );
        assert_eq!(
            told(5, &[Failed, Failed], None),
            ["ggt: none of 5 agents passes any of its tests; a test may be wrong"]
        );
        assert_eq!(told(5, &[Passed, Passed], None), [""; 0]);
        assert_eq!(told(5, &[Passed, Failed], Some(0.5)), [""; 0], "a share was earned");
    }
}
