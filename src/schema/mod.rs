//! JSON Schemas of pipeline.yaml and of tasks, so that editors complete, explain and check them.
//!
//! The schema of pipeline.yaml is made of the shipped file, which shows every field with its default and a comment: so it is
//! never out of date. An editor's check is a help; `agentmill check` is what counts.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::config;
use crate::yaml::{self, Field, Kind, Log, Node};

const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of pipeline.yaml.
#[must_use]
pub fn pipeline() -> Value {
    let log = Log::new(Path::new("pipeline.yaml"));
    let root = yaml::parse(&log, config::DEFAULT.as_bytes());
    let comments = comments(config::DEFAULT);
    let mut schema = root.map_or_else(|| json!({}), |root| of_node(&root, &comments));
    schema["$schema"] = DIALECT.into();
    schema["title"] = "agentmill's pipeline.yaml".into();
    schema
}

/// The schema of a task's file.
#[must_use]
pub fn task() -> Value {
    serde_json::from_str(include_str!("task.json")).unwrap_or_default()
}

/// The comment behind a field, by its 1-based line.
fn comments(text: &str) -> HashMap<usize, &str> {
    (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some((number, line.split_once(" # ")?.1.trim())))
        .collect()
}

/// A default's schema: its fields if it has some, else the types that may stand in its place.
fn of_node(node: &Node, comments: &HashMap<usize, &str>) -> Value {
    match &node.kind {
        Kind::Mapping(fields) if fields.is_empty() => json!({ "type": ["object", "null"] }),
        Kind::Mapping(fields) => of_fields(fields, comments),
        Kind::Sequence(items) => match items.first().filter(|item| matches!(item.kind, Kind::Mapping(_))) {
            Some(item) => json!({ "type": "array", "minItems": 1, "items": of_node(item, comments) }),
            None => json!({ "type": "array" }),
        },
        Kind::Scalar(serde_yaml::Value::Bool(_)) => json!({ "type": "boolean" }),
        Kind::Scalar(serde_yaml::Value::Number(_)) => json!({ "type": "number" }),
        // A word, a path, a size, a time; some of them may be numbers, lists or nothing.
        Kind::Scalar(_) | Kind::Bad => json!({}),
    }
}

/// Fields of a section, which may be left out, each and all; some sections may be a word instead.
fn of_fields(fields: &[Field], comments: &HashMap<usize, &str>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = of_node(&field.value, comments);
        if let Some(comment) = comments.get(&field.at.line) {
            schema["description"] = (*comment).into();
        }
        if let Kind::Scalar(value) = &field.value.kind {
            schema["default"] = serde_json::to_value(value).unwrap_or_default();
        }
        properties.insert(field.key.clone(), schema);
    }
    json!({ "properties": properties, "additionalProperties": false })
}
