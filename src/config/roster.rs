//! Roster: the people of a course, in a CSV file beside pipeline.yaml.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};
use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::util::similar::{did_you_mean, nearest};
use crate::util::text::visible;
use crate::yaml::{self, Log, Position, Problems};

/// Longest name of a person or a group, in characters.
const LONGEST: usize = 200;

/// Names of the columns.
const COLUMNS: [&str; 3] = ["id", "name", "group"];

/// People of a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// The CSV file.
    pub file: PathBuf,
    /// In the file's order; nobody stands there twice.
    pub students: Vec<Student>,
}

/// A person of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Student {
    /// The miner that submits for the person.
    pub id: Miner,
    /// The id as the file has it, with its capitals: other systems find the person by it.
    #[serde(skip)]
    pub written: String,
    /// Full name, fit to be shown.
    pub name: String,
    /// Group, fit to be shown; empty if there is none.
    pub group: String,
}

impl Roster {
    /// Tells whether a miner is on it.
    #[must_use]
    pub fn has(&self, miner: &Miner) -> bool {
        self.students.iter().any(|student| student.id == *miner)
    }

    /// Those of many miners who are not on it, each once.
    pub fn strangers(&self, miners: impl Iterator<Item = Miner>) -> impl Iterator<Item = Miner> {
        let ids: HashSet<&Miner> = self.students.iter().map(|student| &student.id).collect();
        let mut told = HashSet::new();
        miners.filter(move |miner| !ids.contains(miner) && told.insert(miner.clone()))
    }

    /// Says that a miner is not on it, and who is that is called nearly so; None for one who is.
    #[must_use]
    pub fn stranger(&self, miner: &Miner) -> Option<String> {
        let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
        // Next to a number there is always another one.
        let ids = self.students.iter().map(|student| student.id.as_str()).filter(|id| !is_number(id));
        let is_told = self.without_zeros(miner).or_else(|| self.within(miner)).is_some();
        let near = || if is_told { None } else { nearest(miner.as_str(), ids) };
        (!self.has(miner)).then(|| self.tell_stranger(miner) + &did_you_mean(near()))
    }

    /// Says that a miner is not on it.
    #[must_use]
    pub fn tell_stranger(&self, miner: &Miner) -> String {
        let near = self.without_zeros(miner).or_else(|| self.within(miner)).unwrap_or_default();
        format!("{miner} is not on the roster, {}{near}", self.file.display())
    }

    /// Tail of a message on a miner in whose id the one id of the roster stands as whole words, such as `4711018_blatt3`.
    #[must_use]
    pub fn within(&self, miner: &Miner) -> Option<String> {
        let mut within = self.students.iter().filter(|student| has_words_of(miner, &student.id));
        let first = within.next().filter(|_| !self.has(miner))?;
        within.next().is_none().then(|| {
            let id = &first.id;
            format!("; perhaps it is {id}'s: then name the file {id}.py")
        })
    }

    /// Tail of a message on a miner whose id is there but for zeros in front.
    #[must_use]
    pub fn without_zeros(&self, miner: &Miner) -> Option<String> {
        let number = bare(miner);
        let same =
            self.students.iter().find(|student| student.id != *miner && bare(&student.id) == number)?;
        Some(format!("; {} is: spreadsheets drop zeros in front", same.id))
    }
}

/// True if an id stands in another one between signs that are no letters or digits.
fn has_words_of(miner: &Miner, id: &Miner) -> bool {
    let (text, id) = (miner.as_str(), id.as_str());
    text.match_indices(id).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + id.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
}

/// An id without zeros in front.
fn bare(id: &Miner) -> &str {
    id.as_str().trim_start_matches('0')
}

/// Reads a roster.
///
/// # Errors
/// Every mistake in the file at once.
pub(super) fn load(file: &Path) -> Result<Vec<Student>, Problems> {
    let log = Log::new(file);
    let students = yaml::read_file(&log).and_then(|bytes| students(&log, &bytes));
    log.finish(students)
}

fn students(log: &Log, bytes: &[u8]) -> Option<Vec<Student>> {
    let complain = |line: usize, message: String| log.add(Position { line, column: 0 }, "", message);
    let Ok(text) = std::str::from_utf8(bytes) else {
        complain(0, "is not UTF-8 text; save it as \"CSV UTF-8\"".to_owned());
        return None;
    };
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let delimiter = delimiter(&text);
    let rows = text.lines().enumerate().map(|(at, line)| (at + 1, cells(line, delimiter)));
    // Spreadsheets write rows in which nothing stands.
    let mut rows = rows.filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
    let (line, header) = rows.next().unwrap_or_default();
    let places = closed(&header).and_then(|()| places(&header, delimiter));
    let places = places.map_err(|message| complain(line.max(1), message)).ok()?;
    let (mut seen, mut all) = (HashSet::new(), Vec::new());
    for (line, cells) in rows {
        if let Err(message) = closed(&cells) {
            // What follows may belong to it.
            complain(line, message);
            return None;
        }
        match no_more(&cells, &header).and_then(|()| student(&cells, places)) {
            Ok(student) if !seen.insert(student.id.clone()) => {
                complain(line, format!("{} stands here twice; leave one of the lines", student.id));
            }
            Ok(student) => all.push(student),
            Err(message) => complain(line, message),
        }
    }
    Some(all)
}

