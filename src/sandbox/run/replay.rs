//! Replay: a run in one exchange instead of one per call.
//!
//! A task's tests nearly always ask the same of every agent, whatever it answers. What a judge can foresee of that is sent to
//! a cell at once, for several runs, and the answers go to the judge with its order. The moment anything is not as it was
//! foreseen, the rest is thrown away and the run is made anew in another cell, call by call: a verdict never depends on how
//! it was come by. What was judged until then stands. Nothing that an agent has answered is ever made a question of.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use crate::config::Limits;
use crate::model::claims::{Exchange, Exchanges, Reply};
use crate::sandbox::guest::frames::ToCell;
use crate::sandbox::run::cell_messages::{Answers, BatchedRun, Briefing};
use crate::sandbox::run::judge::{Judge, Judged, Request, Said};
use crate::sandbox::run::score_sheet::ScoreSheet;
use crate::task::Task;
use crate::util::digest;

/// Bytes of requests, and of answers, up to which replays are worth their memory.
pub const ROOM: usize = 2 << 20;

/// Questions that are put one by one in the time that a cell takes to start, give or take: what a replay that fails costs, as the run
/// is made anew in another one. docs/performance.md: 0.15 to 0.4 s a cell, 1 to 4 ms a question.
const QUESTIONS_PER_CELL: i64 = 150;

/// How many different answers to a task are remembered. Right ones are mostly the same, and wrong ones often.
const MEMORY: usize = 16;

/// The questions that a task's tests ask of every agent, in order.
#[derive(Debug)]
pub struct CallPlan {
    requests: Vec<Request>,
    /// The questions in the words by which claims name them.
    asked: Vec<String>,
    size: usize,
    /// Questions that replays have saved, less those that failures have cost. A long plan has some to begin with, and no plan
    /// saves up more than one failure costs, or its own length.
    balance: AtomicI64,
    /// The judge's results, by all that an agent answered; None if they may be others the next time.
    verdicts: Option<Mutex<HashMap<String, Vec<Judged>>>>,
}

impl CallPlan {
    /// A plan of what a judge foresees, if it is worth anything. Verdicts on a `steady` task are worth remembering.
    pub fn foreseen(requests: Vec<(char, String)>, steady: bool) -> Option<Self> {
        let request = |(kind, payload): (char, String)| {
            let kind = ToCell::of(u8::try_from(kind).ok()?)?;
            Some(Request { kind, payload: payload.into_bytes() })
        };
        let requests = requests.into_iter().map(request).collect::<Option<Vec<_>>>()?;
        let size = requests.iter().map(|request| request.payload.len()).sum();
        let asked = requests.iter().map(Request::digest).collect();
        let balance = AtomicI64::new(number_of(&requests));
        let plan = Self { requests, asked, size, balance, verdicts: steady.then(Mutex::default) };
        (size <= ROOM && !plan.requests.is_empty()).then_some(plan)
    }

    /// Tells whether replays of it have been worth their while.
    pub fn is_useful(&self) -> bool {
        self.balance.load(Ordering::Relaxed) >= 0
    }

    /// Bytes of all requests.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A run of a task by it.
    pub fn run<'a>(&'a self, briefing: &'a Briefing, limits: &Limits) -> BatchedRun<'a> {
        BatchedRun { briefing, limits: *limits, requests: &self.requests }
    }

    /// All that was asked and answered; None where it was too much to be kept.
    pub fn exchanges(&self, answers: &Answers) -> Option<Vec<Exchange>> {
        let mut exchanges = Exchanges::default();
        let pairs = self.asked.iter().zip(&answers.replies);
        pairs.for_each(|(asked, reply)| exchanges.add(asked.clone(), reply));
        exchanges.whole()
    }

    /// Counts what came of a replay.
    pub fn count(&self, worked: bool) {
        let length = number_of(&self.requests);
        let change = if worked { length } else { -QUESTIONS_PER_CELL };
        let counted = |balance: i64| Some(balance.saturating_add(change).min(length.max(QUESTIONS_PER_CELL)));
        let _ = self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
    }

    /// The run that was judged of exactly these answers before; what it came to is entered.
    pub fn recall(&self, sheet: &mut ScoreSheet<'_>, answers: &Answers) -> Option<()> {
        let verdicts = self.verdicts.as_ref()?.lock();
        let judged = verdicts.get(&key(answers)?)?;
        judged.iter().cloned().for_each(|judged| sheet.enter(judged));
        Some(())
    }

