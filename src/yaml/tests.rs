//! Tests of the YAML reader: positions, messages, hostile files.

use std::fs;
use std::path::Path;
use std::thread;

use proptest::prelude::*;

use super::*;

/// The node, and the problems as `line:column: field: message`.
fn read(bytes: &[u8]) -> (Option<Node>, Vec<String>) {
    let log = Log::new(Path::new("f"));
    let node = parse(&log, bytes);
    let problems = log.into_problems();
    let lines = String::from_utf8_lossy(bytes).split(['\n', '\r']).count();
    for problem in &problems {
        assert!((1..=lines).contains(&problem.line), "{problem}");
    }
    (node, problems.iter().map(|problem| problem.to_string().replacen("f:", "", 1)).collect())
}

/// The only problem in a text.
fn problem(text: &str) -> String {
    let (_, problems) = read(text.as_bytes());
    assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
    problems.concat()
}

#[test]
fn of_very_many_problems_the_rest_is_counted() {
    let log = Log::new(Path::new("f"));
    (1..=23).for_each(|line| log.add(Position { line, column: 0 }, "", "wrong"));
    let problems = log.finish(Some(())).unwrap_err();
    let told = problems.to_string();
    assert!(told.ends_with("f:20: wrong\nand 3 more; `agentmill check --json` tells all"), "{told}");
    assert_eq!(problems.0.len(), 23);
}

/// The text and its line under `key`.
fn text(yaml: &str, key: &str) -> (String, usize) {
    let (node, problems) = read(yaml.as_bytes());
    assert_eq!(problems, Vec::<String>::new());
    let Some(Kind::Mapping(entries)) = node.map(|node| node.kind) else { panic!("{yaml}") };
    let entry = entries.into_iter().find(|entry| entry.key == key).unwrap();
    let Kind::Scalar(value) = entry.value.kind else { panic!("{yaml}") };
    (value.as_str().unwrap().to_owned(), entry.value.text_line)
}

#[test]
fn text_knows_its_first_line() {
    let cases = [
        ("k: plain", "plain", 1),
        ("a: 1\nk:\n  plain", "plain", 3),
        ("a: 1\nk: plain\n  goes on", "plain goes on", 2),
        ("a: 1\nk: \"double\\nquoted\"", "double\nquoted", 2),
        ("a: 1\nk:\n\n  'single'", "single", 4),
        ("a: 1\nk: |\n  one\n  two\n", "one\ntwo\n", 3),
        ("a: 1\nk: |-\n\n  one", "\none", 3),
        ("a: 1\nk: | # comment\n  one\n", "one\n", 3),
        ("a: 1\nk: |2\n    one\n", "  one\n", 3),
        ("a: 1\nk:\n  |\n  one\n", "one\n", 4),
        ("a: 1\nk: |1\n   \n\n  one\n", "  \n\n one\n", 3),
        ("a: 1\nk: |\n \n  one\n", "\none\n", 3),
        ("a: 1\nk: >\n  one\n  two\n", "one two\n", 3),
        ("a: 1\nk: >-\n\n\n  one", "\n\none", 3),
        ("a: 1\r\nk: |\r\n  one\r\n  two\r\n", "one\ntwo\n", 3),
        ("\u{feff}k: |\n  one\n", "one\n", 2),
    ];
    for (yaml, expected, line) in cases {
        assert_eq!(text(yaml, "k"), (expected.to_owned(), line), "{yaml:?}");
    }
}

#[test]
fn words_mean_what_serde_yaml_says() {
    let cases = ["1", "-1", "1.5", "0x10", ".inf", "true", "null", "~", "yes", "1e3", "1_0", "007", "x"];
    for word in cases {
        let (node, _) = read(word.as_bytes());
        let Some(Kind::Scalar(value)) = node.map(|node| node.kind) else { panic!("{word}") };
        assert_eq!(value, serde_yaml::from_str::<serde_yaml::Value>(word).unwrap(), "{word}");
    }
    assert_eq!(text("k: '1'", "k").0, "1");
    assert_eq!(text("k: [---]\nx: ...x", "x").0, "...x");
}

