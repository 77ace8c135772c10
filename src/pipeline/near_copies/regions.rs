//! Regions that two sources have in common: runs of equal token sequences, as the lines that they stand in.

use std::collections::{HashMap, HashSet};

use crate::model::near_pair::{Lines, Region};
use crate::pipeline::validate::fingerprints::{self, Placed};

/// Sequences that follow each other in both: fewer are alike by chance.
const FEWEST: usize = 8;

/// Places of one sequence in the original that are looked at.
const MOST_PLACES: usize = 8;

/// Regions of one pair, and lines of one region.
const MOST_REGIONS: usize = 12;
const MOST_LINES: usize = 40;

/// Characters of a line; more are shown nowhere.
const MOST_CHARS: usize = 200;

/// Ranges of sequences, in the one source and in the other.
type Run = (usize, usize, usize);

/// The first regions of an agent that its original has, too, and how many there are more. What is given to everybody is left out.
pub(super) fn between(agent: &[u8], original: &[u8], given: &HashSet<u32>) -> (Vec<Region>, usize) {
    let texts = [agent, original].map(fingerprints::text);
    let places = [agent, original].map(fingerprints::places);
    let [left, right] = [&texts[0], &texts[1]].map(|text| fingerprints::placed(text));
    let spans = spans(&left, &right, given);
    let lines = |side: usize, span: Span| lines(&texts[side], &places[side], span);
    let region = |(a, b): &(Span, Span)| Region { left: lines(0, *a), right: lines(1, *b) };
    let regions = spans.iter().take(MOST_REGIONS).map(region).collect();
    (regions, spans.len().saturating_sub(MOST_REGIONS))
}

/// The first and the last line, from 1.
type Span = (usize, usize);

/// Lines of all runs, those that touch each other in both taken together.
fn spans(left: &[Placed], right: &[Placed], given: &HashSet<u32>) -> Vec<(Span, Span)> {
    let mut spans: Vec<(Span, Span)> = Vec::new();
    for (at, other, length) in runs(left, right, given) {
        let span = |placed: &[Placed], at: usize| (placed[at].first, placed[at + length - 1].last);
        let (a, b) = (span(left, at), span(right, other));
        match spans.last_mut() {
            Some((before, beside)) if touch(*before, a) && touch(*beside, b) => {
                (before.1, beside.1) = (before.1.max(a.1), beside.1.max(b.1));
            }
            _ => spans.push((a, b)),
        }
    }
    spans
}

fn touch(before: Span, after: Span) -> bool {
    before.0 <= after.0 && after.0 <= before.1 + 1
}

/// The longest runs from each place on, one behind the other.
fn runs(left: &[Placed], right: &[Placed], given: &HashSet<u32>) -> Vec<Run> {
    let mut places: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, placed) in right.iter().enumerate().filter(|(_, placed)| !given.contains(&placed.hash)) {
        let places = places.entry(placed.hash).or_default();
        if places.len() < MOST_PLACES {
            places.push(at);
        }
    }
    let (mut runs, mut at) = (Vec::new(), 0);
    while at < left.len() {
        let length = |other: usize| {
            left[at..].iter().zip(&right[other..]).take_while(|(a, b)| a.hash == b.hash).count()
        };
        let here = places.get(&left[at].hash).into_iter().flatten();
        match here
            .map(|other| (length(*other), *other))
            .max_by_key(|(length, other)| (*length, usize::MAX - other))
        {
            Some((length, other)) if length >= FEWEST => {
                runs.push((at, other, length));
                at += length;
            }
            _ => at += 1,
        }
    }
    runs
}

fn lines(text: &str, places: &[String], (first, last): Span) -> Lines {
    let count = (last + 1 - first).min(MOST_LINES);
    let text = text.lines().skip(first - 1).take(count);
    Lines {
        places: places.iter().skip(first - 1).take(count).cloned().collect(),
        text: text.map(|line| line.chars().take(MOST_CHARS).collect()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::joined;

    const ONE: &str = "import math\n\n\ndef longest(words):\n    best = ''\n    for word in words:\n        if len(word) > \
                       len(best):\n            best = word\n    return best\n";

    fn told(agent: &str, original: &str) -> Vec<(usize, usize, usize)> {
        let (regions, more) = between(agent.as_bytes(), original.as_bytes(), &HashSet::new());
        assert_eq!(more, 0);
        let first = |lines: &Lines| lines.places[0].parse().unwrap();
        regions.iter().map(|one| (first(&one.left), first(&one.right), one.left.text.len())).collect()
    }

    #[test]
    fn lines_that_match_stand_beside_each_other_whatever_they_are_called() {
        let copy = ONE.replace("word", "w").replace("best", "found").replace("import math\n\n\n", "# mine\n");
        assert_eq!(told(&copy, ONE), [(2, 4, 6)]);
        let (regions, _) = between(copy.as_bytes(), ONE.as_bytes(), &HashSet::new());
        assert_eq!(regions[0].left.text[1], "    found = ''");
        assert_eq!(regions[0].right.text[1], "    best = ''");
    }

    #[test]
    fn of_several_files_a_line_is_told_with_its_file() {
        let (files, text) = (joined::join, |text: &'static str| text.as_bytes());
        let copy = files([("agent.py", text("from parts import *\n")), ("parts.py", text(ONE))]);
        let last = files([("agent.py", text(ONE)), ("z.py", b"x = 1\n")]);
        for (copy, first, end) in [(copy, "parts.py:1", "parts.py:9"), (last, "agent.py:1", "agent.py:9")] {
            let (regions, _) = between(&copy, ONE.as_bytes(), &HashSet::new());
            let Lines { places, text } = &regions[0].left;
            assert_eq!((places.first().unwrap().as_str(), places.last().unwrap().as_str()), (first, end));
            assert_eq!((text.first().unwrap().as_str(), text.len()), ("import math", places.len()));
            assert_eq!(regions[0].right.places[0], "1");
        }
    }

    #[test]
    fn what_is_given_or_short_is_no_region_and_there_are_never_too_many() {
        assert_eq!(told("def f(x):\n    return x\n", "def g(y):\n    return y\n"), []);
        let given = fingerprints::all(ONE.as_bytes()).into_iter().collect();
        assert_eq!(between(ONE.as_bytes(), ONE.as_bytes(), &given), (Vec::new(), 0));
        let many: String = (0..50).map(|at| format!("{}x = {}[{at}]\n", ONE, "(".repeat(at % 7))).collect();
        let other: String =
            (0..50).rev().map(|at| format!("{}y = {}[{at}]\n", ONE, "{".repeat(at % 5))).collect();
        let (regions, _) = between(many.as_bytes(), other.as_bytes(), &HashSet::new());
        assert!(regions.len() <= MOST_REGIONS && regions.iter().all(|one| one.left.text.len() <= MOST_LINES));
    }

    #[test]
    fn any_bytes_are_no_trouble() {
        for source in [&b""[..], b"\xff\xfe", b"\0\0", "é = 'ü'\r\nx\u{2028}y".as_bytes()] {
            let _ = between(source, ONE.as_bytes(), &HashSet::new());
            let _ = between(ONE.as_bytes(), source, &HashSet::new());
        }
    }
}
