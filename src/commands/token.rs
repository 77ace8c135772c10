//! `token`: adds, lists and removes the tokens that submitting over HTTP takes.

use std::path::Path;

use anyhow::Context;

use crate::cli::{self, Exit, Token};
use crate::config;
use crate::term;
use crate::tokens::{Bearer, Tokens, update};
use crate::workspace::PIPELINE;

/// Changes or lists the tokens. A server at work sees the change with the next request.
///
/// # Errors
/// The file of tokens can't be read or written.
pub fn token(dir: &Path, what: &Token) -> anyhow::Result<Exit> {
    let file = config::load(&dir.join(PIPELINE))?.serve.tokens;
    match what {
        Token::Add(whose) => update(&file, |tokens| add(tokens, bearer(whose)))?,
        Token::Remove(whose) => {
            let bearer = bearer(whose);
            let removed = update(&file, |tokens| Ok(tokens.remove(&bearer)))?;
            term::print(&format!("{bearer}: removed {removed}\n"))?;
        }
        Token::List => term::print(&list(&Tokens::load(&file)?))?,
    }
    Ok(Exit::Done)
}

/// Shown before it is kept: a token that nobody has seen must not be valid.
fn add(tokens: &mut Tokens, bearer: Bearer) -> anyhow::Result<()> {
    let token = tokens.add(bearer)?;
    term::print_to_reader(&format!("{token}\n")).context("the token can't be shown, so none was added")
}

/// The command line takes one of the two, and not both.
fn bearer(whose: &cli::Whose) -> Bearer {
    whose.miner.clone().map_or(Bearer::Organiser, Bearer::Miner)
}

fn list(tokens: &Tokens) -> String {
    tokens.iter().map(|token| format!("{}  {}\n", token.added_at, token.bearer)).collect()
}
