//! Judging anew: a judge and a recording of what an agent answered; no cell, no agent.

use crate::model::claims::Exchange;
use crate::sandbox::run::host::Host;
use crate::sandbox::run::interactive::{self, Broken};
use crate::sandbox::run::judge_prompts::JudgePrompts;
use crate::sandbox::run::respondent::Recorded;
use crate::sandbox::run::score_sheet::Standing;
use crate::sandbox::{Fault, Rejudged};
use crate::task::Task;

/// Judges what an agent answered; in a judge that has judged nothing yet, if it must be `new`.
///
/// # Errors
/// The engine failed, or the task's author is at fault.
pub fn judge(host: &Host, task: &Task, exchanges: &[Exchange], new: bool) -> Result<Rejudged, Fault> {
    if new {
        host.judges.discard_waiting();
    }
    let mut judge = host.judges.for_task(task)?;
    let deaths = host.launcher.death_log(judge.container());
    let deaths = match deaths {
        Ok(deaths) => deaths,
        Err(fault) => {
            host.judges.discard(judge);
            return Err(fault);
        }
    };
    let prompts = JudgePrompts::begin(None, &host.launcher)?;
    let mut recorded = Recorded::new(exchanges);
    let outcome =
        interactive::run(&mut recorded, &mut judge, task, &prompts, &deaths, &mut Standing::default());
    match outcome {
        Ok(_) => host.judges.give_back(judge),
        Err(_) => host.judges.discard(judge),
    }
    host.launcher.check_running()?;
    match outcome {
        Ok(scored) => Ok(Rejudged::Scored(scored)),
        Err(Broken::Unrecorded(why)) => Ok(Rejudged::Unlike(why)),
        Err(Broken::JudgeLate(scored) | Broken::JudgeGone(scored)) => {
            host.launcher.engine().is_there().map(|()| Rejudged::Scored(*scored))
        }
        Err(Broken::Task(fault)) => Err(Fault::Task(fault)),
        Err(Broken::Engine(fault)) => Err(fault),
    }
}
