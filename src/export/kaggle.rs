//! Leaderboard with the columns of the file that Kaggle lets people download.

use std::io::{self, Write};

use crate::export::people::{People, Person};
use crate::pipeline::publish::csv::{or_empty, table, text};

const HEADER: &str = "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount,TeamMemberUserNames";

pub(super) fn write(out: &mut dyn Write, people: &People) -> io::Result<()> {
    let mut everybody = people.all();
    // Stable: who has no rank stays in order behind the others.
    everybody.sort_by_key(|person| person.row.and_then(|row| row.rank).map_or(u32::MAX, u32::from));
    table(out, HEADER, everybody.iter().map(line))
}

fn line(person: &Person<'_>) -> Vec<String> {
    vec![
        or_empty(person.row.and_then(|row| row.rank)),
        person.id.to_string(),
        text(person.name.unwrap_or(person.id.as_str())),
        or_empty(person.row.map(|row| row.first_seen.strftime("%Y-%m-%d %H:%M:%S"))),
        or_empty(person.row.and_then(|row| row.score)),
        person.submissions.to_string(),
        person.id.to_string(),
    ]
}
