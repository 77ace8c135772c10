//! Miners by their ids, or by the names that the roster has.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::miner_id::Miner;
use crate::pipeline::publish::json::Rankings;
use crate::show::query::{Nearest, ShowError, shown};

/// The miner that a query names: an id that is known, else a name of the roster, else an id.
///
/// # Errors
/// It is no id and nobody's name, or the name of several.
pub(super) fn named(rankings: &Rankings, name: &str) -> Result<Miner, ShowError> {
    let id = Miner::try_from(name.to_owned());
    if let Ok(id) = &id
        && ids(rankings).any(|known| known == id)
    {
        return Ok(id.clone());
    }
    let has_name = |other: &str| folded(other) == folded(name);
    let mut people = rankings.roster.iter().filter(|one| has_name(&one.name)).map(|one| &one.id);
    match (people.next(), people.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(a), Some(b)) => Err(ShowError::SeveralNamed { name: shown(name), a: a.clone(), b: b.clone() }),
        (None, _) => id.map_err(|_| unknown(rankings, name)),
    }
}

/// The error that names the nearest id or name.
pub(super) fn unknown(rankings: &Rankings, name: &str) -> ShowError {
    ShowError::NoMiner { name: shown(name), nearest: near(rankings, name) }
}

/// The person whose name, or a word of it, is this but for accents; else who is nearest.
fn near(rankings: &Rankings, name: &str) -> Nearest {
    let listed = || rankings.roster.iter().map(|one| one.name.as_str());
    let bare = plain(name);
    let is_part = |other: &&str| {
        let other = plain(other);
        other == bare || other.split(' ').any(|word| word == bare)
    };
    match listed().find(is_part) {
        Some(person) => Nearest::is(person),
        None if name.contains(' ') => Nearest::of(name, listed()),
        None => Nearest::of(&name.to_lowercase(), ids(rankings).map(Miner::as_str)),
    }
}

fn ids(rankings: &Rankings) -> impl Iterator<Item = &Miner> {
    let ranked = rankings.rankings.iter().map(|row| &row.miner);
    let refused = rankings.rejected.iter().filter_map(|rejection| rejection.miner.as_ref());
    let listed = rankings.roster.iter().map(|one| &one.id);
    ranked.chain(&rankings.pending).chain(refused).chain(listed)
}

fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A name in lower case, without its accents.
fn plain(name: &str) -> String {
    let letters = |c: &char| !is_combining_mark(*c);
    folded(name).nfd().filter(letters).collect()
}
