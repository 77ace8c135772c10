//! Joined source: the files of a submission as one text, so that one digest stands for all of them.
//!
//! ```text
//! ==> 2 files <==
//! ==> agent.py: 15 bytes <==
//! import helpers
//!
//! ==> helpers.py: 6 bytes <==
//! x = 1
//!
//! ```
//!
//! There is one such text for given files: they are sorted, and their lengths leave nothing open, whatever they hold. No Python
//! begins like that. A file that does is the same submission as the folder of those files, so nobody gains by writing one.

use std::collections::HashMap;

use crate::model::miner_id::printable;

/// The beginning of a joined source, and of none in Python.
const MARK: &[u8] = b"==> ";

/// The file that tasks ask.
pub const AGENT: &str = "agent.py";

/// Files that a submission may have at most, whatever the pipeline allows.
pub const MOST: usize = 100;

/// Folders that a file may lie in, one in the other.
pub const DEPTH: usize = 8;

/// Bytes of a file's or a folder's name.
const NAME: usize = 64;

/// One file of a joined source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its path, such as `parts/tree.py`.
    pub path: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
}

impl<'a> Part<'a> {
    /// The first component of its path, as it is imported.
    #[must_use]
    pub fn module(&self) -> &'a str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".py").unwrap_or(first)
    }
}

/// Tells whether a source is a joined one, or means to be.
#[must_use]
pub fn is_joined(source: &[u8]) -> bool {
    source.starts_with(MARK)
}

/// Joins files, each a path and what it holds, in the order of their paths.
#[must_use]
pub fn join<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut joined = head(files.len()).into_bytes();
    for (path, content) in files {
        joined.extend_from_slice(heading(path, content.len()).as_bytes());
        joined.extend_from_slice(content);
        joined.push(b'\n');
    }
    joined
}

fn head(files: usize) -> String {
    format!("==> {files} files <==\n")
}

fn heading(path: &str, bytes: usize) -> String {
    format!("==> {path}: {bytes} bytes <==\n")
}

/// Takes a joined source apart; the agent is among the files, and the names of all are such that Python can import them.
///
/// # Errors
/// It is none that [`join`] would make, or a name is not to be had.
pub fn parts(source: &[u8]) -> Result<Vec<Part<'_>>, String> {
    let (line, mut rest) = line(source).ok_or("begins as several files in one do, and is none of these")?;
    let mut all: Vec<Part<'_>> = Vec::new();
    while !rest.is_empty() {
        let (part, behind) = part(rest).ok_or_else(|| broken(all.last()))?;
        check_path(part.path)
            .map_err(|reason| format!("holds {}, which {reason}", printable(part.path.as_bytes())))?;
        all.push(part);
        rest = behind;
    }
    if let Some(pair) = all.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(format!("has two files {}", printable(pair[0].path.as_bytes())));
    }
    if head(all.len()) != line || !all.is_sorted_by(|a, b| a.path < b.path) {
        let line = printable(line.trim_end().as_bytes());
        return Err(format!("begins with {line} and holds {} files, or not in order", all.len()));
    }
    check_case(&all)?;
    match all.iter().any(|part| part.path == AGENT) {
        true => Ok(all),
        false => Err(format!("has no {AGENT} among its files")),
    }
}

fn broken(last: Option<&Part<'_>>) -> String {
    let place = last.map_or_else(
        || "in the beginning".to_owned(),
        |part| format!("behind {}", printable(part.path.as_bytes())),
    );
    format!("is several files in one, and no heading with the right number of bytes stands {place}")
}

/// The first line with its end, and what follows.
fn line(text: &[u8]) -> Option<(&str, &[u8])> {
    const LONGEST: usize = 1000;
    let end = text.iter().take(LONGEST).position(|&byte| byte == b'\n')? + 1;
    Some((std::str::from_utf8(&text[..end]).ok()?, &text[end..]))
}

fn part(text: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let (line, rest) = line(text)?;
    let (path, bytes) = line.strip_prefix("==> ")?.strip_suffix(" bytes <==\n")?.rsplit_once(": ")?;
    let bytes: usize = bytes.parse().ok()?;
    let (content, behind) = rest.split_at_checked(bytes)?;
    let is_plain = heading(path, bytes) == line;
    Some((Part { path, content }, behind.strip_prefix(b"\n")?)).filter(|_| is_plain)
}

/// Refuses a path that no import statement could name.
///
/// # Errors
/// The reason.
pub fn check_path(path: &str) -> Result<(), String> {
    let (folders, file) = path.rsplit_once('/').map_or((None, path), |(folders, file)| (Some(folders), file));
    let names = folders.into_iter().flat_map(|folders| folders.split('/'));
    match file.strip_suffix(".py") {
        None => Err("is no Python file; a submission is .py files and nothing else".to_owned()),
        Some(_) if names.clone().count() > DEPTH => {
            Err(format!("lies too deep; at most {DEPTH} folders in each other are taken"))
        }
        Some(stem) if names.chain([stem]).all(is_name) => Ok(()),
        Some(_) => Err(format!("can't be imported; a name is up to {NAME} letters, digits and _")),
    }
}

/// Tells whether a file without its ending, or a folder, may have this name.
fn is_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=NAME).contains(&name.len()) && name.bytes().all(is_word) && !name.as_bytes()[0].is_ascii_digit()
}

