//! `rankings.csv`.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::model::miner_id::Miner;
use crate::pipeline::publish::Published;
use crate::pipeline::publish::csv::{or_empty, table, text};
use crate::pipeline::publish::roster::{self, Listed, RosterState};
use crate::pipeline::score::Row;

/// Content of the table.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The ranking, in its order.
    pub rows: &'a [Row],
    /// Everybody of the course; empty if there is no list of them.
    pub people: &'a [Listed],
    /// True if something is paid.
    pub pays: bool,
    /// True if agents may ask models.
    pub grants_models: bool,
}

pub(super) fn write(out: &mut dyn Write, published: &Published) -> io::Result<()> {
    let (pays, grants_models) = (published.token.is_some(), published.plan.grants_models());
    let people = roster::listed(published);
    Table { rows: published.rows, people: &people, pays, grants_models }.write(out)
}

impl Table<'_> {
    /// Writes one line a miner, and one for everybody else of the course.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let (columns, rare, people) = (self.columns(), self.rare(), self.people);
        let named = PEOPLE.into_iter().filter(|_| !people.is_empty());
        let header = columns.iter().map(|(name, _)| *name).chain(named);
        let header = header.chain(rare.iter().map(|(name, _)| *name));
        let header = header.collect::<Vec<_>>().join(",");
        let ids: HashMap<&Miner, &Listed> = people.iter().map(|one| (&one.id, one)).collect();
        let person = |id, state| (!people.is_empty()).then(|| person(ids.get(id).copied(), state));
        let rows = self.rows.iter().map(|row| {
            let cells = columns.iter().map(|(_, cell)| cell(row));
            let cells = cells.chain(person(&row.miner, RosterState::Ranked).into_iter().flatten());
            cells.chain(rare.iter().map(|(_, cell)| cell(row))).collect()
        });
        let others = people.iter().filter(|one| one.state != RosterState::Ranked).map(|one| {
            let cell = |(name, _): &Column| if *name == "miner" { one.id.to_string() } else { String::new() };
            let cells = columns.iter().map(cell).chain(person(&one.id, one.state).into_iter().flatten());
            cells.chain(rare.iter().map(cell)).collect()
        });
        table(out, &header, rows.chain(others))
    }

    fn columns(self) -> Vec<Column> {
        let is_there = |name: &str| match name {
            "reward" => self.pays,
            "cost" => self.grants_models,
            "penalty" => self.rows.iter().any(|row| row.penalty.is_some()),
            _ => true,
        };
        COLUMNS.into_iter().filter(|(name, _)| is_there(name)).collect()
    }

    fn rare(self) -> Vec<Column> {
        let rows = self.rows;
        let is_there = |name: &str| match name {
            "pass_at_1" => rows.iter().any(|row| row.pass_at_1.is_some()),
            "same_as" => rows.iter().any(|row| !row.same_as.is_empty()),
            "packed" => rows.iter().any(|row| row.packed),
            "not_run" => rows.iter().any(|row| row.stopped_early.is_some()),
            "judge_cost" => rows.iter().any(|row| row.judge_cost.is_some()),
            _ => rows.iter().any(|row| row.k.is_some()),
        };
        RARE.into_iter().filter(|(name, _)| is_there(name)).collect()
    }
}

/// A column of the ranking: its name and a row's cell.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: [Column; 18] = [
    ("rank", |row| or_empty(row.rank)),
    ("miner", |row| row.miner.to_string()),
    ("score", |row| or_empty(row.score)),
    ("reward", |row| or_empty(row.reward)),
    ("passed", |row| row.passed.to_string()),
    ("tests", |row| row.tests.to_string()),
    ("unscored", |row| row.unscored.to_string()),
    ("stage", |row| text(&row.stage)),
    ("duplicate_of", |row| or_empty(row.duplicate_of.as_ref())),
    ("first_seen", |row| row.first_seen.to_string()),
    ("sha256", |row| text(&row.sha256)),
    ("similar_to", |row| or_empty(row.similar_to.as_ref())),
    ("similarity", |row| or_empty(row.similarity)),
    ("cost", |row| or_empty(row.cost)),
    ("penalty", |row| or_empty(row.penalty)),
    ("rank_low", |row| or_empty(row.rank_low)),
    ("rank_high", |row| or_empty(row.rank_high)),
    ("tier", |row| or_empty(row.tier)),
];

/// Columns that are there where a row has something in them, behind all others.
const RARE: [Column; 7] = [
    ("pass_at_1", |row| or_empty(row.pass_at_1)),
    ("pass_at_k", |row| or_empty(row.pass_at_k)),
    ("k", |row| or_empty(row.k)),
    ("same_as", |row| row.same_as.iter().map(Miner::as_str).collect::<Vec<_>>().join(" ")),
    ("packed", |row| or_empty(row.packed.then_some(true))),
    ("not_run", |row| or_empty(row.stopped_early.as_ref().map(|stopped| stopped.not_run))),
    ("judge_cost", |row| or_empty(row.judge_cost)),
];

/// Columns of a course, behind the others.
const PEOPLE: [&str; 3] = ["name", "group", "state"];

/// Their cells; whoever is not on the roster has no name there.
fn person(listed: Option<&Listed>, state: RosterState) -> [String; 3] {
    let (name, group) = listed.map_or(("", ""), |one| (&one.name, &one.group));
    [text(name), text(group), state.name().to_owned()]
}
