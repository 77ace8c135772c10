//! One run: the judge asks, the agent answers, the host keeps the clock and the verdicts.

use std::time::{Duration, Instant};

use crate::model::claims::Reply;
use crate::model::report::{Scored, Verdict};
use crate::sandbox::Fault;
use crate::sandbox::containers::death_log::DeathLog;
use crate::sandbox::run::case_files;
use crate::sandbox::run::judge::{Demise, Judge, Request, Said};
use crate::sandbox::run::judge_prompts::JudgePrompts;
use crate::sandbox::run::respondent::{NoReply, Respondent, is_idle};
use crate::sandbox::run::score_sheet::{ScoreSheet, Standing};
use crate::task::Task;

/// How often a run may use up the judge's time or memory, or end its process, over what the agent returned. Each test has
/// bounds of its own; but an agent that breaks one after the other must not hold up everybody for as long as there are
/// tests.
const MAX_DEATHS: usize = 3;

/// How many times the judge's time both sides of a run may have nothing to say, in all: an agent could have them wait for ever.
const MAX_IDLE: u32 = 3;

const NOT_JUDGED: &str =
    "not judged: tests before it used up the judge's time or memory over what the agent returned";

/// Why a dialogue broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The engine failed.
    #[error(transparent)]
    Engine(Fault),
    /// The task's author is at fault: what is wrong with the task.
    #[error("{0}")]
    Task(String),
    /// The judge took too long over what the agent returned. Holds the run as it stands with that verdict.
    #[error("the judge took too long")]
    JudgeLate(Box<Scored>),
    /// The judge ended over it. Holds the run as it stands with that verdict.
    #[error("the judge ended")]
    JudgeGone(Box<Scored>),
    /// A recording has no answer to what the judge asks; why.
    #[error("{0}")]
    Unrecorded(&'static str),
}

impl Broken {
    fn of(fault: Fault) -> Self {
        match fault {
            Fault::Task(fault) => Self::Task(fault),
            fault => Self::Engine(fault),
        }
    }
}

impl From<NoReply> for Broken {
    fn from(no_reply: NoReply) -> Self {
        match no_reply {
            NoReply::Engine(fault) => Self::Engine(fault),
            NoReply::Unrecorded(why) => Self::Unrecorded(why),
        }
    }
}

/// Has a judge that knows a task grade the run that `agent` has begun, but for results that stand already. Those that it comes to
/// stand, too, unless the engine or the task's author is at fault.
///
/// # Errors
/// Something other than the agent broke; its cell and the judge must not be used again.
pub fn run(
    agent: &mut impl Respondent,
    judge: &mut Judge,
    task: &Task,
    prompts: &JudgePrompts<'_>,
    deaths: &DeathLog,
    standing: &mut Standing,
) -> Result<Scored, Broken> {
    let (mut sheet, mut broken) = (ScoreSheet::new(task, standing), 0);
    let (mut idled, mut replied) = (Duration::ZERO, Instant::now());
    begin(agent, judge, task, 0);
    loop {
        match judge.hear() {
            Said::Fetch(part) => judge.file(&part.of(task).map_err(Broken::Task)?),
            Said::Consult(prompt) => judge.model_answer(prompts.ask(prompt).map_err(Broken::of)?),
            // On nobody's clock: neither side has anything to say, and the agent's rests.
            Said::Request(Request { payload, .. })
                if is_idle(&payload) && idled + replied.elapsed() > judge.bounds().time * MAX_IDLE =>
            {
                sheet.rest(Verdict::Timeout, "the test and the agent waited for each other");
                return Err(Broken::JudgeLate(Box::new(close(sheet, agent, standing))));
            }
            Said::Request(Request { kind, payload }) => {
                if is_idle(&payload) {
                    idled += replied.elapsed();
                }
                let payload = case_files::filled(kind, payload, task).map_err(Broken::Task)?;
                let reply = agent.ask(&Request { kind, payload })?;
                pass_on(reply, judge, &mut sheet);
                replied = Instant::now();
            }
            Said::Result(judged) => {
                agent.enter_test(limit(task, judged.test + 1));
                sheet.enter(judged);
            }
            Said::Done => return Ok(close(sheet, agent, standing)),
            Said::Fault(flaw) => return Err(Broken::Task(flaw.told(task))),
            Said::Died(demise) if !demise.asked => {
                let text = format!("can't be judged: {}", demise.happened(judge.bounds(), 1));
                return Err(Broken::Task(demise.flaw(task, text).told(task)));
            }
            Said::Died(demise) => {
                broken += 1;
                match bury(&demise, judge, &mut sheet) {
                    Some(next) if broken < MAX_DEATHS => {
                        agent.renew()?;
                        begin(agent, judge, task, next);
                    }
                    _ => {
                        sheet.rest(demise.verdict(), NOT_JUDGED);
                        return Ok(close(sheet, agent, standing));
                    }
                }
            }
            Said::Late => {
                sheet.rest(Verdict::Timeout, "the assertion took too long over what the agent returned");
                return Err(Broken::JudgeLate(Box::new(close(sheet, agent, standing))));
            }
            Said::Gone if judge.lost_by_engine(deaths) => {
                return Err(Broken::Engine(Fault::Engine("the engine lost the judge".into())));
            }
            Said::Gone => {
                sheet.rest(Verdict::Error, "the assertion could not be evaluated on what the agent returned");
                return Err(Broken::JudgeGone(Box::new(close(sheet, agent, standing))));
            }
        }
    }
}

/// Begins to judge, from this test on.
fn begin(agent: &mut impl Respondent, judge: &mut Judge, task: &Task, test: usize) {
    agent.enter_test(limit(task, test));
    judge.begin(task, test);
}

/// The test's own limit.
fn limit(task: &Task, test: usize) -> Option<Duration> {
    task.tests.get(test).and_then(|test| test.timeout)
}

/// Enters what a test came to that the judge's worker died in, over what the agent returned. Gives the test to go on
/// with, if one is left.
fn bury(demise: &Demise, judge: &Judge, sheet: &mut ScoreSheet<'_>) -> Option<usize> {
    let why = format!("broken by what the agent returned: {}", demise.happened(judge.bounds(), 1));
    match demise.test {
        Some(test) => {
            sheet.enter_verdict(test, demise.verdict(), why);
            sheet.after(test)
        }
        None => {
            sheet.rest(demise.verdict(), &why);
            None
        }
    }
}

/// Passes on to the judge what the agent made of its question.
fn pass_on(reply: Reply, judge: &mut Judge, sheet: &mut ScoreSheet<'_>) {
    match reply {
        Reply::Claim(claim) => judge.claim(&claim),
        Reply::ProgramOutput(left) => judge.program_output(&left),
        Reply::Line(heard) => judge.line(&heard),
        Reply::Ended(verdict, how) => {
            sheet.note_end(verdict, how);
            judge.ended();
        }
    }
}

/// The run as it stands; `standing` are the results that were judged.
fn close(sheet: ScoreSheet<'_>, agent: &mut impl Respondent, standing: &mut Standing) -> Scored {
    standing.clone_from(sheet.standing());
    let (usage, stderr) = agent.finish();
    sheet.add_up(usage, stderr)
}
