//! Fenced blocks of a reply, as Markdown has them.

use std::sync::LazyLock;

use regex::Regex;

use crate::pipeline::validate::lexer::mask;

/// A block between fences that may be Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// True if its fence says that it is Python.
    pub marked: bool,
    /// True if a fence ends it, and not the end of the reply.
    pub closed: bool,
    /// Its lines, each with its end.
    pub text: String,
}

/// The text behind the fence of a block that says that it is Python.
static PYTHON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\A(?:python|py)(?:\s?[0-9.]+)?(?:[\s{,:].*)?\z|\.py\W*\z").expect("a constant")
});

/// How a line of an interactive session or of a shell begins.
const SESSION: [&str; 4] = [">>>", "$ ", "% ", "In ["];

/// Furthest that a closing fence may stand to the right of the opening one, in blanks.
const SLACK: usize = 3;

/// The most closing fences of a block that are looked at: each takes a look at all before it.
const LOOKED_AT: usize = 50;

/// An opening fence.
struct Fence<'a> {
    indent: usize,
    mark: &'a str,
    info: &'a str,
}

/// The blocks of a reply that may be Python, in its order.
pub(super) fn blocks(reply: &str) -> Vec<Block> {
    let lines: Vec<&str> = reply.lines().collect();
    let (mut blocks, mut at) = (Vec::new(), 0);
    while at < lines.len() {
        at += 1;
        let Some(fence) = opening(lines[at - 1]) else { continue };
        let body = &lines[at..];
        let marked = PYTHON.is_match(fence.info);
        let end = fence.end(body, marked);
        let (closed, end) = (end.is_some(), end.unwrap_or(body.len()));
        at += end + 1;
        let text: String =
            body[..end].iter().map(|line| outdented(line, fence.indent).to_owned() + "\n").collect();
        if (marked || fence.info.is_empty()) && !is_session(&text) {
            blocks.push(Block { marked, closed, text });
        }
    }
    blocks
}

impl Fence<'_> {
    /// The line that closes the block. In a docstring there may be fences, too: those inside of a literal don't, nor those
    /// that stand far to the right, unless there are no others.
    fn end(&self, body: &[&str], python: bool) -> Option<usize> {
        let closing: Vec<usize> =
            (0..body.len()).filter(|at| self.closes(body[*at])).take(LOOKED_AT).collect();
        let near = |at: &&usize| indent(body[**at]) <= self.indent + SLACK;
        let outside = |at: &&usize| !python || !in_literal(&body[..**at]);
        let best = closing.iter().filter(near).find(outside);
        best.or_else(|| closing.iter().find(outside)).or_else(|| closing.first()).copied()
    }

    fn closes(&self, line: &str) -> bool {
        let text = line.trim();
        text.starts_with(self.mark) && text.chars().all(|c| self.mark.starts_with(c))
    }
}

fn opening(line: &str) -> Option<Fence<'_>> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let fence = &text[..text.len() - rest.len()];
    let (indent, info) = (indent(line), rest.trim());
    (fence.len() >= 3 && !rest.contains(mark)).then_some(Fence { indent, mark: fence, info })
}

/// True behind code with an open literal of several lines.
fn in_literal(code: &[&str]) -> bool {
    let code = code.join("\n") + "\n";
    let begin =
        mask(&code).iter().zip(code.as_bytes()).position(|(masked, byte)| masked != byte && *masked == b'?');
    begin.is_some_and(|at| ["'''", "\"\"\""].iter().any(|quotes| code[at..].starts_with(quotes)))
}

fn is_session(text: &str) -> bool {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty());
    first.is_some_and(|line| SESSION.iter().any(|prompt| line.starts_with(prompt)))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line without the indent of its fence, as far as it has it.
fn outdented(line: &str, indent: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[blanks.min(indent)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(reply: &str) -> Vec<String> {
        blocks(reply).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn fences_in_docstrings_end_nothing() {
        for indent in ["    ", ""] {
            let code = format!(
                "def f():\n    '''Doc.\n\n{indent}```\n{indent}>>> f()\n{indent}```\n    '''\n    return 1\n"
            );
            assert_eq!(texts(&format!("```python\n{code}```\nSo it is.\n")), [code]);
        }
        assert_eq!(texts("```python\nx = '''\n```\nprose\n"), ["x = '''\n"], "a literal that never ends");
    }

    #[test]
    fn fences_of_all_kinds() {
        for (reply, marked, closed) in [
            ("```python\nx\n```", true, true),
            ("```Py\nx\n```", true, true),
            ("```python3.11 title=a\nx", true, false),
            ("```{.python .numberLines}\nx\n```", false, true),
            ("~~~~\nx\n~~~~~", false, true),
            ("1. so\n   ```agent.py\n   x\n   ```", true, true),
            ("```python\nx\n      ```\n", true, true),
        ] {
            let found = blocks(reply);
            let known = found.first().map(|block| (block.marked, block.closed, block.text.as_str()));
            match reply.contains('{') {
                true => assert_eq!(known, None, "{reply}"),
                false => assert_eq!(known, Some((marked, closed, "x\n")), "{reply}"),
            }
        }
        for other in ["```json\n{}\n```", "```\n>>> f(1)\n1\n```", "```\n$ python agent.py\n```", "``x``"] {
            assert_eq!(blocks(other), [], "{other}");
        }
    }
}
