//! Copies in disguise, and work of one's own.

mod corpus;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use super::*;
use crate::model::first_sights::{Origin, Sight};
use crate::model::joined;
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::samples::{miner, noon, report, stage, task};

const ORIGINAL: &str = "def longest(words):\n    best = ''\n    for word in words:\n        if len(word) > len(best) \
    and word.isalpha():\n            best = word\n    return best\n\n\ndef count(text):\n    seen = {}\n    for c in \
    text.lower():\n        seen[c] = seen.get(c, 0) + 1\n    return sorted(seen.items(), key=lambda x: (-x[1], x[0]))\n";

const OWN: &str = "import re\nclass Machine:\n    def __init__(self, tape):\n        self.tape, self.at = list(tape), 0\n\
    \n    def step(self):\n        while self.at < len(self.tape) and self.tape[self.at] != '#':\n            yield \
    self.tape[self.at]\n            self.at += 2 ** 3\n        try:\n            del self.tape[0]\n        except \
    IndexError as error:\n            raise ValueError(error) from None\n";

const SHORT: &str = "def double(x):\n    return x * 2\n";

/// Near copies among agents that came in this order, with their originals; tasks give away these texts.
fn near(agents: &[(&str, &str)], prompt: &str, action: OnSimilar) -> Vec<(String, String, u32)> {
    near_in(&seen(agents), agents, prompt, action)
}

/// The same, among these sights of them.
fn near_in(
    sights: &FirstSights,
    agents: &[(&str, &str)],
    prompt: &str,
    action: OnSimilar,
) -> Vec<(String, String, u32)> {
    let rules = Similarity { threshold: 0.8, action, base: Vec::new(), originals: BTreeMap::new() };
    let mut given = task("t", 1.0);
    given.prompt = prompt.to_owned();
    let summaries = last(agents);
    let sources: HashMap<String, &str> =
        agents.iter().map(|(_, source)| (crate::util::digest::sha256(source.as_bytes()), *source)).collect();
    let source = |sha256: &str| sources.get(sha256).map(|source| source.as_bytes().to_vec());
    let found =
        NearCopies::new(&rules, &[given], source).among(&summaries.iter().collect::<Vec<_>>(), sights);
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(miner, near)| {
            assert_eq!(near.withheld, action == OnSimilar::Withhold);
            (miner.to_string(), near.similar_to.to_string(), near.percent)
        })
        .collect();
    found.sort();
    found
}

/// Sights of agents that came in this order, by an hour.
fn seen(agents: &[(&str, &str)]) -> FirstSights {
    seen_apart(agents, 3600)
}

/// Sights of one look, at files that were changed so many seconds after each other.
fn seen_apart(agents: &[(&str, &str)], seconds: i64) -> FirstSights {
    let mut sights = FirstSights::default();
    for (at, (id, source)) in agents.iter().enumerate() {
        sights.add(&Sight {
            sha256: crate::util::digest::sha256(source.as_bytes()),
            miner: miner(id),
            at: noon(),
            file: format!("{id}.py"),
            came: Some(noon() + jiff::SignedDuration::from_secs(seconds * at as i64 - 1_000_000)),
            via: Origin::Dropped,
            refused: false,
            // An older agentmill wrote every other line, by other rules.
            prints: if at % 2 == 0 { Vec::new() } else { (0..99).collect() },
            undecided: false,
            packed: false,
            other: None,
        });
    }
    sights
}

