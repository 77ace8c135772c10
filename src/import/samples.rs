//! Samples of a model, a line each, as HumanEval and EvalPlus publish them: `task_id` with `completion` or `solution`; or as
//! LiveCodeBench has them, several of a `question_id` in a `code_list`.
//!
//! The first sample of each task makes one agent, the second another. Nothing in an agent is joined: each sample stands in
//! it as a text, and only that of the task at hand is run, alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::import::draft::Note;
use crate::import::entries::{self, Name, fields, names};
use crate::import::{evalplus, guess, humaneval, livecodebench, mbpp};
use crate::model::sampled::{self, TaskSample};
use crate::task::Task;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::util::similar::nearest;
use crate::util::text::visible;

/// Some of a line's fields.
const EXAMPLE: &str = r#"{"task_id": ..., "completion": ...}"#;

/// The most of a task's name that is told, in characters.
const SHOWN: usize = 100;

/// Gives the last part of a task's id, which `import` makes of a published name.
type Rule = fn(&Name) -> Result<String, String>;

/// The rules, each with the folder that its tasks lie in. A bare number is one of MBPP's first.
const RULES: [(&str, Rule); 4] =
    [("evalplus", evalplus::id), ("mbpp", mbpp::id), ("humaneval", humaneval::id), QUESTION];

/// The rule of what is called a question, which may be a number that other benchmarks have, too.
const QUESTION: (&str, Rule) = ("livecodebench", livecodebench::id);

/// Fields of a line; others are passed over.
#[derive(Debug, Deserialize)]
struct Published {
    task_id: Option<Name>,
    question_id: Option<Name>,
    completion: Option<String>,
    solution: Option<String>,
    code_list: Option<Vec<String>>,
}

/// The agents of a file.
#[derive(Debug, Default)]
pub struct Samples {
    /// Python of each, in order.
    pub agents: Vec<String>,
    /// Samples that are in them.
    pub taken: usize,
    /// How many there are of a task, by its id.
    pub of_task: BTreeMap<String, usize>,
    /// Lines that can't be taken.
    pub refused: Vec<Note>,
    /// A warning of code between fences, if there is any.
    pub fenced: Option<String>,
}

/// The samples of a file, as whole programs.
#[derive(Debug, Default)]
pub struct Programs {
    /// Those of each task, by its place, in the order of the file.
    pub by_task: BTreeMap<usize, Vec<String>>,
    /// Lines that can't be taken.
    pub refused: Vec<Note>,
    /// A warning of code between fences, if there is any.
    pub fenced: Option<String>,
}

/// Reads a file of samples for these tasks.
///
/// # Errors
/// The file can't be read, is too large, or holds no line.
pub fn programs(path: &Path, tasks: &[Task]) -> anyhow::Result<Programs> {
    let cant = || format!("can't read {}", path.display());
    let bytes = entries::read(path, entries::MAX_FILE).with_context(cant)?;
    let mut programs = Programs::default();
    let mut fenced = Vec::new();
    let entries = entries::split(&bytes).with_context(cant)?;
    for entry in &entries {
        match entry.bytes(entries::MAX_ENTRY).and_then(|line| samples(line, tasks)) {
            Ok((task, sources)) => {
                let place = || entry.place.clone();
                fenced.extend(sources.iter().filter(|source| is_fenced(source)).map(|_| place()));
                let sources =
                    sources.into_iter().map(|source| livecodebench::with_imports(&tasks[task], source));
                programs.by_task.entry(task).or_default().extend(sources);
            }
            Err(text) => programs.refused.push(Note { place: entry.place.clone(), text }),
        }
    }
    if programs.by_task.is_empty() {
        guess::refuse_other_kind("samples", &entries, path).with_context(cant)?;
    }
    programs.fenced = warning(&fenced);
    Ok(programs)
}

/// True if a line of it opens or closes a block of Markdown.
fn is_fenced(source: &str) -> bool {
    source.lines().any(|line| line.starts_with("```"))
}

/// Samples are run as they stand, as the benchmarks' own harnesses run them.
fn warning(fenced: &[String]) -> Option<String> {
    let (samples, have) = (counted(fenced.len(), "sample"), if fenced.len() == 1 { "has" } else { "have" });
    let places = first_few(fenced);
    let way = "which is no Python and is run as it stands: take the code out of its fence";
    (!fenced.is_empty()).then(|| format!("{samples} {have} a line of ``` ({places}), {way}"))
}

/// Makes agents of a file of samples for these tasks.
///
/// # Errors
/// Those of [`programs`].
pub fn read(path: &Path, tasks: &[Task]) -> anyhow::Result<Samples> {
    let Programs { by_task, refused, fenced } = programs(path, tasks)?;
    let most = by_task.values().map(Vec::len).max().unwrap_or_default();
    Ok(Samples {
        agents: (0..most).map(|at| sampled::agent(at + 1, &those_at(at, &by_task, tasks))).collect(),
        taken: by_task.values().map(Vec::len).sum(),
        of_task: by_task.iter().map(|(at, sources)| (tasks[*at].id.clone(), sources.len())).collect(),
        refused,
        fenced,
    })
}

