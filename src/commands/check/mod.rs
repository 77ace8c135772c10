//! `check`: everything that can be known before an agent is evaluated, all mistakes at once.

mod agent;
mod case_texts;
mod doubts;
mod fixtures;
mod greedy_cases;
mod hints;
mod machine;

mod mutants;
mod own_sandbox;
mod preparations;
mod progress;
mod scope;
mod texts;
mod uncalled;
mod unrun;
mod veiled;
mod weak_texts;

use std::path::{Path, PathBuf};

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::cli::Exit;
pub use crate::commands::check::agent::check_one;
use crate::commands::check::machine::Machine;
use crate::commands::check::own_sandbox::with_sandbox;
use crate::commands::check::progress::Progress;
pub use crate::commands::check::scope::Scope;
use crate::config::{self, Limits, Pipeline, Ties};
use crate::doctor::{self, Finding};
use crate::pipeline::proofs::{Proofs, try_solution};
use crate::pipeline::score::ranges;
use crate::sandbox::Sandbox;
use crate::sandbox::run::ContainerSandbox;
use crate::task::{self, Task};
use crate::term::{self, BAD, GOOD, Layout};
use crate::ui::{Events, Talk};
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::workspace::{PIPELINE, check_files, check_models, check_stages, parked};
use crate::yaml::{Log, Position, Problem, Problems, told as told_problems};

/// Facts of a folder whose tests were all tried.
#[derive(Debug, Serialize)]
struct Sound {
    tasks: usize,
    solutions: usize,
    /// Tasks without one, which nothing has proved.
    unproved: Vec<String>,
    image: String,
    /// Weak tests: nothing that stops anybody.
    hints: Vec<Problem>,
    /// Where mutants were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    mutants: Option<Mutants>,
}

/// Mistakes in files.
#[derive(Debug, Default)]
struct Mistakes {
    /// In what is checked.
    problems: Vec<Problem>,
    /// In tasks that nobody asked for: a remark, no verdict.
    elsewhere: Vec<Problem>,
}

/// Findings of a whole check as JSON has them: the folder's facts and the machine's.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    found: Option<&'a Sound>,
    findings: &'a [Finding],
}

/// Mutants of the solutions.
#[derive(Debug, Serialize)]
struct Mutants {
    tried: usize,
    /// Those that did not pass all tests.
    caught: usize,
}

/// Checks the folder.
///
/// # Errors
/// The mistakes found, or that the engine or its image can't be used.
pub fn check(dir: &Path, scope: &Scope, quiet: bool, json: bool) -> anyhow::Result<Exit> {
    let (pipeline, problems) = config::load_with_mistakes(&dir.join(PIPELINE));
    let mut mistakes = Mistakes { problems, elsewhere: Vec::new() };
    let is_shown = !quiet && !json;
    let mut machine = Machine::new(is_shown);
    let found = with_sandbox(&pipeline, Talk::of(quiet, json), |sandbox, events| {
        // Before anything is started: what it finds may be why nothing can be.
        machine.add(doctor::look(&pipeline, sandbox.engine())?)?;
        let found = check_folder(dir, &pipeline, scope, (sandbox, events), &mut machine, &mut mistakes);
        if found.is_err() {
            machine.alarming().iter().for_each(|line| term::complain(format_args!("agentmill: {line}")));
        }
        found
    });
    let Mistakes { problems, elsewhere } = mistakes;
    let bad = machine.bad();
    let ok = problems.is_empty() && bad.is_empty();
    if json && (found.is_ok() || !problems.is_empty()) {
        let found =
            Told { found: found.as_ref().ok().and_then(Option::as_ref), findings: machine.findings() };
        term::print_json_line(
            &json!({ "ok": ok, "problems": problems, "elsewhere": elsewhere, "found": found }),
        )?;
        return Ok(if ok { Exit::Done } else { Exit::Usage });
    }
    if let (true, Ok(found)) = (is_shown, &found) {
        term::print(&noticed(machine.findings(), found.as_ref(), &elsewhere))?;
    }
    Problems::check(problems)?;
    let sound = found?.context("nothing was found out")?;
    if is_shown {
        term::print(&told(&sound, ok, &Layout::stdout()))?;
    } else {
        bad.iter().for_each(|line| term::complain(format_args!("agentmill: {line}")));
    }
    Ok(if ok { Exit::Done } else { Exit::Usage })
}

/// Remedies and hints below the table, whatever else is wrong.
fn noticed(findings: &[Finding], found: Option<&Sound>, elsewhere: &[Problem]) -> String {
    let hints = found.map_or_else(Vec::new, |found| told_problems(&found.hints));
    let hints: String = hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
    let elsewhere = told_problems(elsewhere).into_iter().map(|mistake| format!("elsewhere: {mistake}\n"));
    format!("{}\n{hints}{}", doctor::remedies(findings), elsewhere.collect::<String>())
}

