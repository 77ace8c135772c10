//! `token`: who may hand in over HTTP.

use std::path::Path;

use crate::cli::{Exit, Token};
use crate::config;
use crate::tokens::{Tokens, update};
use crate::workspace::PIPELINE;

/// Does it. A server at work sees the change with the next request.
///
/// # Errors
/// The file of tokens can't be read or written.
pub fn token(dir: &Path, what: &Token) -> anyhow::Result<Exit> {
    let file = config::load(&dir.join(PIPELINE))?.serve.tokens;
    match what {
        Token::Add { miner } => println!("{}", update(&file, |tokens| Ok(tokens.add(miner.clone())?))?),
        Token::Remove { miner } => {
            let removed = update(&file, |tokens| Ok(tokens.remove(miner)))?;
            println!("{miner}: removed {removed}");
        }
        Token::List => {
            for token in Tokens::load(&file)?.iter() {
                println!("{}  {}", token.added_at, token.miner);
            }
        }
    }
    Ok(Exit::Done)
}
