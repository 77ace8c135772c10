//! The `rewards` section.

use std::path::Path;

use serde_yaml::Value;

use crate::config::check;
use crate::config::settings::{Improvement, Rewards, Split, Stage, Ties};
use crate::util::similar::{did_you_mean, nearest};
use crate::yaml::{self, Kind, Log, Place, Problem, Reader, describe};

/// None for the word `none`.
pub(super) fn rewards(fields: &mut Reader<'_>, stages: &[Stage]) -> Option<Rewards> {
    if let Some(place) = fields.get("rewards")
        && let Kind::Scalar(value) = &place.node.kind
        && !place.is_null()
    {
        if value.as_str() != Some("none") {
            place.complain("expected fields such as `pool: 100`, or `none`");
        }
        return None;
    }
    let mut fields = fields.section("rewards");
    let pool = fields.checked("pool", 100.0, check::pool);
    let token = fields.checked("token", "TAO".to_owned(), check::token);
    let split = fields.get("split").and_then(|place| split(&place)).unwrap_or(Split::Proportional);
    let ties = fields.field("ties", Ties::Exact);
    let cap = fields.optional("cap", check::cap);
    let minimum = fields.checked("minimum", 0.0, check::pass_mark);
    let improvement = improvement(&mut fields);
    let per_stage = fields.get("per_stage").and_then(|place| per_stage(&place, stages));
    if per_stage.is_some() && ties != Ties::Exact {
        fields.complain("ties", "it goes by the whole ranking; per_stage takes exact");
    }
    if ties == Ties::Cost && stages.iter().all(|stage| stage.model.is_none()) {
        fields.complain("ties", "nothing costs anything: no stage grants a model");
    }
    fields.finish();
    Some(Rewards { pool, token, split, ties, cap, minimum, improvement, per_stage })
}

fn split(place: &Place<'_>) -> Option<Split> {
    if !matches!(place.node.kind, Kind::Sequence(_)) {
        return place.value(check::split);
    }
    let places = yaml::list(Some(place.clone()), check::percent)?;
    complain_of_sum(place, &places);
    if place.items().is_some_and(|items| items.is_empty()) {
        place.complain("expected at least one percentage such as [100]");
    }
    Some(Split::Places(places))
}

/// Hints at a split by which a later place earns more than the one before.
#[must_use]
pub fn rising_split(file: &Path, rewards: Option<&Rewards>) -> Vec<Problem> {
    let log = Log::new(file);
    let bytes = std::fs::read(file).unwrap_or_default();
    let root = yaml::parse(&log, &bytes);
    if let Some(mut fields) = root.as_ref().and_then(|root| Place::root(&log, root).fields())
        && let Some(Split::Places(places)) = rewards.map(|rewards| &rewards.split)
        && let Some(at) = places.windows(2).position(|pair| pair[1] > pair[0])
        && let Some(place) = fields.section("rewards").get("split")
    {
        let (better, worse) = (places[at], places[at + 1]);
        place.complain(format!("place {} earns {worse}, more than place {} with {better}", at + 2, at + 1));
    }
    log.into_problems()
}

fn complain_of_sum(place: &Place<'_>, percentages: &[f64]) {
    let sum: f64 = percentages.iter().sum();
    if sum > 100.0 + 1e-9 {
        place.complain(format!("expected percentages that add up to at most 100, found {sum}"));
    }
    if !percentages.is_empty() && percentages.iter().all(|percent| *percent < 1.0) {
        place.complain("expected percentages such as 50 for a half, found shares of one");
    }
}

/// None where it is not given, or null.
fn improvement(fields: &mut Reader<'_>) -> Option<Improvement> {
    let is_given = fields.get("improvement").is_some_and(|place| !place.is_null());
    let mut fields = fields.section("improvement");
    let percent = fields.checked("percent", 50.0, check::percent);
    let margin = fields.checked("margin", 1.0, check::pass_mark);
    let half_life = fields.checked("half_life", 30, half_life);
    fields.finish();
    is_given.then(|| Improvement { percent, margin: (margin * 100.0).round() as u128, half_life })
}

/// Whole days, such as `30d`.
fn half_life(days: Value) -> Result<u64, String> {
    let number = days.as_str().and_then(|days| days.strip_suffix('d')?.parse::<u64>().ok());
    let write = || days.as_u64().map_or_else(String::new, |days| format!("; write {days}d"));
    match number.filter(|days| (1..=3650).contains(days)) {
        Some(days) => Ok(days),
        None => Err(format!("expected days from 1d to 3650d, found {}{}", describe(&days), write())),
    }
}

/// None where it is null.
fn per_stage(place: &Place<'_>, stages: &[Stage]) -> Option<Vec<(String, f64)>> {
    if place.is_null() {
        return None;
    }
    let (entries, mut pools) = (place.entries()?, Vec::new());
    if entries.is_empty() {
        place.complain("expected a percentage for a stage, such as {all: 100}");
    }
    for (name, place) in entries {
        if !stages.iter().any(|stage| stage.name == name) {
            let meant = nearest(name, stages.iter().map(|stage| stage.name.as_str()));
            place.complain(format!("there is no stage {name:?}{}", did_you_mean(meant)));
        }
        pools.extend(place.value(check::percent).map(|percent| (name.to_owned(), percent)));
    }
    complain_of_sum(place, &pools.iter().map(|(_, percent)| *percent).collect::<Vec<_>>());
    Some(pools)
}
