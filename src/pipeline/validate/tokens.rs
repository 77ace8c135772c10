//! Source -> its tokens in their plainest spelling, so that a pattern sees `eval(` however it is written.
//!
//! Names are as Python compares them (NFKC), comments and the inside of literals are left out, and blanks stand only
//! where two words would run into each other. What an f-string evaluates is code and stays.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::pipeline::validate::lexer::{Kind, Pieces, end_of_string};

/// Stands for a string literal.
const LITERAL: &str = "\"\"";

/// Tokens as one text, and where each comes from.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    text: String,
    /// Offsets in `text` at which tokens begin, and where they stand in the source.
    origins: Vec<(usize, usize)>,
    /// Where the last token stands in the source, if it is a name, a number or a keyword.
    word: Option<Range<usize>>,
}

impl Tokens {
    /// The tokens of a source whose lines end in `\n`.
    pub(super) fn of(source: &str) -> Self {
        let mut tokens = Self::default();
        tokens.read(source, 0, Pieces::of(source));
        tokens
    }

    /// All tokens, a line for each statement.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Each token, line breaks included.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let starts = self.origins.iter().map(|(start, _)| *start);
        let ends = starts.clone().skip(1).chain([self.text.len()]);
        starts.zip(ends).map(|(start, end)| self.text[start..end].trim_matches(' '))
    }

    /// Each token with its offset in the source, line breaks included.
    pub(super) fn placed(&self) -> impl Iterator<Item = (&str, usize)> {
        self.all().zip(self.origins.iter().map(|(_, origin)| *origin))
    }

    /// Offset in the source of the token that stands at an offset of the text.
    pub(super) fn origin(&self, at: usize) -> usize {
        let before = self.origins.partition_point(|(start, _)| *start <= at);
        before.checked_sub(1).map_or(0, |index| self.origins[index].1)
    }

    /// Adds the tokens of a part of the source that begins at `base`.
    fn read(&mut self, part: &str, base: usize, pieces: Pieces<'_>) {
        for (kind, range) in pieces {
            match kind {
                Kind::Code => self.code(&part[range.clone()], base + range.start),
                Kind::Text => self.literal(&part[range.clone()], base + range.start),
                Kind::Comment | Kind::Join | Kind::Unterminated => {}
            }
        }
    }

    fn code(&mut self, code: &str, base: usize) {
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            let at = base + code.len() - rest.len();
            let length = match rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len()) {
                0 => first.len_utf8(),
                length => length,
            };
            let (token, behind) = rest.split_at(length);
            match first {
                ' ' | '\t' | '\x0c' => {}
                '\n' if self.text.is_empty() || self.text.ends_with('\n') => {}
                _ if is_of_word(first) => self.add_word(token, at),
                _ => self.add(token, at),
            }
            rest = behind;
        }
    }

    fn add(&mut self, token: &str, at: usize) {
        self.origins.push((self.text.len(), at));
        self.text.push_str(token);
        self.word = None;
    }

    fn add_word(&mut self, word: &str, at: usize) {
        if self.word.is_some() {
            self.text.push(' ');
        }
        self.origins.push((self.text.len(), at));
        self.text.extend(word.nfkc());
        self.word = Some(at..at + word.len());
    }

    fn literal(&mut self, literal: &str, at: usize) {
        let prefix = self.take_prefix(at);
        self.add(LITERAL, at);
        if prefix.contains(['f', 'F']) {
            for field in fields(literal) {
                let (start, field) = (at + field.start, &literal[field]);
                self.add("{", start);
                self.read(field, start, Pieces::in_brackets(field));
                self.add("}", start);
            }
        }
    }

    /// Takes back the last word if it is the prefix of a literal at this place.
    fn take_prefix(&mut self, at: usize) -> String {
        let is_before = self.word.as_ref().is_some_and(|word| word.end == at);
        let start = self.origins.last().map_or(0, |(start, _)| *start);
        if !is_before || !is_prefix(&self.text[start..]) {
            return String::new();
        }
        self.origins.pop();
        let prefix = self.text.split_off(start);
        self.text.truncate(self.text.trim_end_matches(' ').len());
        prefix
    }
}

/// As to Python's tokenizer, any character beyond ASCII may be part of a name.
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

fn is_prefix(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["r", "u", "b", "f", "br", "rb", "fr", "rf"].contains(&word.as_str())
}

/// Ranges between the braces of an f-string, formats included.
fn fields(literal: &str) -> Vec<Range<usize>> {
    let (bytes, mut all, mut open, mut at) = (literal.as_bytes(), Vec::new(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' if open.is_empty() && bytes.get(at + 1) == Some(&b'{') => at += 1,
            b'{' => open.push(at + 1),
            b'}' if open.len() == 1 => all.extend(open.pop().map(|start| start..at)),
            b'}' => drop(open.pop()),
            b'"' | b'\'' if !open.is_empty() => at = end_of_string(bytes, at).unwrap_or(bytes.len()) - 1,
            _ => {}
        }
        at += 1;
    }
    all.extend(open.first().map(|start| *start..bytes.len()));
    all
}
