//! Task files as YAML, in the way that a person would write them.

use crate::import::draft::{Draft, DraftCases, DraftTest};
use crate::import::python;

/// Longest line that stands behind its dash.
const ONE_LINE: usize = 100;

/// The task file's text; its solution, if it has one, is expected at `solution`.
pub(super) fn yaml(draft: &Draft, solution: &str) -> String {
    let mut text = format!("prompt: {}\n", block(&draft.prompt, "  "));
    if !draft.setup.trim().is_empty() {
        text += &format!("setup: {}\n", block(&draft.setup, "  "));
    }
    if !draft.tests.is_empty() {
        text += "tests:\n";
    }
    draft.tests.iter().for_each(|one| text += &test(one));
    if !draft.cases.is_empty() {
        text += "cases:\n";
    }
    draft.cases.iter().for_each(|one| text += &cases(one));
    draft.limits.iter().for_each(|(name, value)| text += &format!("{name}: {value}\n"));
    if draft.solution.is_some() {
        text += &format!("solution: {solution}\n");
    }
    text
}

fn test(test: &DraftTest) -> String {
    let name = test.name.as_ref().map(|name| format!("name: {}", quoted(name)));
    let public = test.public.then(|| "public: true".to_owned());
    let more: Vec<String> = name.into_iter().chain(public).collect();
    match more.as_slice() {
        [] if is_plain(&test.code) => format!("  - {}\n", test.code),
        [] => format!("  - {}\n", block(&test.code, "    ")),
        more => format!("  - assert: {}\n    {}\n", block(&test.code, "      "), more.join("\n    ")),
    }
}

fn cases(cases: &DraftCases) -> String {
    let mut text = format!("  - folder: {}\n", quoted(&cases.folder));
    cases.fields.iter().for_each(|(name, value)| text += &format!("    {name}: {value}\n"));
    if cases.public {
        text += "    public: true\n";
    }
    text
}

/// Text in quotes; every JSON text is YAML, with the same meaning.
fn quoted(text: &str) -> String {
    python::quoted(text).replace('\u{7f}', "\\u007f")
}

/// True if YAML reads a line of text as it stands.
fn is_plain(text: &str) -> bool {
    let safe = |c: char| c.is_ascii_graphic() || c == ' ';
    text.starts_with("assert ")
        && text.len() <= ONE_LINE
        && text.chars().all(safe)
        && ![": ", " #"].iter().any(|odd| text.contains(odd))
        && !text.ends_with([':', ' '])
}

/// Text as a literal block two blanks deeper than what holds it, or quoted where a block can't hold it.
fn block(text: &str, indent: &str) -> String {
    let text = text.trim_end();
    if text.chars().any(is_odd) {
        return quoted(text);
    }
    // A block's indentation is that of its first line with text, unless it is given.
    let given = text.starts_with([' ', '\t', '\n']);
    let mut block = String::from(if given { "|2" } else { "|" });
    for line in text.lines() {
        block.push('\n');
        if !line.is_empty() {
            block += indent;
            block += line;
        }
    }
    block
}

/// True for characters that YAML takes for a line's end, or does not allow.
fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
