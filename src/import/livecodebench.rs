//! LiveCodeBench: statements of contest problems. Tests of programs become cases; those of functions, of a class `Solution`
//! mostly, become assertions. The benchmark publishes no references.

use std::io::ErrorKind;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use crate::import::draft::{Content, Converted, Draft, DraftCases, DraftFile, DraftTest};
use crate::import::entries::{self, Name, fields};
use crate::import::limits;
use crate::import::python::{self, quoted};
use crate::task::Task;

/// The folder of its tasks.
const FOLDER: &str = "livecodebench";

/// Imports before every solution, in one line, as LiveCodeBench's own harness has them: starter code of the benchmark rests on them.
const IMPORTS: &str = "from string import *; from re import *; from datetime import *; from collections import *; \
    from heapq import *; from bisect import *; from copy import *; from math import *; from random import *; \
    from statistics import *; from itertools import *; from functools import *; from operator import *; from io import *; \
    from sys import *; from json import *; from builtins import *; from typing import *; \
    import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools, operator, io, \
    sys, json; sys.setrecursionlimit(50_000)\n";

/// Most bytes of a file.
pub(super) const MAX_FILE: u64 = 1 << 30;

/// Most bytes of an entry: it holds all inputs.
pub(super) const MAX_ENTRY: usize = 256 << 20;

/// Most bytes of the hidden tests of all entries together, unpacked: all of them are held until they are written.
pub(super) const MAX_UNPACKED: u64 = 1 << 30;

/// Some of an entry's fields.
const EXAMPLE: &str = r#"{"question_id": ..., "question_content": ..., "public_test_cases": ...}"#;

/// Fields of an entry, as published.
#[derive(Debug, Deserialize)]
struct Published {
    question_id: String,
    question_title: String,
    question_content: String,
    #[serde(default)]
    starter_code: String,
    public_test_cases: String,
    #[serde(default)]
    private_test_cases: String,
    #[serde(default)]
    metadata: String,
}

/// One of its tests.
#[derive(Debug, Deserialize)]
struct Case {
    input: String,
    output: String,
    testtype: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Stdin,
    Functional,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    func_name: Option<String>,
}

/// The id of the task that an entry of this name becomes, without the folder.
pub(super) fn id(name: &Name) -> Result<String, String> {
    entries::id(&name.to_string())
}

/// A solution as it is run: one of a task of LiveCodeBench's stands behind the imports of its harness, others stand alone.
#[must_use]
pub fn with_imports(task: &Task, source: String) -> String {
    let is_own = task.id.rsplit('/').nth(1) == Some(FOLDER);
    if !is_own || source.starts_with(IMPORTS) {
        return source;
    }
    // These must be the first statements.
    let is_future = |line: &&str| line.starts_with("from __future__ import");
    let futures: String = source.lines().filter(is_future).map(|line| format!("{line}\n")).collect();
    futures
        + IMPORTS
        + &source
            .split_inclusive('\n')
            .map(|line| if is_future(&line) { "\n" } else { line })
            .collect::<String>()
}

/// Makes an entry a task. What its hidden tests take, once unpacked, is taken off the bytes that are `left`.
pub(super) fn convert(bytes: &[u8], left: &mut u64) -> Converted {
    let entry: Published = fields(bytes, EXAMPLE)?;
    let id = entries::id(&entry.question_id)?;
    let public = listed(&entry.public_test_cases)?;
    let hidden = match entry.private_test_cases.as_str() {
        "" => Vec::new(),
        text => listed(text).or_else(|_| unpacked(text, left).and_then(|text| listed(&text)))?,
    };
    let prompt = format!("{}\n\n{}", entry.question_title.trim(), entry.question_content.trim());
    let draft = Draft { id, prompt, ..Draft::default() };
    let kinds: Vec<Kind> = public.iter().chain(&hidden).map(|case| case.testtype).collect();
    match kinds.first() {
        None => Err("it has no tests".to_owned()),
        Some(first) if kinds.iter().any(|kind| kind != first) => {
            Err("its tests are of both kinds".to_owned())
        }
        Some(Kind::Stdin) => Ok((programs(draft, &public, &hidden), Vec::new())),
        Some(Kind::Functional) => functions(draft, &entry, &public, &hidden),
    }
}

