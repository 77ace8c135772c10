//! EvalPlus: HumanEval+ and MBPP+, whose inputs are lists of arguments and whose right outputs are the reference's.
//!
//! The reference runs in the judge, in a namespace of its own; so nothing is computed here, and an agent's functions can't
//! stand in for the reference's. All base inputs are one test, and plus inputs are tests of twenty each.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::import::draft::{Converted, Draft, DraftTest};
use crate::import::entries::{Name, fields};
use crate::import::limits;
use crate::import::python::{self, quoted};

/// Inputs of one test.
const CHUNK: usize = 20;

/// Some of an entry's fields.
const EXAMPLE: &str = r#"{"task_id": ..., "prompt": ..., "base_input": [...]}"#;

/// Fields of an entry, as published. Inputs stay text: Python reads numbers that JSON readers of others would round.
#[derive(Debug, Deserialize)]
struct Published {
    task_id: Name,
    prompt: String,
    entry_point: String,
    canonical_solution: String,
    base_input: Box<RawValue>,
    plus_input: Box<RawValue>,
    atol: f64,
}

/// A list of unread values.
type Unread<'a> = Vec<&'a RawValue>;

/// MBPP+ writes tuples, sets and complex numbers as JSON: tasks by number, and Python that makes `given`, the list of
/// arguments, what it was.
const SHAPES: [(&[u32], &str); 13] = [
    (
        &[
            2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740,
            744, 809,
        ],
        "[tuple(one) for one in given]",
    ),
    (
        &[63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780],
        "[[tuple(pair) for pair in one] for one in given]",
    ),
    (&[75, 413, 444, 753], "[[tuple(one) for one in given[0]], given[1]]"),
    (&[106, 750], "[given[0], tuple(given[1])]"),
    (&[115], "[[set(one) if isinstance(one, list) and one else {} for one in given[0]]]"),
    (&[124], "[float(given[0]), complex(given[1])]"),
    (&[250, 405, 446, 617, 720, 763, 808], "[tuple(given[0]), given[1]]"),
    (&[259, 401, 445], "[tuple(tuple(pair) for pair in one) for one in given]"),
    (&[278], "[tuple(tuple(one) if isinstance(one, list) else one for one in given[0])]"),
    (&[307], "[tuple(given[0]), given[1], given[2]]"),
    (&[722], "[{key: tuple(value) for key, value in given[0].items()}, *given[1:]]"),
    (&[252], "[complex(given[0])]"),
    (&[580, 615, 791], "_deep(given)"),
];

/// Limits that references need beyond the defaults: one adds up a hundred million numbers, others return lists and texts of
/// millions of elements.
const LIMITS: [(&str, u32, (&str, &str)); 6] = [
    ("humaneval", 15, ("value", "16MiB")),
    ("humaneval", 100, ("value", "16MiB")),
    ("humaneval", 130, ("value", "16MiB")),
    ("mbpp", 255, ("value", "16MiB")),
    ("mbpp", 599, ("timeout", "2m")),
    ("mbpp", 630, ("value", "16MiB")),
];

/// Outputs of MBPP+ that are right in other ways than by being the same, as the benchmark has it.
const ORACLES: [(&[&str], &str); 6] = [
    (
        &[
            "similar_elements",
            "find_char_long",
            "common_in_nested_lists",
            "extract_singly",
            "larg_nnum",
            "intersection_array",
            "find_dissimilar",
            "Diff",
        ],
        "return set(got) == set(right)",
    ),
    (
        &["check_str", "text_match_three", "text_starta_endb"],
        "return got == (right is not None) if isinstance(got, bool) else (got is None) == (right is None)",
    ),
    (&["are_equivalent"], "return True"),
    (&["sum_div"], "return got == right or got == 0"),
    (
        &["surface_Area"],
        "slant = (given[0] ** 2 / 4 + given[1] ** 2) ** 0.5\nreturn got == right or \
         abs(got - round(given[0] ** 2 + 2 * given[0] * slant)) <= _atol",
    ),
    (
        &["digit_distance_nums"],
        "width = max(len(str(one)) for one in given)\nfirst, second = (str(one).zfill(width) for one in given)\n\
         return got == right or got == sum(abs(int(a) - int(b)) for a, b in zip(first, second))",
    ),
];

/// Makes an entry a task.
pub(super) fn convert(bytes: &[u8]) -> Converted {
    let text = with_infinity(bytes)?;
    let entry: Published = fields(text.as_bytes(), EXAMPLE)?;
    let (name, set) = (&entry.entry_point, dataset(&entry.task_id));
    python::callable(name)?;
    let solution = python::solution(&entry.prompt, &entry.canonical_solution, name)?;
    let base: Unread<'_> = list(&entry.base_input)?;
    let plus: Unread<'_> = list(&entry.plus_input)?;
    let mut tests = vec![test("base".to_owned(), name, "_base")];
    if base.is_empty() {
        return Err("it has no base inputs".to_owned());
    }
    tests.extend((0..plus.len()).step_by(CHUNK).map(|from| {
        let to = plus.len().min(from + CHUNK);
        test(format!("plus {}-{to}", from + 1), name, &format!("_plus[{from}:{to}]"))
    }));
    let id = id(&entry.task_id)?;
    let limits = limits(set, number(&entry.task_id));
    let setup = setup(&entry, &solution, set == "mbpp");
    let prompt = prompt(&entry, set == "mbpp");
    Ok((Draft { id, prompt, setup, tests, limits, solution: Some(solution), ..Draft::default() }, Vec::new()))
}

