//! Folders of inputs and outputs: a task for each folder that holds some, with its pairs as cases.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::import::draft::{Content, Converted, Draft, DraftCases, DraftFile, Drafts, Note};
use crate::import::entries;
use crate::import::folder;
use crate::import::limits;
use crate::import::statement::{self, Statement};
use crate::util::first_few::first_few;
use crate::util::plural::counted;

/// The reference solution beside a folder's cases.
const SOLUTION: &str = "solution.py";

/// Endings of inputs, and those of their outputs.
const ENDINGS: [(&str, &[&str]); 4] =
    [(".in", &[".out", ".ans", ".a"]), (".input", &[".output"]), (".in.txt", &[".out.txt"]), ("", &[".a"])];

/// Reads a folder, and all below it.
pub(super) fn read(root: &Path) -> anyhow::Result<Drafts> {
    folder::check(root)?;
    let root = root.canonicalize()?;
    let mut drafts = Drafts::default();
    let (mut seen, mut used) = (Vec::new(), HashSet::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let (files, mut below) =
            listed(&folder).with_context(|| format!("can't read {}", folder.display()))?;
        below.sort_by(|a, b| b.cmp(a));
        folders.extend(below);
        let (pairs, alone) = pairs(&files);
        used.extend(alone.iter().filter_map(|name| files.get(name).cloned()));
        let place = place(&root, &folder);
        let lonely =
            alone.iter().map(|name| Note { place: place.clone(), text: format!("{name} has no output") });
        drafts.refused.extend(lonely);
        if !pairs.is_empty() {
            used.extend(pairs.iter().flat_map(|(_, input, output)| [input.clone(), output.clone()]));
            let statement = statement::find(&root, &folder);
            used.extend(statement.iter().map(|statement| statement.file.clone()));
            used.insert(folder.join(SOLUTION));
            drafts.take(&place, task(&root, &folder, pairs, statement));
        }
        seen.extend(files.into_values());
    }
    let other = seen.iter().filter(|file| !used.contains(*file)).map(|file| place(&root, file));
    let other: Vec<String> = other.collect();
    if drafts.drafts.is_empty() && drafts.refused.is_empty() {
        bail!("no pair of files such as 1.in with 1.out in it{}", only(&other));
    }
    drafts.notes.extend(passed_over(&other));
    drafts.drafts.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(drafts)
}

/// A file or a folder, seen from the root.
fn place(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path).display().to_string();
    if inside.is_empty() { ".".to_owned() } else { inside }
}

/// The files that became no part of a task, told in one line.
fn passed_over(files: &[String]) -> Option<Note> {
    let text = format!("passed over, as no input with its output: {}", first_few(files));
    (!files.is_empty()).then(|| Note { place: counted(files.len() as u64, "file"), text })
}

/// The files that are there instead of pairs.
fn only(files: &[String]) -> String {
    if files.is_empty() { String::new() } else { format!(", only {}", first_few(files)) }
}

type Files = BTreeMap<String, PathBuf>;

/// The files of a folder by name, and the folders in it; hidden ones are passed over.
fn listed(folder: &Path) -> std::io::Result<(Files, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Files::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => folders.push(entry.path()),
            false if entry.path().is_file() => drop(files.insert(name, entry.path())),
            false => {}
        }
    }
    Ok((files, folders))
}

/// A case's name, input and output.
type Pair = (String, PathBuf, PathBuf);

/// The pairs, and the inputs that have no output.
fn pairs(files: &Files) -> (Vec<Pair>, Vec<String>) {
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for (name, path) in files {
        match case(name, files) {
            Found::Pair(stem, output) => pairs.push((stem, path.clone(), output)),
            Found::Alone => alone.push(name.clone()),
            Found::Other => {}
        }
    }
    (pairs, alone)
}

enum Found {
    Pair(String, PathBuf),
    Alone,
    Other,
}

fn case(name: &str, files: &Files) -> Found {
    if let Some(number) = name.strip_prefix("input")
        && let Some(output) = files.get(&format!("output{number}"))
    {
        let stem = number.trim_end_matches(".txt").trim_start_matches(['_', '-', '.']);
        return Found::Pair(if stem.is_empty() { "1" } else { stem }.to_owned(), output.clone());
    }
    for (ending, outputs) in ENDINGS {
        let Some(stem) = name.strip_suffix(ending) else { continue };
        let output = outputs.iter().find_map(|output| files.get(&format!("{stem}{output}")));
        match output {
            Some(output) => return Found::Pair(stem.to_owned(), output.clone()),
            None if ending == ".in" => return Found::Alone,
            None => {}
        }
    }
    Found::Other
}

fn task(root: &Path, folder: &Path, pairs: Vec<Pair>, statement: Option<Statement>) -> Converted {
    let inside = folder.strip_prefix(root).unwrap_or(folder);
    let name = match inside.as_os_str().is_empty() {
        true => root.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        false => inside.to_string_lossy().replace('/', "-"),
    };
    let id = entries::id(&name)?;
    let remark = match &statement {
        None => Some(format!("no prompt.md is there: write what {id} asks for into its prompt")),
        Some(Statement { file, is_above: true, .. }) => {
            Some(format!("no prompt.md is there: took {} of the folder above", place(root, file)))
        }
        Some(_) => None,
    };
    let prompt = statement.map_or_else(
        || "Read the input from stdin and print the output to stdout.".to_owned(),
        |statement| statement.text,
    );
    let data = format!("data/{id}");
    let file = |(stem, input, output): Pair| {
        let file = |ending: &str, path| DraftFile {
            name: format!("{data}/{stem}.{ending}"),
            content: Content::Copy(path),
        };
        [file("in", input), file("out", output)]
    };
    let fields = vec![limits::of_case(limits::SECONDS)];
    let draft = Draft {
        id,
        prompt,
        limits: vec![limits::of_run(limits::SECONDS, pairs.len())],
        files: pairs.into_iter().flat_map(file).collect(),
        cases: vec![DraftCases { folder: data.clone(), fields, ..DraftCases::default() }],
        solution: fs::read_to_string(folder.join(SOLUTION)).ok(),
        ..Draft::default()
    };
    Ok((draft, remark.into_iter().collect()))
}
