//! Hints: signs of weak tests, which stop nobody.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use regex::{Captures, Regex};

use crate::commands::check::mutants::{self, Mutant};
use crate::commands::check::progress::Progress;
use crate::config::{Limits, Pipeline};
use crate::model::report::{Scored, Verdict};
use crate::sandbox::{Opened, Sandbox};
use crate::task::Task;
use crate::ui::Events;
use crate::yaml::Problem;

/// An agent that defines nothing and prints nothing.
const IDLE: &str = "pass\n";

/// `answer`, which gives objects that have every method of plain data: their length is 0, there is nothing in them, and all else holds.
const OBLIGING: &str = r#"
import collections, datetime, decimal, fractions, pathlib
KINDS = str, bytes, int, float, list, tuple, dict, set, collections.deque, datetime.datetime, decimal.Decimal, fractions.Fraction, pathlib.Path
METHODS = {name for kind in KINDS for name in dir(kind) if name[0] != "_"}
class Obliging:
    def __getattr__(self, name):
        if name not in METHODS:
            raise AttributeError(name)
        return lambda *args, **named: name != "compare"
    __len__ = lambda self: 0
    __iter__ = lambda self: ().__iter__()
    __str__ = lambda self: ""
def answer(*args, **named):
    return Obliging()
"#;

/// `answer`, which gives back the first container that it is given.
const RETURNING: &str = r#"
def answer(*args, **named):
    containers = [given for given in (*args, *named.values()) if hasattr(given, "clear")]
    return containers[0] if containers else None
"#;

/// The same, but that it empties them.
const EMPTYING: &str = r#"
def answer(*args, **named):
    containers = [given for given in (*args, *named.values()) if hasattr(given, "clear")]
    for container in containers:
        container.clear()
    return containers[0] if containers else None
"#;

/// The same, but that it gives back an empty container of the same kind: the right answer to some questions.
const EMPTY: &str = r#"
def answer(*args, **named):
    containers = [given for given in (*args, *named.values()) if hasattr(given, "clear")]
    return type(containers[0])() if containers else None
"#;

/// `answer`, which gives nothing: right where a test looks at something else, such as what it gave.
const NOTHING: &str = "def answer(*args, **named):\n    return None\n";

/// `answer`, which gives a number that is hardly ever right, and a program that prints it.
const FAR_OFF: &str = r#"
def answer(*args, **named):
    return 1e300
if __name__ == "__main__":
    print("1e300\n" * 1000)
"#;

/// `answer`, which gives NaN, and a program that prints it.
const NO_NUMBER: &str = r#"
def answer(*args, **named):
    return float("nan")
if __name__ == "__main__":
    print("nan\n" * 1000)
"#;

/// An agent that knows nothing.
struct Ignorant {
    answer: &'static str,
    /// Others, which pass tests that it is no cheat to pass so.
    harmless: &'static [&'static str],
    /// The words about a test that only the first one passes.
    message: &'static str,
}

const IGNORANT: [Ignorant; 3] = [
    Ignorant {
        answer: OBLIGING,
        harmless: &[NOTHING],
        message: "holds for an agent whose objects have methods like those of plain data, and say what may please; \
                  ask for plain data, such as set(...), list(...) or str(...) of it, and for what does not hold, too",
    },
    Ignorant {
        answer: EMPTYING,
        harmless: &[RETURNING, EMPTY],
        message: "holds for an agent that empties what it is given, and gives it back; \
                  have the right answer first, such as right = sorted(items), or give the agent a copy",
    },
    Ignorant {
        answer: NO_NUMBER,
        harmless: &[FAR_OFF],
        message: "holds for an agent that answers NaN, which is neither more nor less than any number; \
                  ask for `abs(got - right) <= 1e-6`, not whether it is more",
    },
];