/// The benchmark that a name such as `Mbpp/2` belongs to.
fn dataset(name: &Name) -> &'static str {
    if name.is_of("humaneval") { "humaneval" } else { "mbpp" }
}

/// The id of the task that an entry of this name becomes, without the folder: with its set, as two share one.
pub(super) fn id(name: &Name) -> Result<String, String> {
    let id = name.id("")?;
    Ok(if name.is_bare() { format!("mbpp-{id}") } else { id })
}

fn prompt(entry: &Published, is_mbpp: bool) -> String {
    let name = &entry.entry_point;
    let own = if python::is_builtin(name) { " yourself" } else { "" };
    match is_mbpp {
        true => {
            format!("Write the function `{name}`{own}:\n\n{}", entry.prompt.trim().trim_matches('"').trim())
        }
        false => format!("Complete the function `{name}`{own}:\n\n{}", entry.prompt.trim_matches('\n')),
    }
}

fn number(name: &Name) -> u32 {
    name.id(dataset(name)).ok().and_then(|id| id.parse().ok()).unwrap_or_default()
}

fn limits(set: &str, number: u32) -> Vec<(&'static str, String)> {
    let of_task =
        LIMITS.into_iter().filter(|(its_set, its_number, _)| (*its_set, *its_number) == (set, number));
    of_task.map(|(_, _, (field, most))| (field, most.to_owned())).chain([limits::no_exit()]).collect()
}

/// The inputs one by one; none at all is written as an empty mapping, too.
fn list(inputs: &RawValue) -> Result<Unread<'_>, String> {
    if inputs.get() == "{}" {
        return Ok(Vec::new());
    }
    serde_json::from_str(inputs.get()).map_err(|_| "its inputs are no list of lists of arguments".to_owned())
}

/// The line with numbers in place of `Infinity`, which JSON does not have. Python reads them back as what they were.
fn with_infinity(bytes: &[u8]) -> Result<String, String> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:[^"\\]|\\.)*"|\bInfinity\b|\bNaN\b"#).expect("a constant pattern")
    });
    let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let odd = WORD.find_iter(text).any(|found| found.as_str() == "NaN");
    if odd {
        return Err("an input holds NaN, which equals nothing".to_owned());
    }
    let word = |found: &regex::Captures<'_>| match &found[0] {
        "Infinity" => "1e999".to_owned(),
        text => text.to_owned(),
    };
    Ok(WORD.replace_all(text, word).into_owned())
}

fn test(title: String, name: &str, inputs: &str) -> DraftTest {
    let code = format!(
        "for given in {inputs}:\n    got = {name}(*copy.deepcopy(given))\n    right = _right(given)\n    \
         assert _same(got, right, given), f\"{name}{{given}} is {{right!r}}, not {{got!r}}\""
    );
    DraftTest { name: Some(title), code, public: false }
}

fn setup(entry: &Published, solution: &str, is_mbpp: bool) -> String {
    let name = &entry.entry_point;
    let number = number(&entry.task_id);
    let shape =
        SHAPES.iter().find(|(tasks, _)| is_mbpp && tasks.contains(&number)).map_or("given", |(_, code)| code);
    let oracle = match () {
        () if is_mbpp => {
            ORACLES.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, code)| *code)
        }
        () if name == "find_zero" => {
            Some("return abs(sum(factor * got**power for power, factor in enumerate(given[0]))) <= _atol")
        }
        () => None,
    };
    let oracle = oracle.map_or(String::new(), |code| format!("    {}\n", code.replace('\n', "\n    ")));
    let oracle =
        if oracle.is_empty() { "    return got == right or _near(got, right)\n".to_owned() } else { oracle };
    format!(
        "import copy\nimport json\n\n_home = {{}}\nexec({}, _home)\n_atol = {}\n\n\n\
         def _deep(one):\n    return tuple(map(_deep, one)) if isinstance(one, list) else one\n\n\n\
         def _shaped(given):\n    return {shape}\n\n\n\
         def _right(given):\n    return _home[{}](*copy.deepcopy(given))\n\n\n\
         def _is_float(one):\n    several = isinstance(one, (list, tuple)) and one\n    \
         return isinstance(one, float) or bool(several) and all(isinstance(part, float) for part in one)\n\n\n\
         def _near(got, right, atol=None):\n    \
         atol = atol or _atol or (1e-6 if _is_float(right) else 0)\n    \
         if not atol or type(got) is not type(right):\n        return False\n    \
         if isinstance(right, (list, tuple)):\n        \
         return len(got) == len(right) and all(a == b or _near(a, b, atol) for a, b in zip(got, right))\n    \
         return isinstance(right, (int, float)) and right - right == 0 and abs(got - right) <= atol + 1e-7 * abs(right)\n\n\n\
         def _same(got, right, given):\n{oracle}\n\n\
         _base = list(map(_shaped, json.loads({})))\n_plus = list(map(_shaped, json.loads({})))\n",
        quoted(solution),
        entry.atol,
        quoted(name),
        quoted(entry.base_input.get()),
        quoted(entry.plus_input.get()),
    )
}
