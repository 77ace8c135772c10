//! A run in one exchange instead of one per call.
//!
//! A task's tests nearly always ask the same of every agent. So what they ask is sent to a cell at once, for several runs,
//! and the answers go to the judge with its order. The moment anything is not as it was, all of it is thrown away and the
//! run is made anew, call by call: a verdict never depends on how it was come by.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::cell::{Answers, Part, Reply};
use super::dialogue::Sheet;
use super::judge::{Judge, Judged, Request, Said};
use super::launcher::lock;
use crate::config::Limits;
use crate::report::Scored;
use crate::task::Task;

/// How long an agent may take over a replay, beside three times what another took over the calls. One that needs
/// longer pays this much once and then gets all its time.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long a judge may take over one.
const JUDGE_PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of requests, and of answers, up to which replays are worth their memory.
pub const ROOM: usize = 2 << 20;

/// Replays that may fail more often than they succeed, until a task counts as one that asks something else each time.
const CREDIT: i32 = 16;

/// How many different answers to a task are remembered. Right ones are mostly the same, and wrong ones often.
const MEMORY: usize = 16;

/// What a task's tests ask of an agent, in order.
#[derive(Debug, Default)]
pub struct Script {
    requests: Vec<Request>,
    size: usize,
    unfit: bool,
    took: Duration,
    debts: AtomicI32,
    /// Found out without an agent.
    foreseen: bool,
    /// What the judge said, by all that an agent answered; None if it may say something else the next time.
    verdicts: Option<Mutex<HashMap<String, Vec<Judged>>>>,
}

impl Script {
    /// What a judge foresees.
    pub fn foreseen(requests: Vec<(char, String)>, steady: bool) -> Option<Self> {
        let mut script = Self { foreseen: true, ..Self::default() };
        for (kind, payload) in requests {
            script.add(Request { kind: kind as u8, payload: payload.into_bytes() });
        }
        script.close(Duration::ZERO, steady)
    }

    /// Writes down a request. An agent that did not answer may have changed what was asked next.
    pub fn note(&mut self, request: Request, reply: &Reply) {
        self.unfit |= matches!(reply, Reply::Ended(..));
        self.add(request);
    }

    fn add(&mut self, request: Request) {
        self.size += request.payload.len();
        self.unfit |= self.size > ROOM;
        if !self.unfit {
            self.requests.push(request);
        }
    }

    /// Ends the writing, after an agent took so long over it; None if it is no use. Whether the task is `steady` says if
    /// verdicts are worth remembering.
    pub fn close(mut self, took: Duration, steady: bool) -> Option<Self> {
        self.took = took;
        self.verdicts = steady.then(Mutex::default);
        (!self.unfit && !self.requests.is_empty()).then_some(self)
    }

    /// Whether replays of it have been worth their while.
    pub fn is_useful(&self) -> bool {
        self.debts.load(Ordering::Relaxed) < CREDIT
    }

    /// Whether one that an agent has been asked is better.
    pub fn is_foreseen(&self) -> bool {
        self.foreseen
    }

    /// Bytes of all requests.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A run of a task by it.
    pub fn part<'a>(&'a self, prompt: &'a str, limits: &Limits) -> Part<'a> {
        let patience = (PATIENCE + self.took * 3).min(limits.timeout);
        Part { prompt, limits: *limits, requests: &self.requests, patience }
    }

    /// Counts what came of a replay.
    pub fn count(&self, worked: bool) {
        let debts = self.debts.load(Ordering::Relaxed) + if worked { -1 } else { 1 };
        self.debts.store(debts.clamp(0, CREDIT), Ordering::Relaxed);
    }

    /// What was judged of exactly these answers before.
    pub fn recall(&self, task: &Task, answers: &Answers) -> Option<Scored> {
        let verdicts = lock(self.verdicts.as_ref()?);
        let judged = verdicts.get(&key(answers))?;
        Some(scored(task, judged, answers))
    }

    fn remember(&self, answers: &Answers, judged: Vec<Judged>) {
        if let Some(verdicts) = &self.verdicts {
            let mut verdicts = lock(verdicts);
            if verdicts.len() < MEMORY {
                verdicts.insert(key(answers), judged);
            }
        }
    }
}

fn key(answers: &Answers) -> String {
    let kinds: Vec<u8> = answers.claims.iter().map(|claim| claim.kind).collect();
    let payloads = answers.claims.iter().map(|claim| claim.payload.as_slice());
    crate::digest::hex(std::iter::once(kinds.as_slice()).chain(payloads))
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

/// Has a judge that knows the task look at an agent's answers to a script. It may ask for less than the script holds, as
/// a failed assertion asks nothing more; what it asks for must be the same, as the answers were to that.
pub fn judge(judge: &mut Judge, task: &Task, script: &Script, answers: &Answers) -> Replayed {
    judge.begin(task);
    for claim in &answers.claims {
        match claim.kind {
            b's' => judge.script(&claim.payload),
            _ => judge.claim(&claim.payload),
        }
    }
    let (mut said, mut same) = (Vec::new(), true);
    let mut expected = script.requests.iter();
    let deadline = Instant::now() + JUDGE_PATIENCE;
    loop {
        match judge.hear(deadline) {
            Said::Result(judged) => said.push(judged),
            Said::Request(request) => match expected.next() {
                Some(known) => same &= *known == request,
                None => {
                    same = false;
                    judge.ended();
                }
            },
            Said::Done if same => break,
            Said::Done => return Replayed::Differs,
            Said::Late | Said::Gone => return Replayed::JudgeStuck,
        }
    }
    let scored = scored(task, &said, answers);
    script.remember(answers, said);
    Replayed::Scored(scored)
}

fn scored(task: &Task, judged: &[Judged], answers: &Answers) -> Scored {
    let mut sheet = Sheet::new(task);
    judged.iter().cloned().for_each(|judged| sheet.enter(judged));
    sheet.add_up(answers.usage, answers.stderr.clone())
}
