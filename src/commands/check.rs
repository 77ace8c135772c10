//! `check`: everything that can be known before an agent is evaluated, all mistakes at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::cli::Exit;
use crate::config::{self, Limits, Pipeline};
use crate::pipeline::validate;
use crate::report::{Scored, Verdict};
use crate::sandbox::container::Containers;
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::task::{self, Task};
use crate::ui::{self, Events, Talk};
use crate::workspace::PIPELINE;
use crate::yaml::{Problem, Problems};

/// Checks the folder, or only `agent`.
///
/// # Errors
/// The mistakes found, or that the engine or its image can't be used.
pub fn check(dir: &Path, agent: Option<&Path>, quiet: bool) -> anyhow::Result<Exit> {
    let (pipeline, mut problems) = load(dir);
    let (events, shown) = Events::channel();
    let display = ui::display(shown, Talk::of(quiet, false));
    let result = {
        let sandbox = Containers::new(&pipeline.sandbox, pipeline.parallel.get(), &pipeline.results, events);
        match agent {
            Some(agent) if problems.is_empty() => check_agent(agent, &pipeline, &sandbox),
            Some(_) => Ok(String::new()),
            None => check_folder(dir, &pipeline, &sandbox, &mut problems),
        }
    };
    display.join();
    Problems::check(problems)?;
    let summary = result?;
    if !quiet {
        println!("{summary}");
    }
    Ok(Exit::Done)
}

/// The configuration, or its defaults where it is wrong, so that the tasks are looked at all the same.
fn load(dir: &Path) -> (Pipeline, Vec<Problem>) {
    let file = dir.join(PIPELINE);
    match config::load(&file) {
        Ok(pipeline) => (pipeline, Vec::new()),
        Err(Problems(problems)) => (config::parse(&file, b"").expect("every field has a default"), problems),
    }
}

fn check_folder(
    dir: &Path,
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<String> {
    let (tasks, wrong) = task::load_good(&pipeline.tasks);
    let sound = problems.is_empty() && wrong.is_empty();
    problems.extend(wrong);
    if sound {
        problems.extend(config::check_stages(&dir.join(PIPELINE), pipeline, &tasks));
    }
    let image = sandbox.image()?;
    problems.extend(sandbox.check(&tasks)?);
    if !problems.is_empty() {
        return Ok(String::new());
    }
    let solved = check_solutions(pipeline, &tasks, sandbox, problems)?;
    Ok(format!("ok: {} tasks, {solved} reference solutions score 100, image {image}", tasks.len()))
}

/// Every reference solution must score 100 in a real cell. Tells how many there are.
fn check_solutions(
    pipeline: &Pipeline,
    tasks: &[Task],
    sandbox: &dyn Sandbox,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<usize> {
    let pool = ThreadPoolBuilder::new().num_threads(pipeline.parallel.get()).build()?;
    let solved: Vec<Option<Problem>> = pool.install(|| {
        let solutions = tasks.par_iter().filter_map(|task| Some((task, task.solution.as_ref()?)));
        let solve = |(task, file): (&Task, &PathBuf)| solve(task, file, &limits(pipeline, task), sandbox);
        solutions.map(solve).collect::<anyhow::Result<_>>()
    })?;
    let count = solved.len();
    problems.extend(solved.into_iter().flatten());
    Ok(count)
}

/// Why the solution does not score 100.
fn solve(
    task: &Task,
    solution: &Path,
    limits: &Limits,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Option<Problem>> {
    let source = std::fs::read(solution).with_context(|| format!("can't read {}", solution.display()))?;
    let why = match sandbox.open(source, limits)? {
        Opened::Refused(refusal) => Some(format!("does not compile: {}", refusal.message)),
        Opened::Ready(mut cell) => first_failure(&cell.run(task, limits)?),
    };
    Ok(why.map(|why| Problem {
        file: task.path.clone(),
        line: 0,
        column: 0,
        field: "solution".into(),
        message: format!("{} {why}", solution.display()),
    }))
}

fn first_failure(scored: &Scored) -> Option<String> {
    let failed = scored.tests.iter().find(|test| test.verdict != Verdict::Passed)?;
    let message = failed.message.as_deref().unwrap_or_default();
    Some(format!("does not score 100: {}: {message}", failed.name))
}

/// The limits of the stage that the task is in.
fn limits(pipeline: &Pipeline, task: &Task) -> Limits {
    let stage = pipeline.stages.iter().find(|stage| stage.tasks.is_match(&task.id));
    let limits = stage.map_or(pipeline.sandbox.limits, |stage| stage.limits);
    task.limits(&limits)
}

/// What the pipeline would say of a file before it evaluates it.
fn check_agent(agent: &Path, pipeline: &Pipeline, sandbox: &dyn Sandbox) -> anyhow::Result<String> {
    let source = std::fs::read(agent).with_context(|| format!("can't read {}", agent.display()))?;
    let refusal = match validate::scan(&source, &pipeline.validate.forbid) {
        _ if source.len() as u64 > pipeline.validate.max_bytes => Some((None, "is too large".to_owned())),
        Err(finding) => Some((finding.line, finding.reason)),
        Ok(()) => compile(source, pipeline, sandbox)?,
    };
    match refusal {
        None => Ok(format!("ok: {} would be evaluated", agent.display())),
        Some((Some(line), reason)) => bail!("{}:{line}: {reason}", agent.display()),
        Some((None, reason)) => bail!("{}: {reason}", agent.display()),
    }
}

fn compile(
    source: Vec<u8>,
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
) -> Result<Option<(Option<u32>, String)>, Fault> {
    Ok(match sandbox.open(source, &pipeline.sandbox.limits)? {
        Opened::Ready(_) => None,
        Opened::Refused(refusal) => Some((refusal.line, refusal.message)),
    })
}
