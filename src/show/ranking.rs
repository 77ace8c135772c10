//! Table of the ranking, with everybody of the course where there is a roster.

use std::collections::HashMap;

use crate::model::miner_id::Miner;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::publish::roster::{Listed, RosterState};
use crate::pipeline::score::{self, Row};
use crate::show::query::shown;
use crate::term::{Column, Layout, Styled, left, right, table};

/// A column: its title, the cell of a ranked miner, and that of somebody who is not ranked.
struct Part<'a> {
    column: Column,
    ranked: Box<dyn Fn(&Row) -> String + 'a>,
    listed: Box<dyn Fn(&Listed) -> String + 'a>,
}

/// A column of the roster: its title and a person's cell.
type PersonColumn = (&'static str, fn(&Listed) -> &str);

/// The table: those who are ranked in their order, then the others of the roster.
pub(super) fn table_of(rankings: &Rankings, layout: &Layout) -> String {
    let parts = parts(rankings);
    let columns: Vec<Column> = parts.iter().map(|part| part.column.clone()).collect();
    let ranked = rankings.rankings.iter().map(|row| parts.iter().map(|part| (part.ranked)(row)).collect());
    let others = rankings.roster.iter().filter(|one| one.state != RosterState::Ranked);
    let others = others.map(|one| parts.iter().map(|part| (part.listed)(one)).collect());
    let styled = |cells: Vec<String>| cells.into_iter().map(Styled::from).collect();
    table(layout, &columns, ranked.chain(others).map(styled))
}

fn parts(rankings: &Rankings) -> Vec<Part<'_>> {
    let rank = |row: &Row| row.rank.map_or("-".into(), |rank| rank.to_string());
    let mut parts = vec![
        number("#", rank),
        Part {
            column: left("MINER"),
            ranked: Box::new(|row| row.miner.to_string()),
            listed: Box::new(|one| one.id.to_string()),
        },
    ];
    parts.extend(people(&rankings.roster));
    parts.push(number("SCORE", |row| score(row.score)));
    if let Some(token) = &rankings.token {
        let title = format!("REWARD ({})", shown(token));
        parts.push(number(&title, |row| row.reward.unwrap_or_default().to_string()));
    }
    parts.extend(chances(&rankings.rankings));
    parts.push(number("TESTS", |row| format!("{}/{}", row.passed, row.tests)));
    parts.push(word("STAGE", |row| shown(&row.stage), |_| "-".to_owned()));
    parts.push(word("", |row| remarks(row).join(", "), |one| one.state.name().to_owned()));
    parts
}

/// Names and groups, as far as there are any.
fn people(roster: &[Listed]) -> Vec<Part<'_>> {
    let by_id: HashMap<&Miner, &Listed> = roster.iter().map(|one| (&one.id, one)).collect();
    let columns: [PersonColumn; 2] = [("NAME", |one| &one.name), ("GROUP", |one| &one.group)];
    let there = columns.into_iter().filter(|(_, cell)| roster.iter().any(|one| !cell(one).is_empty()));
    let part = |(title, cell): PersonColumn| {
        let by_id = by_id.clone();
        let of_row = move |row: &Row| by_id.get(&row.miner).map(|one| shown(cell(one))).unwrap_or_default();
        word(title, of_row, move |one| shown(cell(one)))
    };
    there.map(part).collect()
}

/// Chances that one sample, and that one of k, passes; where there are any.
fn chances<'a>(rows: &[Row]) -> Vec<Part<'a>> {
    let one =
        rows.iter().any(|row| row.pass_at_1.is_some()).then(|| number("PASS@1", |row| score(row.pass_at_1)));
    let first = rows.iter().find_map(|row| row.k);
    let is_same = rows.iter().all(|row| row.k == first);
    let several = first.map(|k| {
        let title = if is_same { format!("PASS@{k}") } else { "PASS@K".to_owned() };
        number(&title, |row| score(row.pass_at_k))
    });
    one.into_iter().chain(several).collect()
}

fn number<'a>(title: &str, ranked: impl Fn(&Row) -> String + 'a) -> Part<'a> {
    Part { column: right(title), ranked: Box::new(ranked), listed: Box::new(|_| "-".to_owned()) }
}

fn word<'a>(
    title: &str,
    ranked: impl Fn(&Row) -> String + 'a,
    listed: impl Fn(&Listed) -> String + 'a,
) -> Part<'a> {
    Part { column: left(title), ranked: Box::new(ranked), listed: Box::new(listed) }
}

/// A score in a cell.
pub(super) fn score(score: Option<f64>) -> String {
    score.map_or("-".into(), |score| score.to_string())
}

/// Remarks on a ranked miner.
pub(super) fn remarks(row: &Row) -> Vec<String> {
    let unscored = (row.unscored > 0).then(|| format!("{} unscored", row.unscored));
    unscored.into_iter().chain(score::remarks(row)).collect()
}
