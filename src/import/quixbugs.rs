//! QuixBugs: a program with a bug of one line as the prompt, the repository's pytest files as tests.
//!
//! `python_testcases/test_NAME.py` either draws on `json_testcases/NAME.json`, a case a line, or has a function for each
//! test. Both become plain assertions; what the former skips as too slow is left out and told.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, ensure};
use regex::Regex;
use serde_json::Value;

use crate::import::draft::{Converted, Draft, DraftTest, Drafts};
use crate::import::entries;
use crate::import::folder;
use crate::import::limits;
use crate::import::python::{self, Statement, statements};

/// Reads a checkout of the repository.
pub(super) fn read(root: &Path) -> anyhow::Result<Drafts> {
    folder::check(root)?;
    let folder = root.join("python_testcases");
    let entries = fs::read_dir(&folder).with_context(|| format!("it has no {}", folder.display()))?;
    let files = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let files = files.collect::<Result<Vec<String>, _>>()?;
    let mut names: Vec<&str> =
        files.iter().filter_map(|file| file.strip_prefix("test_")?.strip_suffix(".py")).collect();
    names.sort_unstable();
    ensure!(!names.is_empty(), "python_testcases holds no test_*.py");
    let mut drafts = Drafts::default();
    names.iter().for_each(|name| drafts.take(name, convert(root, name)));
    Ok(drafts)
}

fn text(root: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(root.join(name)).map_err(|error| format!("can't read {name}: {error}"))
}

fn convert(root: &Path, name: &str) -> Converted {
    python::callable(name)?;
    let test = text(root, &format!("python_testcases/test_{name}.py"))?;
    let program = text(root, &format!("python_programs/{name}.py"))?;
    let solution = text(root, &format!("correct_python_programs/{name}.py"))?;
    let body = statements(&test);
    let uses_nodes = body.iter().any(|one| one.keyword() == "from" && one.mentions("node"));
    let mut setup = if uses_nodes { vec![text(root, "python_testcases/node.py")?] } else { Vec::new() };
    let functions: Vec<&Statement> = body.iter().filter(|one| is_test(one)).collect();
    setup.extend(body.iter().filter(|one| prepares(one)).map(|one| one.text.clone()));
    let (tests, remarks) = match functions.as_slice() {
        [one] if parameters(one) == ["input_data", "expected"] => {
            let lines = text(root, &format!("json_testcases/{name}.json"))?;
            let (data, skipped) = cases(one, &lines)?;
            setup.insert(0, format!("import json\n\n{data}"));
            (parametrized(one, data.lines().count() - 2)?, skipped)
        }
        functions => (functions.iter().map(plain).collect::<Result<_, _>>()?, Vec::new()),
    };
    let draft = Draft {
        id: entries::id(name)?,
        prompt: format!(
            "This program has a bug in one line. Write it without the bug.\n\n{}",
            program.trim()
        ),
        setup: setup.join("\n\n"),
        tests,
        limits: vec![limits::no_exit()],
        solution: Some(solution),
        ..Draft::default()
    };
    Ok((draft, remarks))
}

fn is_test(statement: &Statement) -> bool {
    defined(statement).is_some_and(|name| name.starts_with("test"))
}

/// The function's name, whether decorated or not.
fn defined(statement: &Statement) -> Option<&str> {
    static DEF: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^def (\w+)\(").expect("a constant pattern"));
    Some(DEF.captures(&statement.text)?.get(1)?.as_str())
}

fn parameters(statement: &Statement) -> Vec<&str> {
    static LIST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^def \w+\(([^)]*)\)").expect("a constant pattern"));
    let list = LIST.captures(&statement.text).and_then(|found| found.get(1)).map_or("", |list| list.as_str());
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// True for what the tests of a file need: not its imports, nor the lines that load its cases.
fn prepares(statement: &Statement) -> bool {
    let is_import = matches!(statement.keyword(), "import" | "from" | "if");
    let loads = statement.text.contains("load_json_testcases");
    let decorates = statement.text.starts_with('@');
    let says_nothing = statement.keyword().is_empty();
    !is_import && !loads && !decorates && !says_nothing && !is_test(statement)
}

/// Assignments of the cases that are not skipped, and a remark on those that are.
fn cases(function: &Statement, lines: &str) -> Result<(String, Vec<String>), String> {
    static SKIP: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)\n +if [^\n]*?input_data == (\[.*?\n? *\]):\n").expect("a constant pattern")
    });
    let skipped = SKIP.captures(&function.text).and_then(|found| found.get(1));
    let skipped = skipped.map(|list| literal(list.as_str())).transpose()?;
    let mut data = "testdata = [\n".to_owned();
    let mut left_out = 0;
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value =
            serde_json::from_str(line).map_err(|error| format!("a case is no JSON: {error}"))?;
        if skipped.is_some() && case.get(0) == skipped.as_ref() {
            left_out += 1;
        } else {
            data += &format!("    json.loads({}),\n", python::quoted(line.trim()));
        }
    }
    if skipped.is_some() && left_out == 0 {
        return Err("the case that its test skips is not among its cases".to_owned());
    }
    let remark = (left_out > 0).then(|| format!("left out {left_out} case that its test skips as too slow"));
    Ok((data + "]", remark.into_iter().collect()))
}

/// A Python list of numbers and texts as JSON, which has no comma at a list's end.
fn literal(text: &str) -> Result<Value, String> {
    static COMMA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r",\s*\]").expect("a constant pattern"));
    serde_json::from_str(&COMMA.replace_all(text, "]"))
        .map_err(|_| "what its test skips is no list that can be read".to_owned())
}

/// A test for each case.
fn parametrized(function: &Statement, cases: usize) -> Result<Vec<DraftTest>, String> {
    let assertion = body(function).into_iter().find(|one| one.keyword() == "assert");
    let assertion = assertion.ok_or("its test asserts nothing")?;
    let code = near(&assertion.text)?;
    let test = |at| DraftTest {
        code: format!("input_data, expected = testdata[{at}]\n{code}"),
        ..DraftTest::default()
    };
    Ok((0..cases).map(test).collect())
}

/// `a == pytest.approx(b, abs=c)` without pytest.
fn near(assertion: &str) -> Result<String, String> {
    static APPROX: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^assert (.*) == pytest\.approx\((\w+), abs=(.*)\)$").expect("a constant pattern")
    });
    let text = APPROX.replace(assertion, "assert abs($1 - $2) <= $3").into_owned();
    if text.contains("pytest") { Err("its assertion needs pytest".to_owned()) } else { Ok(text) }
}

fn plain(function: &&Statement) -> Result<DraftTest, String> {
    let body: Vec<String> = body(function).into_iter().map(|one| one.text).collect();
    let code = body.join("\n");
    match code.contains("pytest") {
        true => Err("a test of it needs pytest".to_owned()),
        false => Ok(DraftTest { name: None, code, public: false }),
    }
}

/// The statements of a function without its docstring.
fn body(function: &Statement) -> Vec<Statement> {
    let start = function.text.find("\ndef ").map_or(0, |at| at + 1);
    let lines = function.text[start..].split_once('\n').map_or("", |(_, body)| body);
    statements(lines).into_iter().filter(|one| !one.text.starts_with("\"\"\"")).collect()
}
