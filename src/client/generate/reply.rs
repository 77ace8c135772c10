//! Replies: the sources that a model's reply may mean, the likeliest first.

use std::sync::LazyLock;

use regex::Regex;

use crate::client::generate::answer::Reply;
use crate::client::generate::blocks::{Block, blocks};
use crate::client::generate::names::{self, Names};
use crate::client::generate::thinking;
use crate::client::generate::wanted::Wanted;

/// How a line of code at the top level begins.
static TOP_LEVEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\A(?:import \w|from [\w.]+ import |(?:async )?def \w+\(|class \w+\s*[(:]|@\w|#!|[A-Za-z_]\w*\s*(?::[^=]+)?=[^=])")
        .expect("a constant")
});

/// The most sources that are made of one reply.
const MOST: usize = 5;

/// The most blocks of a reply that are looked at, the last ones: a model that repeats itself may write thousands.
const LATEST: usize = 200;

/// A block with the names in it.
struct Piece {
    text: String,
    marked: bool,
    /// True if it goes on where the block before it ended, as its indent shows.
    continues: bool,
    /// True if it only defines things, and no tests: then it does no harm beside others.
    pure: bool,
    defined: Names,
    /// Names that it takes from elsewhere.
    needed: Names,
}

/// The sources that a reply may mean, the likeliest first; none if there is no code in it. Thinking is none of it, nor is
/// a block that was cut off.
#[must_use]
pub fn sources(reply: &Reply, wanted: &Wanted) -> Vec<String> {
    let text = thinking::answer(&reply.text.replace("\r\n", "\n"));
    let blocks = blocks(&text);
    if blocks.is_empty() {
        let bare = if reply.cut_off { None } else { bare(&text) };
        return bare.into_iter().filter(|source| !source.trim().is_empty()).collect();
    }
    let blocks = blocks.into_iter().filter(|block| block.closed || !reply.cut_off);
    let mut blocks: Vec<Block> = blocks.filter(|block| !block.text.trim().is_empty()).collect();
    blocks.drain(..blocks.len().saturating_sub(LATEST));
    let pieces = pieces(blocks);
    let (all, marked): (Vec<&Piece>, Vec<&Piece>) =
        (pieces.iter().collect(), pieces.iter().filter(|piece| piece.marked).collect());
    let found = [&marked, &all].into_iter().map(|pool| meant(pool, wanted)).find(|found| !found.is_empty());
    let mut sources: Vec<String> = Vec::new();
    for source in found.unwrap_or_else(|| likely(if marked.is_empty() { &all } else { &marked }, wanted)) {
        let source = source.trim_matches('\n').to_owned() + "\n";
        if !sources.contains(&source) && sources.len() < MOST {
            sources.push(source);
        }
    }
    sources
}

/// Blocks with their continuations.
fn pieces(blocks: Vec<Block>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for block in blocks {
        let piece = Piece::new(block.text, block.marked);
        match pieces.last_mut() {
            Some(last) if piece.continues => {
                *last = Piece::new(format!("{}{}", last.text, piece.text), last.marked)
            }
            _ => pieces.push(piece),
        }
    }
    pieces
}

impl Piece {
    fn new(text: String, marked: bool) -> Self {
        let code = names::masked(&text);
        let first = code.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let bound = names::bound(&code);
        let needed = names::mentioned(&code).into_iter().filter(|name| !bound.contains(name)).collect();
        Self {
            continues: first.starts_with([' ', '\t']),
            pure: is_pure(&code),
            defined: names::defined(&code),
            needed,
            marked,
            text,
        }
    }
}

/// True if code at the top level only defines things, and no tests.
fn is_pure(code: &str) -> bool {
    static PURE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\A(?:import|from|def|async def|class|try|except|else|elif)\b|\A(?:@|[\s)\]}"]|if __name__|[rRbBuUfF]{0,2}"|[A-Za-z_]\w*\s*(?::[^=]+)?=[^=])"#)
            .expect("a constant")
    });
    let tests = code.contains("def test_") || code.contains("unittest") || code.contains("pytest");
    !tests && code.lines().all(|line| line.is_empty() || PURE.is_match(line))
}

