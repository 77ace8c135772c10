//! Leaderboard with the columns of the file that Kaggle lets people download.

use std::cmp::Ordering;
use std::io::{self, Write};

use crate::export::people::{People, Person};
use crate::pipeline::publish::csv::{or_empty, table, text};

const HEADER: &str = "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount,TeamMemberUserNames";

pub(super) fn write(out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
    let (mut everybody, shown) = (people.all(), people.shows_ranking());
    let rank = |person: &Person<'_>| person.row.filter(|_| shown).and_then(|row| row.rank);
    // Who has no rank is behind the others, by name where nobody's may be seen, else in order.
    everybody.sort_by(|a, b| if shown { Ordering::Equal } else { a.id.cmp(b.id) });
    everybody.sort_by_key(|person| rank(person).map_or(u32::MAX, u32::from));
    table(out, HEADER, everybody.iter().map(|person| line(person, shown)))
}

/// A line, without rank and score where they may not be seen.
fn line(person: &Person<'_>, shown: bool) -> Vec<String> {
    let row = person.row.filter(|_| shown);
    vec![
        or_empty(row.and_then(|row| row.rank)),
        person.written.to_owned(),
        text(person.name.unwrap_or(person.written)),
        or_empty(person.row.map(|row| row.first_seen.strftime("%Y-%m-%d %H:%M:%S"))),
        or_empty(row.and_then(|row| row.score)),
        person.submissions.to_string(),
        person.written.to_owned(),
    ]
}
