//! The long texts on the page: messages and what agents wrote to stderr. Many agents fail alike, so
//! each text stands there once; and hostile agents fail at length, so each agent has a share of room.

use std::collections::HashMap;

use crate::util::plural::counted;
use crate::util::text::visible;

/// Bytes of texts on the page, all agents together.
const ROOM: usize = 4 << 20;

/// Longest line, in characters.
const LINE: usize = 300;

/// Texts by number.
#[derive(Default)]
pub(super) struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// Room that an agent has left for its texts.
pub(super) struct Room {
    left: usize,
    /// True if something did not fit.
    pub(super) cut: bool,
}

impl Room {
    /// One agent's of so many.
    pub(super) fn share(agents: usize) -> Self {
        Self { left: (ROOM / agents.max(1)).clamp(1 << 10, 64 << 10), cut: false }
    }
}

impl Texts {
    /// The text's number; None if there is no room for it.
    pub(super) fn number(&mut self, text: String, room: &mut Room) -> Option<usize> {
        if let Some(&number) = self.numbers.get(&text) {
            return Some(number);
        }
        let cost = cost(&text);
        if cost > room.left {
            room.cut = true;
            return None;
        }
        room.left -= cost;
        self.all.push(text.clone());
        self.numbers.insert(text, self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    pub(super) fn all(&self) -> &[String] {
        &self.all
    }
}

/// Bytes in the page's JSON, where some characters need several.
fn cost(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'<' => 6,
        b'"' | b'\\' | b'\n' => 2,
        _ => 1,
    };
    text.bytes().map(more).sum::<usize>() + 3
}

/// The last lines of foreign text, harmless; the last ones matter most, as in a traceback.
pub(super) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let skipped = all.len().saturating_sub(lines);
    let note = (skipped > 0).then(|| format!("… {} before", counted(skipped, "line")));
    // Indentation by tabs is no danger here.
    let kept = all[skipped..].iter().map(|line| visible(&line.replace('\t', "    "), LINE));
    note.into_iter().chain(kept).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_stands_once_and_is_free() {
        let (mut texts, mut room) = (Texts::default(), Room { left: 10, cut: false });
        assert_eq!(texts.number("abc".into(), &mut room), Some(0));
        assert_eq!(texts.number("abc".into(), &mut room), Some(0));
        assert_eq!(texts.number("<<<".into(), &mut room), None);
        assert!(room.cut);
        assert_eq!(texts.number("x".into(), &mut room), Some(1));
        assert_eq!(texts.all(), ["abc", "x"]);
    }

    #[test]
    fn shares_are_bounded() {
        assert_eq!(Room::share(1).left, 64 << 10);
        assert_eq!(Room::share(2_000).left, 2097);
        assert_eq!(Room::share(1_000_000).left, 1 << 10);
    }

    #[test]
    fn the_end_of_a_text_is_kept_and_says_what_is_gone() {
        assert_eq!(tail("a\r\n\tb\x1b", 9), "a\n    b\\u{1b}");
        assert_eq!(tail("a\nb\nc", 2), "… 1 line before\nb\nc");
        assert!(tail(&"x".repeat(999), 2).chars().count() == 301);
    }
}