fn listed(text: &str) -> Result<Vec<Case>, String> {
    serde_json::from_str(text).map_err(|error| format!("its tests are no list that can be read: {error}"))
}

/// Hidden tests as they are published: base64 of zlib of one pickled text.
fn unpacked(text: &str, left: &mut u64) -> Result<String, String> {
    let packed = STANDARD.decode(text.trim()).map_err(|_| "its hidden tests are no base64".to_owned())?;
    let most = (MAX_ENTRY as u64).min(*left);
    let bytes =
        entries::capped(ZlibDecoder::new(packed.as_slice()), most).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge if most == *left => {
                format!(
                    "its hidden tests are too large: those of a file may have {}MiB, unpacked",
                    MAX_UNPACKED >> 20
                )
            }
            _ => format!("its hidden tests can't be unpacked: {error}"),
        })?;
    *left -= bytes.len() as u64;
    pickled(&bytes)
        .map(str::to_owned)
        .ok_or_else(|| "its hidden tests are pickled, and not as one text".to_owned())
}

/// The text of a pickle that holds nothing else; nothing in a pickle is ever carried out.
fn pickled(bytes: &[u8]) -> Option<&str> {
    const PROTO: u8 = 0x80;
    const FRAME: u8 = 0x95;
    let mut rest = bytes;
    if let [PROTO, _, more @ ..] = rest {
        rest = more;
    }
    if let [FRAME, more @ ..] = rest {
        rest = more.get(8..)?;
    }
    let (&kind, rest) = rest.split_first()?;
    let width = match kind {
        0x8c => 1,
        b'X' => 4,
        0x8d => 8,
        _ => return None,
    };
    let (length, rest) = rest.split_at_checked(width)?;
    let length = length.iter().rev().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    str::from_utf8(rest.get(..length)?).ok()
}

fn programs(draft: Draft, public: &[Case], hidden: &[Case]) -> Draft {
    let checker = format!("data/{}/compare.py", draft.id);
    let compare = ("compare", format!("{{checker: {checker}}}"));
    let mut files = vec![DraftFile { name: checker, content: Content::Text(COMPARE.to_owned()) }];
    let mut cases = Vec::new();
    for (name, list, public) in [("sample", public, true), ("secret", hidden, false)] {
        let folder = format!("data/{}/{name}", draft.id);
        for (number, case) in list.iter().enumerate() {
            for (ending, text) in [("in", &case.input), ("out", &case.output)] {
                let name = format!("{folder}/{}.{ending}", number + 1);
                files.push(DraftFile { name, content: Content::Text(text.clone()) });
            }
        }
        if !list.is_empty() {
            let fields = vec![compare.clone(), limits::of_case(limits::SECONDS)];
            cases.push(DraftCases { folder, public, fields });
        }
    }
    let run = limits::of_run(limits::SECONDS, public.len() + hidden.len());
    let limits = vec![run, ("output", "4MiB".to_owned())];
    Draft { files, cases, limits, ..draft }
}

const COMPARE: &str = r#""""LiveCodeBench's comparison: lines as text, without blanks around them, or else their words as numbers."""
from decimal import Decimal, InvalidOperation


def check(input, output, answer):
    got, right = lines(output), lines(answer)
    assert len(got) == len(right), f"expected {len(right)} lines, got {len(got)}"
    for number, (mine, its) in enumerate(zip(got, right), 1):
        assert mine == its or same_numbers(mine, its), f"line {number}: expected {its[:80]!r}, got {mine[:80]!r}"
    return True


def lines(text):
    return [line.strip() for line in text.strip().split("\n")]


