//! Schemas know the fields that the readers know.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;

fn names(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

/// The fields that a reader's complaint about an unknown one lists.
fn listed(complaint: &str) -> BTreeSet<String> {
    let (_, names) = complaint.split_once("expected one of ").unwrap_or_else(|| panic!("{complaint}"));
    names.lines().next().unwrap().split(", ").map(str::to_owned).collect()
}

#[test]
fn every_field_of_the_pipeline_is_known() {
    let known = |text: &str| {
        listed(&config::parse(Path::new("pipeline.yaml"), text.as_bytes()).unwrap_err().to_string())
    };
    let schema = pipeline();
    assert_eq!(names(&schema), known("zzzzzzzzzz: 1"));
    for section in ["validate", "sandbox", "judge", "llm", "serve"] {
        let fields = names(&schema["properties"][section]);
        assert_eq!(fields, known(&format!("{section}: {{zzzzzzzzzz: 1}}")), "{section}");
    }
    let stage = &schema["properties"]["stages"]["items"];
    assert_eq!(names(stage), known("stages: [{name: a, zzzzzzzzzz: 1}]"));
    let timeout = &schema["properties"]["sandbox"]["properties"]["timeout"];
    assert_eq!(timeout["default"], "10s");
    assert!(timeout["description"].as_str().unwrap().starts_with("per agent and task"));
}

#[test]
fn every_field_of_a_task_is_known() {
    let known = |text: &str| {
        listed(&crate::task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap_err().to_string())
    };
    let schema = task();
    assert_eq!(names(&schema), known("prompt: p\ntests: [f(1)]\nzzzzzzzzzz: 1"));
    let test = &schema["properties"]["tests"]["items"]["anyOf"][1];
    assert_eq!(names(test), known("prompt: p\ntests: [{assert: f(1), zzzzzzzzzz: 1}]"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("c")).unwrap();
    std::fs::write(folder.path().join("c/1.in"), "").unwrap();
    std::fs::write(folder.path().join("c/1.out"), "").unwrap();
    let text = b"prompt: p\ncases: {folder: c, zzzzzzzzzz: 1}";
    let complaint = crate::task::parse(&folder.path().join("t.yaml"), text).unwrap_err().to_string();
    assert_eq!(names(&schema["definitions"]["cases"]), listed(&complaint));
}
