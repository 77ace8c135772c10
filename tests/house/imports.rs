//! Imports: the modules of this crate that a file names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::sources::Source;

static USE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(?:pub(?:\([a-z ]+\))? )?use ([^;]+);").expect("it is sound"));
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bcrate((?:::\w+)+)").expect("it is sound"));

/// The modules that a file names, by `use` or by a path in its code, itself left out.
pub fn of(source: &Source, all: &[Source]) -> BTreeSet<String> {
    let code = source.code();
    let uses = USE.captures_iter(&code).flat_map(|found| leaves(found[1].trim()));
    let rest = USE.replace_all(&code, "");
    let paths = PATH.captures_iter(&rest).map(|found| format!("crate{}", &found[1]));
    let named = uses.chain(paths).filter_map(|path| absolute(&path, source));
    let modules = named.filter_map(|path| module_of(&path, all));
    modules.filter(|module| *module != source.module).collect()
}

/// The paths of a use tree.
fn leaves(tree: &str) -> Vec<String> {
    let Some((stem, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let inside = group.trim_end().trim_end_matches('}');
    let (mut depth, mut begin, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[begin..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| leaves(&format!("{}{part}", stem.trim_start()))).collect()
}

/// A path from the crate's root; None for other crates'.
fn absolute(path: &str, source: &Source) -> Option<String> {
    let mut here: Vec<&str> = source.module.split("::").collect();
    let mut rest = path;
    if let Some(path) = path.strip_prefix("crate::") {
        return Some(path.to_owned());
    }
    while let Some(path) = rest.strip_prefix("super::") {
        here.pop();
        rest = path;
    }
    if rest == path {
        rest = path.strip_prefix("self::")?;
    }
    here.push(rest);
    Some(here.join("::"))
}

/// The longest part of a path that is a module.
fn module_of(path: &str, all: &[Source]) -> Option<String> {
    let mut path = path;
    loop {
        if all.iter().any(|source| source.module == path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

#[test]
fn use_trees_are_read() {
    assert_eq!(
        leaves("crate::a::{self, b, c::{D, E as F}}"),
        ["crate::a::self", "crate::a::b", "crate::a::c::D", "crate::a::c::E"]
    );
}