/// Sources of blocks that define what is sought: each time all that belongs together first, then less.
fn meant(pool: &[&Piece], wanted: &Wanted) -> Vec<String> {
    let sought = wanted.sought();
    let whole = |piece: &&Piece| !sought.is_empty() && sought.is_subset(&piece.defined);
    let mut seeds: Vec<Vec<usize>> =
        (0..pool.len()).rev().filter(|at| whole(&pool[*at])).map(|at| vec![at]).collect();
    if seeds.is_empty() && !wanted.functions.is_empty() {
        let last = |name: &String| pool.iter().rposition(|piece| piece.defined.contains(name));
        seeds.extend(wanted.functions.iter().map(last).collect::<Option<Vec<_>>>());
    }
    seeds.truncate(MOST);
    let more = seeds.iter().flat_map(|seed| {
        let needed = closure(pool, seed.clone());
        [joined(pool, beside(pool, needed.clone())), joined(pool, needed), joined(pool, seed.clone())]
    });
    more.collect()
}

/// Takes in the blocks that define what the chosen ones need.
fn closure(pool: &[&Piece], mut chosen: Vec<usize>) -> Vec<usize> {
    loop {
        let has = |name: &String| chosen.iter().any(|at| pool[*at].defined.contains(name));
        let other = |name: &String| {
            (0..pool.len()).rev().find(|at| !chosen.contains(at) && pool[*at].defined.contains(name))
        };
        let needed = chosen.iter().flat_map(|at| &pool[*at].needed);
        let lacking = needed.filter(|name| !has(name)).find_map(other);
        match lacking {
            Some(at) => chosen.push(at),
            None => return chosen,
        }
    }
}

/// Takes in the blocks that only define things, and nothing that the chosen ones define.
fn beside(pool: &[&Piece], mut chosen: Vec<usize>) -> Vec<usize> {
    for (at, piece) in pool.iter().enumerate().rev() {
        let known = |name: &String| chosen.iter().any(|at| pool[*at].defined.contains(name));
        if piece.pure && !chosen.contains(&at) && !piece.defined.iter().any(known) {
            chosen.push(at);
        }
    }
    chosen
}

fn joined(pool: &[&Piece], mut chosen: Vec<usize>) -> String {
    chosen.sort_unstable();
    chosen.dedup();
    let texts: Vec<&str> = chosen.into_iter().map(|at| pool[at].text.trim_matches('\n')).collect();
    texts.join("\n\n")
}

/// Sources where nothing says which block is meant: those that print where that is wanted, those that define something,
/// the longest first; all of them together at last.
fn likely(pool: &[&Piece], wanted: &Wanted) -> Vec<String> {
    let mut order: Vec<&&Piece> = pool.iter().collect();
    let prints = |piece: &Piece| piece.text.contains("print(") || piece.text.contains("stdout");
    order.sort_by_key(|piece| (wanted.program && prints(piece), !piece.defined.is_empty(), piece.text.len()));
    let all = (pool.len() > 1).then(|| joined(pool, (0..pool.len()).collect()));
    order.iter().rev().take(MOST - 1).map(|piece| piece.text.clone()).chain(all).collect()
}

/// From the first line that looks like code to the last one that may belong to it.
fn bare(reply: &str) -> Option<String> {
    let lines: Vec<&str> = reply.lines().collect();
    let first = lines.iter().position(|line| TOP_LEVEL.is_match(line))?;
    let belongs = |line: &&str| {
        let code = line.starts_with([' ', '\t', ')', ']', '}', '#', '@']) || TOP_LEVEL.is_match(line);
        code && !line.trim().is_empty() || line.starts_with("if __name__")
    };
    let last = lines.iter().rposition(belongs)?;
    (first <= last).then(|| lines[first..=last].join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_blocks_of_very_many_are_looked_at() {
        let wanted = Wanted { functions: Names::from(["f".to_owned()]), ..Wanted::default() };
        let found = |behind: usize| {
            let other = "```python\ng = 1\n```\n".repeat(behind);
            let text = format!("```python\ndef f():\n    return 1\n```\n{other}");
            sources(&Reply { text, ..Reply::default() }, &wanted).concat().contains("def f")
        };
        assert!(found(LATEST - 1) && !found(LATEST));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(
            text in "(```|~~~~|python|\n| |x = 1|def f\\(\\):|</think>|<think>|'''|.){0,30}",
            cut_off: bool,
        ) {
            let wanted = Wanted { functions: Names::from(["f".to_owned()]), ..Wanted::default() };
            let _ = sources(&Reply { text, cut_off, ..Reply::default() }, &wanted);
        }
    }
}
