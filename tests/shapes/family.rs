//! Families of shapes, read from their files and put together to two agents each.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use agentmill::task::Task;

use super::common::{path, task};

/// One file of shapes.
pub struct Family {
    pub name: String,
    /// All of the family's right answers in one module, and all of the wrong ones.
    pub agents: [String; 2],
    pub shapes: Vec<Shape>,
}

/// One shape, ready to be judged.
pub struct Shape {
    pub name: String,
    pub setup: String,
    pub test: String,
    pub says: Vec<String>,
    pub edge: Option<String>,
    /// True if its group has a wrong answer.
    pub has_wrong: bool,
    pub task: Task,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    agent: String,
    #[serde(default)]
    wrong: BTreeMap<String, String>,
    shapes: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    setup: String,
    test: String,
    #[serde(default)]
    says: Vec<String>,
    edge: Option<String>,
}

/// All families, sorted by name.
pub fn all() -> Vec<Family> {
    let entries = fs::read_dir(path("shapes")).expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Family {
    let name = file.file_stem().expect("it has a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(file).expect("readable");
    let groups: Vec<Group> = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let names: Vec<&str> = groups.iter().flat_map(|group| defined(&group.agent)).collect();
    differ(&name, &names);
    let right: String = groups.iter().map(|group| group.agent.as_str()).collect();
    let wrong: String = groups.iter().map(|group| spoilt(&name, group)).collect();
    let shapes: Vec<Shape> = groups.into_iter().flat_map(shapes).collect();
    differ(&name, &shapes.iter().map(|shape| shape.name.as_str()).collect::<Vec<_>>());
    Family { name, agents: [right, wrong], shapes }
}

fn differ(family: &str, names: &[&str]) {
    let mut seen = HashSet::new();
    let twice: Vec<_> = names.iter().filter(|name| !seen.insert(**name)).collect();
    assert!(twice.is_empty(), "{family}: more than one is called {twice:?}");
}

/// The wrong answer: the right one with parts of its text replaced.
fn spoilt(family: &str, group: &Group) -> String {
    group.wrong.iter().fold(group.agent.clone(), |text, (old, new)| {
        assert!(text.contains(old), "{family}: no {old:?} in the agent to replace");
        text.replace(old, new)
    })
}

/// Names of functions, classes and variables at the top of a module.
fn defined(module: &str) -> Vec<&str> {
    let word = |text: &'static str| move |line: &str| line.starts_with(text).then_some(text.len());
    let starts = [word("def "), word("class "), word("async def ")];
    let name = |line| {
        let at = starts.iter().find_map(|start| start(line));
        let end = |text: &str| text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
        match at {
            Some(at) => Some(&line[at..at + end(&line[at..])]),
            None => Some(&line[..end(line)]).filter(|name| line[name.len()..].starts_with(" = ")),
        }
    };
    module.lines().filter_map(name).collect()
}

/// Asks for all of a module, and says what of it is a class, as authors do.
fn prompt(module: &str) -> String {
    let is_class = |name: &&str| module.contains(&format!("class {name}"));
    let (classes, others): (Vec<_>, Vec<_>) = defined(module).into_iter().partition(is_class);
    let classes =
        if classes.is_empty() { String::new() } else { format!(" Write the class {}.", classes.join(", ")) };
    format!("Write {}.{classes}", others.join(", "))
}

fn shapes(group: Group) -> Vec<Shape> {
    let prompt = prompt(&group.agent);
    let has_wrong = !group.wrong.is_empty();
    let shape = |Written { name, setup, test, says, edge }| {
        // JSON is YAML.
        let text = json!({"prompt": &prompt, "setup": &setup, "tests": [&test]}).to_string();
        Shape { task: task(&text), name, setup, test, says, edge, has_wrong }
    };
    group.shapes.into_iter().map(shape).collect()
}
