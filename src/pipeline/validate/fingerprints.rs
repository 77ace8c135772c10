//! Fingerprints of a source: hashes of token sequences, chosen by winnowing (Schleimer, Wilkerson and Aiken, 2003).
//!
//! Names, numbers and literals are folded, comments and blanks left out: a copy with other names, comments or line
//! breaks has the same fingerprints, and so has one with statements in between that do nothing.

use crate::pipeline::validate::files;
use crate::pipeline::validate::tokens::Tokens;

/// Tokens that one hash is of: shorter sequences are common.
const GRAM: usize = 10;

/// Hashes of which one is kept: what two sources share is found from `GRAM + WINDOW - 1` tokens on.
const WINDOW: usize = 4;

/// Fingerprints that are kept of one source: of more, the smallest.
const MOST: usize = 4096;

/// Words whose meaning no author can choose.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Fingerprints of a source, sorted; none if it is no text.
pub fn of(source: &[u8]) -> Vec<u32> {
    let hashes = all(source);
    let mut kept: Vec<u32> =
        hashes.windows(WINDOW).filter_map(|window| window.iter().min().copied()).collect();
    kept.sort_unstable();
    kept.dedup();
    kept.truncate(MOST);
    kept
}

/// Tokens that sequences of a source cover, each given by its hash: where two overlap, the tokens count once.
#[derive(Debug, Default)]
pub struct Covered {
    tokens: u32,
    end: usize,
}

impl Covered {
    /// Adds the sequence at this place among [`all`]; places come in their order.
    pub fn add(&mut self, place: usize) {
        let end = place + GRAM;
        self.tokens += (end - self.end.max(place)) as u32;
        self.end = end;
    }

    /// The number of tokens.
    pub fn tokens(&self) -> u32 {
        self.tokens
    }
}

/// A sequence of tokens, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Its hash, as of [`all`].
    pub hash: u32,
    /// The line that it begins in, from 1.
    pub first: usize,
    /// The line that its last token begins in.
    pub last: usize,
}

/// Text whose lines sequences are told by, of several files all of them; empty if it is none.
pub fn text(source: &[u8]) -> String {
    files::text_of_all(source).map(|text| text.to_string()).unwrap_or_default()
}

/// Where each line of a source's [`text`] stands: its number, behind its file where there are several.
pub fn places(source: &[u8]) -> Vec<String> {
    files::places_of_all(source)
}

/// All sequences of a [`text`], in their order.
pub fn placed(source: &str) -> Vec<Placed> {
    let breaks: Vec<usize> = source.match_indices('\n').map(|(at, _)| at).collect();
    let line = |offset: usize| 1 + breaks.partition_point(|end| *end < offset);
    let tokens = Tokens::of(source);
    let tokens = working(tokens.placed()).into_iter();
    let tokens: Vec<(Option<u64>, usize)> = tokens.map(|(token, at)| (folded(token), line(at))).collect();
    let sequence = |gram: &[(Option<u64>, usize)]| {
        let hashes: Option<Vec<u64>> = gram.iter().map(|(token, _)| *token).collect();
        Some(Placed { hash: hash(&hashes?) as u32, first: gram[0].1, last: gram[GRAM - 1].1 })
    };
    tokens.windows(GRAM).filter_map(sequence).collect()
}

/// Hashes of all sequences in a source, of several files in all of them: whatever is chosen of a part of it is among them.
pub fn all(source: &[u8]) -> Vec<u32> {
    let Some(source) = files::text_of_all(source) else { return Vec::new() };
    let tokens = Tokens::of(&source);
    let tokens: Vec<Option<u64>> =
        working(tokens.placed()).into_iter().map(|(token, _)| folded(token)).collect();
    let files =
        tokens.split(Option::is_none).map(|file| file.iter().flatten().copied().collect::<Vec<u64>>());
    files.flat_map(|file| file.windows(GRAM).map(|gram| hash(gram) as u32).collect::<Vec<_>>()).collect()
}

/// Tokens without line breaks and without what does nothing: `pass`, constants and names that are statements, as docstrings are,
/// and the head of `if 1:`.
fn working<'t>(tokens: impl Iterator<Item = (&'t str, usize)>) -> Vec<(&'t str, usize)> {
    let tokens: Vec<(&str, usize)> = tokens.collect();
    let statements = tokens.split(|(token, _)| matches!(*token, "\n" | ";"));
    statements
        .flat_map(|statement| working_part(statement).iter().filter(|(token, _)| *token != "pass").copied())
        .collect()
}

/// The part of a statement that does something.
fn working_part<'a, 't>(statement: &'a [(&'t str, usize)]) -> &'a [(&'t str, usize)] {
    match statement {
        [("if", _), (test, _), (":", _), body @ ..] if is_constant(test) => working_part(body),
        [(name, _)] if is_name(name) => &[],
        all if all.iter().all(|(token, _)| is_constant(token)) => &[],
        all => all,
    }
}

/// Tells whether a token is a constant or a part of one, such as the point of a number.
fn is_constant(token: &str) -> bool {
    matches!(token, "." | "True" | "False" | "None")
        || token.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '"' | '\''))
}

fn is_name(token: &str) -> bool {
    let is_word = token.starts_with(|first: char| first.is_alphabetic() || first == '_');
    is_word && !KEYWORDS.contains(&token)
}

/// A number for a token: the same for all names, and for all numbers. None of the border between two files, over which no sequence goes: in
/// which order files stand says nothing of who wrote them.
fn folded(token: &str) -> Option<u64> {
    if token == files::BORDER {
        return None;
    }
    let kind = match token.chars().next() {
        Some(first) if first.is_ascii_digit() => "0",
        Some(first) if first.is_alphabetic() || first == '_' => {
            if KEYWORDS.contains(&token) {
                token
            } else {
                "name"
            }
        }
        _ => token,
    };
    Some(hash(&kind.bytes().map(u64::from).collect::<Vec<_>>()))
}

/// FNV-1a, with its bits mixed.
fn hash(parts: &[u64]) -> u64 {
    let hash = parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, part| {
        (hash ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_do_nothing_leave_no_trace() {
        let plain = "def total(items):\n    best = 0\n    for item in items:\n        if item > best:\n            best = \
                     item + 1\n    return best * len(items)\n";
        let idle = "def total(items):\n    'A docstring.'\n    pass; best = 0\n    ...\n    for item in items:\n        if 1:\n            \
                    if True: pass\n            1.5\n            items\n            if item > best:\n                best = item + 1\n                \
                    pass\n    return best * len(items); None\n";
        assert!(!all(plain.as_bytes()).is_empty());
        assert_eq!(all(plain.as_bytes()), all(idle.as_bytes()));
        let hashes = |text: &str| placed(text).into_iter().map(|one| one.hash).collect::<Vec<_>>();
        assert_eq!(hashes(plain), hashes(idle));
        let other = plain.replace("if item > best:", "while 1:");
        assert_ne!(all(plain.as_bytes()), all(other.as_bytes()));
    }
}