/// Tests that an agent passes which does nothing, or which knows nothing and says whatever may please.
///
/// # Errors
/// The engine failed.
pub(super) fn unearned(
    tasks: &[Task],
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Vec<Problem>> {
    let mut hints = passed(IDLE, "holds for an agent that does nothing", tasks, pipeline, sandbox)?;
    for Ignorant { answer, harmless, message } in IGNORANT {
        let found = passed(&answering(answer, tasks), message, tasks, pipeline, sandbox)?;
        let mut found = without(found, &hints);
        for answer in harmless {
            if !found.is_empty() {
                let excused = passed(&answering(answer, tasks), message, tasks, pipeline, sandbox)?;
                found = without(found, &excused);
            }
        }
        hints.extend(found);
    }
    Ok(hints)
}

/// Hints at other tests than these are at.
fn without(hints: Vec<Problem>, told: &[Problem]) -> Vec<Problem> {
    let is_new =
        |hint: &Problem| !told.iter().any(|one| (&one.file, &one.field) == (&hint.file, &hint.field));
    hints.into_iter().filter(is_new).collect()
}

/// An agent in which every function that tests call is this `answer`.
fn answering(answer: &str, tasks: &[Task]) -> String {
    static CALLED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b([a-z_]\w*)\(").expect("a constant pattern"));
    let texts = tasks.iter().flat_map(|task| &task.tests).map(|test| test.assertion.text.as_str());
    let called = |text| CALLED.captures_iter(text).map(|found: Captures<'_>| found[1].to_owned());
    let names: BTreeSet<String> = texts.flat_map(called).collect();
    let names: Vec<String> = names.into_iter().collect();
    format!("{answer}for name in {names:?}:\n    globals()[name] = answer\n")
}

/// Tests that this agent passes.
fn passed(
    agent: &str,
    why: &str,
    tasks: &[Task],
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
) -> anyhow::Result<Vec<Problem>> {
    let Some(first) = tasks.first() else { return Ok(Vec::new()) };
    let Opened::Ready(mut cell) = sandbox.open(agent.as_bytes().to_vec(), &first.limits_by(pipeline))? else {
        return Ok(Vec::new());
    };
    let mut hints = Vec::new();
    for task in tasks {
        let scored = cell.run(task, &task.limits_by(pipeline))?;
        let told = scored.tests.iter().zip(&task.tests);
        for (_, test) in told.filter(|(scored, _)| scored.verdict == Verdict::Passed) {
            hints.push(hint(task, test.assertion.line, test.field(), format!("it {why}")));
        }
    }
    Ok(hints)
}

/// Mutants of the solutions: how many were tried, and those that pass all tests.
///
/// # Errors
/// A solution can't be read, or the engine failed.
pub(super) fn survivors(
    tasks: &[Task],
    pipeline: &Pipeline,
    sandbox: &dyn Sandbox,
    events: &Events,
) -> anyhow::Result<(usize, Vec<Problem>)> {
    let mut due: Vec<(&Task, Mutant)> = Vec::new();
    for (task, file) in tasks.iter().filter_map(|task| Some((task, task.solution.as_ref()?))) {
        let source =
            std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
        due.extend(mutants::of(&source).into_iter().map(|mutant| (task, mutant)));
    }
    let progress = Progress::new("mutants", due.len(), events);
    let pool = ThreadPoolBuilder::new().num_threads(pipeline.parallel.get()).build()?;
    let survive = |(task, mutant): &(&Task, Mutant)| {
        let source = mutant.source.clone().into_bytes();
        let scored = run(task, source, &task.limits_by(pipeline), sandbox)?;
        progress.step();
        let has_passed = scored.is_some_and(|scored| scored.verdict == Verdict::Passed);
        let message = format!("line {} with {} passes all tests", mutant.line, mutant.change);
        Ok(has_passed.then(|| hint(task, 0, "solution".to_owned(), message)))
    };
    let found: Vec<Option<Problem>> =
        pool.install(|| due.par_iter().map(survive).collect::<anyhow::Result<_>>())?;
    Ok((due.len(), found.into_iter().flatten().collect()))
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

pub(super) fn hint(task: &Task, line: usize, field: String, message: String) -> Problem {
    Problem { file: task.path.clone(), line, column: 0, field, message }
}