    fn remember(&self, answers: &Answers, judged: Vec<Judged>) {
        let (Some(verdicts), Some(key)) = (&self.verdicts, key(answers)) else { return };
        let mut verdicts = verdicts.lock();
        if verdicts.len() < MEMORY {
            verdicts.insert(key, judged);
        }
    }
}

fn number_of(requests: &[Request]) -> i64 {
    i64::try_from(requests.len()).unwrap_or(i64::MAX)
}

/// A digest of all that an agent answered; None if it did not answer everything.
fn key(answers: &Answers) -> Option<String> {
    let parts = answers.replies.iter().map(|reply| match reply {
        Reply::Claim(claim) => Some([&b"v"[..], claim]),
        Reply::ProgramOutput(output) => Some([&b"s"[..], output]),
        Reply::Line(_) | Reply::Ended(..) => None,
    });
    let parts = parts.collect::<Option<Vec<_>>>()?;
    Some(digest::hex(parts.into_iter().flatten()))
}

/// Result of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// The run is what it would have come to call by call.
    Scored,
    /// The judge asks something else: it must be made anew.
    Differs,
    /// The agent has ended where it would not have been asked: it must be asked call by call.
    EndedInVain,
    /// A test ended the judge's worker: whose fault it is, is found out call by call.
    Died,
    /// The judge has not come to an end and must not be used again.
    JudgeStuck,
}

/// Has a judge that knows the task look at an agent's replies to a plan. It may ask for less than the plan holds, as
/// a failed assertion asks nothing more; what it asks for must be the same, as the replies were to that. An agent that
/// ended where it would not have been asked has ended in vain: then it must be asked call by call. Results go to the sheet
/// for as long as the judge asks the same.
pub fn judge(
    judge: &mut Judge,
    task: &Task,
    plan: &CallPlan,
    answers: &Answers,
    sheet: &mut ScoreSheet<'_>,
) -> Replayed {
    judge.begin(task, 0);
    for reply in &answers.replies {
        match reply {
            Reply::Claim(claim) => judge.claim(claim),
            Reply::ProgramOutput(output) => judge.program_output(output),
            Reply::Line(heard) => judge.line(heard),
            Reply::Ended(..) => judge.ended(),
        }
    }
    let (mut said, mut same) = (Vec::new(), true);
    let mut expected = plan.requests.iter().zip(&answers.replies);
    loop {
        match judge.hear() {
            Said::Result(judged) if same => {
                sheet.enter(judged.clone());
                said.push(judged);
            }
            Said::Result(_) => {}
            Said::Request(request) => match expected.next() {
                Some((known, reply)) => {
                    same &= *known == request;
                    note(sheet, reply);
                }
                None => {
                    same = false;
                    judge.ended();
                }
            },
            // Neither cases nor what asks a model are ever part of a plan.
            Said::Fetch(_) | Said::Consult(_) => {
                same = false;
                judge.ended();
            }
            Said::Done => break,
            Said::Died(_) => return Replayed::Died,
            Said::Fault(_) => same = false,
            Said::Late | Said::Gone => return Replayed::JudgeStuck,
        }
    }
    if !same {
        return Replayed::Differs;
    }
    if expected.any(|(_, reply)| matches!(reply, Reply::Ended(..))) {
        return Replayed::EndedInVain;
    }
    plan.remember(answers, said);
    Replayed::Scored
}

fn note(sheet: &mut ScoreSheet<'_>, reply: &Reply) {
    if let Reply::Ended(verdict, how) = reply {
        sheet.note_end(*verdict, how.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(questions: usize) -> CallPlan {
        let requests = vec![('C', "[]".to_owned()); questions];
        CallPlan::foreseen(requests, true).expect("some questions")
    }

    #[test]
    fn a_short_plan_that_fails_is_given_up_as_a_cell_costs_more_than_its_questions() {
        let short = plan(5);
        assert!(short.is_useful());
        short.count(false);
        assert!(!short.is_useful());
    }

    #[test]
    fn a_plan_lasts_as_long_as_it_saves_more_than_its_failures_cost() {
        let short = plan(5);
        (0..100).for_each(|_| short.count(true));
        short.count(false);
        assert!(short.is_useful(), "it has saved 500 questions");
        short.count(false);
        assert!(!short.is_useful(), "savings of long ago are no reason to lose a cell each time");

        let long = plan(1_000);
        (0..6).for_each(|_| long.count(false));
        assert!(long.is_useful(), "one by one its questions take longer than six cells");
        long.count(false);
        assert!(!long.is_useful());
        (0..3).for_each(|_| long.count(true));
        assert!(long.is_useful());
    }
}