/// The last line: what is sound, or that the machine is not.
fn told(sound: &Sound, ok: bool, layout: &Layout) -> String {
    let Sound { tasks, solutions, unproved, image, mutants, .. } = sound;
    let (style, word) = if ok { (GOOD, "ok") } else { (BAD, "not ok") };
    let word = layout.paint(style, word);
    let mutants = mutants.as_ref().map_or_else(String::new, |mutants| match mutants {
        Mutants { tried: 0, .. } => "mutants: none could be made of the reference solutions\n".to_owned(),
        Mutants { tried, caught } if tried == caught => {
            format!("mutants: {tried} tried, all caught by the tests\n")
        }
        Mutants { tried, caught } => format!("mutants: {tried} tried, {caught} caught by the tests\n"),
    });
    let solved = match solutions {
        0 => "no reference solutions".to_owned(),
        1 => "1 reference solution scores 100".to_owned(),
        some => format!("{some} reference solutions score 100"),
    };
    let tasks = counted(*tasks, "task");
    let without = match first_few(unproved) {
        names if names.is_empty() || *solutions == 0 => String::new(),
        names => format!(" (none of {names})"),
    };
    format!("{mutants}{word}: {tasks}, {solved}{without}, image {image}\n")
}

fn check_folder(
    dir: &Path,
    pipeline: &Pipeline,
    scope: &Scope,
    (sandbox, events): (&ContainerSandbox, &Events),
    machine: &mut Machine,
    mistakes: &mut Mistakes,
) -> anyhow::Result<Option<Sound>> {
    let tasks = load_tasks(dir, pipeline, scope, mistakes)?;
    let problems = &mut mistakes.problems;
    let image = sandbox.image()?;
    machine.add(doctor::try_out(pipeline, sandbox, &image)?)?;
    let (cells, judges) = (sandbox.library()?, sandbox.library_of_judges()?);
    machine.add(doctor::modules::look(pipeline, &cells, judges.as_ref()))?;
    machine.add(doctor::ask_model(pipeline))?;
    let proofs = Proofs::load(&pipeline.results, pipeline.sandbox.judge, &image);
    let is_due = |task: &&Task| !proofs.has(task, &task.limits_by(pipeline));
    let (due, proved): (Vec<&Task>, Vec<&Task>) = tasks.iter().partition(is_due);
    proved.into_iter().try_for_each(|task| scope.tell::<Problem>(task, &[]))?;
    let due: Vec<Task> = due.into_iter().cloned().collect();
    let mut hints = check_tests(&due, scope, sandbox, problems)?;
    if !problems.is_empty() {
        return Ok(None);
    }
    hints.extend(hints::unearned(&due, pipeline, sandbox)?);
    hints.extend(doubts::doubtful(&due));
    hints.extend(veiled::veiled(&due));
    hints.extend(weak_texts::weak(&due));
    hints.extend(uncalled::uncalled(&due));
    hints.extend(preparations::uncalled(&due));
    hints.extend(fixtures::fixtures(&due));
    hints.extend(case_texts::odd(&due));
    hints.extend(task::misnamed(&pipeline.tasks));
    hints.extend(config::misnamed_prices(&dir.join(PIPELINE), pipeline));
    hints.extend(of_pipeline(dir, pipeline, &tasks));
    // A task with a hint is looked at again each time, so that the hint is told again.
    let remember = |task: &Task, key: &str| {
        if !hints.iter().any(|hint| hint.file == task.path) {
            proofs.add(key);
        }
    };
    let known = |task: &Task, key: Option<String>, problem: Option<&Problem>| {
        if let (None, Some(key)) = (problem, key) {
            remember(task, &key);
        }
        scope.tell(task, problem.as_slice())
    };
    check_solutions(pipeline, &due, (&proofs, &known), (sandbox, events), problems)?;
    hints.extend(greedy_cases::hints(&tasks, pipeline));
    let solutions = provable(&tasks).filter(|task| task.solution.is_some()).count();
    let unproved = tasks.iter().filter(|task| task.solution.is_none()).map(|task| task.id.clone()).collect();
    let mut mutants = None;
    if scope.mutants && problems.is_empty() {
        let (tried, survivors) = hints::survivors(&tasks, pipeline, sandbox, events)?;
        mutants = Some(Mutants { tried, caught: tried - survivors.len() });
        hints.extend(survivors);
    }
    Ok(Some(Sound { tasks: tasks.len(), solutions, unproved, image, hints, mutants }))
}

