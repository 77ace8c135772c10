//! The same run in one exchange instead of one per call.
//!
//! A task's tests nearly always ask the same of every agent. So what they asked of one agent is sent to the next
//! agent's cell at once, and the answers go to the judge with its order. The moment anything is not as it was, all of
//! it is thrown away and the run is made anew, call by call: a verdict never depends on how it was come by.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::cell::{Cell, Reply};
use super::dialogue::Sheet;
use super::judge::{Judge, Request, Said};
use crate::config::Limits;
use crate::report::Scored;
use crate::task::Task;

/// How long an agent may take over a replay, beside three times what another took over the calls. One that needs
/// longer pays this much once and then gets all its time.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long a judge may take over one.
const JUDGE_PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of requests, and of answers, up to which a replay is worth its memory.
const ROOM: usize = 2 << 20;

/// Replays that may fail more often than they succeed, until a task counts as one that asks something else each time.
const CREDIT: i32 = 16;

/// What a task's tests asked of an agent, in order.
#[derive(Debug, Default)]
pub struct Script {
    requests: Vec<Request>,
    size: usize,
    unfit: bool,
    took: Duration,
    debts: AtomicI32,
}

impl Script {
    /// Writes down a request. An agent that did not answer may have changed what was asked next.
    pub fn note(&mut self, request: Request, reply: &Reply) {
        self.size += request.payload.len();
        self.unfit |= self.size > ROOM || matches!(reply, Reply::Ended(..));
        if !self.unfit {
            self.requests.push(request);
        }
    }

    /// Ends the writing, after an agent took so long over it; None if it is no use.
    pub fn close(mut self, took: Duration) -> Option<Self> {
        self.took = took;
        (!self.unfit && !self.requests.is_empty()).then_some(self)
    }

    /// Whether replays of it have been worth their while.
    pub fn is_useful(&self) -> bool {
        self.debts.load(Ordering::Relaxed) < CREDIT
    }

    fn patience(&self, limits: &Limits) -> Duration {
        (PATIENCE + self.took * 3).min(limits.timeout)
    }
}

/// What came of a replay.
#[derive(Debug)]
pub enum Replayed {
    /// What call by call would have come to.
    Scored(Scored),
    /// Something was not as it was: it must be made anew.
    Differs,
    /// The judge has not come to an end and must not be used again.
    JudgeStuck,
}

/// Runs the agent in `cell` on a task that `judge` knows, by what was asked before.
pub fn run(cell: &mut Cell, judge: &mut Judge, task: &Task, limits: &Limits, script: &Script) -> Replayed {
    let replayed = exchange(cell, judge, task, limits, script);
    let gain = if matches!(replayed, Replayed::Scored(_)) { -1 } else { 1 };
    let debts = script.debts.load(Ordering::Relaxed) + gain;
    script.debts.store(debts.clamp(0, CREDIT), Ordering::Relaxed);
    replayed
}

fn exchange(cell: &mut Cell, judge: &mut Judge, task: &Task, limits: &Limits, script: &Script) -> Replayed {
    cell.begin(&task.prompt, limits);
    let Some((replies, usage, stderr)) = cell.ask_all(&script.requests, script.patience(limits), ROOM) else {
        return Replayed::Differs;
    };
    judge.begin(task);
    for reply in replies {
        match reply {
            Reply::Claim(claim) => judge.claim(&claim),
            Reply::Script(left) => judge.script(&left),
            Reply::Ended(..) => judge.ended(),
        }
    }
    match hear_out(judge, task, script) {
        Heard::Same(sheet) => Replayed::Scored(sheet.add_up(usage, stderr)),
        Heard::Different => Replayed::Differs,
        Heard::Stuck => Replayed::JudgeStuck,
    }
}

enum Heard<'a> {
    Same(Sheet<'a>),
    Different,
    Stuck,
}

/// Hears all that the judge has to say. It may ask for less than the script holds, as a failed assertion asks nothing
/// more; what it asks for must be the same, as the answers were to that.
fn hear_out<'a>(judge: &mut Judge, task: &'a Task, script: &Script) -> Heard<'a> {
    let mut sheet = Sheet::new(task);
    let mut expected = script.requests.iter();
    let mut same = true;
    let deadline = Instant::now() + JUDGE_PATIENCE;
    loop {
        match judge.hear(deadline) {
            Said::Result(judged) => sheet.enter(judged),
            Said::Request(request) => match expected.next() {
                Some(known) => same &= *known == request,
                None => {
                    same = false;
                    judge.ended();
                }
            },
            Said::Done if same => return Heard::Same(sheet),
            Said::Done => return Heard::Different,
            Said::Late | Said::Gone => return Heard::Stuck,
        }
    }
}
