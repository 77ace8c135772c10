//! First sentences: the words that comments, docstrings, descriptions and paragraphs begin with.

use std::sync::LazyLock;

use regex::Regex;

/// The beginning of a docstring, of a comment that introduces a file or function in shell and JavaScript, or of a
/// description in JSON.
static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:\s*"""|\s*/\*\* |# |// |.*"(?:description|summary)": ")(\w+)"#).expect("it is sound")
});
/// A line of Rust's documentation.
static DOC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*//[/!] ?(.*)$").expect("it is sound"));
/// A line of a page that begins a heading, an item, a row of a table or a paragraph.
static PAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:#+ |\s*[-*] |\| )?\**(\w+)").expect("it is sound"));

/// The first words of a file's sentences, each with its line.
pub fn first(file: &str, text: &str) -> Vec<(usize, String)> {
    match file.rsplit('.').next() {
        Some("rs") => of_blocks(text, &DOC),
        Some("md") => of_page(text),
        _ => of_lines(text),
    }
}

/// First words of blocks of documentation: of each paragraph of it.
fn of_blocks(text: &str, doc: &Regex) -> Vec<(usize, String)> {
    let mut begins = true;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let said = doc.captures(line).map_or("", |found| found.get(1).map_or("", |said| said.as_str()));
        if begins && let Some(word) = word(said) {
            found.push((at + 1, word));
        }
        begins = said.is_empty();
    }
    found
}

fn of_page(text: &str) -> Vec<(usize, String)> {
    let (mut begins, mut is_code, mut found) = (true, false, Vec::new());
    for (at, line) in text.lines().enumerate() {
        is_code ^= line.starts_with("```");
        let opens = begins || ["#", "-", "*", "|"].iter().any(|sign| line.trim_start().starts_with(sign));
        if !is_code
            && opens
            && let Some(word) = PAGE.captures(line).map(|found| found[1].to_owned())
        {
            found.push((at + 1, word));
        }
        begins = line.trim().is_empty();
    }
    found
}

fn of_lines(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate().zip([""].into_iter().chain(text.lines()));
    let begins = lines.filter(|(_, before)| !before.starts_with("# ") && !before.starts_with("// "));
    begins.filter_map(|((at, line), _)| Some((at + 1, OPENING.captures(line)?[1].to_owned()))).collect()
}

fn word(said: &str) -> Option<String> {
    let end = said.find(|c: char| !c.is_alphabetic()).unwrap_or(said.len());
    (end > 0).then(|| said[..end].to_owned())
}

#[test]
fn first_words_are_found() {
    let words = |file: &str, text: &str| -> Vec<String> {
        first(file, text).into_iter().map(|(_, word)| word.to_lowercase()).collect()
    };
    assert_eq!(
        words("a.rs", "//! One.\n//! Not this.\n//!\n//! Two.\nfn f() {}\n    /// Three\n"),
        ["one", "two", "three"]
    );
    assert_eq!(
        words("a.py", "\"\"\"One.\n# Two.\n# Not this.\nx = 1\n    \"\"\"Three\"\"\"\n"),
        ["one", "two", "three"]
    );
    assert_eq!(words("a.json", "{\"description\": \"One\",\n  \"summary\": \"Two\"}"), ["one", "two"]);
    assert_eq!(
        words("a.md", "# One\n\nTwo.\nnot this\n- **Three**\n| four | no |\n```\n\nnothing\n```\n"),
        ["one", "two", "three", "four"]
    );
}
