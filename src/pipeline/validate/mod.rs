//! Submission -> agent or rejection: UTF-8, only modules that the cell has, nothing forbidden.
//!
//! A lexical scan, in time linear in the source. It tells a miner early what would fail in the cell;
//! it keeps nobody from importing by other means, and need not: the cell holds no other modules.

mod files;
pub mod fingerprints;
mod imports;
pub(crate) mod lexer;
pub mod packed;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

use std::sync::LazyLock;

use regex::Regex;
use regex::bytes::Regex as BytesRegex;

use crate::config::{Allow, Validate};
use crate::model::joined;
use crate::model::miner_id::printable;
use crate::model::python::Library;
use crate::pipeline::validate::tokens::Tokens;

/// Fault of a source, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// 1-based, as Python counts lines.
    pub line: Option<u32>,
    /// The fault and what to do, in one line.
    pub reason: String,
    /// Modules that it imports and that there are not, if that is the fault.
    pub strangers: Vec<String>,
}

impl Finding {
    fn new(line: Option<u32>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { line, reason, strangers: Vec::new() }
    }

    /// The finding on a file beside which other files lie: a module among them does not come with it.
    #[must_use]
    pub fn beside(mut self, lies_there: impl Fn(&str) -> bool) -> Self {
        if let Some(name) = self.strangers.iter().find(|name| lies_there(&format!("{name}.py"))) {
            self.reason +=
                &format!("; an agent is one file, and {name}.py lies beside it: put its code into the agent");
        }
        self
    }

    /// The finding where a submission may have so many files: a module of its own may have been left out.
    fn of_several(mut self, files: usize) -> Self {
        if files > 1 && !self.strangers.is_empty() {
            self.reason +=
                "; a module of your own is handed in beside agent.py, by its path such as parts/tree.py";
        }
        self
    }
}

/// Finding that Python, of this version, does not compile a source, by what it says.
pub fn does_not_compile(python: &str, line: Option<u32>, message: &str) -> Finding {
    Finding::new(line, format!("is not valid Python {python}: {message}"))
}

/// Blanks, semicolons and string literals as [`lexer::mask`] leaves them.
static NO_CODE: LazyLock<BytesRegex> =
    LazyLock::new(|| BytesRegex::new(r#"\A(?-u:[\s;]|[rRbBuUfF]{0,2}"+)*\z"#).expect("a constant"));

/// Checks a submission's source by the rules as far as can be done without running Python: it is UTF-8 text with some code
/// in it, imports only modules that are there and allowed, and matches no pattern of `forbid`. Of several files, so is each.
///
/// # Errors
/// The first thing found wrong.
pub fn check(source: &[u8], rules: &Validate, library: &Library) -> Result<(), Finding> {
    let checked = match joined::is_joined(source) {
        true => files::check(source, rules, library),
        false => check_file(source, rules, &files::Surroundings::alone(library)),
    };
    checked.map_err(|finding| finding.of_several(rules.files))
}

/// Checks one file of a submission.
fn check_file(source: &[u8], rules: &Validate, around: &files::Surroundings<'_>) -> Result<(), Finding> {
    let Validate { forbid, allow, .. } = rules;
    let text = text::decode(source)?;
    let masked = lexer::mask(&text);
    if around.is_agent && NO_CODE.is_match(&masked) {
        return Err(Finding::new(None, "contains no code, only comments, blank lines or strings"));
    }
    fence(&text, &masked)?;
    notebook(&text)?;
    imports::check(&text, &masked, allow, around)?;
    if forbid.is_empty() {
        return Ok(());
    }
    let tokens = Tokens::of(&text);
    forbid.iter().try_for_each(|pattern| refuse(&text, &tokens, pattern))
}

/// Checks a source where nothing is allowed beside the standard library of the default image.
///
/// # Errors
/// The first thing found wrong.
pub fn scan(source: &[u8], forbid: &[Regex]) -> Result<(), Finding> {
    check(source, &rules(forbid), &Library::default())
}

/// Rules by which nothing is allowed beside the standard library, and one file alone.
pub(crate) fn rules(forbid: &[Regex]) -> Validate {
    let allow = Allow::Modules(Vec::new());
    Validate { max_bytes: u64::MAX, files: 1, forbid: forbid.to_vec(), allow }
}

/// Refuses Markdown's fences, which chats put around code: no Python begins a line with a backtick.
fn fence(text: &str, masked: &[u8]) -> Result<(), Finding> {
    static FENCE: LazyLock<BytesRegex> =
        LazyLock::new(|| BytesRegex::new(r"(?m-u)^[\x20\t]*```").expect("a constant"));
    let Some(found) = FENCE.find(masked) else { return Ok(()) };
    let line = text::line_of(text.as_bytes(), found.start());
    let shown = text[found.start()..].lines().next().unwrap_or_default().trim();
    let shown = printable(shown.as_bytes());
    Err(Finding::new(
        Some(line),
        format!("has a Markdown fence ({shown}) around its code; submit only what stands between the fences"),
    ))
}

/// Refuses a notebook under the name of a source: to Python it is a dict that nobody uses.
fn notebook(text: &str) -> Result<(), Finding> {
    let is_one = text.trim_start().starts_with('{')
        && serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json["cells"].is_array());
    match is_one {
        false => Ok(()),
        true => Err(Finding::new(
            Some(1),
            "is a notebook, not Python; `jupyter nbconvert --to script homework.ipynb` writes a .py file",
        )),
    }
}

/// Matches a pattern with the source as it stands, comments and literals included, and with its tokens alone.
fn refuse(text: &str, tokens: &Tokens, pattern: &Regex) -> Result<(), Finding> {
    let as_written = || pattern.find(text).map(|found| found.start());
    let as_tokens = || pattern.find(tokens.text()).map(|found| tokens.origin(found.start()));
    let Some(at) = as_written().or_else(as_tokens) else {
        return Ok(());
    };
    let line = text::line_of(text.as_bytes(), at);
    let pattern = printable(pattern.as_str().as_bytes());
    Err(Finding::new(Some(line), format!("contains what this pipeline forbids: {pattern}")))
}
