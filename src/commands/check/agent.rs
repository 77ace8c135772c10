//! `check FILE`: one agent alone, as the pipeline would look at it.

use std::path::Path;

use anyhow::bail;
use serde_json::json;

use crate::cli::Exit;
use crate::client::submit;
use crate::commands::check::own_sandbox::with_sandbox;
use crate::commands::check::unrun;
use crate::config::{self, Pipeline};
use crate::model::first_sights::FirstSights;
use crate::model::report::Verdict;
use crate::pipeline::intake::{Inbox, Touched};
use crate::pipeline::validate;
use crate::sandbox::{Cell, Fault, Opened, Sandbox};
use crate::task::{self, Task};
use crate::term;
use crate::ui::Talk;
use crate::workspace::PIPELINE;
use crate::yaml::Problems;

/// Outcome of a look at an agent's file.
enum Found {
    /// The pipeline would refuse it: the line and the reason.
    Refused(Option<u32>, String),
    /// It would be evaluated; the hint says what its author may not have meant.
    Agent { hint: Option<String> },
}

/// Checks only an agent's file, as the pipeline would.
///
/// # Errors
/// Why the agent would be refused, mistakes in the configuration, or that the engine can't be used.
pub fn check_one(dir: &Path, agent: &Path, quiet: bool, json: bool) -> anyhow::Result<Exit> {
    let (pipeline, problems) = config::load_with_mistakes(&dir.join(PIPELINE));
    Problems::check(problems)?;
    let talk = Talk::of(quiet, json);
    let found = with_sandbox(&pipeline, talk, |sandbox, _| look(agent, &pipeline, sandbox))?;
    let file = agent.display().to_string();
    if json {
        let (ok, line, reason, hint) = match found {
            Found::Refused(line, reason) => (false, line, Some(reason), None),
            Found::Agent { hint } => (true, None, None, hint),
        };
        term::print_json(&json!({ "ok": ok, "file": file, "line": line, "reason": reason, "hint": hint }))?;
        return Ok(if ok { Exit::Done } else { Exit::Usage });
    }
    match found {
        Found::Refused(Some(line), reason) => bail!("{file}:{line}: {reason}"),
        Found::Refused(None, reason) => bail!("{file}: {reason}"),
        Found::Agent { .. } if quiet => {}
        Found::Agent { hint } => {
            let hint = hint.map_or_else(String::new, |hint| format!("hint: {file}: {hint}\n"));
            term::print(&format!("{hint}ok: {file} would be evaluated\n"))?;
        }
    }
    Ok(Exit::Done)
}

fn look(agent: &Path, pipeline: &Pipeline, sandbox: &dyn Sandbox) -> anyhow::Result<Found> {
    if let Some(reason) = refused_in_inbox(agent, pipeline) {
        return Ok(Found::Refused(None, reason));
    }
    let source = submit::read(agent)?;
    let (tasks, _) = task::load_good(&pipeline.tasks);
    let unrun = unrun::hint(&source, &tasks);
    Ok(match validate::check(&source, &pipeline.validate, &sandbox.library()?) {
        _ if source.len() as u64 > pipeline.validate.max_bytes => {
            Found::Refused(None, "is too large".to_owned())
        }
        Err(finding) => {
            let finding = finding.beside(|name| agent.is_file() && agent.with_file_name(name).exists());
            Found::Refused(finding.line, finding.reason)
        }
        Ok(()) => match compile(source, pipeline, sandbox)? {
            Found::Agent { hint } => Found::Agent { hint: unrun.or(hint) },
            refused => refused,
        },
    })
}

/// The reason why nothing of this name counts where it lies in the inbox: its name, its kind, another one that names the same miner.
fn refused_in_inbox(agent: &Path, pipeline: &Pipeline) -> Option<String> {
    let place = std::path::absolute(agent).ok()?;
    let is_inbox = |folder: &Path| folder.canonicalize().ok() == pipeline.inbox.canonicalize().ok();
    let name = place.file_name().filter(|_| place.parent().is_some_and(is_inbox))?;
    let name = Path::new(name).display().to_string();
    let (mut inbox, mut touched) =
        (Inbox::new(&pipeline.inbox, (&pipeline.validate).into()), Touched::default());
    inbox.touch_all(&mut touched).ok()?;
    inbox.look(touched, &FirstSights::default());
    let is_it = |file: &str| Path::new(file).components().next() == Path::new(&name).components().next();
    inbox.refused().find(|rejection| is_it(&rejection.file)).map(|rejection| rejection.reason)
}

fn compile(source: Vec<u8>, pipeline: &Pipeline, sandbox: &dyn Sandbox) -> Result<Found, Fault> {
    Ok(match sandbox.open(source, &pipeline.sandbox.limits)? {
        Opened::Ready(cell) => Found::Agent { hint: import(cell, pipeline)? },
        Opened::Refused(refusal) => Found::Refused(refusal.line, refusal.message),
    })
}

/// The end that the import of an agent comes to, where it is none that lets a test call a function.
fn import(mut cell: Box<dyn Cell + '_>, pipeline: &Pipeline) -> Result<Option<String>, Fault> {
    let limits = &pipeline.sandbox.limits;
    let scored = cell.run(&asking(), limits)?;
    let message = scored.tests.into_iter().find_map(|test| test.message).unwrap_or_default();
    let raised = message.strip_prefix(RAISED).map(|rest| rest.trim_end_matches(CALL));
    let what = match (raised, scored.verdict) {
        (Some(raised), _) => format!("raises {raised}"),
        (None, Verdict::Timeout) => format!("takes more than {:?}", limits.timeout),
        (None, Verdict::OutOfMemory) => "takes more memory than there is".to_owned(),
        (None, Verdict::Crashed) => "ends its process".to_owned(),
        _ => return Ok(None),
    };
    Ok(Some(format!(
        "its import {what}: it scores nothing where a task calls its functions; one that runs it as a program may do so"
    )))
}

const RAISED: &str = "importing the agent raised ";

/// The call in the message of the only test.
const CALL: &str = " - function_of_no_agent()";

/// A task that asks any agent for a function that it does not have.
fn asking() -> Task {
    Task::of_ours("check/import", "Be imported.", "assert function_of_no_agent() == 1")
}
