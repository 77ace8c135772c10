//! `token`: adds, lists and removes the tokens that submitting over HTTP takes.

use std::path::Path;

use anyhow::Context;

use crate::cli::{self, Exit, Token};
use crate::config::{self, Pipeline};
use crate::model::miner_id::Miner;
use crate::term;
use crate::tokens::{Bearer, Tokens, update};
use crate::util::first_few::first_few;
use crate::workspace::PIPELINE;

/// Changes or lists the tokens. A server at work sees the change with the next request.
///
/// # Errors
/// Mistakes in pipeline.yaml itself, or the file of tokens can't be read or written.
pub fn token(dir: &Path, what: &Token) -> anyhow::Result<Exit> {
    let pipeline = config::load_alone(&dir.join(PIPELINE))?;
    let file = &pipeline.serve.tokens;
    match what {
        Token::Add(whose) => {
            let others = update(file, |tokens| {
                let others = others(tokens, &bearer(whose));
                add(tokens, bearer(whose)).map(|()| others)
            })?;
            others.into_iter().for_each(|told| term::complain(format_args!("agentmill: {told}")));
            warn_of_stranger(&pipeline, whose.miner.as_ref());
        }
        Token::Remove(whose) => {
            let bearer = bearer(whose);
            let removed = update(file, |tokens| Ok(tokens.remove(&bearer)))?;
            term::print(&format!("{bearer}: removed {removed}\n"))?;
        }
        Token::List => term::print(&list(&Tokens::load(file)?))?,
    }
    Ok(Exit::Done)
}

/// Shown before it is kept: a token that nobody has seen must not be valid.
fn add(tokens: &mut Tokens, bearer: Bearer) -> anyhow::Result<()> {
    let token = tokens.add(bearer)?;
    term::print_to_reader(&format!("{token}\n")).context("the token can't be shown, so none was added")
}

/// Says that a bearer has valid tokens already, and how to be rid of them.
fn others(tokens: &Tokens, bearer: &Bearer) -> Option<String> {
    let known: Vec<String> = tokens
        .iter()
        .filter(|token| token.bearer == *bearer)
        .map(|token| token.added_at.to_string())
        .collect();
    let named = match bearer {
        Bearer::Miner(miner) => miner.to_string(),
        Bearer::Organiser => "--organiser".to_owned(),
    };
    let since = first_few(&known);
    (!known.is_empty()).then(|| {
        let other = if known.len() == 1 { "another token" } else { "other tokens" };
        format!(
            "{bearer} has {other} already, valid since {since}: to end all of them, this one too, agentmill token remove {named}; then \
             add one"
        )
    })
}

/// A token may be meant for a guest; more often its id is mistyped.
fn warn_of_stranger(pipeline: &Pipeline, miner: Option<&Miner>) {
    if let Some(told) = miner.zip(pipeline.roster.as_ref()).and_then(|(miner, roster)| roster.stranger(miner))
    {
        term::complain(format_args!("agentmill: {told}"));
    }
}

/// The command line takes one of the two, and not both.
fn bearer(whose: &cli::Whose) -> Bearer {
    whose.miner.clone().map_or(Bearer::Organiser, Bearer::Miner)
}

fn list(tokens: &Tokens) -> String {
    tokens.iter().map(|token| format!("{}  {}\n", token.added_at, token.bearer)).collect()
}
