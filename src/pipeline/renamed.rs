//! Renamed files: submissions with the bytes of somebody else, where one of both names is not on the roster.

use std::collections::HashSet;

use crate::config::{Pipeline, Roster, Similarity};
use crate::model::miner_id::Miner;
use crate::pipeline::score::Row;
use crate::util::first_few::first_few;

/// The remedies, a line each: whose bytes they are is the organiser's to say, as a copy of a misnamed file looks the same.
/// `submitters` have a file in the inbox.
pub fn remedies(rows: &[Row], submitters: &HashSet<Miner>, pipeline: &Pipeline) -> Vec<String> {
    let Some(roster) = &pipeline.roster else { return Vec::new() };
    let misnamed = rows.iter().filter_map(|row| misnamed(row, submitters, roster));
    claimed(rows, roster, &pipeline.similarity).into_iter().chain(misnamed).collect()
}

/// One line for all who are on the roster and have what came under names that are not: a second `originals` beside the first is a
/// mistake in pipeline.yaml.
fn claimed(rows: &[Row], roster: &Roster, rules: &Similarity) -> Option<String> {
    let ids: HashSet<&Miner> = roster.students.iter().map(|student| &student.id).collect();
    let of_stranger = |row: &&Row| {
        let is_stranger = |before: &Miner| !ids.contains(before);
        row.duplicate_of.as_ref().is_some_and(is_stranger) && ids.contains(&row.miner)
    };
    let claimed: Vec<&Row> = rows.iter().filter(of_stranger).collect();
    let first = claimed.first()?;
    let before = first_few(claimed.iter().filter_map(|row| row.duplicate_of.as_ref()));
    let originals = rules.with_originals(claimed.iter().map(|row| (row.sha256.as_str(), &row.miner)));
    let late = claimed.iter().find(|row| row.penalty.is_some());
    let late = late.map_or_else(String::new, |row| {
        format!(
            "; a file under a new name counts as of now, which is late: `{}: {{received: ...}}` in extensions.yaml says when it came",
            row.miner
        )
    });
    let told = match claimed.len() {
        1 => format!(
            "{miner} has the bytes that {before}, who is not on the roster, had before: if that was {miner}'s file under a wrong \
             name, say so in pipeline.yaml: {originals}",
            miner = first.miner
        ),
        _ => format!(
            "{miners} have the bytes that {before}, who are not on the roster, had before: if those were their files under wrong \
             names, say so in pipeline.yaml, and leave out who it is not true of: {originals}",
            miners = first_few(claimed.iter().map(|row| &row.miner))
        ),
    };
    Some(told + &late)
}

/// The line on who is not on the roster and has the bytes of somebody who is, and of whom nothing lies in the inbox.
fn misnamed(row: &Row, submitters: &HashSet<Miner>, roster: &Roster) -> Option<String> {
    let before = row.duplicate_of.as_ref().filter(|before| !submitters.contains(before))?;
    let miner = &row.miner;
    (roster.has(before) && !roster.has(miner)).then(|| {
        format!(
            "{miner}, who is not on the roster, has the bytes that {before} had, of whom nothing lies in the inbox any more: if the \
             file was renamed, name it {before} again"
        )
    })
}