def same_numbers(mine, its):
    try:
        return list(map(Decimal, mine.split())) == list(map(Decimal, its.split()))
    except InvalidOperation:
        return False
"#;

fn functions(draft: Draft, entry: &Published, public: &[Case], hidden: &[Case]) -> Converted {
    let metadata: Metadata = serde_json::from_str(&entry.metadata).unwrap_or_default();
    let name = metadata.func_name.ok_or("its metadata names no func_name")?;
    python::callable(&name)?;
    let in_class = entry.starter_code.contains("class Solution") || entry.starter_code.is_empty();
    let callee = if in_class { format!("Solution().{name}") } else { name };
    let test = |case: &Case, public: bool| DraftTest { name: None, code: assertion(&callee, case), public };
    let tests = public.iter().map(|case| test(case, true)).chain(hidden.iter().map(|case| test(case, false)));
    let prompt = format!("{}\n\nStart with:\n\n{}", draft.prompt, entry.starter_code.trim_end());
    let setup = "import json\n\n\ndef listed(value):\n    \"\"\"The value as JSON has it.\"\"\"\n    \
                 return list(map(listed, value)) if isinstance(value, (list, tuple)) else value"
        .to_owned();
    let limits = vec![limits::no_exit()];
    Ok((Draft { prompt, setup, limits, tests: tests.collect(), ..draft }, Vec::new()))
}

/// A line of the input is an argument, and the output a value, all of it JSON.
fn assertion(callee: &str, case: &Case) -> String {
    let lines = case.input.lines().filter(|line| !line.trim().is_empty());
    let arguments: Vec<String> = lines.map(|line| format!("json.loads({})", quoted(line.trim()))).collect();
    format!("assert listed({callee}({})) == json.loads({})", arguments.join(", "), quoted(case.output.trim()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    /// An entry whose hidden test has an input of so many bytes, packed.
    fn entry(size: usize) -> Vec<u8> {
        let case = |input: &str| json!([{"input": input, "output": "1", "testtype": "stdin"}]).to_string();
        let hidden = case(&"x".repeat(size));
        let pickle = [&[b'X'][..], &(hidden.len() as u32).to_le_bytes(), hidden.as_bytes()].concat();
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&pickle).unwrap();
        let private = STANDARD.encode(packer.finish().unwrap());
        json!({
            "question_id": "a", "question_title": "T", "question_content": "C",
            "public_test_cases": case("1"), "private_test_cases": private,
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn all_entries_share_what_may_be_unpacked() {
        let mut left = 25_000;
        assert_eq!(convert(&entry(10_000), &mut left).unwrap().0.files.len(), 5);
        assert_eq!(convert(&entry(10_000), &mut left).unwrap().0.files.len(), 5);
        let reason = convert(&entry(10_000), &mut left).unwrap_err();
        assert!(reason.contains("those of a file may have 1024MiB, unpacked"), "{reason}");
        assert!(convert(&entry(100), &mut left).is_ok(), "what fits is still taken");
    }

    #[test]
    fn imports_stand_before_solutions_of_its_own_tasks_only() {
        let task = |id| Task::of_ours(id, "p", "assert f() == 1");
        let whole = with_imports(&task("livecodebench/a"), "x: List[int] = []\n".to_owned());
        assert_eq!(whole, format!("{IMPORTS}x: List[int] = []\n"));
        assert_eq!(with_imports(&task("livecodebench/a"), whole.clone()), whole, "once");
        let future = "\"\"\"Docs.\"\"\"\nfrom __future__ import annotations\nx = 1";
        let whole = with_imports(&task("more/livecodebench/a"), future.to_owned());
        let expected = format!("from __future__ import annotations\n{IMPORTS}\"\"\"Docs.\"\"\"\n\nx = 1");
        assert_eq!(whole, expected);
        for id in ["livecodebench", "a", "humaneval/0", "livecodebench/b/a"] {
            assert_eq!(with_imports(&task(id), "x".to_owned()), "x", "{id}");
        }
    }
}
