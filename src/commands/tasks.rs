//! `tasks`: lists the tasks.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::config::Pipeline;
use crate::pipeline::terms::Terms;
use crate::task::{Form, Task, Test};
use crate::term::{self, Layout, Styled, left, right, table};
use crate::util::plural::counted;
use crate::workspace::{Workspace, parked};

/// Lists all tasks, or prints one with its public tests.
///
/// # Errors
/// Mistakes in the configuration, or no such task.
pub fn tasks(dir: &Path, id: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let Workspace { pipeline, tasks, .. } = Workspace::open(dir)?;
    let Some(id) = id else {
        let parked = parked(&pipeline, &tasks).map_or_else(String::new, |parked| format!("\n{parked}\n"));
        match json {
            true => {
                term::print_json(&tasks.iter().map(|task| data(task, &pipeline)).collect::<Vec<_>>())?;
            }
            false => term::print(&(list(&tasks, &Layout::stdout()) + &parked))?,
        }
        return Ok(Exit::Done);
    };
    match tasks.iter().find(|task| task.id == id) {
        Some(task) if json => term::print_json(&data(task, &pipeline))?,
        Some(task) => term::print(&whole(task, &pipeline))?,
        None => bail!("there is no task {id:?}; the tasks are {}", names(&tasks)),
    }
    Ok(Exit::Done)
}

fn list(tasks: &[Task], layout: &Layout) -> String {
    let line = |task: &Task| {
        let first = task.prompt.lines().next().unwrap_or_default().replace('\t', " ");
        [task.id.clone(), task.tests.len().to_string(), first].map(Styled::from).to_vec()
    };
    table(layout, &[left("TASK"), right("TESTS"), left("PROMPT")], tasks.iter().map(line))
}

/// A task as miners may see it, as JSON; with the stage that runs it.
fn data(task: &Task, pipeline: &Pipeline) -> Value {
    let public = task.tests.iter().filter(|test| test.public);
    let tests = public.map(|test| {
        json!({
            "name": test.name,
            "weight": test.weight,
            "form": test.form.name(),
            "timeout_ms": test.timeout.map(|timeout| timeout.as_millis() as u64),
            "all_or_nothing": test.group().is_some(),
            "assert": test.assertion.text.trim_end(),
        })
    });
    let Terms { timeout_ms, test_timeout_ms, all_or_nothing, memory, model } = Terms::of(task, pipeline);
    json!({
        "id": task.id,
        "stage": pipeline.stage_of(&task.id).map(|stage| &stage.name),
        "prompt": task.prompt,
        "weight": task.weight,
        "tests": task.tests.len(),
        "public_tests": tests.collect::<Vec<_>>(),
        "timeout_ms": timeout_ms,
        "test_timeout_ms": test_timeout_ms,
        "all_or_nothing": all_or_nothing,
        "memory": memory,
        "model": model,
        "has_solution": task.solution.is_some(),
    })
}

fn whole(task: &Task, pipeline: &Pipeline) -> String {
    let mut text =
        format!("{}\n\n{}\n\n{}", task.id, task.prompt.trim_end(), told(&Terms::of(task, pipeline)));
    for test in task.tests.iter().filter(|test| test.public) {
        text += &format!("\n# {}{}\n{}\n", test.name, remarks(test), test.assertion.text.trim_end());
    }
    let hidden = task.tests.iter().filter(|test| !test.public).count();
    text + &format!("\n{}, not public.\n", counted(hidden, "more test"))
}

/// Remarks on a test behind its name, in brackets; empty where there is nothing to say.
fn remarks(test: &Test) -> String {
    let remarks = [
        (test.form == Form::Score).then(|| "a score, 0 to 1".to_owned()),
        test.timeout.map(|timeout| format!("within {timeout:?}")),
        test.group().map(|folder| format!("{folder} is all or nothing")),
    ];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) }
}

/// Terms in words, a line for the limits and one for the models.
fn told(terms: &Terms<'_>) -> String {
    let (timeout, memory) = (Duration::from_millis(terms.timeout_ms), terms.memory.div_ceil(1 << 20));
    let own = terms.test_timeout_ms.map_or_else(String::new, |least| {
        format!(", in which a test has {:?} or more of its own", Duration::from_millis(least))
    });
    let grouped = match terms.all_or_nothing {
        0 => String::new(),
        cases => format!("all or nothing by folder: {}\n", counted(cases, "case")),
    };
    let limits = format!("limits: {timeout:?}{own}, {memory} MiB of memory\n{grouped}");
    let Some(model) = &terms.model else { return limits };
    let cost = model.cost.map_or_else(String::new, |cost| format!(", ${cost}"));
    let budget = format!("{}, {}{cost}", counted(model.requests, "request"), counted(model.tokens, "token"));
    format!("{limits}models: {}; budget: {budget}\n", model.allow.join(", "))
}

fn names(tasks: &[Task]) -> String {
    tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>().join(", ")
}
