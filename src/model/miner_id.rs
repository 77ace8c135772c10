//! Miner ids, and how foreign names are shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest id, in characters.
const LONGEST: usize = 64;

/// Longest piece of foreign text that a message quotes, in characters.
const QUOTED: usize = 80;

/// Miner's id: `[a-z0-9][a-z0-9_-]{0,63}`; upper case is folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Miner(String);

impl Miner {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Miner> for String {
    fn from(miner: Miner) -> Self {
        miner.0
    }
}

impl TryFrom<String> for Miner {
    type Error = String;

    fn try_from(given: String) -> Result<Self, String> {
        let id = given.to_ascii_lowercase();
        if !is_id(&id) {
            return Err(format!(
                "\"{}\" is not a miner id: use 1 to {LONGEST} letters a-z, digits, \"-\" and \"_\", \
                 beginning with a letter or digit{}",
                printable(given.as_bytes()),
                near(&id).map(|near| format!(", such as {near}")).unwrap_or_default()
            ));
        }
        if is_device(&id) {
            return Err(format!(
                "\"{id}\" is not a miner id: Windows keeps that name for a device, \
                 so results could not be copied there; use another"
            ));
        }
        Ok(Self(id))
    }
}

impl FromStr for Miner {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        Self::try_from(id.to_owned())
    }
}

impl fmt::Display for Miner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn is_id(id: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.len() <= LONGEST
        && id.bytes().next().is_some_and(alphanumeric)
        && id.bytes().all(|byte| alphanumeric(byte) || byte == b'_' || byte == b'-')
}

/// The id nearest to a name that is none; none for names of which no letter would be left, and for paths.
fn near(name: &str) -> Option<String> {
    let parts = name.split(|c: char| c.is_ascii_whitespace() || ".+@,()".contains(c));
    let id = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    is_id(&id).then_some(id)
}

fn is_device(id: &str) -> bool {
    let port = |name: &str| {
        id.strip_prefix(name).is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    matches!(id, "con" | "prn" | "aux" | "nul") || port("com") || port("lpt")
}

/// Foreign text made fit for one line of a message: control, invisible and invalid bytes escaped,
/// at most 80 characters.
#[must_use]
pub fn printable(text: &[u8]) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for piece in pieces(text) {
        let size = piece.chars().count();
        if length + size > QUOTED {
            return shortened(&shown);
        }
        shown.push_str(&piece);
        length += size;
    }
    shown
}

fn pieces(text: &[u8]) -> impl Iterator<Item = String> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(visible);
        let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        valid.chain(invalid)
    })
}

fn visible(c: char) -> String {
    match c {
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    }
}

fn shortened(shown: &str) -> String {
    shown.chars().take(QUOTED - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_taken() {
        let longest = "x".repeat(64);
        for id in
            ["a", "0", "alice", "bob-2", "c_3", "7up", "con-1", "com10", "com", "lpt", "console", &longest]
        {
            assert_eq!(id.parse::<Miner>().unwrap().as_str(), id);
        }
        for (typed, id) in [("Alice", "alice"), ("ALICE_B-9", "alice_b-9")] {
            assert_eq!(typed.parse::<Miner>().unwrap().to_string(), id);
        }
    }

    #[test]
    fn ids_that_are_refused() {
        let long = "x".repeat(65);
        for id in [
            "", "-a", "_a", "../x", "a/b", "a b", "a.b", "=cmd()", "a\nb", "a\0", "é", "\u{130}", "\u{212a}",
            "\u{430}", "-", &long,
        ] {
            let reason = id.parse::<Miner>().unwrap_err();
            assert!(reason.contains("letters a-z, digits"), "{reason}");
            assert!(!reason.contains(char::is_control), "{reason:?}");
        }
    }

    #[test]
    fn a_refused_name_is_told_the_id_that_is_near_to_it() {
        let told = |name: &str| name.parse::<Miner>().unwrap_err();
        assert!(told("Homework 1 (2)").ends_with(", such as homework-1-2"));
        for name in ["../x", "=cmd()", "é", "..", " "] {
            assert!(told(name).ends_with("letter or digit"), "{name}");
        }
    }

    #[test]
    fn device_names_are_refused_with_the_reason() {
        for id in ["con", "CON", "prn", "Aux", "nul", "com0", "COM1", "com9", "lpt1"] {
            let reason = id.parse::<Miner>().unwrap_err();
            assert!(reason.contains("Windows"), "{reason}");
        }
    }

    #[test]
    fn ids_survive_json_and_bad_ones_do_not_enter_by_it() {
        let miner: Miner = serde_json::from_str("\"Bob\"").unwrap();
        assert_eq!(serde_json::to_string(&miner).unwrap(), "\"bob\"");
        assert!(serde_json::from_str::<Miner>("\"../x\"").is_err());
    }

    #[test]
    fn foreign_text_is_escaped() {
        for (text, shown) in [
            (&b"plain 'x' \"y\""[..], "plain 'x' \"y\""),
            (b"a\nb\x1b[31m", "a\\nb\\u{1b}[31m"),
            (b"\xff.py", "\\xff.py"),
            ("é\u{202e}\u{200b}".as_bytes(), "é\\u{202e}\\u{200b}"),
            (br"\d", r"\d"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn foreign_text_is_bounded(text: Vec<u8>) {
            let shown = printable(&text.repeat(9));
            assert!(shown.chars().count() <= QUOTED);
            assert!(!shown.contains(char::is_control));
        }
    }
}