#[test]
fn what_stands_twice_is_reported_with_the_first_line() {
    assert_eq!(problem("a: 1\nb: 2\na: 3\n"), "3:1: a: given twice; first on line 1");
    assert_eq!(problem("s:\n  - x: 1\n    x: 2\n"), "3:5: s[0].x: given twice; first on line 2");
    let (_, problems) = read(b"{a: 1, a: 2, b: {c: 1, c: 2}, a: 3}");
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn names_must_be_text() {
    for yaml in ["1: x", "true: x", "~: x", ": x"] {
        assert!(problem(yaml).ends_with("a field's name must be text: put it in quotes"), "{yaml}");
    }
    for yaml in ["? [a]\n: x", "? {a: 1}\n: x"] {
        assert!(problem(yaml).ends_with("a field's name must be text"), "{yaml}");
    }
}

/// `{assert: f(1, 2) == 3}` is three fields to YAML.
#[test]
fn a_comma_that_ends_a_value_in_braces_is_told_once() {
    let told = |yaml: &str| {
        let log = Log::new(Path::new("f"));
        let node = parse(&log, yaml.as_bytes()).unwrap();
        if let Some(mut fields) = Place::root(&log, &node).fields() {
            let _ = (fields.get("name"), fields.get("assert"), fields.get("closes"));
            fields.finish();
        }
        log.finish(Some(())).map_err(|problems| problems.to_string())
    };
    let comma = |column: usize| {
        Err(format!(
            "f:1:{column}: assert: a comma ends a value in {{...}}: put the whole text in quotes, or a list in [...]"
        ))
    };
    assert_eq!(told("{name: a, assert: f(acc(), 1, 101)}"), comma(19));
    assert_eq!(told("{assert: f(1, x) == 2, name: a}"), comma(10));
    assert_eq!(told("{assert: 50, 30, 20}"), comma(10));
    assert_eq!(told("{name: a, closes}"), Ok(()));
    for other in ["{name: a, 1: x}", "{1: x}", "{name: a, asert: x}", "name: a\nx:\n", "{x, name: a}"] {
        let told = told(other).unwrap_err();
        assert!(!told.contains("comma"), "{told}");
    }
}

#[test]
fn aliases_and_tags_are_refused() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    let (_, problems) = read(bomb.as_bytes());
    assert_eq!(problems.len(), 7);
    assert!(problems[2].starts_with("2:8: b[0]: aliases (*name)"), "{problems:?}");
    let (_, problems) = read(b"a: &a [*a]");
    assert!(problems[0].starts_with("1:4: a: anchors"), "{problems:?}");
    assert!(problems[1].starts_with("1:8: a[0]: aliases"), "{problems:?}");
    assert!(problem("&a a: 1").starts_with("1:1: anchors"));
    assert!(problem("a: !!python/object x").starts_with("1:4: a: tags (!name) are not supported"));
    assert!(problem("a: !x [1]").contains("tags"));
    assert!(problem("a: [!x]").starts_with("1:5: a[0]: tags"));
}

