//! A corpus of copies and of independent solutions: three people's solutions of the same seven tasks, and what is made of
//! one's to hide where it comes from.

use regex::Regex;

use super::*;
use crate::config::Base;

const ONE: &str = include_str!("../../../../tests/samples/copies/one.py");
const TWO: &str = include_str!("../../../../tests/samples/copies/two.py");
const THREE: &str = include_str!("../../../../tests/samples/copies/three.py");

/// A way to disguise a copy, and its name.
type Disguise = (&'static str, fn(&str) -> String);

const DISGUISES: [Disguise; 7] = [
    ("renamed", renamed),
    ("commented", commented),
    ("reformatted", reformatted),
    ("functions in another order", reordered),
    ("all of these", |source| renamed(&commented(&reformatted(&reordered(source))))),
    ("a needless line in every fifth place", |source| padded(source, 5)),
    ("a needless line in every third place", |source| padded(source, 3)),
];

/// All names but those of Python.
fn renamed(source: &str) -> String {
    const PYTHON: &str = " def for in if and or not return while else elif True False None break continue pass try except finally raise \
                          yield with del global nonlocal class assert import from as lambda is enumerate \
                          len abs max min sorted set list dict range append join strip lower split get items r b f ";
    let name = Regex::new(r"\b[A-Za-z_]\w*").unwrap();
    let other = |found: &regex::Captures| match PYTHON.contains(&format!(" {} ", &found[0])) {
        true => found[0].to_owned(),
        false => format!("{}_{}", found[0].chars().rev().collect::<String>(), found[0].len()),
    };
    name.replace_all(source, other).into_owned()
}

fn commented(source: &str) -> String {
    let note = |line: &str| match line.is_empty() {
        true => "\n".to_owned(),
        false => format!("{}  # a remark (of mine)\n", line),
    };
    source.lines().map(note).collect()
}

/// A line break behind every bracket of a call, and blanks where they don't matter.
fn reformatted(source: &str) -> String {
    let broken = Regex::new(r"(\w)\(").unwrap().replace_all(source, "$1 (\n            ").into_owned();
    broken.replace(" = ", "=").replace(" + ", "+")
}

fn functions(source: &str) -> Vec<&str> {
    source.split("\n\n\n").map(str::trim_end).collect()
}

fn reordered(source: &str) -> String {
    let mut all = functions(source);
    all.reverse();
    all.join("\n\n\n") + "\n"
}

/// A needless line before every so manyth line that can have one.
fn padded(source: &str, every: usize) -> String {
    let mut seen = 0;
    let pad = |line: &str| {
        let rest = line.trim_start();
        let indent = &line[..line.len() - rest.len()];
        let takes =
            !indent.is_empty() && !["elif", "else", ")", "]", "}"].iter().any(|word| rest.starts_with(word));
        seen += usize::from(takes);
        match takes && seen % every == 0 {
            true => format!("{indent}needless = 0\n{line}\n"),
            false => format!("{line}\n"),
        }
    };
    source.lines().map(pad).collect()
}

/// Percent of a copy that was seen with the original first; 0 if that is not even a tenth.
fn alike(original: &str, copy: &str, base: &str) -> u32 {
    let base = vec![Base { file: "template.py".into(), source: base.as_bytes().to_vec() }];
    let rules = Similarity { threshold: 0.1, action: OnSimilar::Flag, base, originals: BTreeMap::new() };
    let document = |id, source: &str| Document {
        miner: miner(id),
        // Stands for the bytes, by which they are found.
        sha256: source.to_owned(),
        prints: fingerprints::of(source.as_bytes()).into(),
        dropped: None,
    };
    let found = NearCopies::new(&rules, &[], |source| Some(source.as_bytes().to_vec()))
        .find(&BTreeSet::from([1]), &[document("zoe", original), document("abe", copy)]);
    found[&1].as_ref().map_or(0, |(near, _)| near.percent)
}

#[test]
fn every_disguise_is_seen_through_and_independent_solutions_are_let_be() {
    for (name, disguise) in DISGUISES {
        let percent = alike(ONE, &disguise(ONE), "");
        assert!(percent >= 80, "{name}: {percent} %");
    }
    for (one, other) in [(ONE, TWO), (TWO, ONE), (ONE, THREE), (THREE, ONE), (TWO, THREE), (THREE, TWO)] {
        let percent = alike(one, other, "");
        assert!(percent <= 30, "{percent} %");
    }
}

#[test]
fn half_a_copy_is_half_a_copy_and_what_everybody_may_use_is_none() {
    let (mine, theirs) = (functions(TWO), functions(ONE));
    let half = [&mine[..4], &theirs[4..]].concat().join("\n\n\n");
    let percent = alike(ONE, &half, "");
    assert!((30..80).contains(&percent), "{percent} %");
    assert_eq!(alike(ONE, &half, &renamed(ONE)), 0);
    assert_eq!(alike(ONE, &commented(ONE), ONE), 0, "nothing is left to compare");
}

/// Lines on HumanEval, whose file has one JSON object a line: in files of five solutions each.
pub fn measured(humaneval: &str) -> Vec<String> {
    let field = |line: &str, name: &str| {
        let task: serde_json::Value = serde_json::from_str(line).unwrap();
        task[name].as_str().unwrap().to_owned()
    };
    // Without the prompts' docstrings, which everybody has.
    let docs = Regex::new(r#"(?s)(""".*?"""|'''.*?''')"#).unwrap();
    let solution = |line| {
        let prompt = docs.replace_all(&field(line, "prompt"), "").trim_end().to_owned();
        (prompt + "\n" + &field(line, "canonical_solution")).trim_end().to_owned()
    };
    let all: Vec<String> = humaneval.lines().map(solution).collect();
    let files: Vec<String> = all.chunks(5).map(|five| five.join("\n\n\n")).collect();
    let often: Disguise = ("a needless line in every second place", |source| padded(source, 2));
    let mut lines = Vec::new();
    for (name, disguise) in DISGUISES.into_iter().chain([often]) {
        let mut percents: Vec<u32> = files.iter().map(|file| alike(file, &disguise(file), "")).collect();
        percents.sort_unstable();
        let found = |bound| percents.iter().filter(|percent| **percent >= bound).count();
        let (least, middle) = (percents[0], percents[files.len() / 2]);
        lines.push(format!(
            "{name}: of {} found {} at 0.8, {} at 0.6; least {least} %, middle {middle} %",
            files.len(),
            found(80),
            found(60)
        ));
    }
    let pairs = files.iter().flat_map(|one| files.iter().map(move |other| (one, other)));
    let pairs = pairs.filter(|(one, other)| one != other);
    let percents: Vec<u32> = pairs.map(|(one, other)| alike(one, other, "")).collect();
    lines.push(format!(
        "independent: {} pairs, most alike {} %",
        percents.len(),
        percents.iter().max().unwrap()
    ));
    lines
}
