//! Replies as models write them, in `tests/replies/*.yaml`: the code that is taken out of each.

use std::path::Path;

use agentmill::client::generate::answer::Reply;
use agentmill::client::generate::reply::sources;
use agentmill::client::generate::wanted::Wanted;
use serde::Deserialize;

/// A reply and the source that is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The functions that the public tests call.
    #[serde(default = "f")]
    functions: Vec<String>,
    #[serde(default)]
    program: bool,
    #[serde(default)]
    cut_off: bool,
    #[serde(default)]
    crlf: bool,
    reply: String,
    source: Option<String>,
    /// Functions that are missed in it.
    #[serde(default)]
    lacks: Vec<String>,
}

fn f() -> Vec<String> {
    vec!["f".to_owned()]
}

impl Case {
    /// The fault in what is made of the reply, if there is one.
    fn fault(&self) -> Option<String> {
        let functions = self.functions.iter().cloned().collect();
        let wanted = Wanted { functions, program: self.program, ..Wanted::default() };
        let text = if self.crlf { self.reply.replace('\n', "\r\n") } else { self.reply.clone() };
        let reply = Reply { text, cut_off: self.cut_off, ..Reply::default() };
        let found = sources(&reply, &wanted).into_iter().next();
        let lacks = found.as_ref().map(|source| wanted.lacking(source)).unwrap_or_default();
        let right = found == self.source && lacks == self.lacks;
        (!right).then(|| format!("{}:\n{found:#?}\nlacks {lacks:?}", self.name))
    }
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replies").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

#[track_caller]
fn all_are_read(file: &str, least: usize) {
    let cases = cases(file);
    assert!(cases.len() >= least, "{file} has lost some: {}", cases.len());
    let faults: Vec<String> = cases.iter().filter_map(Case::fault).collect();
    assert!(faults.is_empty(), "{file}:\n{}", faults.join("\n"));
}

#[test]
fn thinking_is_never_handed_in() {
    all_are_read("thinking.yaml", 23);
}

#[test]
fn of_several_blocks_those_are_taken_that_are_asked_for() {
    all_are_read("blocks.yaml", 29);
}

#[test]
fn replies_without_fences() {
    all_are_read("bare.yaml", 8);
}
