//! Messages between the host and the supervisor of a cell.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::Limits;
use crate::gateway::Environment;
use crate::model::claims::Reply;
use crate::model::report::{Usage, Verdict};
use crate::sandbox::channel::frame::{self, Frame};
use crate::sandbox::guest::frames::{FromCell, ToCell};
use crate::sandbox::run::judge::Request;
use crate::sandbox::{Fault, Refusal};
use crate::task::Task;
use crate::util::units::Size;

/// Words of a run to its agent about the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Briefing {
    prompt: String,
    /// The id of a task with cases: they are run without the prompt, and one submission may serve several such tasks.
    task: Option<String>,
    /// False if an import that ends by SystemExit has failed.
    may_exit: bool,
}

impl Briefing {
    /// Of this task.
    pub fn of(task: &Task) -> Self {
        let id = task.has_cases().then(|| task.id.clone());
        Self { prompt: task.prompt.clone(), task: id, may_exit: task.may_exit }
    }
}

/// One of several runs to make without a word in between.
#[derive(Debug)]
pub struct BatchedRun<'a> {
    /// The words about the task.
    pub briefing: &'a Briefing,
    /// The run's limits.
    pub limits: Limits,
    /// All that is asked, in order.
    pub requests: &'a [Request],
}

/// All that an agent replied in a run.
#[derive(Debug)]
pub struct Answers {
    /// As many as there were requests.
    pub replies: Vec<Reply>,
    /// The run's usage.
    pub usage: Usage,
    /// The end of what the agent wrote to stderr.
    pub stderr: String,
}

/// The supervisor's answer to a request.
pub enum Answer {
    /// The agent's reply.
    Reply(Reply),
    /// The agent's process ended meanwhile.
    Exited(Exited),
}

/// The orders for several runs, as the supervisor takes them one by one; the first run has this number.
pub fn orders(mut number: u32, runs: &[BatchedRun<'_>]) -> Vec<u8> {
    let mut orders = Vec::new();
    for run in runs {
        frame::put(&mut orders, ToCell::Begin, &settings(number, run.briefing, &run.limits, None));
        for request in run.requests {
            frame::put(&mut orders, request.kind, &request.payload);
        }
        frame::put(&mut orders, ToCell::End, b"");
        number = number.wrapping_add(1);
    }
    orders
}

/// The payload that begins a run; with the variables by which the agent finds its way to a model, if it has one.
pub fn settings(number: u32, briefing: &Briefing, limits: &Limits, model: Option<&Environment>) -> Vec<u8> {
    let Briefing { prompt, task, may_exit } = briefing;
    let settings = serde_json::json!({
        "run": number, "prompt": prompt, "task": task, "output": limits.output, "value": limits.value, "cpus": limits.cpus,
        "model": model, "may_exit": may_exit,
    });
    settings.to_string().into_bytes()
}

impl Answer {
    /// Reads a frame of the supervisor, for a run with these limits.
    ///
    /// # Errors
    /// It is not what our own code writes.
    pub fn of(frame: Frame, limits: Option<&Limits>) -> Result<Self, Fault> {
        let too_much = || match limits {
            Some(limits) => format!(
                "it printed more than {} (`output`), or returned more than {} as JSON (`value`)",
                Size(limits.output),
                Size(limits.value)
            ),
            None => "it printed or returned more than it may".to_owned(),
        };
        Ok(match FromCell::of(frame.kind) {
            Some(FromCell::Claim) => Answer::Reply(Reply::Claim(frame.payload)),
            Some(FromCell::Output) => Answer::Reply(Reply::ProgramOutput(frame.payload)),
            Some(FromCell::Line) => Answer::Reply(Reply::Line(frame.payload)),
            Some(FromCell::OverLimit) => Answer::Reply(Reply::Ended(Verdict::OutputLimit, too_much())),
            _ => Answer::Exited(read(&frame.payload)?),
        })
    }
}

/// Reads JSON that our own code in the cell wrote.
///
/// # Errors
/// It is not what that code writes.
pub fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::Engine(error.to_string()))
}

/// The end of the agent's process in the middle of a request.
#[derive(Deserialize)]
pub struct Exited {
    /// Its exit code, or the negative number of the signal that killed it; None if no process could be made.
    pub code: Option<i32>,
}

impl Exited {
    /// How it ended, in words.
    pub fn how(&self) -> String {
        match self.code {
            None => "its cell makes no more processes".to_owned(),
            Some(code @ ..0) => format!("its process was killed by signal {}", -code),
            Some(code) => format!("its process ended with exit code {code}"),
        }
    }
}

/// The account of a run that has ended.
#[derive(Debug, Deserialize, Default)]
pub struct Spending {
    /// CPU time of its processes, milliseconds.
    pub cpu_ms: u64,
    /// Largest resident set of its processes, KiB.
    pub max_rss_kib: u64,
    /// The cell is as it was before the run.
    pub clean: bool,
    /// The end of what the agent wrote to stderr.
    #[serde(skip)]
    pub stderr: String,
}

impl Spending {
    /// Both together, of which this one came first.
    pub fn and(self, later: Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms + later.cpu_ms,
            max_rss_kib: self.max_rss_kib.max(later.max_rss_kib),
            clean: later.clean,
            stderr: if later.stderr.is_empty() { self.stderr } else { later.stderr },
        }
    }

    /// Reads the length of the account, the account, and the end of what the agent wrote to stderr.
    pub fn of(payload: &[u8]) -> Option<Self> {
        let (length, rest) = payload.split_first_chunk()?;
        let (account, stderr) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let spending: Self = serde_json::from_slice(account).ok()?;
        Some(Self { stderr: String::from_utf8_lossy(stderr).into_owned(), ..spending })
    }
}

/// The supervisor's answer to a source.
#[derive(Deserialize)]
pub struct Compiled {
    /// CPU time that compiling and making the module ahead took, milliseconds.
    #[serde(default)]
    pub cpu_ms: u64,
    line: Option<u32>,
    message: Option<String>,
}

impl Compiled {
    /// Why Python does not compile it, if it does not.
    pub fn refusal(self) -> Option<Refusal> {
        self.message.map(|message| Refusal { line: self.line, message })
    }
}
