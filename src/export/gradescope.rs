//! Gradescope: `results.json` as its autograder has it, one for each person.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::export::people::{People, Person};
use crate::model::report::{Outcome, Run, TestResult, Verdict};
use crate::pipeline::score;
use crate::util::atomic_file;
use crate::util::json;
use crate::util::text::visible;

/// Most characters of a test's message.
const MAX: usize = 2_000;

/// A line for each person.
pub(super) fn lines(out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
    for person in people.all() {
        writeln!(out, "{}", json::line(&results(people, &person))?)?;
    }
    Ok(())
}

/// A file for each person, `<id>.json` by the roster's ids.
pub(super) fn files(folder: &Path, people: &People<'_>) -> io::Result<Vec<PathBuf>> {
    let file = |person: &Person<'_>| {
        let path = folder.join(format!("{}.json", person.written));
        let bytes = json::bytes(&results(people, person))?;
        atomic_file::replace(&path, &bytes)?;
        Ok(path)
    };
    people.all().iter().map(file).collect()
}

/// `score` counts for Gradescope, whatever the tests add up to; without one it would take their sum. Where miners may not see
/// it, Gradescope shows it to the staff only; its leaderboard, which the whole class sees, has those of a public board alone.
fn results(people: &People<'_>, person: &Person<'_>) -> Value {
    let score = person.row.and_then(|row| row.score);
    let is_shown = people.shows_ranking() || person.row.is_none();
    let on_board = score.filter(|_| people.shows_leaderboard());
    let tests: Vec<Value> = people.runs(person).iter().flat_map(of_run).collect();
    let late = person.row.and_then(|row| score::lateness(row.penalty));
    let told = person.missing().or(late).unwrap_or_default();
    let extra = json!({
        "id": person.written,
        "name": person.name,
        "group": person.group,
        "state": person.state,
        "rank": person.row.and_then(|row| row.rank),
        "sha256": person.row.map(|row| &row.sha256),
    });
    json!({
        "score": score.unwrap_or(0.0),
        "output": visible(&told, MAX),
        "visibility": if is_shown { "visible" } else { "hidden" },
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": on_board.map_or_else(Vec::new, |score| vec![json!({ "name": "score", "value": score })]),
        "extra_data": extra,
    })
}

fn of_run(run: &Run) -> Vec<Value> {
    match &run.outcome {
        Outcome::Scored(scored) => scored.tests.iter().map(|test| of_test(run, test)).collect(),
        Outcome::TaskFault { task_fault } => vec![without_verdict(run, "counts for nobody", task_fault)],
        Outcome::Unscored { unscored } => vec![without_verdict(run, "not scored yet", unscored)],
    }
}

fn of_test(run: &Run, test: &TestResult) -> Value {
    let passed = test.verdict == Verdict::Passed;
    let worth = || test.worth().map(|worth| format!("{}, {worth}", test.verdict.name()));
    let output = test.message.clone().or_else(worth).unwrap_or_else(|| test.verdict.name().to_owned());
    json!({
        "name": format!("{}: {}", run.label(), visible(&test.name, MAX)),
        "score": test.earned(),
        "max_score": test.weight,
        "status": if passed { "passed" } else { "failed" },
        "output": visible(&output, MAX),
        "visibility": if test.public { "visible" } else { "hidden" },
        "extra_data": { "stage": run.stage, "verdict": test.verdict },
    })
}

/// Worth nothing, so that it is no 0 of the person's.
fn without_verdict(run: &Run, what: &str, reason: &str) -> Value {
    json!({
        "name": run.label(),
        "score": 0,
        "max_score": 0,
        "output": visible(&format!("{what}: {reason}"), MAX),
        "visibility": "hidden",
        "extra_data": { "stage": run.stage, "verdict": run.outcome.word() },
    })
}
