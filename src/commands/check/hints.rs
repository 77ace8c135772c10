//! Hints: signs of weak tests, which stop nobody.

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::commands::check::limits::limits;
use crate::commands::check::mutants::{self, Mutant};
use crate::config::{Limits, Pipeline};
use crate::model::report::{Scored, Verdict};
use crate::sandbox::{Opened, Sandbox};
use crate::task::Task;
use crate::yaml::Problem;

/// An agent that defines nothing and prints nothing.
const IDLE: &[u8] = b"pass\n";

/// Tests that an agent passes which does nothing.
///
/// # Errors
/// The engine failed.
pub(super) fn idle(
    tasks: &[Task],
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Vec<Problem>> {
    let Some(first) = tasks.first() else { return Ok(Vec::new()) };
    let Opened::Ready(mut cell) = sandbox.open(IDLE.to_vec(), &limits(pipeline, first))? else {
        return Ok(Vec::new());
    };
    let mut hints = Vec::new();
    for task in tasks {
        let scored = cell.run(task, &limits(pipeline, task))?;
        for (at, test) in scored.tests.iter().enumerate() {
            if test.verdict == Verdict::Passed {
                let line = task.tests.get(at).map_or(0, |test| test.assertion.line);
                let message = format!("{} holds for an agent that does nothing", test.name);
                hints.push(hint(task, line, format!("tests[{at}]"), message));
            }
        }
    }
    Ok(hints)
}

/// Mutants of the solutions that pass all tests.
///
/// # Errors
/// A solution can't be read, or the engine failed.
pub(super) fn survivors(
    tasks: &[Task],
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Vec<Problem>> {
    let mut due: Vec<(&Task, Mutant)> = Vec::new();
    for (task, file) in tasks.iter().filter_map(|task| Some((task, task.solution.as_ref()?))) {
        let source =
            std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
        due.extend(mutants::of(&source).into_iter().map(|mutant| (task, mutant)));
    }
    let pool = ThreadPoolBuilder::new().num_threads(pipeline.parallel.get()).build()?;
    let survive = |(task, mutant): &(&Task, Mutant)| {
        let source = mutant.source.clone().into_bytes();
        let scored = run(task, source, &limits(pipeline, task), sandbox)?;
        let has_passed = scored.is_some_and(|scored| scored.verdict == Verdict::Passed);
        let message = format!("line {} with {} passes all tests", mutant.line, mutant.change);
        Ok(has_passed.then(|| hint(task, 0, "solution".to_owned(), message)))
    };
    let found: Vec<Option<Problem>> =
        pool.install(|| due.par_iter().map(survive).collect::<anyhow::Result<_>>())?;
    Ok(found.into_iter().flatten().collect())
}

/// The judged run; None if Python does not compile the source.
fn run(
    task: &Task,
    source: Vec<u8>,
    limits: &Limits,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Option<Scored>> {
    Ok(match sandbox.open(source, limits)? {
        Opened::Refused(_) => None,
        Opened::Ready(mut cell) => Some(cell.run(task, limits)?),
    })
}

fn hint(task: &Task, line: usize, field: String, message: String) -> Problem {
    Problem { file: task.path.clone(), line, column: 0, field, message }
}
