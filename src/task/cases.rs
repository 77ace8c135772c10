//! Cases: folders of inputs and answers beside a task, each pair a test of the agent as a program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::config::check;
use crate::task::beside::Source;
use crate::task::case_names;
use crate::task::data_file::DataFile;
use crate::task::public_cases::Public;
use crate::util::digest;
use crate::yaml::{Kind, Place, Reader, excerpt};

/// Most cases of one folder.
const MAX_CASES: usize = 10_000;

/// Most bytes of a checker or an interactor.
const MAX_PROGRAM: u64 = 1 << 20;

/// Most bytes of a public case's files that are shown to miners.
const SHOWN: u64 = 2000;

/// An input, and what decides on the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Stdin of the agent's program, or what an interactor knows.
    pub input: DataFile,
    /// The right output; None where an interactor needs none.
    pub answer: Option<DataFile>,
    /// Shared by all cases of the folder.
    pub judging: Arc<Judging>,
    /// The folder's name, if none of its cases counts unless all pass.
    pub group: Option<String>,
}

/// The rule by which an output is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judging {
    /// It is the answer, byte for byte.
    Exact,
    /// It holds the answer's words, whatever space is between them.
    Tokens,
    /// The same, where numbers may differ by so much, absolutely or in relation to the answer's.
    Float(f64),
    /// A program of the author says so.
    Checker(Program),
    /// A program of the author talks to the agent's.
    Interactor(Program),
}

/// Python of the author's in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// The file's name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// SHA-256 of the text, as hex.
    #[serde(skip)]
    pub sha256: String,
}

/// A case as it stands among a task's tests.
pub(super) struct Listed {
    /// Such as `secret/3`.
    pub name: String,
    pub case: Case,
    /// Text of the case for readers.
    pub shown: String,
    /// 1-based line of the task's file that names the folder.
    pub line: usize,
    pub weight: f64,
    pub public: bool,
    pub timeout: Option<Duration>,
}

/// Conditions that all cases of a folder share.
struct Terms {
    weight: f64,
    public: Public,
    timeout: Option<Duration>,
    all_or_nothing: bool,
}

impl Case {
    /// All that decides on an output; files and programs by their digests.
    pub(super) fn key(&self) -> serde_json::Value {
        let answer = self.answer.as_ref().map(|answer| &answer.sha256);
        let mut key = json!({ "input": self.input.sha256, "answer": answer, "judging": self.judging.key() });
        if let Some(group) = &self.group {
            key["group"] = json!(group);
        }
        key
    }
}

impl Judging {
    fn key(&self) -> serde_json::Value {
        match self {
            Self::Exact | Self::Tokens | Self::Float(_) => json!(self),
            Self::Checker(program) => json!(["checker", program.name, program.sha256]),
            Self::Interactor(program) => json!(["interactor", program.name, program.sha256]),
        }
    }
}

/// All cases that stand at `cases:`, a folder or a list of them.
pub(super) fn read(place: &Place<'_>, source: &Source<'_>) -> Vec<Listed> {
    match place.node.kind {
        Kind::Sequence(_) => {
            place.items().into_iter().flatten().flat_map(|item| entry(&item, source)).collect()
        }
        _ => entry(place, source),
    }
}

/// The cases of one folder: its name, or a mapping.
fn entry(place: &Place<'_>, source: &Source<'_>) -> Vec<Listed> {
    if !matches!(place.node.kind, Kind::Mapping(_)) {
        let terms = Terms { weight: 1.0, public: Public::All(false), timeout: None, all_or_nothing: false };
        return listed(Some(place.clone()), source, Some(Arc::new(Judging::Tokens)), &terms);
    }
    let Some(mut fields) = place.fields() else { return Vec::new() };
    let folder = fields.required("folder");
    let judging = judging(&mut fields, source).map(Arc::new);
    let weight = fields.checked("weight", 1.0, check::weight);
    let public = fields.get("public").map_or(Public::All(false), |place| Public::read(&place));
    let timeout = fields.optional("timeout", check::timeout);
    let all_or_nothing = fields.field("all_or_nothing", false);
    fields.finish();
    listed(folder, source, judging, &Terms { weight, public, timeout, all_or_nothing })
}

fn judging(fields: &mut Reader<'_>, source: &Source<'_>) -> Option<Judging> {
    let compare = fields.get("compare").filter(|place| !place.is_null());
    let interactor = fields.get("interactor").filter(|place| !place.is_null());
    match (compare, interactor) {
        (None, None) => Some(Judging::Tokens),
        (Some(compare), None) => self::compare(&compare, source),
        (None, Some(file)) => program(&file, source).map(Judging::Interactor),
        (Some(compare), Some(_)) => {
            compare.complain("an interactor decides by itself; leave compare out");
            None
        }
    }
}

