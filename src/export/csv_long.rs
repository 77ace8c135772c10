//! Long CSV, as statistics programs like it: a line for each test of each run, and one for everybody without a run.

use std::io::{self, Write};

use crate::export::people::{People, Person};
use crate::model::report::{Outcome, Run, TestResult};
use crate::pipeline::publish::csv::{or_empty, table, text};

const HEADER: &str = "miner,name,group,state,rank,score,stage,task,run_verdict,run_score,wall_ms,cpu_ms,max_rss_kib,test,verdict,weight,\
                      earned,public,message,sample";

/// Columns behind those of the person, and behind those of the run.
const OF_RUN: usize = 7;
const OF_TEST: usize = 6;

/// The last column, which of them is the run's again.
const OF_SAMPLE: usize = 1;

pub(super) fn write(out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
    let everybody = people.all();
    let lines = everybody.iter().flat_map(|person| {
        let runs = people.runs(person);
        let mut lines: Vec<Vec<String>> = runs.iter().flat_map(of_run).collect();
        if lines.is_empty() {
            lines.push(vec![String::new(); OF_RUN + OF_TEST + OF_SAMPLE]);
        }
        lines.into_iter().map(|line| [of_person(person), line].concat())
    });
    table(out, HEADER, lines)
}

fn of_person(person: &Person<'_>) -> Vec<String> {
    vec![
        person.written.to_owned(),
        text(person.name.unwrap_or_default()),
        text(person.group),
        person.state.name().to_owned(),
        or_empty(person.row.and_then(|row| row.rank)),
        or_empty(person.row.and_then(|row| row.score)),
    ]
}

fn of_run(run: &Run) -> Vec<Vec<String>> {
    let mut head = vec![text(&run.stage), text(&run.task), run.outcome.word().to_owned()];
    let Outcome::Scored(scored) = &run.outcome else {
        head.resize(OF_RUN + OF_TEST, String::new());
        head.push(run.sample.to_string());
        return vec![head];
    };
    let usage = &scored.usage;
    head.push(scored.score.to_string());
    head.extend([usage.wall_ms, usage.cpu_ms, usage.max_rss_kib].map(|figure| figure.to_string()));
    let sample = || vec![run.sample.to_string()];
    scored.tests.iter().map(|test| [head.clone(), of_test(test), sample()].concat()).collect()
}

fn of_test(test: &TestResult) -> Vec<String> {
    vec![
        text(&test.name),
        test.verdict.name().to_owned(),
        test.weight.to_string(),
        test.earned().to_string(),
        test.public.to_string(),
        text(test.message.as_deref().unwrap_or_default()),
    ]
}
