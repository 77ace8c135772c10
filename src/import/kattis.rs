//! Problem packages of Kattis and the ICPC: `problem.yaml`, `data/sample`, `data/secret`, an output validator in Python.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_yaml::Value;

use crate::import::draft::{Content, Converted, Draft, DraftCases, DraftFile, Drafts, Note};
use crate::import::entries;
use crate::import::folder;
use crate::import::limits;
use crate::util::text::visible;
use crate::yaml;

/// Most bytes of a package, unpacked.
const MAX_PACKAGE: u64 = 1 << 30;

/// Most entries of a zip.
const MAX_ENTRIES: usize = 50_000;

/// Most memory that a task is given, in MiB, whatever the package says.
const MAX_MEMORY: f64 = 65536.0;

/// Reads a package: a folder, or a zip of one. It is named by the folder of problem.yaml; a zip that has it at its top, by the zip.
pub(super) fn read(path: &Path) -> anyhow::Result<Drafts> {
    let mut drafts = Drafts::default();
    let mut root = path.to_owned();
    if path.metadata()?.is_file() {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        drafts.notes = unpack(path, folder.path())?;
        root = folder.path().to_owned();
        drafts.unpacked = Some(folder);
    }
    let root = package(&root).context("there is no problem.yaml in it")?;
    let is_bare = drafts.unpacked.as_ref().is_some_and(|folder| folder.path() == root);
    let named = if is_bare { path.with_extension("") } else { root.canonicalize()? };
    let name = named.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder::check(&root)?;
    drafts.take(&name, convert(&name, &root));
    Ok(drafts)
}

/// The folder of problem.yaml: this one, or the only one in it.
fn package(root: &Path) -> Option<PathBuf> {
    let is_package = |folder: &PathBuf| folder.join("problem.yaml").is_file();
    let here = Some(root.to_owned()).filter(is_package);
    let below = || fs::read_dir(root).ok()?.flatten().map(|entry| entry.path()).find(is_package);
    here.or_else(below)
}

/// Unpacks a zip; notes on its links, which would be other files here than where they were packed.
fn unpack(path: &Path, folder: &Path) -> anyhow::Result<Vec<Note>> {
    let mut archive = zip::ZipArchive::new(File::open(path)?).context("not a zip")?;
    let entries = archive.len();
    ensure!(entries <= MAX_ENTRIES, "it has {entries} entries, of at most {MAX_ENTRIES}");
    let (mut left, mut links) = (MAX_PACKAGE, Vec::new());
    for at in 0..entries {
        let mut entry = archive.by_index(at)?;
        let Some(name) = entry.enclosed_name() else { bail!("it names a file outside of itself") };
        if entry.is_symlink() {
            let text = "is a symbolic link and left out: pack the file itself, as zip does without -y";
            links.push(Note { place: visible(&name.to_string_lossy(), 200), text: text.to_owned() });
        }
        if !entry.is_file() {
            continue;
        }
        let file = folder.join(&name);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = match File::create_new(file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("{} is in it twice", name.display())
            }
            file => file?,
        };
        let size = io::copy(&mut entry.by_ref().take(left + 1), &mut file)?;
        left = left.checked_sub(size).context("larger than 1GiB when unpacked")?;
    }
    ensure!(left < MAX_PACKAGE, "it is empty");
    Ok(links)
}