/// The last submission of each of these.
fn last(agents: &[(&str, &str)]) -> Vec<ReportSummary> {
    let digest =
        |(id, source): &(&'_ str, &str)| (id.to_string(), crate::util::digest::sha256(source.as_bytes()));
    let last: HashMap<String, String> = agents.iter().map(digest).collect();
    let (stages, tasks) = ([stage("s", "*", 0.0)], [task("t", 1.0)]);
    let plan = Plan::new(&stages, &tasks);
    let summary = |(id, sha256): (String, String)| {
        let report = crate::model::report::Report { sha256, ..report(&id, vec![]) };
        ReportSummary::of(&report, &plan)
    };
    last.into_iter().map(summary).collect()
}

fn flagged(agents: &[(&str, &str)]) -> Vec<(String, String, u32)> {
    near(agents, "", OnSimilar::Flag)
}

#[test]
fn pieces_in_several_submissions_are_nobodys_original() {
    let (one, other) = ORIGINAL.split_at(ORIGINAL.find("def count").unwrap());
    assert_eq!(flagged(&[("eve", one), ("eve", other), ("ann", ORIGINAL)]), []);
    let copy = ORIGINAL.replace("best", "longest_word");
    assert_eq!(flagged(&[("ann", one), ("ann", ORIGINAL), ("ann", other), ("eve", &copy)]).len(), 1);
}

/// As with the same bytes: the order in which a look finds two files is an accident.
#[test]
fn of_two_that_came_at_once_each_is_told_to_be_like_the_other() {
    let copy = ORIGINAL.replace("best", "top").replace("seen", "table");
    let agents = [("zoe", ORIGINAL), ("abe", copy.as_str()), ("eve", OWN)];
    let told = |seconds: i64| near_in(&seen_apart(&agents, seconds), &agents, "", OnSimilar::Withhold);
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned(), 100);
    assert_eq!(told(60), [pair("abe", "zoe"), pair("zoe", "abe")]);
    assert_eq!(told(61), [pair("abe", "zoe")]);
    let larger = format!("{ORIGINAL}\n\n{OWN}");
    let agents = [("zoe", larger.as_str()), ("abe", copy.as_str())];
    let told = near_in(&seen_apart(&agents, 1), &agents, "", OnSimilar::Flag);
    assert_eq!(told, [pair("abe", "zoe")], "half of zoe's is no copy, whoever was first");
}

#[test]
fn a_copy_in_disguise_is_found() {
    let disguises = [
        format!("# mine\n{ORIGINAL}"),
        ORIGINAL.replace("\n    for", "\n\n    # loop\n    for"),
        ORIGINAL.replace("best", "top").replace("seen", "table").replace("count", "frequencies"),
        ORIGINAL.replace("len(word) > len(best)", "len (word)\\\n  >  len( best )").replace("0) + 1", "0)+1"),
        format!("'''Docs.'''\n{ORIGINAL}\n\nprint('hello')\n"),
    ];
    for disguise in disguises {
        let found = flagged(&[("zoe", ORIGINAL), ("abe", &disguise)]);
        let [(copy, original, percent)] = &found[..] else { panic!("{found:?}: {disguise}") };
        assert_eq!((copy.as_str(), original.as_str()), ("abe", "zoe"));
        assert!(*percent >= 80, "{percent}: {disguise}");
    }
}

