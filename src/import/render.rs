//! A task's YAML, as a person would write it.

use super::{Draft, DraftTest};

/// Longest line that stands behind its dash.
const ONE_LINE: usize = 100;

/// The task file's text; its solution is expected at `solution`.
pub(super) fn yaml(draft: &Draft, solution: &str) -> String {
    let mut text = format!("prompt: {}\n", block(&draft.prompt, "  "));
    if !draft.setup.trim().is_empty() {
        text += &format!("setup: {}\n", block(&draft.setup, "  "));
    }
    text += "tests:\n";
    draft.tests.iter().for_each(|one| text += &test(one));
    text + &format!("solution: {solution}\n")
}

fn test(test: &DraftTest) -> String {
    match test.public {
        true => format!("  - assert: {}\n    public: true\n", block(&test.code, "      ")),
        false if is_plain(&test.code) => format!("  - {}\n", test.code),
        false => format!("  - {}\n", block(&test.code, "    ")),
    }
}

/// Whether YAML reads a line of text as it stands.
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
        // Every JSON text is YAML, with the same meaning.
        return serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f");
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

/// What YAML takes for a line's end, or does not allow.
fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