/// Refuses names that differ in case alone, which are one on some machines.
fn check_case(parts: &[Part<'_>]) -> Result<(), String> {
    let mut known: HashMap<String, &str> = HashMap::new();
    for part in parts {
        let ends = part.path.match_indices('/').map(|(at, _)| at).chain([part.path.len()]);
        for path in ends.map(|end| &part.path[..end]) {
            let other = *known.entry(path.to_ascii_lowercase()).or_insert(path);
            if other != path {
                let [other, path] = [other, path].map(|path| printable(path.as_bytes()));
                return Err(format!(
                    "has both {other} and {path}, which differ in upper and lower case alone"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(files: &[(&str, &str)]) -> Vec<u8> {
        join(files.iter().map(|(path, text)| (*path, text.as_bytes())))
    }

    #[test]
    fn files_are_joined_in_one_way() {
        let text = joined(&[("helpers.py", "x = 1\n"), ("agent.py", "import helpers\n")]);
        let expected = "==> 2 files <==\n==> agent.py: 15 bytes <==\nimport helpers\n\n==> helpers.py: 6 bytes <==\nx = 1\n\n";
        assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
        let parts = parts(&text).unwrap();
        assert_eq!(parts.iter().map(Part::module).collect::<Vec<_>>(), ["agent", "helpers"]);
        assert_eq!(parts[1].content, b"x = 1\n");
        assert!(is_joined(&text) && !is_joined(b"import helpers\n") && !is_joined(b"\xef\xbb\xbf==> "));
    }

    #[test]
    fn what_no_joining_makes_is_refused() {
        let agent = ("agent.py", "x");
        for (source, reason) in [
            (b"==> ".to_vec(), "is none of these"),
            (b"==> 1 files <==\n".to_vec(), "holds 0 files"),
            (b"==> 0 files <==\n".to_vec(), "has no agent.py"),
            (b"==> 2 files <==\n==> agent.py: 1 bytes <==\nx\n".to_vec(), "holds 1 files"),
            (b"==> 1 files <==\n==> agent.py: 01 bytes <==\nx\n".to_vec(), "in the beginning"),
            (b"==> 1 files <==\n==> agent.py: +1 bytes <==\nx\n".to_vec(), "in the beginning"),
            (b"==> 1 files <==\n==> agent.py: 9 bytes <==\nx\n".to_vec(), "in the beginning"),
            (
                b"==> 1 files <==\n==> agent.py: 18446744073709551615 bytes <==\nx\n".to_vec(),
                "in the beginning",
            ),
            (b"==> 1 files <==\r\n==> agent.py: 1 bytes <==\r\nx\r\n".to_vec(), "in the beginning"),
            ([joined(&[agent]), b"x".to_vec()].concat(), "behind agent.py"),
            (
                b"==> 2 files <==\n==> helpers.py: 1 bytes <==\nx\n==> agent.py: 1 bytes <==\nx\n".to_vec(),
                "not in order",
            ),
            (joined(&[agent, agent]), "has two files agent.py"),
            (joined(&[("helpers.py", "x")]), "has no agent.py"),
            (joined(&[agent, ("Agent.py", "x")]), "has both Agent.py and agent.py"),
            (joined(&[agent, ("a/x.py", ""), ("A/y.py", "")]), "has both A and a"),
            (joined(&[agent, ("../agent.py", "x")]), "can't be imported"),
            (joined(&[agent, ("/etc/x.py", "x")]), "can't be imported"),
            (joined(&[agent, ("a//x.py", "x")]), "can't be imported"),
            (joined(&[agent, ("a b.py", "x")]), "can't be imported"),
            (joined(&[agent, ("1.py", "x")]), "can't be imported"),
            (joined(&[agent, (".py", "x")]), "can't be imported"),
            (joined(&[agent, ("h\u{202e}.py", "x")]), "h\\u{202e}.py, which can't be imported"),
            (joined(&[agent, ("été.py", "x")]), "can't be imported"),
            (joined(&[agent, ("x.so", "x")]), "x.so, which is no Python file"),
            (joined(&[agent, ("x.pyc", "x")]), "is no Python file"),
            (joined(&[agent, (&format!("{}x.py", "d/".repeat(9)), "x")]), "lies too deep"),
            (joined(&[agent, (&format!("{}.py", "x".repeat(65)), "x")]), "up to 64"),
            (joined(&[agent, ("x\n.py", "x")]), "behind agent.py"),
        ] {
            let found = parts(&source).unwrap_err();
            assert!(found.contains(reason), "{found:?} lacks {reason:?}");
        }
        assert!(parts(&joined(&[agent, (&format!("{}x.py", "d/".repeat(8)), "x")])).is_ok());
    }

    proptest! {
        #[test]
        fn all_files_come_back(texts in prop::collection::btree_map("[a-z_]{1,3}(/[a-z_]{1,3}){0,2}", any::<Vec<u8>>(), 0..6)) {
            let named: Vec<(String, Vec<u8>)> =
                texts.into_iter().map(|(name, text)| (format!("d/{name}.py"), text)).collect();
            let agent = (AGENT, &b"==> 1 files <==\n"[..]);
            let files = named.iter().map(|(name, text)| (name.as_str(), text.as_slice())).chain([agent]);
            let text = join(files.clone());
            let found: Vec<_> = parts(&text).unwrap().iter().map(|part| (part.path, part.content)).collect();
            let mut expected: Vec<_> = files.collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn what_is_taken_apart_is_joined_to_the_same_text(rest in any::<Vec<u8>>()) {
            let source = [b"==> 1 files <==\n==> agent.py: 3 bytes <==\n".as_slice(), &rest].concat();
            if let Ok(parts) = parts(&source) {
                prop_assert_eq!(join(parts.iter().map(|part| (part.path, part.content))), source);
            }
        }
    }
}
