//! Judges that wait for work, and what the first of them found out about each task.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::config::Judge as Bounds;
use crate::sandbox::Fault;
use crate::sandbox::containers::launcher::Launcher;
use crate::sandbox::engine::Role;
use crate::sandbox::guest;
use crate::sandbox::run::advice::advised;
use crate::sandbox::run::judge::{Demise, DryRun, DryRunEnd, Flaw, Foreseen, Gravity, Judge, Lesson};
use crate::sandbox::run::replay::CallPlan;
use crate::sandbox::run::slots::{Slot, Slots};
use crate::task::Task;

/// Orders that a judge is given at most before it has done the first.
const ORDERS: usize = 8;

/// The judges of one sandbox.
#[derive(Debug)]
pub struct Judges {
    launcher: Arc<Launcher>,
    bounds: Bounds,
    /// Bytes of a value, unless a task says otherwise.
    value: u64,
    waiting: Mutex<Vec<Judge>>,
    /// A slot for each judge that may be there, at work or not.
    slots: Arc<Slots>,
    /// How long judges at work are waited for, in all, before another one is started: what a start takes. So a second one is
    /// there only where one has kept others waiting for longer than that.
    patience: Mutex<Duration>,
    known: Mutex<HashMap<String, Known>>,
}

/// All that is known of a task.
#[derive(Debug, Default)]
struct Known {
    /// The questions of its tests.
    plan: Option<Arc<CallPlan>>,
    /// All that is wrong with it.
    flaws: Vec<Flaw>,
    /// Why it counts for nobody.
    fault: Option<String>,
}

impl Judges {
    /// None yet, and never more than so many at a time.
    pub fn new(launcher: Arc<Launcher>, bounds: Bounds, value: u64, most: usize) -> Self {
        let slots = Slots::new(most);
        let (waiting, patience, known) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { launcher, bounds, value, waiting, slots, patience, known }
    }

    /// A judge that waits, or else a new one; waits for another's as long as that pays, and if there are as many as there may be.
    ///
    /// # Errors
    /// None could be started.
    pub fn any(&self) -> Result<Judge, Fault> {
        loop {
            let (began, patience) = (Instant::now(), *self.patience.lock());
            match self.slots.take_or(patience, || self.waiting.lock().pop()) {
                Ok(mut judge) => match judge.is_idle() {
                    true => {
                        self.lose_patience(began.elapsed());
                        return Ok(judge);
                    }
                    false => self.discard(judge),
                },
                Err(slot) => return self.start(slot),
            }
        }
    }

    fn start(&self, slot: Slot) -> Result<Judge, Fault> {
        let began = Instant::now();
        let program = guest::judge(&self.bounds);
        let container = self.launcher.start(Role::Judge(&self.bounds), &program)?;
        *self.patience.lock() = began.elapsed();
        Ok(Judge::new(container, self.bounds, self.value, slot))
    }

    fn lose_patience(&self, waited: Duration) {
        let mut patience = self.patience.lock();
        *patience = patience.saturating_sub(waited);
    }

    /// Takes a judge back that can be used again.
    pub fn give_back(&self, judge: Judge) {
        self.waiting.lock().push(judge);
        self.slots.notify();
    }

    /// Ends a judge that must not be used again, at once: it may be stuck.
    pub fn discard(&self, judge: Judge) {
        let (container, _slot) = judge.into_parts();
        self.launcher.kill(container);
    }

    /// Ends all judges that wait, so that the next one is new unless another is given back first.
    pub fn discard_waiting(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(|judge| self.discard(judge));
    }

    /// Lets all judges that wait end; does not wait for that.
    pub fn rest(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(|judge| self.launcher.end(judge.into_parts().0));
    }

    /// A judge that knows the task.
    ///
    /// # Errors
    /// None could be started, it failed on the task, or the task counts for nobody.
    pub fn for_task(&self, task: &Task) -> Result<Judge, Fault> {
        let key = task.digest();
        self.check_task(&key)?;
        let mut judge = self.any()?;
        if !judge.knows(task)
            && let Err(fault) = self.teach(&mut judge, slice::from_ref(task))
        {
            self.discard(judge);
            return Err(fault);
        }
        match self.check_task(&key) {
            Ok(()) => Ok(judge),
            Err(fault) => {
                self.give_back(judge);
                Err(fault)
            }
        }
    }

    /// Fails if the task counts for nobody.
    fn check_task(&self, key: &str) -> Result<(), Fault> {
        let known = self.known.lock();
        let fault = known.get(key).and_then(|known| known.fault.clone());
        fault.map_or(Ok(()), |fault| Err(Fault::Task(fault)))
    }

