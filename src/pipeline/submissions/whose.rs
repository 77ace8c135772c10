//! Owners of refused files whose name is no miner's: people on the roster, by their ids and names.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

use crate::config::Roster;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;

/// People on a roster, to be found by what they are called. Made once for many files: there may be thousands of both.
pub(super) struct Owners<'a> {
    ids: HashSet<&'a Miner>,
    /// Ids and names as [`folded`] has them, by the first word; by none those that begin otherwise.
    called: HashMap<String, Vec<(String, &'a Miner)>>,
}

impl<'a> Owners<'a> {
    /// The people of a roster.
    pub(super) fn of(roster: &'a Roster) -> Self {
        let mut called: HashMap<String, Vec<(String, &Miner)>> = HashMap::new();
        for student in &roster.students {
            for name in [student.id.as_str(), student.name.as_str()].map(folded) {
                let first = words(&name).next().filter(|(at, _)| *at == 0);
                let first = first.map_or_else(String::new, |(_, word)| word.to_owned());
                called.entry(first).or_default().push((name, &student.id));
            }
        }
        Self { ids: roster.students.iter().map(|student| &student.id).collect(), called }
    }

    /// The refusal of a file that no miner is known of, told with whose it is by the roster, such as of `s04.zip`, or may be, such
    /// as of `s04 (1).py`. Who has a submission is told nothing of it.
    pub(super) fn told(&self, rejection: Rejection, has_file: impl Fn(&Miner) -> bool) -> Rejection {
        if rejection.concerns_somebody() {
            return rejection;
        }
        let name = rejection.file.split('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        let id = stem.parse::<Miner>().ok().filter(|id| self.ids.contains(id));
        match id {
            Some(id) if has_file(&id) => Rejection { claims: Some(id), ..rejection },
            Some(id) => Rejection { miner: Some(id), ..rejection },
            None => Rejection { perhaps: self.likely(stem).cloned(), ..rejection },
        }
    }

    /// The only person whose id or name stands in a file's name.
    fn likely(&self, stem: &str) -> Option<&'a Miner> {
        let stem = folded(stem);
        let begins = words(&stem).flat_map(|(at, word)| self.of_word(word).map(move |one| (Some(at), one)));
        let begins = begins.chain(self.of_word("").map(|one| (None, one)));
        let named = begins.filter(|(at, (name, _))| match at {
            Some(at) => is_whole(&stem, *at, name),
            None => stem.match_indices(name.as_str()).any(|(at, _)| is_whole(&stem, at, name)),
        });
        let mut named = named.map(|(_, (_, miner))| *miner);
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    fn of_word(&self, word: &str) -> impl Iterator<Item = &(String, &'a Miner)> {
        self.called.get(word).into_iter().flatten()
    }
}

/// Words of a text, each with its place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_start = |at: usize, c: char| c.is_alphanumeric() && !text[..at].ends_with(char::is_alphanumeric);
    let starts = text.char_indices().filter(move |(at, c)| is_start(*at, *c));
    starts.map(|(at, _)| {
        let rest = &text[at..];
        (at, &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())])
    })
}

/// Tells whether this name, which is some, stands at this place as whole words.
fn is_whole(text: &str, at: usize, name: &str) -> bool {
    let (before, rest) = text.split_at(at);
    let after = rest.strip_prefix(name).filter(|_| !name.is_empty());
    after.is_some_and(|after| {
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
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
    use crate::config::Student;

    #[test]
    fn a_refused_file_is_put_down_to_who_is_on_the_roster() {
        let person = |(id, name): (&str, &str)| Student {
            id: id.parse().unwrap(),
            written: id.into(),
            name: name.into(),
            group: String::new(),
        };
        let people = [
            ("s01", "Ana Lee"),
            ("s02", "Bo"),
            ("s03", "Cl\u{e9}o Dupont"),
            ("s04", "Bo Lee"),
            ("s05", "(Zed)"),
        ];
        let roster = Roster { file: PathBuf::from("students.csv"), students: people.map(person).into() };
        for (file, miner, claims, perhaps) in [
            ("s04.zip", Some("s04"), None, None),
            ("S04.tar.gz", Some("s04"), None, None),
            ("s01.ipynb", None, Some("s01"), None),
            ("s02 - homework 1.py", None, None, Some("s02")),
            ("s02 s02.py", None, None, Some("s02")),
            ("xs02.py", None, None, None),
            ("hw (zed) 1.py", None, None, Some("s05")),
            ("hw (zed)1.py", None, None, None),
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
                perhaps: None,
            };
            let told = Owners::of(&roster).told(refused, |id| id.as_str() == "s01");
            let id = |miner: Option<Miner>| miner.map(String::from);
            let reason = perhaps.map_or("no".to_owned(), |id| format!("no; perhaps it is {id}'s"));
            assert_eq!((told.reason.as_str(), told.told()), ("no", reason), "{file}");
            assert_eq!(
                [told.miner, told.claims, told.perhaps].map(id),
                [miner, claims, perhaps].map(|id| id.map(str::to_owned)),
                "{file}"
            );
        }
    }

    /// Each publication asks for it, and whoever may drop a file can drop thousands.
    #[test]
    fn many_files_and_many_people_take_no_time() {
        let person = |number: usize| Student {
            id: format!("s{number}").parse().unwrap(),
            written: format!("s{number}"),
            name: format!("Person{number} Long-Name"),
            group: String::new(),
        };
        let roster =
            Roster { file: PathBuf::from("students.csv"), students: (0..2000).map(person).collect() };
        let (owners, began) = (Owners::of(&roster), std::time::Instant::now());
        let named = (0..20_000).filter(|number| {
            let stem = format!("homework {number} of PERSON{number}_long-name");
            owners.likely(&stem).is_some()
        });
        assert_eq!(named.count(), 2000);
        let took = began.elapsed();
        assert!(took < std::time::Duration::from_secs(20), "{took:?}: 40 million pairs take minutes");
    }
}