/// Cells of a line. A quote that is not closed in it holds the line break, which no other cell has.
fn cells(line: &str, delimiter: u8) -> StringRecord {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(line.as_bytes().chain(&b"\n"[..]));
    let mut cells = StringRecord::new();
    // Text that is UTF-8 can be read.
    let _ = reader.read_record(&mut cells);
    cells
}

/// Spreadsheets of some countries write semicolons, and what is copied out of one has tabs.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let others = [b';', b'\t'].into_iter().filter(|_| !header.contains(','));
    others.into_iter().find(|other| header.contains(char::from(*other))).unwrap_or(b',')
}

/// Refuses a quote that is not closed in its line: other people may be lost in it.
fn closed(cells: &StringRecord) -> Result<(), String> {
    match cells.iter().any(|cell| cell.contains('\n')) {
        false => Ok(()),
        true => Err("a quote (\") that begins here goes on in the next line, or is never closed; each person is one line".to_owned()),
    }
}

/// Refuses cells behind those of the first line: a name with a comma makes two, the second of which would be lost.
fn no_more(cells: &StringRecord, header: &StringRecord) -> Result<(), String> {
    match cells.iter().skip(header.len()).any(|cell| !cell.trim().is_empty()) {
        false => Ok(()),
        true => Err(format!(
            "{} cells, where the first line has {}; a cell that holds what stands between cells must be quoted, \
             such as \"Lee, Ann\"",
            cells.len(),
            header.len()
        )),
    }
}

/// Places of the columns in the file; `group` may be missing.
fn places(header: &StringRecord, delimiter: u8) -> Result<[Option<usize>; 3], String> {
    let place = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let places = COLUMNS.map(place);
    let lacking = COLUMNS.iter().zip(places).take(2).find(|(_, place)| place.is_none());
    let Some((lacking, _)) = lacking else { return Ok(places) };
    let near = header.iter().find(|cell| nearest(cell.trim(), [*lacking]).is_some());
    let near = did_you_mean(near.map(|_| *lacking));
    let found: Vec<&str> = header.iter().collect();
    let found = visible(&found.join(&char::from(delimiter).to_string()), LONGEST);
    let expected = "expected a first line such as id,name,group (commas, semicolons or tabs)";
    Err(format!("{expected}, found {found:?}{near}"))
}

fn student(record: &StringRecord, places: [Option<usize>; 3]) -> Result<Student, String> {
    let [id, name, group] =
        places.map(|place| place.and_then(|place| record.get(place)).unwrap_or_default().trim());
    if [name, group].iter().any(|text| text.chars().count() > LONGEST) {
        return Err(format!("a name is longer than {LONGEST} characters"));
    }
    let (name, group) = (visible(name, LONGEST), visible(group, LONGEST));
    if is_shortened(id) {
        return Err(format!(
            "{id:?} is a number as spreadsheets shorten it, of which digits are lost: write it in full, in a column that is formatted as text"
        ));
    }
    Ok(Student { id: id.parse()?, written: id.to_owned(), name, group })
}

