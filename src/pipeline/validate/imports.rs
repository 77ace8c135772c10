//! Imports of a source whose texts and comments are blanked out; those that are not allowed are refused.
//!
//! `import` and `from` are reserved words: in valid Python the first can only be an import statement,
//! and the second begins a statement only as one. So it is enough to look where statements can begin:
//! at the start of a logical line, behind `;` and behind `:`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::config::Allow;
use crate::model::miner_id::printable;
use crate::model::python::Library;
use crate::pipeline::validate::files::Surroundings;
use crate::pipeline::validate::{Finding, text};

/// The head of an import statement, up to the first name. As to Python's tokenizer, any byte beyond
/// ASCII may be part of a name.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*";
    let blank = r"[\x20\t\f]";
    let pattern = format!(
        r"(?mx-u)
        (?:^|[;:]) {blank}*
        (?: import {blank}+ {name}
          | from {blank}* \. [.\x20\t\f]* {name}
          | from {blank}+ {name} (?:{blank}*\.{blank}*{name})* {blank}+ import [\x20\t\f(*]
        )"
    );
    Regex::new(&pattern).expect("a constant")
});

/// Code that runs as a script only: `if __name__ == "__main__":` at the margin, and the lines below it.
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?mx-u)
        ^ if [\x20\t(]+ __name__ [\x20\t]* == [\x20\t]* ("+) [\x20\t)]* : [\x20\t]* (?:\n|\z)
        (?: [\x20\t\f] [^\n]* (?:\n|\z) | \n )*
    "#;
    Regex::new(pattern).expect("a constant")
});

/// How many offending modules one finding names.
const NAMED: usize = 5;

/// A module's first component, or a relative import, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import<'a> {
    Module { name: &'a str, at: usize },
    Relative { at: usize },
}

impl Import<'_> {
    fn at(self) -> usize {
        match self {
            Self::Module { at, .. } | Self::Relative { at } => at,
        }
    }
}

/// Refuses imports of anything but the standard library and the modules that are allowed beside it. Where some are, what
/// only a script would import is passed over: agents of other networks try themselves out there, with modules of theirs.
pub(super) fn check(
    source: &str,
    masked: &[u8],
    allow: &Allow,
    around: &Surroundings<'_>,
) -> Result<(), Finding> {
    let Surroundings { library, own, in_package, .. } = around;
    let is_allowed = |name: &str| match allow {
        Allow::Image => library.packages.as_ref().is_none_or(|packages| packages.contains(name)),
        Allow::Modules(allowed) => allowed.iter().any(|one| one == name),
    };
    let is_own = |name: &str| own.as_ref().is_some_and(|own| own.contains(name));
    let is_there = |name: &str| library.standard.contains(name) || is_own(name) || is_allowed(name);
    let mut strangers = Vec::new();
    let mut more = false;
    let script = if allow.is_any() { script(source, masked) } else { 0..0 };
    for import in imports(source, masked).filter(|import| !script.contains(&import.at())) {
        match import {
            Import::Relative { .. } if *in_package => {}
            Import::Relative { at } if strangers.is_empty() => {
                return Err(relative(source, at, own.is_some()));
            }
            Import::Relative { .. } => {}
            Import::Module { name, .. } if is_there(name) => {}
            Import::Module { name, .. } if strangers.iter().any(|&(known, _)| known == name) => {}
            Import::Module { .. } if strangers.len() == NAMED => more = true,
            Import::Module { name, at } => strangers.push((name, text::line_of(source.as_bytes(), at))),
        }
    }
    match strangers.first() {
        None => Ok(()),
        Some(&(_, line)) => Err(Finding {
            strangers: strangers.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ..Finding::new(Some(line), unavailable(&strangers, more, allow, library))
        }),
    }
}

/// Range of what runs as a script only; empty if there is none.
fn script(source: &str, masked: &[u8]) -> Range<usize> {
    let is_main = |quoted: Range<usize>| matches!(&source[quoted], "'__main__'" | "\"__main__\"");
    let mut blocks = SCRIPT.captures_iter(masked);
    let block = blocks.find(|block| block.get(1).is_some_and(|quoted| is_main(quoted.range())));
    block.and_then(|block| block.get(0)).map_or(0..0, |block| block.range())
}

