//! Gradebook: a line for each student in the roster's order, with a column for each task, as marks are copied from.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use crate::export::people::{Mark, People, Person};
use crate::pipeline::publish::csv::{lines, or_empty, text};
use crate::util::natural::natural;

/// The columns behind those of the tasks; `late` is what coming late cost, in percent.
const LAST: [&str; 3] = ["total", "late", "state"];

/// A task in a stage.
type Place<'m> = (&'m str, &'m str);

pub(super) fn write(out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
    let marks = people.marks()?;
    let places = places(&marks);
    let scores: HashMap<(&str, Place<'_>), f64> =
        marks.iter().filter_map(|mark| Some(((mark.miner.as_str(), place(mark)), mark.score?))).collect();
    let line = |person: &Person<'_>| {
        let score = |place: &Place<'_>| or_empty(scores.get(&(person.id.as_str(), *place)));
        let head = [person.written.to_owned(), text(person.name.unwrap_or_default())];
        head.into_iter().chain(places.iter().map(score)).chain(last(person)).collect()
    };
    let header = ["id", "name"].map(str::to_owned).into_iter();
    let header = header.chain(places.iter().map(|place| heading(place, &places)));
    let header = header.chain(LAST.map(str::to_owned)).collect();
    lines(out, std::iter::once(header).chain(people.by_roster().iter().map(line)))
}

fn last(person: &Person<'_>) -> [String; 3] {
    let penalty = person.row.and_then(|row| row.penalty).filter(|percent| *percent > 0.0);
    [or_empty(person.row.and_then(|row| row.score)), or_empty(penalty), person.state.name().to_owned()]
}

fn place(mark: &Mark) -> Place<'_> {
    (&mark.task, &mark.stage)
}

/// The tasks that anybody was run on, in natural order; a task of several stages in theirs.
fn places(marks: &[Mark]) -> Vec<Place<'_>> {
    let mut seen = HashSet::new();
    let mut all: Vec<Place<'_>> = marks.iter().map(place).filter(|place| seen.insert(*place)).collect();
    all.sort_by(|a, b| natural(a.0, b.0));
    all
}

/// The task's id, with the stage where the task is in several.
fn heading((task, stage): &Place<'_>, all: &[Place<'_>]) -> String {
    match all.iter().filter(|other| other.0 == *task).count() {
        1 => text(task),
        _ => text(&format!("{task} ({stage})")),
    }
}