/// The place of its task, and the samples as whole programs.
fn samples(line: &[u8], tasks: &[Task]) -> Result<(usize, Vec<String>), String> {
    let Published { task_id, question_id, completion, solution, code_list } = fields(line, EXAMPLE)?;
    let (name, rules) = match (&task_id, &question_id) {
        (Some(name), _) => (name, &RULES[..]),
        (None, Some(name)) => (name, &[QUESTION][..]),
        (None, None) => return Err(format!("it has no task_id, but {}", names(line))),
    };
    let at = place(name, rules, tasks).ok_or_else(|| lost(name, tasks))?;
    let sources = match (solution, completion, code_list) {
        (Some(whole), ..) => vec![whole],
        (None, Some(rest), _) => vec![completed(&tasks[at].prompt, &rest)],
        (None, None, Some(codes)) if codes.is_empty() => return Err("its code_list is empty".to_owned()),
        (None, None, Some(codes)) => codes,
        (None, None, None) => {
            return Err(format!("it has no completion and no solution, but {}", names(line)));
        }
    };
    Ok((at, sources))
}

/// The place of the task with this id, or of that which a benchmark's entry of this name became, by one of these rules.
fn place(name: &Name, rules: &[(&str, Rule)], tasks: &[Task]) -> Option<usize> {
    let text = name.to_string();
    let imported = || rules.iter().find_map(|rule| tasks.iter().position(|task| is_of(name, task, rule)));
    tasks.iter().position(|task| task.id == text.trim()).or_else(imported)
}

/// True if this rule makes this task of an entry of that name.
fn is_of(name: &Name, task: &Task, (folder, rule): &(&str, Rule)) -> bool {
    let parts = task.id.rsplit_once('/');
    parts.is_some_and(|(path, last)| {
        path.rsplit('/').next() == Some(folder) && rule(name).is_ok_and(|id| id == last)
    })
}

/// Says that there is no such task.
fn lost(name: &Name, tasks: &[Task]) -> String {
    let text = name.to_string();
    let shown = visible(&text, SHOWN);
    if let Name::Number(_) = name {
        return format!("no task is made of {shown}; import its benchmark first");
    }
    if ["humaneval", "mbpp"].iter().any(|set| name.is_of(set)) {
        return format!("no task is made of {shown:?}; import its benchmark first");
    }
    let last = |task: &Task| task.id.rsplit('/').next() == Some(text.trim());
    let own = tasks.iter().find(|task| last(task)).map(|task| task.id.as_str());
    match own.or_else(|| nearest(&text, tasks.iter().map(|task| task.id.as_str()))) {
        Some(id) => format!("no task is called {shown:?}; did you mean {id:?}?"),
        None => format!("no task is called {shown:?}; `agentmill tasks` lists them"),
    }
}

/// A completion goes on where the published prompt ends. A whole program stands for itself, as does all that is written for
/// prompts without a beginning.
fn completed(prompt: &str, completion: &str) -> String {
    let begins = |word: &str| completion.lines().any(|line| line.starts_with(word));
    let Some(published) = humaneval::published(prompt) else { return completion.to_owned() };
    match begins("def ") || begins("class ") && !completion.starts_with([' ', '\t']) {
        true if !completion.starts_with([' ', '\t', '\n']) => completion.to_owned(),
        _ => format!("{published}\n{completion}"),
    }
}