fn compare(place: &Place<'_>, source: &Source<'_>) -> Option<Judging> {
    const CHOICES: &str = "expected exact, tokens, {float: 1e-6} or {checker: check.py}";
    if !matches!(place.node.kind, Kind::Mapping(_)) {
        return place.value(|word: String| match word.as_str() {
            "exact" => Ok(Judging::Exact),
            "tokens" => Ok(Judging::Tokens),
            _ => Err(format!("{CHOICES}, found {}", excerpt(&word))),
        });
    }
    let mut fields = place.fields()?;
    let found = match (fields.get("float"), fields.get("checker")) {
        (Some(float), None) => float.value(tolerance).map(Judging::Float),
        (None, Some(file)) => program(&file, source).map(Judging::Checker),
        _ => {
            place.complain(CHOICES);
            None
        }
    };
    fields.finish();
    found
}

fn tolerance(number: f64) -> Result<f64, String> {
    match number > 0.0 && number < 1.0 {
        true => Ok(number),
        false => Err(format!("expected a number between 0 and 1, such as 1e-6, found {number}")),
    }
}

/// The Python file that stands here.
fn program(place: &Place<'_>, source: &Source<'_>) -> Option<Program> {
    place.value(|path: String| {
        let file = source.file(&path, "sums/check.py")?;
        let size = fs::metadata(&file).map_or(0, |data| data.len());
        if size > MAX_PROGRAM {
            return Err(format!("expected at most 1MiB of Python, found {size} bytes"));
        }
        let text = fs::read_to_string(&file).map_err(|error| format!("can't read {path:?}: {error}"))?;
        let sha256 = digest::sha256(text.as_bytes());
        Ok(Program { name: path, text, sha256 })
    })
}

fn listed(
    folder: Option<Place<'_>>,
    source: &Source<'_>,
    judging: Option<Arc<Judging>>,
    terms: &Terms,
) -> Vec<Listed> {
    let (Some(place), Some(judging)) = (folder, judging) else { return Vec::new() };
    let Some((folder, pairs)) = place.value(|path: String| {
        let folder = source.folder(&path, "sums/secret")?;
        let pairs = pairs(&folder, source, matches!(*judging, Judging::Interactor(_)))?;
        Ok((folder, pairs))
    }) else {
        return Vec::new();
    };
    if let Public::These(names) = &terms.public
        && let Some(odd) = names.iter().find(|name| !pairs.iter().any(|(stem, ..)| stem == *name))
    {
        place.complain(format!("public names a case {odd:?}, and there is no {odd}.in"));
    }
    let prefix = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let line = place.node.at.line;
    let list = |(stem, input, answer): (String, DataFile, Option<DataFile>)| {
        let public = terms.public.has(&stem);
        let group = terms.all_or_nothing.then(|| prefix.clone());
        let case = Case { input, answer, judging: Arc::clone(&judging), group };
        let shown = shown(&case, public);
        let Terms { weight, timeout, .. } = *terms;
        Listed { name: format!("{prefix}/{stem}"), case, shown, line, weight, public, timeout }
    };
    pairs.into_iter().map(list).collect()
}

/// Text of a case for readers: all of it where it is public and short.
fn shown(case: &Case, public: bool) -> String {
    let part = |what: &str, file: &DataFile| match file.excerpt(if public { SHOWN } else { 0 }) {
        Some(text) if public => format!("{what} ({}):\n{}\n", file.name(), text.trim_end()),
        _ => format!("{what}: {} ({} bytes)\n", file.name(), file.size),
    };
    let right = match *case.judging {
        Judging::Exact => "stdout, exactly",
        Judging::Tokens => "stdout, word by word",
        Judging::Float(_) => "stdout, numbers nearly",
        Judging::Checker(_) => "a right stdout",
        Judging::Interactor(_) => "known to the other side",
    };
    let input = match *case.judging {
        Judging::Interactor(_) => "a dialogue on",
        _ => "stdin",
    };
    part(input, &case.input) + &case.answer.as_ref().map_or(String::new(), |answer| part(right, answer))
}

type Pair = (String, DataFile, Option<DataFile>);