fn convert(name: &str, root: &Path) -> Converted {
    let text =
        fs::read_to_string(root.join("problem.yaml")).map_err(|error| format!("problem.yaml: {error}"))?;
    let log = yaml::Log::new(Path::new("problem.yaml"));
    let read = yaml::parse(&log, text.as_bytes());
    log.finish(read).map_err(|problems| problems.to_string())?; // before a reader that nesting would keep for minutes
    let about: Value = serde_yaml::from_str(&text).map_err(|error| format!("problem.yaml: {error}"))?;
    let id = entries::id(name)?;
    if word(&about, "type").contains("scoring") {
        return Err("it is scored by points of test groups, not passed or failed".to_owned());
    }
    if ["multi-pass", "submit-answer"].iter().any(|kind| word(&about, "type").contains(kind)) {
        return Err(format!("problems of type {} can't be said", word(&about, "type")));
    }
    let (rule, program) = rule(&about, root, &id)?;
    let mut files: Vec<DraftFile> = program.into_iter().collect();
    let about_limits = about.get("limits").cloned().unwrap_or_default();
    let seconds = number(&about_limits, "time_limit").or_else(|| timelimit(root)).unwrap_or(limits::SECONDS);
    let (mut cases, mut count) = (Vec::new(), 0);
    for (folder, public) in folders(root)? {
        let inside =
            folder.strip_prefix(root.join("data")).unwrap_or(&folder).to_string_lossy().replace('/', "-");
        let target = format!("data/{id}/{inside}");
        let copied = copies(&folder, &target)?;
        count += copied.len();
        if !copied.is_empty() {
            let fields = rule.iter().cloned().chain([limits::of_case(seconds)]).collect();
            cases.push(DraftCases { folder: target, public, fields });
        }
        files.extend(copied);
    }
    if cases.is_empty() {
        return Err("it has no data/sample and no data/secret with files".to_owned());
    }
    let (prompt, mut remarks) = statement(root, &about);
    let (solution, others) = solution(root);
    remarks.extend(others);
    let mut limits_of_task = vec![limits::of_run(seconds, count)];
    limits_of_task.extend(bounds(&about_limits, &mut remarks));
    Ok((Draft { id, prompt, cases, limits: limits_of_task, files, solution, ..Draft::default() }, remarks))
}

fn word(about: &Value, name: &str) -> String {
    match about.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Sequence(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

fn number(about: &Value, name: &str) -> Option<f64> {
    about.get(name)?.as_f64().filter(|number| *number > 0.0 && number.is_finite())
}

fn timelimit(root: &Path) -> Option<f64> {
    let file = Some(root.join(".timelimit")).filter(|file| file.is_file())?;
    fs::read_to_string(file).ok()?.trim().parse().ok().filter(|seconds: &f64| *seconds > 0.0)
}

/// Memory and output of the package, as far as they can be kept.
fn bounds(limits: &Value, remarks: &mut Vec<String>) -> Vec<(&'static str, String)> {
    let memory =
        number(limits, "memory").map(|mib| ("memory", format!("{}MiB", mib.clamp(64.0, MAX_MEMORY) as u64)));
    let output = number(limits, "output").unwrap_or(8.0);
    if output > 7.0 {
        remarks.push(format!("an output may have 7MiB, not the {output}MiB of the package"));
    }
    memory.into_iter().chain([("output", format!("{}MiB", output.clamp(1.0, 7.0) as u64))]).collect()
}

/// Folders of cases, each with whether miners see it: `data/sample`, `data/secret` and the groups in it.
fn folders(root: &Path) -> Result<Vec<(PathBuf, bool)>, String> {
    let mut found = vec![(root.join("data/sample"), true)];
    let mut open = vec![root.join("data/secret")];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut below: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        below.sort();
        open.extend(below.into_iter().rev());
        found.push((folder, false));
    }
    found.retain(|(folder, _)| folder.is_dir());
    Ok(found)
}

fn copies(folder: &Path, target: &str) -> Result<Vec<DraftFile>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("can't read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let is_case = |path: &&PathBuf| matches!(path.extension().and_then(|it| it.to_str()), Some("in" | "ans"));
    let file = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        DraftFile { name: format!("{target}/{name}"), content: Content::Copy(path.clone()) }
    };
    Ok(paths.iter().filter(is_case).map(file).collect())
}

type Rule = (Vec<(&'static str, String)>, Option<DraftFile>);

/// The field that says how outputs are judged, and the program that it names.
fn rule(about: &Value, root: &Path, id: &str) -> Result<Rule, String> {
    let validation = word(about, "validation");
    let flags = word(about, "validator_flags");
    let is_interactive = validation.contains("interactive") || word(about, "type").contains("interactive");
    let source = validator(root)?;
    match source {
        None if validation.contains("custom") || is_interactive => {
            Err("it has no output validator in Python".to_owned())
        }
        None => Ok(default_rule(&flags, id)),
        Some(_) if validation.contains("score") => Err("its validator gives points".to_owned()),
        Some(source) => {
            let name = format!("validators/{id}.py");
            let words: Vec<String> = flags.split_whitespace().map(|word| format!("{word:?}")).collect();
            let given = format!("import sys\n\nsys.argv += [{}]\n", words.join(", "));
            let source = if words.is_empty() { source } else { given + &source };
            let field = match is_interactive {
                true => ("interactor", name.clone()),
                false => ("compare", format!("{{checker: {name}}}")),
            };
            Ok((vec![field], Some(DraftFile { name, content: Content::Text(source) })))
        }
    }
}

/// The one Python file of the output validator, if there is a validator.
fn validator(root: &Path) -> Result<Option<String>, String> {
    let mut files = Vec::new();
    for folder in ["output_validators", "output_validator"] {
        gather(&root.join(folder), &mut files);
    }
    let is_python = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "py");
    match files.as_slice() {
        [] => Ok(None),
        [one] if is_python(one) => fs::read_to_string(one).map(Some).map_err(|error| error.to_string()),
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|path| path.file_name())
                .map(|name| name.to_string_lossy())
                .collect();
            Err(format!("its output validator is not one Python file but {}", names.join(", ")))
        }
    }
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => gather(&path, files),
            path if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) => {}
            path => files.push(path),
        }
    }
}

