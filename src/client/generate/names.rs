//! Names in Python source, as far as choosing among blocks of code needs them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::import::python::{callable, is_builtin};
use crate::pipeline::validate::lexer::mask;

/// Names, by alphabet.
pub(super) type Names = BTreeSet<String>;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant")
}

/// A call: a name before a bracket that is no attribute and is not being defined.
static CALL: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:(\bdef|\bclass|\.)\s*)?\b([A-Za-z_]\w*)\s*\("));
static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"(\.\s*)?\b([A-Za-z_]\w*)"));
static HEAD: LazyLock<Regex> = LazyLock::new(|| regex(r"\A(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)"));
static IMPORT: LazyLock<Regex> = LazyLock::new(|| regex(r"\A(?:from\s+[\w.]+\s+)?import\s+(.+)\z"));
static ASSIGNED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\A([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*(?::[^=]+)?=(?:[^=]|\z)"));

/// Places at which a name is bound within a function or an expression.
static BOUND: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:def\s+\w+\s*\(([^)]*)|lambda\s+([^:]*)|for\s+(.+?)\s+in\b|as\s+(\w+))|\b(\w+)\s*(?::=|=(?:[^=]|\z))",
    )
});

/// Source with its comments blank, its strings quotes, and each statement in one line.
pub(super) fn masked(source: &str) -> String {
    String::from_utf8_lossy(&mask(source)).into_owned()
}

/// Names that a source calls, other than attributes and Python's own.
pub(super) fn called(code: &str) -> Names {
    let calls = CALL.captures_iter(code).filter(|found| found.get(1).is_none());
    calls
        .map(|found| found[2].to_owned())
        .filter(|name| callable(name).is_ok() && !is_builtin(name) && !is_keyword(name))
        .collect()
}

/// Names that stand in a source and are no attributes.
pub(super) fn mentioned(code: &str) -> Names {
    let words = WORD.captures_iter(code).filter(|found| found.get(1).is_none());
    words.map(|found| found[2].to_owned()).collect()
}

/// Names that a source binds at its top level, or in a condition there.
pub(super) fn defined(code: &str) -> Names {
    let mut scopes: Vec<usize> = Vec::new();
    let mut names = Names::new();
    for line in code.lines().filter(|line| !line.trim().is_empty()) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        scopes.retain(|scope| *scope < indent);
        if scopes.is_empty() {
            text.split(';').for_each(|statement| names.extend(binds(statement.trim())));
        }
        if HEAD.is_match(text) {
            scopes.push(indent);
        }
    }
    names
}

fn binds(statement: &str) -> Vec<String> {
    if let Some(head) = HEAD.captures(statement) {
        return vec![head[1].to_owned()];
    }
    if let Some(import) = IMPORT.captures(statement) {
        return import[1].trim_matches(['(', ')', ' ']).split(',').filter_map(imported).collect();
    }
    let names = ASSIGNED.captures(statement).map(|found| found[1].to_owned()).unwrap_or_default();
    names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The name that `a.b as c` or `a.b` binds.
fn imported(item: &str) -> Option<String> {
    let name = item.rsplit(" as ").next()?.trim();
    name.split('.').next().map(str::to_owned).filter(|name| !name.is_empty())
}

/// Names that are bound anywhere in a source, arguments included.
pub(super) fn bound(code: &str) -> Names {
    let groups = BOUND.captures_iter(code).flat_map(|found| {
        found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect::<Vec<_>>()
    });
    let mut names: Names = groups.flat_map(|group| mentioned(&group)).collect();
    names.extend(code.lines().flat_map(|line| line.split(';')).flat_map(|statement| binds(statement.trim())));
    names
}

/// True if a source may make names in ways that can't be seen in its text.
pub(super) fn is_dynamic(code: &str) -> bool {
    static DYNAMIC: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\b(?:globals|exec|setattr|__getattr__)\b|\bimport\s+\*"));
    DYNAMIC.is_match(code)
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case";
    KEYWORDS.split(' ').any(|keyword| keyword == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Names {
        list.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn calls() {
        let code =
            masked("assert f(g(1), x.h(2)) == [len('k(3)')] and not (1) if (2) else Pair (3)  # m(4)\n");
        assert_eq!(called(&code), names("Pair f g"));
        assert_eq!(called("def f(x): return g(x)\nclass C(D): pass\n"), names("g"));
    }

    #[test]
    fn definitions_at_the_top_level() {
        let source = "import os.path, re as r\nfrom math import (sqrt,\n  pi as PI)\nA: int = 1; B, C = 2, 3\n\
            def f(x):\n    y = x\n    def g(): pass\nclass K(object):\n    def m(self): pass\n\
            try:\n    def h(): pass\nexcept E:\n    h = None\nif A == 1:\n    z = 1\nprint(A)\n";
        assert_eq!(defined(&masked(source)), names("A B C K PI f h os r sqrt z"));
    }

    #[test]
    fn bound_names() {
        let code =
            "def f(a, b=1):\n    for c, d in b:\n        e = c\n    return [i for i in (lambda k: k)(x)]\n";
        assert_eq!(bound(code), names("a b c d e f i k"));
    }
}