/// The samples at this place of each task's.
fn those_at(at: usize, by_task: &BTreeMap<usize, Vec<String>>, tasks: &[Task]) -> Vec<TaskSample> {
    let one = |(task, sources): (&usize, &Vec<String>)| {
        let task = &tasks[*task];
        sources.get(at).map(|source| TaskSample::new(&task.id, task.known_by(), source))
    };
    by_task.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::task;

    const TASK: &str = "tests: [\"assert f() == 1\"]\n";

    /// Reads these lines where there are these tasks: gives the ids of their tasks, and what is wrong with them.
    fn taken(lines: &str) -> (Programs, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let ids = [
            "roman",
            "own/sudoku",
            "humaneval/0",
            "humaneval/mine-0",
            "mbpp/11",
            "evalplus/mbpp-12",
            "livecodebench/abc_a",
            "livecodebench/11",
        ];
        for id in ids {
            let path = folder.path().join(format!("tasks/{id}.yaml"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let prompt = match id.starts_with("humaneval") {
                true => "\"Complete the function `f`:\\n\\ndef f():\"",
                false => "\"Write f:\\n\\nassert f() == 1\"",
            };
            fs::write(path, format!("prompt: {prompt}\n{TASK}")).unwrap();
        }
        let file = folder.path().join("m.jsonl");
        fs::write(&file, lines).unwrap();
        let tasks = task::load(&folder.path().join("tasks")).unwrap();
        let programs = programs(&file, &tasks).unwrap();
        let told = programs.refused.iter().map(|note| format!("{}: {}", note.place, note.text));
        let told: Vec<String> = told.collect();
        let ids: Vec<String> = programs.by_task.keys().map(|at| tasks[*at].id.clone()).collect();
        (programs, [ids, told].concat())
    }

    fn of(name: &str) -> Vec<String> {
        taken(&format!("{{\"task_id\": {name}, \"completion\": \"    return 1\"}}\n")).1
    }

    #[test]
    fn a_task_is_named_by_its_id_or_as_its_benchmark_does() {
        for (name, id) in [
            ("\"roman\"", "roman"),
            ("\"own/sudoku\"", "own/sudoku"),
            ("\"HumanEval/0\"", "humaneval/0"),
            ("\"humaneval/0\"", "humaneval/0"),
            ("\"Mine/0\"", "humaneval/mine-0"),
            ("\"Mbpp/11\"", "mbpp/11"),
            ("11", "mbpp/11"),
            ("12", "evalplus/mbpp-12"),
            ("0", "humaneval/0"),
            ("\"abc_a\"", "livecodebench/abc_a"),
            ("\"livecodebench/abc_a\"", "livecodebench/abc_a"),
        ] {
            assert_eq!(of(name), [id], "{name}");
        }
    }

    #[test]
    fn what_is_no_task_is_told_with_what_may_be_meant() {
        for (name, told) in [
            ("\"HumanEval/7\"", "no task is made of \"HumanEval/7\"; import its benchmark first"),
            ("7", "no task is made of 7; import its benchmark first"),
            ("\"sudoku\"", "no task is called \"sudoku\"; did you mean \"own/sudoku\"?"),
            ("\"romann\"", "no task is called \"romann\"; did you mean \"roman\"?"),
            ("\"Yours/0\"", "no task is called \"Yours/0\"; `agentmill tasks` lists them"),
        ] {
            assert_eq!(of(name), [format!("line 1: {told}")], "{name}");
        }
    }

    #[test]
    fn livecodebench_has_several_samples_of_a_question_behind_its_imports() {
        let list = r#"[{"question_id": "11", "code_list": ["a = 1", "a = 2"]}, {"question_id": "ABC_a", "code_list": []}]"#;
        let (programs, told) = taken(list);
        assert_eq!(told, ["livecodebench/11", "entry 2: its code_list is empty"]);
        let sources = programs.by_task.values().next().unwrap();
        assert!(sources.len() == 2 && sources[1].contains("import *; ") && sources[1].ends_with("\na = 2"));
        let (_, told) = taken(
            "{\"question_id\": \"12\", \"code_list\": [\"a\"]}\n{\"task_id\": \"abc_a\", \"question_id\": \"x\", \"solution\": \"s\"}\n",
        );
        assert_eq!(told[0], "livecodebench/abc_a", "{told:?}");
        assert!(told[1].starts_with("line 1: no task is called \"12\""), "{told:?}");
    }

    #[test]
    fn a_broken_line_is_told_in_plain_words() {
        for (line, told) in [
            ("[\"roman\"]", "not an object such as {\"task_id\": ..., \"completion\": ...}"),
            (
                "{\"task_id\": \"roman\", \"text\": 1}",
                "it has no completion and no solution, but task_id, text",
            ),
            ("{\"completion\": \"\"}", "it has no task_id, but completion"),
            ("{\"task_id\": \"roman\", \"completion\": 7}", "completion: expected text, found a number"),
            ("hello", "not JSON (column 1: expected value); expected an object such as {"),
        ] {
            let (_, found) = taken(&format!("# a comment\n{line}\n"));
            assert!(found[0].starts_with(&format!("line 2: {told}")), "{found:?}");
        }
    }

    #[test]
    fn a_completion_goes_on_only_where_something_was_begun() {
        let line = |id: &str, text: &str| format!("{{\"task_id\": \"{id}\", \"completion\": \"{text}\"}}\n");
        let program = |id: &str, text: &str| {
            let (programs, _) = taken(&line(id, text));
            (programs.by_task.into_values().next().unwrap().remove(0), programs.fenced)
        };
        assert_eq!(program("humaneval/0", "    return 1").0, "def f():\n    return 1");
        assert_eq!(program("roman", "f = lambda: 1").0, "f = lambda: 1");
        let (fenced, warning) = program("roman", "```python\\nx\\n```");
        assert_eq!(fenced, "```python\nx\n```", "it is run as it stands");
        assert!(warning.unwrap().starts_with("1 sample has a line of ``` (line 1), which is no Python"));
    }
}
