//! Owners of refused files whose name is no miner's: people on the roster, by their ids and names.

use unicode_normalization::UnicodeNormalization;

use crate::config::{Roster, Student};
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;

/// The refusal of a file that no miner is known of, told with whose it is by the roster, such as of `s04.zip`, or may be, such
/// as of `s04 (1).py`. Who has a submission is told nothing of it.
pub(super) fn told(rejection: Rejection, roster: &Roster, has_file: impl Fn(&Miner) -> bool) -> Rejection {
    if rejection.concerns_somebody() {
        return rejection;
    }
    let name = rejection.file.split('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let id = stem.parse::<Miner>().ok().filter(|id| roster.has(id));
    match id {
        Some(id) if has_file(&id) => Rejection { claims: Some(id), ..rejection },
        Some(id) => Rejection { miner: Some(id), ..rejection },
        None => match likely(stem, roster) {
            Some(id) => {
                Rejection { reason: format!("{}; perhaps it is {id}'s", rejection.reason), ..rejection }
            }
            None => rejection,
        },
    }
}

/// The only person whose id or name stands in a file's name.
fn likely<'a>(stem: &str, roster: &'a Roster) -> Option<&'a Miner> {
    let stem = folded(stem);
    let is_named = |student: &&Student| {
        [student.id.as_str(), student.name.as_str()].iter().any(|name| has_words(&stem, &folded(name)))
    };
    let mut named = roster.students.iter().filter(is_named);
    named.next().filter(|_| named.next().is_none()).map(|student| &student.id)
}

/// Tells whether a text has these words in it, as whole words.
fn has_words(text: &str, words: &str) -> bool {
    let is_whole = |at: usize| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    };
    !words.is_empty() && text.match_indices(words).any(|(at, _)| is_whole(at))
}

/// In lower case, an accent in one way alone, and one space between words.
fn folded(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c == '_').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_refused_file_is_put_down_to_who_is_on_the_roster() {
        let person = |(id, name): (&str, &str)| Student {
            id: id.parse().unwrap(),
            name: name.into(),
            group: String::new(),
        };
        let people = [("s01", "Ana Lee"), ("s02", "Bo"), ("s03", "Cl\u{e9}o Dupont"), ("s04", "Bo Lee")];
        let roster = Roster { file: PathBuf::from("students.csv"), students: people.map(person).into() };
        for (file, miner, claims, perhaps) in [
            ("s04.zip", Some("s04"), None, None),
            ("S04.tar.gz", Some("s04"), None, None),
            ("s01.ipynb", None, Some("s01"), None),
            ("s02 - homework 1.py", None, None, Some("s02")),
            ("s01 (1).py", None, None, Some("s01")),
            ("Cle\u{301}o Dupont.py", None, None, Some("s03")),
            ("cl\u{e9}o dupont_123_assignsubmission_file_", None, None, Some("s03")),
            ("Bo Lee and Ana Lee.py", None, None, None),
            ("s0.zip", None, None, None),
            ("notes.txt", None, None, None),
        ] {
            let refused = Rejection {
                file: file.into(),
                miner: None,
                line: None,
                reason: "no".into(),
                sha256: None,
                claims: None,
            };
            let told = told(refused, &roster, |id| id.as_str() == "s01");
            let id = |miner: Option<Miner>| miner.map(String::from);
            let reason = perhaps.map_or("no".to_owned(), |id| format!("no; perhaps it is {id}'s"));
            assert_eq!(
                (id(told.miner), id(told.claims), told.reason),
                (miner.map(str::to_owned), claims.map(str::to_owned), reason),
                "{file}"
            );
        }
    }
}
