//! A model's reply -> the source in it.

use std::sync::LazyLock;

use regex::Regex;

/// What some models think aloud before they answer.
static THOUGHT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)\A\s*<think(?:ing)?>.*?</think(?:ing)?>").expect("a constant"));

/// How a line of code at the top level begins.
static TOP_LEVEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\A(?:import \w|from [\w.]+ import |(?:async )?def \w+\(|class \w+\s*[(:]|@\w|#!|[A-Za-z_]\w*\s*(?::[^=]+)?=[^=])")
        .expect("a constant")
});

/// A block between fences.
struct Block<'a> {
    python: bool,
    lines: Vec<&'a str>,
}

/// The code in a reply: the longest fenced block, of those marked as Python if any is; without fences, what looks like
/// code. None if nothing does.
#[must_use]
pub fn source(reply: &str) -> Option<String> {
    let reply = reply.replace("\r\n", "\n");
    let reply = THOUGHT.replace(&reply, "");
    let blocks = blocks(&reply);
    let marked = blocks.iter().any(|block| block.python);
    let candidates = blocks.iter().filter(|block| block.python || !marked);
    let longest = candidates.map(|block| block.lines.join("\n")).max_by_key(String::len);
    let source = longest.or_else(|| bare(&reply))?;
    (!source.trim().is_empty()).then(|| source.trim_matches('\n').to_owned() + "\n")
}

/// Fenced blocks as Markdown has them: closed by a fence of the same kind and at least the same length, or by the end.
fn blocks(reply: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = reply.lines();
    while let Some(line) = lines.next() {
        let Some((indent, fence, info)) = opening(line) else { continue };
        let body = lines.by_ref().take_while(|line| !closes(line, fence));
        let language = info.split([' ', '{', ',']).next().unwrap_or_default().to_ascii_lowercase();
        let python = matches!(language.as_str(), "python" | "py" | "python3" | "python3.11");
        if python || language.is_empty() || info.ends_with(".py") {
            blocks.push(Block { python, lines: body.map(|line| outdented(line, indent)).collect() });
        } else {
            body.for_each(drop);
        }
    }
    blocks
}

/// The indent, the fence and what stands behind it.
fn opening(line: &str) -> Option<(usize, &str, &str)> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let fence = &text[..text.len() - rest.len()];
    (fence.len() >= 3 && !rest.contains(mark)).then(|| (line.len() - text.len(), fence, rest.trim()))
}

fn closes(line: &str, fence: &str) -> bool {
    let text = line.trim();
    text.len() >= fence.len() && text.starts_with(fence) && text.chars().all(|c| fence.starts_with(c))
}

/// Without the indent of its fence, as far as it has it.
fn outdented(line: &str, indent: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    &line[blanks.min(indent)..]
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
    (first <= last).then(|| lines[first..=last].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "import re\n\ndef f(s):\n    return s[::-1]\n";

    #[track_caller]
    fn holds(reply: &str) {
        assert_eq!(source(reply).as_deref(), Some(CODE), "{reply}");
    }

    #[test]
    fn replies_as_models_write_them() {
        holds(CODE);
        holds(&CODE.replace('\n', "\r\n"));
        holds(&format!("```python\n{CODE}```"));
        holds(&format!("```\n{CODE}```\n"));
        holds(&format!("~~~py\n{CODE}~~~\n"));
        holds(&format!("Sure! Here is the code:\n\n```Python\n\n{CODE}\n```\n\nIt reverses `s`."));
        holds(&format!("<think>\nfirst ```python\nx = 1\n``` no\n</think>\n```python\n{CODE}```"));
        holds(&format!("```python\n{CODE}"));
        holds(&format!("````python\n{CODE}````\n"));
        holds(&format!("```python title=\"agent.py\"\n{CODE}```\n"));
    }

    #[test]
    fn of_several_blocks_the_longest_python_is_taken() {
        let shell = "pip install a-very-long-package-name another-very-long-package-name and-yet-another-one";
        holds(&format!(
            "```bash\n{shell}\n```\n```python\n{CODE}```\nUse it:\n```python\nprint(f('ab'))\n```\n"
        ));
        holds(&format!("```\n{shell}\n```\n```python\n{CODE}```\n"));
    }

    #[test]
    fn blocks_in_lists_lose_their_indent() {
        let indented: String = CODE.lines().map(|line| format!("   {line}\n")).collect();
        holds(&format!("1. The file:\n\n   ```python\n{indented}   ```\n"));
    }

    #[test]
    fn fences_inside_of_longer_fences_are_text() {
        let reply = "````python\nDOC = '''\n```\nx\n```\n'''\n````\n";
        assert_eq!(source(reply).as_deref(), Some("DOC = '''\n```\nx\n```\n'''\n"));
    }

    #[test]
    fn bare_code_among_prose() {
        holds(&format!("Here you go:\n\n{CODE}\nThis function reverses the text.\n"));
    }

    #[test]
    fn no_code_is_none() {
        for reply in
            ["", "  \n", "I can't help with that.", "```\n\n```", "```json\n{}\n```", "<think>x = 1</think>"]
        {
            assert_eq!(source(reply), None, "{reply}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(reply in "(```|~~~~|python|\n| |x = 1|def f\\(\\):|.){0,30}") {
            let _ = source(&reply);
        }
    }
}