/// The comparison of a package without a validator: words, upper case as lower case unless its flags say otherwise.
fn default_rule(flags: &str, id: &str) -> Rule {
    let words: Vec<&str> = flags.split_whitespace().collect();
    let tolerance = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(word))?;
        words.get(at + 1)?.parse::<f64>().ok()
    };
    let both = tolerance(&["float_tolerance"]);
    let absolute = tolerance(&["float_absolute_tolerance"]).or(both);
    let relative = tolerance(&["float_relative_tolerance"]).or(both);
    let (case, space) = (words.contains(&"case_sensitive"), words.contains(&"space_change_sensitive"));
    if case && !space && absolute.is_none() && relative.is_none() {
        return (vec![("compare", "tokens".to_owned())], None);
    }
    let name = format!("validators/{id}.py");
    let constants = [
        ("CASE", python_bool(case)),
        ("SPACE", python_bool(space)),
        ("ABSOLUTE", absolute.map_or("None".to_owned(), |number| format!("{number:?}"))),
        ("RELATIVE", relative.map_or("None".to_owned(), |number| format!("{number:?}"))),
    ];
    let constants: String = constants.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    let content = Content::Text(format!("{DEFAULT}\n\n{constants}"));
    (vec![("compare", format!("{{checker: {name}}}"))], Some(DraftFile { name, content }))
}

fn python_bool(yes: bool) -> String {
    if yes { "True" } else { "False" }.to_owned()
}

const DEFAULT: &str = r#""""The comparison of problem packages without an output validator; the flags stand at the end."""
import math
import re


def check(input, output, answer):
    got, right = words(output), words(answer)
    assert len(got) >= len(right), f"expected {len(right)} words, got {len(got)}"
    for number, pair in enumerate(zip(got, right), 1):
        assert same(*pair), f"word {number}: expected {pair[1]!r}, got {pair[0]!r}"
    return len(got) == len(right)


def words(text):
    return re.split(r"(\s)", text) if SPACE else text.split()


def same(got, right):
    if got == right or not CASE and got.lower() == right.lower():
        return True
    if ABSOLUTE is None and RELATIVE is None:
        return False
    try:
        got, right = float(got), float(right)
    except ValueError:
        return False
    distance = abs(got - right)
    within = distance <= (ABSOLUTE or 0) or distance <= (RELATIVE or 0) * abs(right)
    return got == right or math.isfinite(right) and within"#;

/// The statement, as it stands in the package.
fn statement(root: &Path, about: &Value) -> (String, Vec<String>) {
    let mut files = Vec::new();
    for folder in ["problem_statement", "statement"] {
        gather(&root.join(folder), &mut files);
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "tex" || ending == "md"));
    files.sort_by_key(|path| (!path.to_string_lossy().contains(".en."), path.clone()));
    let title = word(about, "name");
    match files.first().and_then(|path| fs::read_to_string(path).ok()) {
        Some(text) => (format!("{title}\n\n{}", text.trim()).trim().to_owned(), Vec::new()),
        None => {
            let prompt = format!("{title}\n\nRead the input from stdin and print the output to stdout.");
            (prompt.trim().to_owned(), vec!["it has no statement: write one into its prompt".to_owned()])
        }
    }
}

/// The first accepted submission in Python.
fn solution(root: &Path) -> (Option<String>, Vec<String>) {
    let mut files = Vec::new();
    gather(&root.join("submissions/accepted"), &mut files);
    files.retain(|path| path.extension().is_some_and(|ending| ending == "py"));
    files.sort();
    match files.first().and_then(|path| fs::read_to_string(path).ok()) {
        Some(text) => (Some(text), Vec::new()),
        None => (None, vec!["it has no accepted submission in Python to prove it by".to_owned()]),
    }
}