#[test]
fn syntax_errors_come_with_advice() {
    assert!(problem("tasks: **").ends_with("text that starts with * must be quoted"));
    assert!(problem("a: b: c").contains("must be quoted or stand below a |"));
    assert!(problem("a: @x").starts_with("1:4: not valid YAML"));
    assert!(problem(r#"a: "\w+""#).ends_with("use single quotes"));
    for (yaml, place) in [
        ("a:\n\tb: c", "2:1"),
        ("a:\n  - b: c\n\td: e\n", "3:1"),
        ("a:\n  - b: c\n  \td: e\n", "3:3"),
        ("a: |\n  b\n\tc\nd: e\n", "3:1"),
        ("a:\n  - |\n\tb\n", "3:1"),
        ("\ta: b\nc: d\n", "1:1"),
    ] {
        let problem = problem(yaml);
        assert!(
            problem.starts_with(&format!("{place}: not valid YAML: this line is indented by a tab")),
            "{problem}"
        );
    }
    for (yaml, place) in [
        ("prompt Write f\ntests:\n  - a\n", "1:1"),
        ("prompt: p\ntests\n  - a\n", "2:1"),
        ("a:\n  b 5s\n  c: 1\n", "2:3"),
        ("a: 1\nweight 2\n", "2:1"),
    ] {
        let problem = problem(yaml);
        let told = format!("{place}: not valid YAML: there is no colon behind");
        assert!(problem.starts_with(&told), "{yaml:?}: {problem}");
    }
    for comment in ["", "  # easy"] {
        let short = problem(&format!("tests:\n  - assert f(1) == 1{comment}\n    weight: 2\n"));
        assert!(
            short.starts_with("2:3: not valid YAML: a test with fields below it begins with `- assert: `"),
            "{short}"
        );
    }
    for before in ["", "  - assert f(0)\n"] {
        let two = problem(&format!("tests:\n{before}  - assert f(1) == {{\"a\": 1, \"b\": 2}}\n"));
        assert!(two.ends_with("text that holds \": \" must be quoted or stand below a |"), "{two}");
    }
    for (yaml, place) in [
        ("a: 1\nrewards: none           # or\n  pool: 100\n", "2:1"),
        ("rewards: none\n\n  pool: 100\n", "1:1"),
        ("a:\n  b: c\n   d: e\n", "2:3"),
        ("tests:\n  - score: f(1)\n      weight: 2\n", "2:5"),
    ] {
        let problem = problem(yaml);
        let told = format!("{place}: not valid YAML: fields stand below one that has a value; ");
        assert!(problem.starts_with(&told), "{yaml:?}: {problem}");
    }
    let text = problem("prompt: Say\n  as in a: b\n");
    assert!(text.ends_with("text that holds \": \" must be quoted or stand below a |"), "{text}");
    for yaml in ["a:\n  - \"b\nc: d\n", "a:\n  - 'b\n"] {
        assert!(problem(yaml).ends_with("the quote that opens here is never closed"), "{yaml:?}");
    }
    assert!(problem("a:\n  - b: c\n   d: e\n").ends_with("is it indented like the lines above?"));
    for yaml in ["a:\n  - b: \"c\" in d\n", "a: \"b(\"c\")\"\n", "a: 'b' in c\n"] {
        let told = problem(yaml);
        assert!(told.ends_with("text that goes on behind a quote stands below a |"), "{yaml:?}: {told}");
    }
    for yaml in ["a:\n  - b: [1, 2] == f(1)\n", "a: [[1], 2] in d\n", "a: {b: 1} == f(1)\n"] {
        let told = problem(yaml);
        assert!(told.ends_with("behind ] or } must be quoted or stand below a |"), "{yaml:?}: {told}");
    }
    assert!(problem("a: | b\n").ends_with("the text begins on the line below the |"));
    assert!(problem("a: |\n  b\n  \tc\nd: [\n").starts_with("4:"), "a tab in a text is no mistake");
    assert!(problem("?\r#").starts_with("2:2: a field's name"));
    assert!(problem("a: [").starts_with("1:5: not valid YAML"));
    assert!(problem("a: 1\n\nb: [\n\n\n").starts_with("3:5: not valid YAML"));
    assert_eq!(problem("a: 1\n---\nb: 2"), "2:1: a second document starts here; a file holds only one");
}

#[test]
fn bytes_that_are_no_text_are_reported_with_their_line() {
    let one = |bytes: &[u8]| read(bytes).1.concat();
    assert_eq!(one(b"a: 1\nb: \xff\n"), "2:4: not UTF-8 text (byte 0xff); save the file as UTF-8");
    assert_eq!(one(b"\xc3\xa4: \xc3"), "1:4: not UTF-8 text (byte 0xc3); save the file as UTF-8");
    assert_eq!(one(b"a: 1\r\rb\0: 2"), "3:2: control character U+0000");
    assert_eq!(one(b"\xff\xfea\0"), "1:1: this is UTF-16; save the file as UTF-8");
}

#[test]
fn emptiness_is_null() {
    for yaml in ["", "\n", "# nothing\n", "---\n", "\u{feff}", "null"] {
        let (node, problems) = read(yaml.as_bytes());
        assert!(problems.is_empty(), "{yaml:?}: {problems:?}");
        assert!(matches!(node.map(|node| node.kind), Some(Kind::Scalar(serde_yaml::Value::Null))));
    }
}

#[test]
fn hostile_files_end_soon_and_leave_the_stack_alone() {
    let repeat = |text: &str| text.repeat(100_000);
    let files = [
        repeat("["),
        repeat("{"),
        repeat("{a: "),
        repeat("- "),
        repeat("? "),
        repeat("[\n"),
        (0..400).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
        format!("[{}]", repeat("a, ")),
        repeat("a"),
        repeat("a: 1\n"),
        repeat("*a "),
        repeat("- *a\n"),
        format!("a: &a x\nb:\n{}", repeat("- *a\n")),
        repeat("&a "),
        repeat("\"\\x00"),
        repeat("'"),
        repeat("%"),
        repeat("---\n"),
        repeat("\t"),
        repeat("a:\n"),
        repeat("]"),
        repeat("!a "),
        repeat("|\n"),
        repeat("#"),
        repeat("- #\n"),
    ];
    let small = thread::Builder::new().stack_size(128 << 10);
    let run = small.spawn(move || {
        for file in files {
            let start = std::time::Instant::now();
            let (_, problems) = read(file.as_bytes());
            assert!(problems.len() <= 100);
            let name: String = file.chars().take(9).collect();
            assert!(start.elapsed().as_secs() < 30, "{name:?} took {:?}", start.elapsed());
        }
    });
    run.unwrap().join().unwrap();
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let reason = |name: &str| {
        let log = Log::new(&dir.path().join(name));
        assert!(read_file(&log).is_none());
        log.into_problems().remove(0).message
    };
    assert_eq!(reason("missing.yaml"), "no such file");
    assert_eq!(reason("."), "this is a folder; expected a file");
    fs::write(dir.path().join("big"), vec![b'#'; 1 << 21]).unwrap();
    assert_eq!(reason("big"), "larger than 1MiB, the most that is read");
    std::os::unix::fs::symlink("gone", dir.path().join("dangling")).unwrap();
    assert_eq!(reason("dangling"), "no such file");
    let socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    assert_eq!(reason("socket"), "not a regular file");
    drop(socket);
}

#[test]
fn suggestions() {
    let unknown = |yaml: &str| {
        let log = Log::new(Path::new("f"));
        let node = parse(&log, yaml.as_bytes()).unwrap();
        let mut fields = Place::root(&log, &node).fields().unwrap();
        fields.field("memory", 0_u32);
        fields.field("timeout", 0_u32);
        fields.finish();
        log.into_problems().remove(0).to_string()
    };
    assert_eq!(unknown("memroy: 1"), "f:1:1: memroy: unknown field; did you mean \"memory\"?");
    assert_eq!(unknown("TIMEOUT: 1"), "f:1:1: TIMEOUT: unknown field; did you mean \"timeout\"?");
    assert_eq!(unknown("x: 1"), "f:1:1: x: unknown field; expected one of memory, timeout");
    let long = unknown(&format!("? \"{}\\n\"\n: 1", "x".repeat(100_000)));
    assert!(long.len() < 200, "{long}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (node, problems) = read(&bytes);
        prop_assert!(node.is_some() || !problems.is_empty());
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(text in "[-a:?|>\\[\\]{}&*!%@#,'\"\\\\0-2 \t\r\n.~\u{feff}\u{85}ä]{0,60}") {
        let (node, problems) = read(text.as_bytes());
        prop_assert!(node.is_some() || !problems.is_empty());
    }
}
