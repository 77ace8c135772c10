//! Check of the roster: miners who submit, or may, and are not on it.

use std::collections::BTreeSet;

use crate::config::Pipeline;
use crate::doctor::Finding;
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::pipeline::intake::{Inbox, Touched};
use crate::tokens::{Bearer, Tokens};
use crate::util::first_few::first_few;

/// Those in the inbox and with tokens who are not on the roster; None where there is no roster, or none that can be read.
pub(super) fn look(pipeline: &Pipeline) -> Option<Finding> {
    let roster = pipeline.roster.as_ref()?;
    if roster.students.is_empty() {
        let file = roster.file.display();
        return Some(Finding::odd("roster", format!("{file} names nobody"), "add a line for each person"));
    }
    let mut miners = in_inbox(pipeline);
    miners.extend(with_token(pipeline));
    let miners: Vec<Miner> = roster.strangers(miners.into_iter()).collect();
    let file = roster.file.display();
    let near = |miner: &Miner| roster.without_zeros(miner).or_else(|| roster.within(miner));
    let near = miners.iter().find_map(near).unwrap_or_default();
    Some(match miners.is_empty() {
        true => Finding::ok("roster", format!("{file} has {}", people(roster.students.len()))),
        false => Finding::odd(
            "roster",
            format!("not on it, {file}: {}{near}", first_few(&miners)),
            "add a line for each, rename a file that has another name than its author's id, or leave them as guests: they are ranked without a name",
        ),
    })
}

fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// An inbox that can't be read is another finding.
fn in_inbox(pipeline: &Pipeline) -> BTreeSet<Miner> {
    let mut inbox = Inbox::new(&pipeline.inbox, (&pipeline.validate).into());
    let mut touched = Touched::default();
    let listed = inbox.touch_all(&mut touched);
    listed.map_or_else(|_| BTreeSet::new(), |()| inbox.look(touched, &FirstSights::default()).miners)
}

/// Tokens that can't be read are told by `serve`.
fn with_token(pipeline: &Pipeline) -> Vec<Miner> {
    let tokens = Tokens::load(&pipeline.serve.tokens).unwrap_or_default();
    let miner = |bearer: &Bearer| match bearer {
        Bearer::Miner(miner) => Some(miner.clone()),
        Bearer::Organiser => None,
    };
    tokens.iter().filter_map(|token| miner(&token.bearer)).collect()
}
