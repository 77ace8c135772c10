//! Submission -> agent or rejection: UTF-8, standard library only, nothing forbidden.
//!
//! A lexical scan, in time linear in the source. It tells a miner early what would fail in the cell;
//! it keeps nobody from importing by other means, and need not: the cell holds no other modules.

mod imports;
pub(crate) mod lexer;
#[cfg(test)]
mod tests;
mod text;

use std::sync::LazyLock;

use regex::Regex;
use regex::bytes::Regex as BytesRegex;

use crate::pipeline::intake::printable;

/// What is wrong with a source, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// 1-based, as Python counts lines.
    pub line: Option<u32>,
    /// What is wrong and what to do, in one line.
    pub reason: String,
}

impl Finding {
    fn new(line: Option<u32>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { line, reason }
    }
}

/// Blanks, semicolons and string literals as [`lexer::mask`] leaves them.
static NO_CODE: LazyLock<BytesRegex> =
    LazyLock::new(|| BytesRegex::new(r#"\A(?-u:[\s;]|[rRbBuUfF]{0,2}"+)*\z"#).expect("a constant"));

/// Checks a submission's source as far as can be done without running Python: it is UTF-8 text with
/// some code in it, imports only Python 3.11's standard library and matches no pattern of `forbid`.
///
/// # Errors
/// The first thing found wrong.
pub fn scan(source: &[u8], forbid: &[Regex]) -> Result<(), Finding> {
    let text = text::decode(source)?;
    let masked = lexer::mask(&text);
    if NO_CODE.is_match(&masked) {
        return Err(Finding::new(None, "contains no code, only comments, blank lines or strings"));
    }
    imports::check(&text, &masked)?;
    forbid.iter().try_for_each(|pattern| refuse(&text, pattern))
}

fn refuse(text: &str, pattern: &Regex) -> Result<(), Finding> {
    let Some(found) = pattern.find(text) else {
        return Ok(());
    };
    let line = text::line_of(text.as_bytes(), found.start());
    let pattern = printable(pattern.as_str().as_bytes());
    Err(Finding::new(Some(line), format!("contains what this pipeline forbids: {pattern}")))
}