/// The cases of a folder in the order of their names, numbers by their size.
fn pairs(folder: &Path, source: &Source<'_>, is_alone: bool) -> Result<Vec<Pair>, String> {
    let (mut inputs, mut answers) = (BTreeMap::new(), BTreeMap::new());
    for path in files(folder)? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = match path.extension().and_then(|ending| ending.to_str()) {
            Some("in") => inputs.insert(natural(&stem), (stem, path)),
            Some("out" | "ans") => answers.insert(natural(&stem), (stem, path)),
            _ => {
                case_names::check(&path.file_name().unwrap_or_default().to_string_lossy())?;
                None
            }
        };
        if let Some((stem, _)) = known {
            return Err(format!("two files {stem}: one answer is {stem}.out or {stem}.ans"));
        }
    }
    match inputs.len() {
        0 => return Err(format!("no case in it: {}", case_names::RULE)),
        1..=MAX_CASES => {}
        many => return Err(format!("expected at most {MAX_CASES} cases, found {many}")),
    }
    let mut pairs = Vec::new();
    for (key, (stem, input)) in inputs {
        let answer = answers.remove(&key).map(|(_, path)| path);
        if answer.is_none() && !is_alone {
            return Err(format!("{stem}.in has no {stem}.out and no {stem}.ans beside it"));
        }
        let file = |path: PathBuf| source.inside(path).and_then(DataFile::of);
        pairs.push((stem, file(input)?, answer.map(file).transpose()?));
    }
    match answers.into_values().next() {
        Some((stem, _)) => Err(format!("an answer of {stem} has no {stem}.in beside it")),
        None => Ok(pairs),
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cant = |error| format!("can't read {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(cant)?.collect::<Result<Vec<_>, _>>().map_err(cant)?;
    let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let seen = entries.into_iter().filter(|entry| !hidden(&entry.file_name()));
    Ok(seen.map(|entry| entry.path()).filter(|path| path.is_file()).collect())
}

/// A key that sorts `2` before `10`, and no two different names alike.
fn natural(name: &str) -> (String, String) {
    let (mut key, mut digits) = (String::new(), String::new());
    for c in name.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            key += &format!("{digits:0>20}");
            digits.clear();
        }
        key.push(c);
    }
    (key, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{self, Form, Task};
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = dir.path().join("tasks").join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        dir
    }

    fn load(dir: &TempDir) -> Result<Task, String> {
        let loaded = task::load(&dir.path().join("tasks"));
        let cut = |text: String| text.replace(&format!("{}/tasks/", dir.path().display()), "");
        loaded.map(|mut tasks| tasks.remove(0)).map_err(|problems| cut(problems.to_string()))
    }

    /// A task of one field `cases` and these files; where that is a list of folders, so is this.
    fn mistake(cases: &str, files: &[(&str, &str)]) -> String {
        let text = format!("prompt: p\ncases: {cases}\n");
        load(&folder(&[files, &[("t.yaml", text.as_str())]].concat())).unwrap_err()
    }

    #[test]
    fn keys_of_cases_stay_short_and_change_with_the_program() {
        let text = "prompt: p\ncases: [{folder: s, compare: {checker: c.py}}]\n";
        let load = |checker: &str| {
            load(&folder(&[&PAIR[..], &[("t.yaml", text), ("c.py", checker)]].concat())).unwrap()
        };
        let key = |task: &Task| match &task.tests[0].form {
            Form::Case(case) => case.key().to_string(),
            form => panic!("{form:?}"),
        };
        let (long, other) = (load(&"#".repeat(1 << 20)), load("# another"));
        assert!(key(&long).len() < 400, "{}", key(&long).len());
        assert_ne!(key(&long), key(&other));
        assert_ne!(long.digest(), other.digest());
    }

    const PAIR: [(&str, &str); 2] = [("s/1.in", "1 2\n"), ("s/1.out", "3\n")];

    #[test]
    fn pairs_become_tests_in_the_order_of_their_numbers_and_public_ones_come_first() {
        let text = "prompt: p\ntests: [assert f(1)]\ncases:\n  - folder: s\n    public: [10, \"007\", 08]\n    weight: 2\n    \
                    timeout: 1s\n  - {folder: t/sample, compare: exact, public: true}\n";
        let dir = folder(&[
            ("t.yaml", text),
            ("s/10.in", "1 2\n"),
            ("s/10.ans", "3\n"),
            ("s/2.in", "x"),
            ("s/2.out", "y"),
            ("s/007.in", "x"),
            ("s/007.out", "y"),
            ("s/08.in", "x"),
            ("s/08.out", "y"),
            ("s/notes.md", "no case"),
            ("s/.hidden.in", "no case"),
            ("t/sample/a.in", "\u{e9}"),
            ("t/sample/a.out", ""),
        ]);
        let task = load(&dir).unwrap();
        let seen: Vec<_> = task
            .tests
            .iter()
            .map(|test| (test.name.as_str(), test.assertion.line, test.weight, test.timeout, test.public))
            .collect();
        let second = Some(Duration::from_secs(1));
        let expected = [
            ("s/007", 4, 2.0, second, true),
            ("s/08", 4, 2.0, second, true),
            ("s/10", 4, 2.0, second, true),
            ("sample/a", 8, 1.0, None, true),
            ("test 1", 2, 1.0, None, false),
            ("s/2", 4, 2.0, second, false),
        ];
        assert_eq!(seen, expected);
        let shown = "stdin (10.in):\n1 2\nstdout, word by word (10.ans):\n3\n";
        assert_eq!(task.tests[2].assertion.text, shown);
        assert_eq!(
            task.tests[5].assertion.text,
            "stdin: 2.in (1 bytes)\nstdout, word by word: 2.out (1 bytes)\n"
        );
        let Form::Case(case) = &task.tests[3].form else { panic!("a case") };
        assert_eq!((&*case.judging, case.input.read()), (&Judging::Exact, Ok("\u{e9}".into())));
    }

    #[test]
    fn a_task_is_another_one_when_its_files_or_its_rule_change() {
        let digest = |cases: &str, answer: &str| {
            let text = format!("prompt: p\ncases: {cases}\n");
            load(&folder(&[PAIR[0], ("s/1.out", answer), ("t.yaml", &text)])).unwrap().digest()
        };
        let plain = digest("s", "3\n");
        assert_eq!(digest("{folder: s, compare: tokens}", "3\n"), plain);
        let rules = ["compare: exact", "compare: {float: 1e-6}", "timeout: 1s", "weight: 2", "public: true"];
        for other in rules.map(|rule| digest(&format!("{{folder: s, {rule}}}"), "3\n")) {
            assert_ne!(other, plain);
        }
        assert_ne!(digest("s", "4\n"), plain);
    }

    #[test]
    fn mistakes_are_named() {
        let alone = [("s/1.in", "")];
        let python = [&PAIR[..], &[("c.py", "")]].concat();
        type Files<'a> = &'a [(&'a str, &'a str)];
        let cases: [(&str, Files<'_>, &str); 15] = [
            ("[]", &[], "t.yaml:2:8: cases: expected at least one folder of cases"),
            ("x", &[], "t.yaml:2:8: cases: no such folder: \"x\""),
            ("/etc", &[], "expected a path relative to this file, such as \"sums/secret\""),
            ("..", &[], "must lie in the tasks folder"),
            ("s", &[("s/1.IN", ""), ("s/1.OUT", "")], "1.IN would be passed over: a case is NAME.in with"),
            ("s", &[("s/a.txt", "")], "no case in it: a case is NAME.in with NAME.out or NAME.ans"),
            ("s", &alone, "1.in has no 1.out and no 1.ans beside it"),
            (
                "s",
                &[("s/1.in", ""), ("s/1.ans", ""), ("s/2.ans", "")],
                "an answer of 2 has no 2.in beside it",
            ),
            (
                "s",
                &[("s/1.in", ""), ("s/1.ans", ""), ("s/1.out", "")],
                "two files 1: one answer is 1.out or 1.ans",
            ),
            ("[s, s]", &PAIR, "another test is called \"s/1\""),
            (
                "{folder: s, compare: near}",
                &PAIR,
                "expected exact, tokens, {float: 1e-6} or {checker: check.py}, found",
            ),
            (
                "{folder: s, compare: {float: 2}}",
                &PAIR,
                "expected a number between 0 and 1, such as 1e-6, found 2",
            ),
            ("{folder: s, public: [x]}", &PAIR, "public names a case \"x\", and there is no x.in"),
            ("{folder: s, interactor: c.py, compare: exact}", &python, "an interactor decides by itself"),
            (
                "{folder: s, compare: {checker: d.py}}",
                &python,
                "cases.compare.checker: no such file: \"d.py\"",
            ),
        ];
        for (text, files, expected) in cases {
            let found = mistake(text, files);
            assert!(found.contains(expected), "{text}: {found}");
        }
        let dir = folder(&[&PAIR[..1], &[("t.yaml", "prompt: p\ncases: s\n")]].concat());
        fs::write(dir.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink("../../secret", dir.path().join("tasks/s/1.out")).unwrap();
        assert_eq!(load(&dir).unwrap_err(), "t.yaml:2:8: cases: must lie in the tasks folder");
        let huge = fs::File::create(dir.path().join("tasks/s/2.in")).unwrap();
        huge.set_len(DataFile::MOST + 1).unwrap();
        fs::remove_file(dir.path().join("tasks/s/1.out")).unwrap();
        fs::write(dir.path().join("tasks/s/1.out"), "").unwrap();
        fs::write(dir.path().join("tasks/s/2.out"), "").unwrap();
        assert!(load(&dir).unwrap_err().contains("2.in is larger than 32MiB"));
    }
}