    /// Teaches a judge tasks, and tells what is wrong with each. The first judge says what is known ahead.
    ///
    /// # Errors
    /// The judge failed on a task.
    pub fn teach(&self, judge: &mut Judge, tasks: &[Task]) -> Result<Vec<Vec<Flaw>>, Fault> {
        let lessons = orders(judge, tasks.iter(), Judge::begin_lesson, Judge::end_lesson)?;
        let lessons = tasks.iter().zip(lessons).filter(|(task, _)| !self.knows(task));
        let (sound, flawed): (Vec<_>, Vec<_>) = lessons.partition(|(_, lesson)| lesson.flaws.is_empty());
        for (task, lesson) in flawed {
            self.note(task, Known::flawed(task, lesson.flaws));
        }
        let begin = |judge: &mut Judge, task: &Task| judge.begin_dry_run(task, 0);
        let runs = orders(judge, sound.iter().map(|(task, _)| *task), begin, Judge::end_dry_run)?;
        for ((task, lesson), run) in sound.into_iter().zip(runs) {
            self.note(task, looked_through(judge, task, &lesson, run)?);
        }
        let known = self.known.lock();
        Ok(tasks.iter().map(|task| known[&task.digest()].flaws.clone()).collect())
    }

    fn knows(&self, task: &Task) -> bool {
        self.known.lock().contains_key(&task.digest())
    }

    fn note(&self, task: &Task, known: Known) {
        self.known.lock().insert(task.digest(), known);
    }

    /// Remembers that a task counts for nobody.
    pub fn note_fault(&self, key: &str, fault: String) {
        self.known.lock().entry(key.to_owned()).or_default().fault.get_or_insert(fault);
    }

    /// The questions of the task's tests, if they are known and worth asking.
    pub fn call_plan(&self, key: &str) -> Option<Arc<CallPlan>> {
        let known = self.known.lock();
        let plan = known.get(key).filter(|known| known.fault.is_none())?.plan.clone();
        plan.filter(|plan| plan.is_useful())
    }
}

impl Drop for Judges {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Known {
    fn flawed(task: &Task, flaws: Vec<Flaw>) -> Self {
        let flaws: Vec<Flaw> = flaws.into_iter().map(|flaw| advised(task, flaw)).collect();
        let fault = flaws.first().map(|flaw| flaw.told(task));
        Self { fault, flaws, ..Self::default() }
    }
}

/// Gives a judge an order for each task, some before it has done the first, so that it never waits for the next one.
fn orders<'a, R>(
    judge: &mut Judge,
    tasks: impl Iterator<Item = &'a Task> + Clone,
    begin: impl Fn(&mut Judge, &Task),
    end: impl Fn(&mut Judge, &Task) -> Result<R, Fault>,
) -> Result<Vec<R>, Fault> {
    let mut ahead = tasks.clone();
    ahead.by_ref().take(ORDERS).for_each(|task| begin(judge, task));
    let carry_out = |task: &Task| {
        let done = end(judge, task);
        ahead.next().into_iter().for_each(|task| begin(judge, task));
        done
    };
    tasks.map(carry_out).collect()
}

/// All that is known of a task after the run of its tests without an agent; where one has ended the process that it ran in, the others
/// are run in another.
fn looked_through(judge: &mut Judge, task: &Task, lesson: &Lesson, mut run: DryRun) -> Result<Known, Fault> {
    let mut flaws = Vec::new();
    loop {
        flaws.extend(run.flaws);
        match run.end {
            DryRunEnd::Died(Demise { test: Some(test), .. }) if test + 1 < task.tests.len() => {
                judge.begin_dry_run(task, test + 1);
                run = judge.end_dry_run(task)?;
            }
            DryRunEnd::Died(_) if flaws.is_empty() => return Ok(sound(task, Foreseen::nothing(), lesson)),
            DryRunEnd::Whole(foreseen) if flaws.is_empty() => return Ok(sound(task, foreseen, lesson)),
            _ => return Ok(Known::flawed(task, flaws)),
        }
    }
}

/// All that is known of a task in which no fault was found. Such a one must ask the agent something.
fn sound(task: &Task, foreseen: Foreseen, lesson: &Lesson) -> Known {
    if !foreseen.asks {
        let message = "the tests ask the agent nothing; what setup defines is the task's own, and a function that Python \
                       has, too, is the agent's if the prompt says `def NAME(`";
        let (test, line) = (Some(0), task.tests[0].assertion.line);
        let flaw = Flaw { test, line, message: message.to_owned(), gravity: Gravity::Refused };
        return Known::flawed(task, vec![flaw]);
    }
    // The time of a test can only be kept, or be told by it, where its questions are put one by one. And an answer that is
    // thrown away, as a model might be asked about it in vain, would have to be paid for.
    let has_limits = task.tests.iter().any(|test| test.timeout.is_some());
    let one_by_one = !lesson.timeless || has_limits || task.asks_model();
    let requests = foreseen.requests.filter(|_| !one_by_one);
    let plan = requests.and_then(|requests| CallPlan::foreseen(requests, lesson.steady));
    let doubtful = foreseen.doubtful.into_iter().map(|flaw| Flaw { gravity: Gravity::Doubtful, ..flaw });
    let trusting = foreseen.trusting.into_iter().map(|flaw| Flaw { gravity: Gravity::Trusting, ..flaw });
    let flaws = doubtful.chain(trusting).map(|flaw| advised(task, flaw)).collect();
    Known { plan: plan.map(Arc::new), flaws, fault: None }
}
