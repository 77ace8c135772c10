//! Drafts: a model's source for each task, checked as the platform would, and repaired.

use anyhow::ensure;
use parking_lot::Mutex;

use crate::client::generate::answer::{CUT_OFF, Reply, Unanswered};
use crate::client::generate::bill::Bill;
use crate::client::generate::model::Model;
use crate::client::generate::prompt::Interpreter;
use crate::client::generate::trial::Trial;
use crate::client::generate::wanted::Wanted;
use crate::client::generate::{prompt, reply, thinking};
use crate::config::Price;
use crate::import::with_imports;
use crate::model::merged::DraftPart;
use crate::sandbox::Fault;
use crate::task::Task;
use crate::ui::Spinner;
use crate::util::text::unseen;
use crate::workspace::named::named;

/// Model and trial that drafts are made with.
pub struct Studio<'a> {
    /// The model that writes.
    pub model: &'a Model,
    /// The trial that a draft must stand.
    pub trial: Trial<'a>,
    /// The Python that it is written for.
    pub interpreter: Interpreter,
    /// How often the model may mend a draft.
    pub repairs: u32,
    /// True if replies are shown even if they can be used.
    pub show_replies: bool,
    /// Progress display.
    pub spinner: &'a Spinner,
    /// The model's price, if it is known.
    pub price: Option<&'a Price>,
    /// All replies so far.
    pub bill: Mutex<Bill>,
}

/// Drafts of several tasks.
#[derive(Debug, Default)]
pub struct Drafts {
    /// Those that are good.
    pub parts: Vec<DraftPart>,
    /// The tasks without one, and why.
    pub failed: Vec<(String, String)>,
    /// The reason why the tasks after these were not asked for.
    pub ended: Option<anyhow::Error>,
}

/// Why a task has no draft.
enum NoDraft {
    /// The reply is of no use.
    Reply(String),
    /// There will be none for other tasks either.
    End(anyhow::Error),
}

impl From<Fault> for NoDraft {
    fn from(fault: Fault) -> Self {
        Self::End(fault.into())
    }
}

impl From<Unanswered> for NoDraft {
    fn from(reason: Unanswered) -> Self {
        match reason {
            Unanswered::Declined { reason: words, .. } | Unanswered::Failed(words) => Self::Reply(words),
            Unanswered::Hopeless(words) => Self::End(anyhow::anyhow!(words)),
        }
    }
}

/// A reply that can't be used.
struct Flaw {
    source: Option<String>,
    problem: String,
}

impl Studio<'_> {
    /// Drafts of the tasks, one after the other. One that fails costs the others nothing.
    #[must_use]
    pub fn drafts(&self, tasks: &[&Task]) -> Drafts {
        let mut drafts = Drafts::default();
        for (number, task) in (1..).zip(tasks) {
            self.spinner.wait(format!("asking for {} ({number} of {})", task.id, tasks.len()));
            match self.draft(task) {
                Ok(source) => {
                    if self.trial.tried && !task.tests.iter().any(|test| test.public) {
                        self.spinner.say(&format!("{}: no public tests: nothing was tried", task.id));
                    }
                    drafts.parts.push(part(task, source));
                }
                Err(NoDraft::Reply(reason)) => drafts.failed.push((task.id.clone(), reason)),
                Err(NoDraft::End(error)) => {
                    drafts.ended = Some(error);
                    break;
                }
            }
        }
        drafts
    }

    /// The first source that is good; each reply that holds none is answered with what is wrong, as long as there are
    /// repairs left.
    fn draft(&self, task: &Task) -> Result<String, NoDraft> {
        let mut prompt = prompt::ask(task, &self.interpreter);
        for left in (0..=self.repairs).rev() {
            let tell = |news| self.spinner.say(&format!("{}: {news}", task.id));
            let answer = self.model.ask(&prompt, &tell);
            self.bill.lock().add(&answer, self.price);
            let reply = answer?;
            let flaw = match self.usable(&reply, task)? {
                Ok(source) => {
                    if self.show_replies {
                        self.spinner.say(&shown(&format!("{}: the reply:", task.id), &reply.text));
                    }
                    return Ok(source);
                }
                Err(flaw) => flaw,
            };
            let head = format!("{}: the reply can't be used: {}", task.id, flaw.problem.trim_end());
            self.spinner.tell(&shown(&head, &reply.text));
            if left == 0 {
                return Err(NoDraft::Reply(self.given_up(&flaw.problem)));
            }
            self.spinner.wait(format!("asking for a repair of {}: {}", task.id, first_line(&flaw.problem)));
            prompt = prompt::repair(task, &self.interpreter, flaw.source.as_deref(), &flaw.problem);
        }
        Err(NoDraft::Reply("nothing was asked".to_owned()))
    }

    fn given_up(&self, problem: &str) -> String {
        let repairs = match self.repairs {
            0 => String::new(),
            1 => ", not even after a repair".to_owned(),
            many => format!(", not even after {many} repairs"),
        };
        format!("no usable code{repairs}: {}", problem.trim_end())
    }

    /// The first good source in a reply, or the problem with the likeliest one.
    fn usable(&self, reply: &Reply, task: &Task) -> Result<Result<String, Flaw>, Fault> {
        let mut flaw = None;
        for source in reply::sources(reply, &Wanted::of(task)) {
            let whole = with_imports(task, source.clone());
            match self.trial.problem(&whole, &[task])? {
                None => return Ok(Ok(whole)),
                Some(problem) => flaw = flaw.or(Some(Flaw { source: Some(source), problem })),
            }
        }
        Ok(Err(flaw.unwrap_or_else(|| Flaw { source: None, problem: no_code(reply).to_owned() })))
    }
}

fn part(task: &Task, source: String) -> DraftPart {
    let program = Wanted::of(task).program;
    DraftPart { id: task.id.clone(), prompt: task.prompt.clone(), program, source }
}

fn no_code(reply: &Reply) -> &'static str {
    match reply.cut_off {
        true => CUT_OFF,
        false if thinking::answer(&reply.text).trim().is_empty() => "the reply holds nothing but thinking",
        false => "the reply holds no Python code",
    }
}

/// A reply as lines that no terminal obeys, below a heading.
fn shown(head: &str, reply: &str) -> String {
    let safe = |line: &str| -> String {
        line.chars()
            .flat_map(
                |c| if unseen(c) && c != '\t' { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] },
            )
            .collect()
    };
    let lines: Vec<String> = reply.lines().map(|line| format!("\n  | {}", safe(line))).collect();
    head.to_owned() + &lines.concat()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The tasks that these ids and patterns name; all of them if `all`.
///
/// # Errors
/// One names no task, or none was given.
pub fn choose<'a>(tasks: &'a [Task], ids: &[String], all: bool) -> anyhow::Result<Vec<&'a Task>> {
    ensure!(all || !ids.is_empty(), "say which task: its id, several, or --all; agentmill tasks lists them");
    if all { Ok(tasks.iter().collect()) } else { named(tasks, ids) }
}