fn relative(source: &str, at: usize, has_others: bool) -> Finding {
    let line = text::line_of(source.as_bytes(), at);
    let why = match has_others {
        true => "what lies beside agent.py is imported by its name alone",
        false => "an agent is one file",
    };
    Finding::new(Some(line), format!("relative imports have no package to refer to: {why}"))
}

fn unavailable(strangers: &[(&str, u32)], more: bool, allow: &Allow, library: &Library) -> String {
    let first = strangers[0].1;
    let named: Vec<String> = strangers
        .iter()
        .map(|&(name, line)| match line {
            _ if line == first => printable(name.as_bytes()),
            _ => format!("{} (line {line})", printable(name.as_bytes())),
        })
        .collect();
    let more = if more { " and others" } else { "" };
    let named = named.join(", ");
    let available = match allow {
        Allow::Image => " and what else the image has are".to_owned(),
        Allow::Modules(allowed) if allowed.is_empty() => " is".to_owned(),
        Allow::Modules(allowed) => format!(" and {} are", allowed.join(", ")),
    };
    let python = &library.python;
    format!("imports {named}{more}; only Python {python}'s standard library{available} available")
}

/// All imports, in the order of the source.
pub(super) fn imports<'a>(source: &'a str, masked: &'a [u8]) -> impl Iterator<Item = Import<'a>> {
    STATEMENT.find_iter(masked).flat_map(move |statement| {
        let lead = statement.as_bytes().iter().take_while(|&&byte| !is_of_name(byte));
        let keyword = statement.start() + lead.count();
        let (modules, package) = match masked[keyword..].starts_with(b"import") {
            true => (Some(modules(source, masked, keyword + "import".len())), None),
            false => (None, package(source, masked, keyword + "from".len())),
        };
        modules.into_iter().flatten().chain(package)
    })
}

/// The module that `from`, which ends at `start`, names.
fn package<'a>(source: &'a str, masked: &[u8], start: usize) -> Option<Import<'a>> {
    let name = first_name(&masked[start..], start);
    match masked.get(name.start) {
        Some(b'.') => Some(Import::Relative { at: name.start }),
        _ => module(source, name),
    }
}

/// The modules of `import a.b as c, d`, where `import` ends at `start`.
fn modules<'a>(source: &'a str, masked: &'a [u8], start: usize) -> impl Iterator<Item = Import<'a>> {
    let rest = &masked[start..];
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b';' | b':')).unwrap_or(rest.len());
    let mut next = start;
    rest[..end].split(|&byte| byte == b',').filter_map(move |clause| {
        let at = next;
        next += clause.len() + 1;
        module(source, first_name(clause, at))
    })
}

/// Where the name stands with which `text` begins, blanks aside; `text` itself stands at `at`.
fn first_name(text: &[u8], at: usize) -> Range<usize> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
    let name = text[blanks..].iter().take_while(|&&byte| is_of_name(byte)).count();
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::pipeline::validate;

    #[test]
    fn what_only_a_script_imports_is_passed_over_where_something_is_allowed() {
        let found = |source: &str, allow: &str| {
            let text = format!("validate: {{allow: {allow}}}");
            let rules = config::parse(Path::new("p"), text.as_bytes()).unwrap().validate;
            validate::check(source.as_bytes(), &rules, &Library::default()).err().map(|found| found.reason)
        };
        let of = |head: &str| {
            format!("import os\n{head}\n\n    import tools  # of ours\n# x\n    from . import x\nx = 1\n")
        };
        for head in ["if __name__ == '__main__':", "if (__name__==\"__main__\") :  # try"] {
            assert_eq!(found(&of(head), "image"), None, "{head}");
            assert!(found(&of(head), "[]").unwrap().starts_with("imports tools"), "{head}");
            let behind = of(head) + "import numpy\n";
            assert!(found(&behind, "[six]").unwrap().starts_with("imports numpy;"), "{head}");
        }
        let others = [
            "if True:",
            "if __name__ == 'x':",
            "if __name__ != '__main__':",
            "if __name__ == '__main__' or 1:",
            "def f():",
        ];
        for head in others {
            assert!(found(&of(head), "[six]").unwrap().starts_with("imports tools"), "{head}");
        }
    }
}
