//! Sections of the fields of pipeline.yaml, for fields that stand in the wrong one.

use std::path::Path;

use crate::config;
use crate::yaml::{self, Kind, Log, Node};

/// Advice on a field that the shipped pipeline.yaml has in sections only; None where it has none of that name.
pub(super) fn advice(name: &str) -> Option<String> {
    // A stage's: a title is what a name at the top means.
    if name == "name" {
        return None;
    }
    let root = yaml::parse(&Log::new(Path::new("")), config::DEFAULT.as_bytes())?;
    let mut found = Vec::new();
    collect(&root, name, &|inner| inner, &mut found);
    let (last, others) = found.split_last()?;
    let others = if others.is_empty() { String::new() } else { others.join(", ") + " or " };
    Some(format!("did you mean {others}{last}?"))
}

/// Writes each place of the field as one would write it, `sandbox: {memory: ...}`.
fn collect(node: &Node, name: &str, around: &dyn Fn(String) -> String, found: &mut Vec<String>) {
    match &node.kind {
        Kind::Mapping(fields) => {
            for field in fields {
                if field.key == name {
                    found.push(around(format!("{name}: ...")));
                }
                let inside = |inner: String| around(format!("{}: {{{inner}}}", field.key));
                let in_list = |inner: String| around(format!("{}: [{{name: all, {inner}}}]", field.key));
                match field.value.kind {
                    Kind::Sequence(_) => collect(&field.value, name, &in_list, found),
                    _ => collect(&field.value, name, &inside, found),
                }
            }
        }
        Kind::Sequence(items) => items.iter().for_each(|item| collect(item, name, around, found)),
        Kind::Scalar(_) | Kind::Bad => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_where_they_belong() {
        for (name, told) in [
            ("samples", Some("did you mean stages: [{name: all, samples: ...}]?")),
            ("memory", Some("did you mean sandbox: {memory: ...} or judge: {memory: ...}?")),
            ("late", Some("did you mean season: {late: ...}?")),
            ("until", Some("did you mean season: {late: {until: ...}}?")),
            ("name", None),
            ("cheese", None),
        ] {
            assert_eq!(advice(name).as_deref(), told, "{name}");
        }
    }
}
