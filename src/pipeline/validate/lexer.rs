//! Python source -> its pieces, and the same source with all that is not code masked.

use std::ops::Range;

/// Stands for each byte of a string literal, its quotes included.
const STRING: u8 = b'"';

/// Stands for each byte behind the start of an unterminated literal: no Python, so that nothing is
/// found there; the cell's Python will tell where the literal begins.
const UNTERMINATED: u8 = b'?';

/// Kind of a piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Names, numbers, operators, blanks, and line breaks that end a statement.
    Code,
    /// From `#` to before the end of the line.
    Comment,
    /// A literal with its quotes, without its prefix.
    Text,
    /// All behind the start of a literal that does not end.
    Unterminated,
    /// A line break that does not end a statement: in brackets, or behind a backslash, which belongs to it.
    Join,
}

/// Pieces of a source whose lines end in `\n`.
///
/// A literal's prefix changes nothing about where it ends: in a raw string, too, a backslash keeps the next quote from
/// ending it, and up to Python 3.11 so it is in f-strings.
pub(super) struct Pieces<'a> {
    source: &'a [u8],
    at: usize,
    /// Open brackets.
    depth: usize,
}

impl<'a> Pieces<'a> {
    /// Pieces of a whole file.
    pub(super) fn of(source: &'a str) -> Self {
        Self { source: source.as_bytes(), at: 0, depth: 0 }
    }

    /// Pieces of an expression in brackets that are not part of it.
    pub(super) fn in_brackets(source: &'a str) -> Self {
        Self { depth: 1, ..Self::of(source) }
    }

    fn end_of_code(&mut self, start: usize) -> usize {
        let mut at = start;
        while let Some(&byte) = self.source.get(at) {
            match byte {
                b'#' | b'"' | b'\'' => break,
                b'\\' if self.source.get(at + 1) == Some(&b'\n') => break,
                b'\n' if self.depth > 0 => break,
                b'(' | b'[' | b'{' => self.depth += 1,
                b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        at
    }
}

impl Iterator for Pieces<'_> {
    type Item = (Kind, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let (source, at) = (self.source, self.at);
        let (kind, end) = match *source.get(at)? {
            b'#' => (Kind::Comment, end_of_line(source, at)),
            b'"' | b'\'' => match end_of_string(source, at) {
                Some(end) => (Kind::Text, end),
                None => (Kind::Unterminated, source.len()),
            },
            b'\\' if source.get(at + 1) == Some(&b'\n') => (Kind::Join, at + 2),
            b'\n' if self.depth > 0 => (Kind::Join, at + 1),
            _ => (Kind::Code, self.end_of_code(at)),
        };
        self.at = end;
        Some((kind, at..end))
    }
}

/// Masks `source`, whose lines must end in `\n`: comments become blanks, string literals quotes, and a line break that
/// doesn't end a statement a blank. What stands at an offset of the result stands at the same offset of the source.
pub(crate) fn mask(source: &str) -> Vec<u8> {
    let mut masked = Vec::with_capacity(source.len());
    for (kind, range) in Pieces::of(source) {
        match kind {
            Kind::Code => masked.extend_from_slice(&source.as_bytes()[range]),
            Kind::Comment | Kind::Join => masked.resize(range.end, b' '),
            Kind::Text => masked.resize(range.end, STRING),
            Kind::Unterminated => masked.resize(range.end, UNTERMINATED),
        }
    }
    masked
}

fn end_of_line(source: &[u8], at: usize) -> usize {
    let rest = &source[at..];
    at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

/// Where the literal that begins at `at` has ended; `None` if it doesn't.
pub(super) fn end_of_string(source: &[u8], at: usize) -> Option<usize> {
    let quote = source[at];
    let triple = source[at..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let mut at = at + width;
    loop {
        match *source.get(at)? {
            b'\\' => at += 2,
            b'\n' if !triple => return None,
            byte if byte == quote && (!triple || source[at..].starts_with(&[quote; 3])) => {
                return Some(at + width);
            }
            _ => at += 1,
        }
    }
}
