//! Unpaid parts of the pool: how much of it goes to nobody, and by which rules.

use crate::config::{Rewards, Split};
use crate::pipeline::score::Row;
use crate::util::plural::counted;

/// Millionths that rounding may leave for each agent of the ranking.
const ROUNDING: f64 = 2.0;

/// A line on the part of the pool that nobody gets; None where all of it is paid but for what rounding leaves, or nobody is ranked.
pub fn line(rows: &[Row], rewards: &Rewards) -> Option<String> {
    let is_ranked = rows.iter().any(|row| row.score.is_some());
    let paid: f64 = rows.iter().filter_map(|row| row.reward).sum();
    let units = ((rewards.pool - paid) * 1e6).round();
    let is_more = is_ranked && units > ROUNDING * rows.len() as f64;
    let Rewards { pool, token, .. } = rewards;
    let why = reasons(rows, rewards).join("; ");
    let why = if why.is_empty() { why } else { format!(": {why}") };
    is_more.then(|| format!("paid to nobody: {} of {pool} {token}{why}", units / 1e6))
}

/// The rules that leave something, as far as the ranking shows it.
fn reasons(rows: &[Row], rewards: &Rewards) -> Vec<String> {
    let earned = |row: &&Row| row.reward.is_some_and(|reward| reward > 0.0);
    let earners = rows.iter().filter(earned).count();
    let is_capped = rewards.cap.is_some_and(|cap| rows.iter().any(|row| row.reward >= Some(cap)));
    let mut reasons = Vec::new();
    match &rewards.split {
        _ if earners == 0 => reasons.push(nobody(rewards)),
        Split::Places(percents) if rewards.per_stage.is_none() => reasons.extend(places(percents, earners)),
        Split::Places(_) | Split::Proportional | Split::Winner => {}
    }
    reasons.extend(is_capped.then(|| "what is above cap".to_owned()));
    let by_stage = rewards.per_stage.as_ref().filter(|_| earners > 0);
    reasons.extend(by_stage.map(|_| match &rewards.split {
        Split::Places(percents) => {
            format!(
                "what per_stage has for no stage, or for places of a stage that fewer than {} passed",
                percents.len()
            )
        }
        _ => "what per_stage has for no stage, or for one that nobody passed".to_owned(),
    }));
    let by_gains = rewards.improvement.as_ref().filter(|_| earners > 0);
    reasons.extend(
        by_gains.map(|_| "what improvement has for points that nobody gained, or not lately".to_owned()),
    );
    reasons
}

fn nobody(rewards: &Rewards) -> String {
    match rewards.minimum {
        minimum if minimum > 0.0 => format!("no agent that may earn has the score {minimum}, the minimum"),
        _ => "no agent that may earn has more than 0 points and passed all stages".to_owned(),
    }
}

/// Places that stay free, and percents that come to less than the pool.
fn places(percents: &[f64], earners: usize) -> Vec<String> {
    let (places, all) = (percents.len(), percents.iter().sum::<f64>());
    let free = (earners < places)
        .then(|| format!("split has {places} places for {}", counted(earners as u64, "earner")));
    let short = (all < 100.0 - 1e-6).then(|| format!("the places come to {all}%"));
    free.into_iter().chain(short).collect()
}
