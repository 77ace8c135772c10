//! `check`: everything that can be known before an agent is evaluated, all mistakes at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::cli::Exit;
use crate::config::{self, Limits, Pipeline};
use crate::doctor::{self, Finding, Health};
use crate::pipeline::validate;
use crate::report::{Scored, Verdict};
use crate::sandbox::container::Containers;
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::task::{self, Task};
use crate::term::{self, BAD, GOOD, Paper};
use crate::ui::{self, Events, Talk};
use crate::workspace::PIPELINE;
use crate::yaml::{Problem, Problems};

/// The line and the reason of a refusal.
type Refused = (Option<u32>, String);

/// What was found out about a folder in which nothing is wrong.
#[derive(Debug, Serialize)]
struct Sound {
    tasks: usize,
    solutions: usize,
    image: String,
    findings: Vec<Finding>,
}

/// Checks the folder.
///
/// # Errors
/// The mistakes found, or that the engine or its image can't be used.
pub fn check(dir: &Path, quiet: bool, json: bool) -> anyhow::Result<Exit> {
    let (pipeline, mut problems) = load(dir);
    let sound = with_sandbox(&pipeline, Talk::of(quiet, json), |sandbox| {
        check_folder(dir, &pipeline, sandbox, &mut problems)
    });
    if json && !problems.is_empty() {
        term::print_json(&json!({ "ok": false, "problems": problems }))?;
        return Ok(Exit::Usage);
    }
    Problems::check(problems)?;
    let sound = sound?.context("nothing was found out")?;
    let bad = sound.findings.iter().filter(|finding| finding.health == Health::Bad);
    let bad: Vec<String> = bad.map(Finding::line).collect();
    if json {
        term::print_json(&json!({ "ok": bad.is_empty(), "problems": [], "found": sound }))?;
    } else if !quiet {
        term::print(&told(&sound, bad.is_empty(), &Paper::stdout()))?;
    } else {
        bad.iter().for_each(|line| eprintln!("agentmill: {line}"));
    }
    Ok(if bad.is_empty() { Exit::Done } else { Exit::Usage })
}

fn told(sound: &Sound, ok: bool, paper: &Paper) -> String {
    let Sound { tasks, solutions, image, findings } = sound;
    let (style, word) = if ok { (GOOD, "ok") } else { (BAD, "not ok") };
    let word = paper.paint(style, word);
    let table = doctor::text(findings, paper);
    format!("{table}\n{word}: {tasks} tasks, {solutions} reference solutions score 100, image {image}\n")
}

/// Checks only an agent's file, as the pipeline would.
///
/// # Errors
/// Why the agent would be refused, mistakes in the configuration, or that the engine can't be used.
pub fn check_one(dir: &Path, agent: &Path, quiet: bool, json: bool) -> anyhow::Result<Exit> {
    let (pipeline, problems) = load(dir);
    Problems::check(problems)?;
    let talk = Talk::of(quiet, json);
    let refusal = with_sandbox(&pipeline, talk, |sandbox| check_agent(agent, &pipeline, sandbox))?;
    let file = agent.display().to_string();
    if json {
        let (line, reason) = refusal.clone().unzip();
        let ok = refusal.is_none();
        term::print_json(&json!({ "ok": ok, "file": file, "line": line.flatten(), "reason": reason }))?;
        return Ok(if ok { Exit::Done } else { Exit::Usage });
    }
    match refusal {
        Some((Some(line), reason)) => bail!("{file}:{line}: {reason}"),
        Some((None, reason)) => bail!("{file}: {reason}"),
        None if quiet => {}
        None => term::print(&format!("ok: {file} would be evaluated\n"))?,
    }
    Ok(Exit::Done)
}

/// Does something with a sandbox that is in nobody's way: another agentmill may be at work in this folder, and its
/// containers must not be taken for what an earlier one left behind.
fn with_sandbox<T>(pipeline: &Pipeline, talk: Talk, work: impl FnOnce(&Containers) -> T) -> T {
    let (events, shown) = Events::channel();
    let display = ui::display(shown, talk);
    let own = pipeline.results.join(".check");
    let result = work(&Containers::new(&pipeline.sandbox, pipeline.parallel.get(), &own, events));
    display.join();
    result
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
    sandbox: &Containers,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<Option<Sound>> {
    let (tasks, wrong) = task::load_good(&pipeline.tasks);
    let sound = problems.is_empty() && wrong.is_empty();
    problems.extend(wrong);
    if sound {
        problems.extend(config::check_stages(&dir.join(PIPELINE), pipeline, &tasks));
    }
    let image = sandbox.image()?;
    problems.extend(sandbox.check(&tasks)?);
    if !problems.is_empty() {
        return Ok(None);
    }
    let findings = doctor::examine(pipeline, sandbox.engine(), sandbox, &image)?;
    let solutions = check_solutions(pipeline, &tasks, sandbox, problems)?;
    Ok(Some(Sound { tasks: tasks.len(), solutions, image, findings }))
}

/// Every reference solution must score 100 in a real cell. Tells how many there are.
fn check_solutions(
    pipeline: &Pipeline,
    tasks: &[Task],
    sandbox: &dyn Sandbox,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<usize> {
    let solved = tasks.iter().filter(|task| task.solution.is_some());
    if let Some(first) = solved.clone().next() {
        sandbox.expect(solved.count(), &limits(pipeline, first));
    }
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

/// What the pipeline would refuse a file for, before it evaluates it.
fn check_agent(agent: &Path, pipeline: &Pipeline, sandbox: &dyn Sandbox) -> anyhow::Result<Option<Refused>> {
    let source = std::fs::read(agent).with_context(|| format!("can't read {}", agent.display()))?;
    Ok(match validate::scan(&source, &pipeline.validate.forbid) {
        _ if source.len() as u64 > pipeline.validate.max_bytes => Some((None, "is too large".to_owned())),
        Err(finding) => Some((finding.line, finding.reason)),
        Ok(()) => compile(source, pipeline, sandbox)?,
    })
}

fn compile(source: Vec<u8>, pipeline: &Pipeline, sandbox: &dyn Sandbox) -> Result<Option<Refused>, Fault> {
    Ok(match sandbox.open(source, &pipeline.sandbox.limits)? {
        Opened::Ready(_) => None,
        Opened::Refused(refusal) => Some((refusal.line, refusal.message)),
    })
}
