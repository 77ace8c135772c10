//! `token`: adds, lists and removes the tokens that submitting over HTTP takes.

use std::path::Path;

use anyhow::Context;

use crate::cli::{Exit, Token};
use crate::config;
use crate::model::miner_id::Miner;
use crate::term;
use crate::tokens::{Tokens, update};
use crate::workspace::PIPELINE;

/// Changes or lists the tokens. A server at work sees the change with the next request.
///
/// # Errors
/// The file of tokens can't be read or written.
pub fn token(dir: &Path, what: &Token) -> anyhow::Result<Exit> {
    let file = config::load(&dir.join(PIPELINE))?.serve.tokens;
    match what {
        Token::Add { miner } => update(&file, |tokens| add(tokens, miner))?,
        Token::Remove { miner } => {
            let removed = update(&file, |tokens| Ok(tokens.remove(miner)))?;
            term::print(&format!("{miner}: removed {removed}\n"))?;
        }
        Token::List => term::print(&list(&Tokens::load(&file)?))?,
    }
    Ok(Exit::Done)
}

/// Shown before it is kept: a token that nobody has seen must not be valid.
fn add(tokens: &mut Tokens, miner: &Miner) -> anyhow::Result<()> {
    let token = tokens.add(miner.clone())?;
    term::print_to_reader(&format!("{token}\n")).context("the token can't be shown, so none was added")
}

fn list(tokens: &Tokens) -> String {
    tokens.iter().map(|token| format!("{}  {}\n", token.added_at, token.miner)).collect()
}