/// True of a number such as `4,711E+06`.
fn is_shortened(id: &str) -> bool {
    let Some((digits, power)) = id.split_once(['E', 'e']) else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    power.strip_prefix('+').is_some_and(is_number) && is_number(&digits.replacen([',', '.'], "", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, Vec<String>> {
        let log = Log::new(Path::new("students.csv"));
        let students = students(&log, bytes);
        let line = |student: Student| format!("{}|{}|{}", student.id, student.name, student.group);
        match log.finish(students) {
            Ok(students) => Ok(students.into_iter().map(line).collect()),
            Err(Problems(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn files_of_spreadsheets_are_read() {
        let expected = ["ann|Ann Lee|A", "bo|Bo, Jr.|"];
        let files: [&str; 6] = [
            "ID,Name,Group\nann,Ann Lee,A\nbo,\"Bo, Jr.\",",
            "id\tname\tgroup\nann\tAnn Lee\tA\nbo\tBo, Jr.\n",
            "id,name,group\nann,Ann Lee,A\nbo,\"Bo, Jr.\",\n",
            "\u{feff}id;name;group\r\nAnn;Ann Lee;A\r\nbo;Bo, Jr.;\r\n",
            "group,mail,name,id\nA,a@x,Ann Lee,ann\n,,\"Bo, Jr.\",bo\n",
            "id, name ,group\n ann , Ann Lee , A \nbo,\"Bo, Jr.\"\n\n",
        ];
        for file in files {
            assert_eq!(read(file.as_bytes()).unwrap(), expected, "{file}");
        }
        assert_eq!(read(b"id,name\nann,\xc3\x89a\n").unwrap(), ["ann|Éa|"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = read(b"id,name,group\nann,Ann,A\n=x,Eve,\nbo,Bo,B\nANN,Anna,\n").unwrap_err();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("students.csv:3: \"=x\" is not a miner id"), "{told:?}");
        assert_eq!(told[1], "students.csv:5: ann stands here twice; leave one of the lines");
        let told = read(b"ann,Ann,A\n").unwrap_err();
        assert_eq!(
            told,
            [
                "students.csv:1: expected a first line such as id,name,group (commas, semicolons or tabs), found \
              \"ann,Ann,A\""
            ]
        );
        assert!(read(b"\xff\xfe").unwrap_err()[0].contains("CSV UTF-8"));
        let told = read(b"id;name\n4,711E+06;Ann\n").unwrap_err();
        assert!(
            told[0].starts_with("students.csv:2: \"4,711E+06\" is a number as spreadsheets shorten it"),
            "{told:?}"
        );
    }

    /// As spreadsheets save them: line ends of Windows, rows in which nothing stands.
    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let told = read(b"id;name\r\n;\r\n\r\nann;Ann\r\n;;\r\nb!;Bo\r\n").unwrap_err();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("students.csv:6: \"b!\" is not a miner id"), "{told:?}");
        let told = read(b"id,name\n\nann,Ann\n\nann,Eve\n").unwrap_err();
        assert_eq!(told, ["students.csv:5: ann stands here twice; leave one of the lines"]);
        assert_eq!(read(b"id;name\r\nann;Ann\r\n;\r\n").unwrap(), ["ann|Ann|"]);
        assert_eq!(read(b"id,name\rann,Ann\rbo,Bo\r").unwrap(), ["ann|Ann|", "bo|Bo|"]);
    }

    /// The group would be half of the name.
    #[test]
    fn a_name_with_a_comma_outside_of_quotes_is_refused() {
        let told = read(b"id,name,group\nann,Lee, Ann,A\nbo,Bo Ray,B,,\n").unwrap_err();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("students.csv:2: 4 cells, where the first line has 3; "), "{told:?}");
    }

    #[test]
    fn who_is_not_on_it_is_told_who_is_called_nearly_so() {
        let students = |text: &str| students(&Log::new(Path::new("students.csv")), text.as_bytes()).unwrap();
        let students = students("id,name\n71,Ann\n0080,Bo\n72,Di\nchris,Cy\n");
        let roster = Roster { file: PathBuf::from("students.csv"), students };
        let told = |id: &str| roster.stranger(&id.parse().unwrap());
        let said = |id: &str, more: &str| Some(format!("{id} is not on the roster, students.csv{more}"));
        assert_eq!(told("71"), None);
        assert_eq!(told("0071"), said("0071", "; 71 is: spreadsheets drop zeros in front"));
        assert_eq!(told("80"), said("80", "; 0080 is: spreadsheets drop zeros in front"));
        let many = ["73", "71", "73"].map(|id| id.parse().unwrap());
        assert_eq!(roster.strangers(many.into_iter()).count(), 1, "who has two files is told once");
        assert_eq!(told("chirs"), said("chirs", "; did you mean \"chris\"?"));
        assert_eq!(told("73"), said("73", ""));
        for (id, whose) in [("71_sheet3", "71"), ("sheet3-72", "72"), ("chris_2", "chris")] {
            let more = format!("; perhaps it is {whose}'s: then name the file {whose}.py");
            assert_eq!(told(id), said(id, &more));
        }
        assert_eq!(told("71_72"), said("71_72", ""), "of two, either may be meant");
        assert_eq!(told("711_2"), said("711_2", ""));
    }

    #[test]
    fn a_misspelt_column_is_told() {
        let told = read(b"id;naem\nann;Ann\n").unwrap_err();
        assert!(told[0].ends_with("found \"id;naem\"; did you mean \"name\"?"), "{told:?}");
    }

    /// The quote would swallow all who stand below.
    #[test]
    fn a_quote_that_is_never_closed_swallows_nobody() {
        let told = |text: &str| read(text.as_bytes()).unwrap_err().join(" ");
        for (text, line) in [
            ("id,name\ns01,Ana \"The\ns02,\"Bo\ns03,Cy\ns04,Di\n", 3),
            ("id,name,group\ns01,\"Ana,A", 2),
            ("id,name\ns01,\"Ana\nLee\"\ns02,Bo\n", 2),
            ("id,\"name\ns01,Ana\n", 1),
        ] {
            let told = told(text);
            assert!(told.starts_with(&format!("students.csv:{line}: a quote (\")")), "{told}");
        }
        assert_eq!(read(b"id,name\ns01,Ana \"The\n").unwrap(), ["s01|Ana \"The|"]);
    }

    #[test]
    fn names_are_harmless_to_look_at() {
        assert_eq!(
            read("id,name\nx,\u{202e}evil\x1b[2J\n".as_bytes()).unwrap(),
            ["x|\\u{202e}evil\\u{1b}[2J|"]
        );
    }
}
