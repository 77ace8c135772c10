//! Masked source -> the modules it imports.
//!
//! `import` and `from` are reserved words: in valid Python the first can only be an import statement,
//! and the second begins a statement only as one. So it is enough to look where statements can begin:
//! at the start of a logical line, behind `;` and behind `:`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

use super::{Finding, text};
use crate::pipeline::intake::printable;

/// `sys.stdlib_module_names`, sorted.
static STDLIB: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("../stdlib_3_11.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// The head of an import statement, up to the first name. As to Python's tokenizer, any byte beyond
/// ASCII may be part of a name.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*";
    let blank = r"[\x20\t\f]";
    let pattern = format!(
        r"(?mx-u)
        (?:^|[;:]) {blank}*
        (?: import {blank}+ (?<modules>{name})
          | from {blank}* (?<dots>\.) [.\x20\t\f]* {name}
          | from {blank}+ (?<package>{name}) (?:{blank}*\.{blank}*{name})* {blank}+ import [\x20\t\f(*]
        )"
    );
    Regex::new(&pattern).expect("a constant")
});

/// How many offending modules one finding names.
const NAMED: usize = 5;

/// A module's first component, or a relative import, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import<'a> {
    Module { name: &'a str, at: usize },
    Relative { at: usize },
}

/// Refuses imports of anything but the standard library.
pub(super) fn check(source: &str, masked: &[u8]) -> Result<(), Finding> {
    let mut strangers = Vec::new();
    let mut more = false;
    for import in imports(source, masked) {
        match import {
            Import::Relative { at } if strangers.is_empty() => return Err(relative(source, at)),
            Import::Relative { .. } => {}
            Import::Module { name, .. } if STDLIB.binary_search(&name).is_ok() => {}
            Import::Module { name, .. } if strangers.iter().any(|&(known, _)| known == name) => {}
            Import::Module { .. } if strangers.len() == NAMED => more = true,
            Import::Module { name, at } => {
                strangers.push((name, text::line_of(source.as_bytes(), at)))
            }
        }
    }
    match strangers.first() {
        None => Ok(()),
        Some(&(_, line)) => Err(Finding::new(Some(line), unavailable(&strangers, more))),
    }
}

fn relative(source: &str, at: usize) -> Finding {
    let line = text::line_of(source.as_bytes(), at);
    Finding::new(
        Some(line),
        "relative imports have no package to refer to: an agent is one file",
    )
}

fn unavailable(strangers: &[(&str, u32)], more: bool) -> String {
    let first = strangers[0].1;
    let named: Vec<String> = strangers
        .iter()
        .map(|&(name, line)| match line {
            _ if line == first => printable(name.as_bytes()),
            _ => format!("{} (line {line})", printable(name.as_bytes())),
        })
        .collect();
    let more = if more { " and others" } else { "" };
    format!(
        "imports {}{more}; only Python 3.11's standard library is available",
        named.join(", ")
    )
}

/// All imports, in the order of the source.
pub(super) fn imports<'a>(source: &'a str, masked: &'a [u8]) -> impl Iterator<Item = Import<'a>> {
    STATEMENT.captures_iter(masked).flat_map(move |statement| {
        let (modules, other) = match statement.name("modules") {
            Some(first) => (Some(modules(source, masked, first.start())), None),
            None => (None, package(source, &statement)),
        };
        modules.into_iter().flatten().chain(other)
    })
}

/// What `from` names.
fn package<'a>(source: &'a str, statement: &Captures<'_>) -> Option<Import<'a>> {
    if let Some(dots) = statement.name("dots") {
        return Some(Import::Relative { at: dots.start() });
    }
    let package = statement.name("package")?;
    module(source, package.range())
}

/// The modules of `import a.b as c, d`, of which the first begins at `start`.
fn modules<'a>(
    source: &'a str,
    masked: &'a [u8],
    start: usize,
) -> impl Iterator<Item = Import<'a>> {
    let rest = &masked[start..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'\n' | b';'))
        .unwrap_or(rest.len());
    let mut next = start;
    rest[..end]
        .split(|&byte| byte == b',')
        .filter_map(move |clause| {
            let at = next;
            next += clause.len() + 1;
            module(source, first_name(clause, at))
        })
}

fn first_name(clause: &[u8], at: usize) -> Range<usize> {
    let blanks = clause
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'))
        .count();
    let name = clause[blanks..]
        .iter()
        .take_while(|&&byte| is_of_name(byte))
        .count();
    at + blanks..at + blanks + name
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn module(source: &str, range: Range<usize>) -> Option<Import<'_>> {
    let at = range.start;
    let name = source.get(range).filter(|name| !name.is_empty())?;
    Some(Import::Module { name, at })
}
