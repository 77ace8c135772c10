//! Run clock: how long a run may take, by the host's clock, and what is left of it. `cell` ends a run that has none left; what
//! a judge may take is `judge`'s to decide.

use std::time::Duration;

use serde::Deserialize;

use crate::config::Limits;

/// A run may last this many times its budget at most, on a machine that has no CPU for it.
const MAX_STRETCH: u32 = 30;

/// The time of one run. It runs only while it is the agent's turn.
#[derive(Debug)]
pub struct RunClock {
    budget: Duration,
    cpus: f64,
    spent: Duration,
    /// Time beyond the budget that the machine owes the run.
    allowance: Duration,
    over: bool,
    test: Option<TestClock>,
}

/// The time of a test that has a limit of its own.
#[derive(Debug)]
struct TestClock {
    budget: Duration,
    spent: Duration,
    /// Time that the machine owed the run before.
    allowance: Duration,
}

impl TestClock {
    fn left(&self, allowance: Duration) -> Duration {
        (self.budget + allowance.saturating_sub(self.allowance)).saturating_sub(self.spent)
    }
}

/// The supervisor's account of what a run has had of the machine.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct CpuAccount {
    cpu_ms: u64,
    owed_ms: u64,
}

impl RunClock {
    /// A clock for a run within these limits, with nothing spent.
    pub fn new(limits: &Limits) -> Self {
        let (spent, allowance) = (Duration::ZERO, Duration::ZERO);
        Self { budget: limits.timeout, cpus: limits.cpus, spent, allowance, over: false, test: None }
    }

    /// Begins a test: one with a limit may take so much of the run's time, and another all of it.
    pub fn enter_test(&mut self, limit: Option<Duration>) {
        let (spent, allowance) = (Duration::ZERO, self.allowance);
        self.test = limit.map(|budget| TestClock { budget, spent, allowance });
    }

    /// Adds time that the agent has taken.
    pub fn spend(&mut self, time: Duration) {
        self.spent += time;
        if let Some(test) = &mut self.test {
            test.spent += time;
        }
    }

    /// Time that the agent has taken.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// Time that is left, of the run and of the test.
    pub fn left(&self) -> Duration {
        let of_test = self.test.as_ref().map(|test| test.left(self.allowance));
        of_test.map_or(self.left_of_run(), |left| left.min(self.left_of_run()))
    }

    fn left_of_run(&self) -> Duration {
        (self.budget + self.allowance).saturating_sub(self.spent)
    }

    /// The reason why nothing more of this test is asked, where the run has time for others.
    pub fn test_over(&self) -> Option<String> {
        let test = self.test.as_ref().filter(|test| test.left(self.allowance).is_zero())?;
        let has_more = !self.over && !self.left_of_run().is_zero();
        has_more.then(|| format!("the test's {:?} were used up", test.budget))
    }

    /// Takes the supervisor's word on what the machine owes the run; tells whether that gives it more time.
    pub fn extend(&mut self, account: CpuAccount) -> bool {
        let allowance = account.allowance(self.budget, self.cpus);
        let more = allowance > self.allowance;
        self.allowance = self.allowance.max(allowance);
        more
    }

    /// Tells whether a run has CPU time left, all of which it might have had in its time: none passes while a model answers.
    pub fn affords(&self, account: CpuAccount) -> bool {
        Duration::from_millis(account.cpu_ms) < self.budget.mul_f64(self.cpus.max(1.0))
    }

    /// Ends the time of the run, whatever is left.
    pub fn stop(&mut self) {
        self.over = true;
    }

    /// Tells whether the time was ended.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The reason of a timeout, in words.
    pub fn reason(&self) -> String {
        format!("the run's {:?} were used up", self.budget)
    }

    /// The reason why nothing is asked after a timeout, in words.
    pub fn reason_after(&self) -> String {
        format!("not asked, as the run's {:?} had been used up before", self.budget)
    }
}

impl CpuAccount {
    /// Time beyond its budget that a run gets. Time in which it was ready and the machine had no CPU for it is not its
    /// own; but one that has had its CPU time already gets no more.
    pub fn allowance(&self, budget: Duration, cpus: f64) -> Duration {
        if Duration::from_millis(self.cpu_ms) >= budget.mul_f64(cpus.min(1.0)) {
            return Duration::ZERO;
        }
        Duration::from_millis(self.owed_ms).min(budget * (MAX_STRETCH - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(10);

    fn clock() -> RunClock {
        let limits = Limits {
            timeout: BUDGET,
            memory: 0,
            cpus: 1.0,
            pids: 0,
            output: 0,
            tmp: 0,
            entries: 0,
            value: 0,
        };
        RunClock::new(&limits)
    }

    #[test]
    fn waits_for_a_cpu_are_given_back_once() {
        let mut clock = clock();
        clock.spend(BUDGET);
        assert_eq!(clock.left(), Duration::ZERO);
        assert!(clock.extend(CpuAccount { cpu_ms: 500, owed_ms: 3000 }));
        assert_eq!(clock.left(), Duration::from_secs(3));
        assert!(!clock.extend(CpuAccount { cpu_ms: 600, owed_ms: 3000 }), "the same waits again");
    }

    #[test]
    fn a_test_takes_no_more_than_its_own_and_leaves_the_rest() {
        let mut clock = clock();
        let second = Duration::from_secs(1);
        clock.spend(second);
        clock.enter_test(Some(second * 2));
        assert_eq!((clock.left(), clock.test_over()), (second * 2, None));
        clock.spend(second * 2);
        assert_eq!(clock.test_over().as_deref(), Some("the test's 2s were used up"));
        assert!(clock.extend(CpuAccount { cpu_ms: 0, owed_ms: 500 }), "the machine had no CPU for it");
        assert_eq!((clock.left(), clock.test_over()), (second / 2, None));
        clock.enter_test(None);
        assert_eq!(clock.left(), second * 7 + second / 2);
        clock.enter_test(Some(second * 9));
        clock.spend(second * 8);
        assert_eq!((clock.left(), clock.test_over()), (Duration::ZERO, None), "it is the run that is over");
    }

    #[test]
    fn who_has_had_the_cpu_time_is_owed_nothing() {
        assert!(!clock().extend(CpuAccount { cpu_ms: 10_000, owed_ms: 3000 }));
        let account = CpuAccount { cpu_ms: 5_000, owed_ms: 3000 };
        assert_eq!(account.allowance(BUDGET, 0.5), Duration::ZERO);
        let endless = CpuAccount { cpu_ms: 0, owed_ms: u64::MAX };
        assert_eq!(endless.allowance(BUDGET, 1.0), BUDGET * 29);
    }
}