/// The tasks of the scope that can be read; all that is wrong with them, or with them and the pipeline together, is added to the problems.
fn load_tasks(
    dir: &Path,
    pipeline: &Pipeline,
    scope: &Scope,
    mistakes: &mut Mistakes,
) -> anyhow::Result<Vec<Task>> {
    let (tasks, mut wrong) = task::load_good(&pipeline.tasks);
    if mistakes.problems.is_empty() && wrong.is_empty() {
        wrong = check_files(pipeline, &tasks);
        wrong.extend(check_models(pipeline, &tasks));
        mistakes.problems = check_stages(&dir.join(PIPELINE), pipeline, &tasks);
    }
    let (asked, elsewhere) = wrong.into_iter().partition(|problem| scope.asks_for(problem, pipeline));
    mistakes.elsewhere = elsewhere;
    mistakes.problems.extend::<Vec<Problem>>(asked);
    let chosen = scope.of(tasks, &mistakes.problems, pipeline);
    if chosen.is_err() {
        // What is asked for may be what can't be read.
        mistakes.problems.append(&mut mistakes.elsewhere);
    }
    chosen
}

/// Hints at tasks that no stage runs, at a later place that earns more, and at ties by chance where so few are run that all tie.
fn of_pipeline(dir: &Path, pipeline: &Pipeline, tasks: &[Task]) -> Vec<Problem> {
    let log = Log::new(&dir.join(PIPELINE));
    if let Some(parked) = parked(pipeline, tasks) {
        log.add(Position::default(), "stages", parked);
    }
    let run = tasks.iter().filter(|task| pipeline.stage_of(&task.id).is_some()).count();
    let is_by_chance = pipeline.rewards.as_ref().is_some_and(|rewards| rewards.ties == Ties::Statistical);
    if is_by_chance && ranges::are_too_few(run) {
        let text = format!(
            "statistical, with {run} tasks: who is equal to another on one of them shares its place, whatever the others score; take \
             exact, or more tasks"
        );
        log.add(Position::default(), "rewards.ties", text);
    }
    let rising = config::rising_split(&dir.join(PIPELINE), pipeline.rewards.as_ref());
    log.into_problems().into_iter().chain(rising).collect()
}

/// Runs the tests of tasks against an agent that answers nothing; hints on those that no solution will prove.
fn check_tests(
    due: &[Task],
    scope: &Scope,
    sandbox: &ContainerSandbox,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<Vec<Problem>> {
    let mut hints = Vec::new();
    for task in due {
        let checked = sandbox.check(std::slice::from_ref(task))?;
        let found: Vec<Problem> = checked.refused.into_iter().chain(checked.faulty).collect();
        if !found.is_empty() || task.solution.is_none() {
            scope.tell(task, &found)?;
        }
        problems.extend(found);
        hints.extend(checked.trusting);
        if task.solution.is_none() {
            hints.extend(checked.doubtful);
        }
    }
    Ok(hints)
}

/// Takes what was found out about a task's solution: the key of its proof, and what is wrong with it.
type Known<'a> = dyn Fn(&Task, Option<String>, Option<&Problem>) -> anyhow::Result<()> + Sync + 'a;

/// Every reference solution must score 100 in a real cell, unless judging it would ask a model.
fn check_solutions(
    pipeline: &Pipeline,
    tasks: &[Task],
    (proofs, known): (&Proofs, &Known<'_>),
    (sandbox, events): (&dyn Sandbox, &Events),
    problems: &mut Vec<Problem>,
) -> anyhow::Result<()> {
    let due: Vec<(&Task, &PathBuf)> =
        provable(tasks).filter_map(|task| Some((task, task.solution.as_ref()?))).collect();
    if let Some((first, _)) = due.first() {
        sandbox.expect(due.len(), &first.limits_by(pipeline));
    }
    let progress = Progress::new("solutions", due.len(), events);
    let pool = ThreadPoolBuilder::new().num_threads(pipeline.parallel.get()).build()?;
    let solve = |(task, file): &(&Task, &PathBuf)| {
        let bounds = task.limits_by(pipeline);
        let key = proofs.key(task, &bounds);
        let problem = solve(task, file, &bounds, sandbox)?;
        known(task, key, problem.as_ref())?;
        progress.step();
        Ok(problem)
    };
    let solved: Vec<Option<Problem>> =
        pool.install(|| due.par_iter().map(solve).collect::<anyhow::Result<_>>())?;
    problems.extend(solved.into_iter().flatten());
    Ok(())
}

/// Tasks that are judged without asking a model.
fn provable(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks.iter().filter(|task| !task.asks_model())
}

/// Why the solution does not score 100.
pub(super) fn solve(
    task: &Task,
    solution: &Path,
    limits: &Limits,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Option<Problem>> {
    let source = std::fs::read(solution).with_context(|| format!("can't read {}", solution.display()))?;
    let why = try_solution(task, source, limits, sandbox)?;
    Ok(why.map(|why| Problem {
        file: task.path.clone(),
        line: 0,
        column: 0,
        field: "solution".into(),
        message: format!("{} {why}", solution.display()),
    }))
}
