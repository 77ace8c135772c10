//! Circles in a directed graph.

use std::collections::{BTreeMap, BTreeSet};

type Edges = BTreeMap<String, BTreeSet<String>>;

/// A circle for each node that lies on one, each told once, from its first node.
pub fn of(edges: &Edges) -> Vec<Vec<String>> {
    let circles = edges.keys().filter_map(|node| path(edges, node, node));
    circles.filter(|circle| circle.iter().min() == circle.first()).collect()
}

/// The shortest way from one node to another, both told.
fn path(edges: &Edges, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last().expect("a way has a beginning");
            for next in edges.get(last).into_iter().flatten() {
                let way: Vec<String> = way.iter().cloned().chain([next.clone()]).collect();
                if next == to {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn circles_are_found() {
    let edge = |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
    let edges =
        Edges::from([edge("a", &["b"]), edge("b", &["c"]), edge("c", &["a", "d"]), edge("e", &["a"])]);
    assert_eq!(of(&edges), [["a", "b", "c", "a"]]);
    assert_eq!(of(&Edges::from([edge("a", &["b", "c"]), edge("b", &["c"])])), Vec::<Vec<String>>::new());
}