#[test]
fn code_that_is_moved_to_another_module_is_found() {
    let (first, second) = ORIGINAL.split_once("def count").unwrap();
    let second = format!("def count{second}");
    let files = [
        ("agent.py", "from words import *\nfrom parts.letters import *\n"),
        ("words.py", first),
        ("parts/letters.py", &second),
    ];
    let joined = joined::join(files.iter().map(|(path, text)| (*path, text.as_bytes())));
    let joined = String::from_utf8(joined).unwrap();
    for agents in [[("zoe", ORIGINAL), ("abe", &joined)], [("zoe", &joined), ("abe", ORIGINAL)]] {
        let found = flagged(&agents);
        let [(copy, original, percent)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((copy.as_str(), original.as_str()), ("abe", "zoe"));
        assert!(*percent >= 80, "{percent}");
    }
}

#[test]
fn work_of_ones_own_and_short_functions_are_not_flagged() {
    assert_eq!(flagged(&[("zoe", ORIGINAL), ("abe", OWN)]), []);
    assert_eq!(flagged(&[("zoe", SHORT), ("abe", "def twice(n):\n    return n * 2\n")]), []);
    assert_eq!(flagged(&[("zoe", ORIGINAL), ("zoe", &format!("{ORIGINAL}# v2\n"))]), []);
}

/// The original may be improved by its author, though a copy was seen in between, and may be withdrawn.
#[test]
fn fragments_stay_with_whom_they_were_first_seen_with() {
    let (copy, better) = (format!("# abe's\n{ORIGINAL}"), format!("{ORIGINAL}\n# better\nLIMIT = 3\n"));
    let found = flagged(&[("zoe", ORIGINAL), ("abe", &copy), ("zoe", &better)]);
    assert_eq!(found, [("abe".to_owned(), "zoe".to_owned(), 100)]);
    let found = flagged(&[("zoe", ORIGINAL), ("zoe", OWN), ("abe", &copy)]);
    assert_eq!(found, [("abe".to_owned(), "zoe".to_owned(), 100)]);
}

#[test]
fn what_tasks_give_away_and_many_share_is_nobodys() {
    let copy = format!("# abe's\n{ORIGINAL}");
    assert_eq!(near(&[("zoe", ORIGINAL), ("abe", &copy)], ORIGINAL, OnSimilar::Withhold), []);
    assert_eq!(near(&[("zoe", ORIGINAL), ("abe", &copy)], "", OnSimilar::Withhold).len(), 1);
    let many: Vec<(String, String)> =
        (0..=MANY).map(|n| (format!("m{n}"), format!("# {n}\n{ORIGINAL}"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(id, source)| (id.as_str(), source.as_str())).collect();
    assert_eq!(flagged(&many), []);
    assert_eq!(flagged(&many[1..]).len(), MANY - 1);
}

/// A miner who submits one copy after the other costs nobody time and memory for each: what is ranked is looked at.
#[test]
fn submissions_that_were_replaced_are_not_looked_at_again() {
    let copies: Vec<String> = (0..50).map(|n| format!("{ORIGINAL}# {n}\n")).collect();
    let copies = copies.iter().map(|copy| ("eve", copy.as_str()));
    let agents: Vec<(&str, &str)> = [("ann", ORIGINAL)].into_iter().chain(copies).collect();
    let (sights, summaries) = (seen(&agents), last(&agents));
    let rules =
        Similarity { threshold: 0.8, action: OnSimilar::Flag, base: Vec::new(), originals: BTreeMap::new() };
    let source = |sha256: &str| {
        let found =
            agents.iter().find(|(_, source)| crate::util::digest::sha256(source.as_bytes()) == sha256);
        found.map(|(_, source)| source.as_bytes().to_vec())
    };
    let mut copies = NearCopies::new(&rules, &[], source);
    let near = copies.among(&summaries.iter().collect::<Vec<_>>(), &sights);
    assert_eq!(near[&miner("eve")].percent, 100);
    assert_eq!(copies.looked_at.len(), 1);
}

#[test]
fn two_thousand_agents_are_compared() {
    let source = |n: usize| {
        let mut text = String::new();
        for line in 0..80 {
            let op =
                ["+", "-", "*", "//", "%", "<", "and", "or"][(n * 7919 + line * line * 31 + n * line) % 8];
            let form = ["x = y {} (z)", "if a {} b: c[0] = d", "f(g, h {} 1)"][(n / 3 + line * n) % 3];
            writeln!(text, "{}", form.replace("{}", op)).unwrap();
        }
        text
    };
    let sources: Vec<(String, String)> = (0..2_000).map(|n| (format!("m{n}"), source(n))).collect();
    let agents: Vec<(&str, &str)> = sources.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let began = Instant::now();
    let found = flagged(&agents).len();
    println!("2,000 agents, {found} near copies, in {:?}", began.elapsed());
    assert!(found < agents.len(), "all of them are copies");
}

/// The table in docs/competition.md. `HUMANEVAL` names the file of tasks.
#[test]
#[ignore = "a measurement, on a file that is not here"]
fn measure_on_humaneval() {
    let text = std::fs::read_to_string(std::env::var("HUMANEVAL").unwrap()).unwrap();
    corpus::measured(&text).iter().for_each(|line| println!("{line}"));
}
