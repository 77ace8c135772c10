//! Python source, as far as taking a file of tests apart needs it: statements, words, names.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::pipeline::validate::lexer::mask;

/// Python's own names: an agent is asked for a function of one only where the prompt names it.
const BUILTIN: &str = "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile \
complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr \
globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min \
next object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str \
sum super tuple type vars zip";

/// Names that an assertion can't ask an agent for.
const TAKEN: [&str; 4] = ["agent", "output", "prompt", "raises"];

/// A statement with all that belongs to it, without the indentation of its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// As written, without blanks at its end.
    pub text: String,
    /// The same with comments blank and string literals quotes, so that only code is left.
    code: Vec<u8>,
}

impl Statement {
    fn new(text: String) -> Self {
        let code = mask(&text);
        Self { text, code }
    }

    /// Its code with comments and the content of strings masked.
    pub(super) fn code(&self) -> &[u8] {
        &self.code
    }

    /// Its first word; empty if it begins with something else.
    pub(super) fn keyword(&self) -> &str {
        let end = self.text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// True if a name or keyword occurs in its code.
    pub(super) fn mentions(&self, word: &str) -> bool {
        names(&self.code).any(|(_, name)| name == word)
    }

    /// The names and keywords in its code.
    fn names(&self) -> impl Iterator<Item = &str> {
        names(&self.code).map(|(_, name)| name)
    }

    /// True if it imports something by a name that occurs in one of these statements.
    pub(super) fn imports_for(&self, others: &[Statement]) -> bool {
        let bound = || self.names().filter(|name| !matches!(*name, "import" | "from" | "as"));
        matches!(self.keyword(), "import" | "from")
            && others.iter().any(|other| bound().any(|name| other.mentions(name)))
    }

    /// The name that it defines as a function.
    pub(super) fn defines(&self) -> Option<&str> {
        static DEF: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?-u)^(?:async +)?def +(\w+)").expect("a constant pattern"));
        let name = DEF.captures(&self.code)?.get(1)?;
        Some(&self.text[name.range()])
    }

    /// The name that it defines as a class.
    pub(super) fn defines_class(&self) -> Option<&str> {
        static CLASS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?-u)^class +(\w+)").expect("a constant pattern"));
        let name = CLASS.captures(&self.code)?.get(1)?;
        Some(&self.text[name.range()])
    }
}

/// The statements of a block, at the indentation of the first of them. Comments between them are left out.
pub(super) fn statements(source: &str) -> Vec<Statement> {
    let source = &source.replace("\r\n", "\n");
    let masked = mask(source);
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut base = None;
    let mut at = 0;
    for line in masked.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        if let Some(indent) = line.iter().position(|byte| !byte.is_ascii_whitespace()) {
            let base = *base.get_or_insert(indent);
            let begins = indent <= base && !continues(&line[indent..]);
            match starts.last_mut() {
                Some(last) if !begins => last.1 = end,
                _ => starts.push((at, end)),
            }
        }
        at = end;
    }
    starts.into_iter().map(|(from, to)| Statement::new(dedented(source, &masked, from, to, base))).collect()
}

/// True if a line at a statement's own indentation continues the statement before.
fn continues(line: &[u8]) -> bool {
    let word = line.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    matches!(word, b"else" | b"elif" | b"except" | b"finally")
}

/// Takes the block's indentation off every line that does not begin inside a string.
fn dedented(source: &str, masked: &[u8], from: usize, to: usize, base: Option<usize>) -> String {
    let base = base.unwrap_or(0);
    let mut text = String::new();
    let mut at = from;
    for line in source[from..to].split_inclusive('\n') {
        let blanks = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let in_string = blanks > 0 && masked[at] == b'"';
        text += if in_string { line } else { &line[blanks.min(base)..] };
        at += line.len();
    }
    text.trim_end().to_owned()
}

/// The names and keywords in masked code, without attributes (`x.name`).
fn names(code: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*").expect("a constant pattern")
    });
    let words = WORD.find_iter(code).filter(|word| !code[..word.start()].ends_with(b"."));
    words.filter_map(|word| Some((word.start(), str::from_utf8(word.as_bytes()).ok()?)))
}

/// The statement's text with one name instead of another.
pub(super) fn renamed(statement: &Statement, from: &str, to: &str) -> String {
    let mut text = String::new();
    let mut done = 0;
    for (at, _) in names(&statement.code).filter(|(_, name)| *name == from) {
        text += &statement.text[done..at];
        text += to;
        done = at + from.len();
    }
    text + &statement.text[done..]
}

/// A prompt with its solution as one program, which must define the function.
///
/// # Errors
/// It does not.
pub(super) fn solution(prompt: &str, rest: &str, name: &str) -> Result<String, String> {
    let solution = format!("{prompt}{rest}").replace("\r\n", "\n");
    match statements(&solution).iter().any(|statement| statement.defines() == Some(name)) {
        true => Ok(solution),
        false => Err(format!("its prompt and solution define no function {name}")),
    }
}

/// A text as a literal: JSON's escapes are Python's as well, and what is beyond them stands as it is.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Checks that an agent can be asked for a function of this name.
///
/// # Errors
/// The reason why it can't.
pub(crate) fn callable(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(letter) || !name.chars().all(|c| letter(c) || c.is_ascii_digit()) {
        return Err("the function's name is no Python name".to_owned());
    }
    match TAKEN.contains(&name) {
        true => Err(format!("in an assertion, {name} does not mean the agent's function")),
        false => Ok(()),
    }
}

/// True if Python has a function or class of this name, too.
pub(crate) fn is_builtin(name: &str) -> bool {
    BUILTIN.split(' ').any(|own| own == name)
}
