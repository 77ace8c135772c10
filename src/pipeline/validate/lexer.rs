//! Python source -> the same source with all that is not code masked.

/// What each byte of a string literal, its quotes included, becomes.
const STRING: u8 = b'"';

/// What everything behind the start of an unterminated literal becomes: no Python, so that nothing is
/// found there; the cell's Python will tell where the literal begins.
const UNTERMINATED: u8 = b'?';

/// Masks `source`, whose lines must end in `\n`: comments become blanks, string literals quotes, and a
/// line break that doesn't end a statement (in brackets, behind a backslash) a blank. What stands at an
/// offset of the result stands at the same offset of the source.
///
/// A literal's prefix stays; it changes nothing about where the literal ends: in a raw string, too, a
/// backslash keeps the next quote from ending it, and up to Python 3.11 so it is in f-strings.
pub(crate) fn mask(source: &str) -> Vec<u8> {
    let source = source.as_bytes();
    let mut masked = Vec::with_capacity(source.len());
    let mut depth = 0_usize;
    while let Some(&byte) = source.get(masked.len()) {
        let at = masked.len();
        match byte {
            b'#' => masked.resize(end_of_line(source, at), b' '),
            b'"' | b'\'' => match end_of_string(source, at) {
                Some(end) => masked.resize(end, STRING),
                None => masked.resize(source.len(), UNTERMINATED),
            },
            b'\\' if source.get(at + 1) == Some(&b'\n') => masked.resize(at + 2, b' '),
            b'\n' if depth > 0 => masked.push(b' '),
            b'(' | b'[' | b'{' => {
                depth += 1;
                masked.push(byte);
            }
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                masked.push(byte);
            }
            _ => masked.push(byte),
        }
    }
    masked
}

fn end_of_line(source: &[u8], at: usize) -> usize {
    let rest = &source[at..];
    at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

/// Where the literal that begins at `at` has ended; `None` if it doesn't.
fn end_of_string(source: &[u8], at: usize) -> Option<usize> {
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
