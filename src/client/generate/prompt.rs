//! Prompts: the text that a model is sent.

use crate::client::generate::wanted::Wanted;
use crate::config::grant::Face;
use crate::config::{Allow, Pipeline};
use crate::model::python::{BaseImage, Library, PackedImage};
use crate::pipeline::terms::{Granted, Terms};
use crate::task::{Form, Task};
use crate::util::plural::counted;

/// A rule of every file.
const FILE: &str = "\
- Everything stands at the top level of one file, agent.py. Importing the file prints and reads nothing.
";

/// Rules of a file with functions.
const FUNCTIONS: &str = "\
- `python agent.py --task PROMPT` must work, too: where the task asks for printed output, print it; where it asks for \
a function, print nothing. Do this below `if __name__ == \"__main__\":`.
";

/// Rules of a program.
const PROGRAM: &str = "\
- It reads its input, if there is any, from stdin, and prints its answer and nothing else, below \
`if __name__ == \"__main__\":`. `python agent.py --task PROMPT` runs it, where \
PROMPT is the text of the task; in the tests `output` is what that prints, and agent.run(*ARGS, stdin=TEXT) is \
`python agent.py ARGS`.
";

const REPLY: &str = "- Reply with the whole file in exactly one ```python block, without explanations.\n";

/// The Python that agents run on.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// Its version, without the last number; None if it is not known.
    python: Option<String>,
    /// The pipeline, which says what may be imported there, and which models a task may ask.
    pipeline: Pipeline,
}

impl Interpreter {
    /// As the image's library tells, or else the image's name.
    #[must_use]
    pub fn of(pipeline: &Pipeline, library: Option<&Library>) -> Self {
        let by_name = || {
            let image = &pipeline.sandbox.image;
            let base = PackedImage::parse(image).map_or_else(|| image.clone(), |packed| packed.base);
            BaseImage::of(&base).map(|base| base.python.to_owned())
        };
        let python = library.map(|library| library.python.clone()).or_else(by_name);
        Self { python, pipeline: pipeline.clone() }
    }

    /// The rules of what can be used there in a task's runs.
    fn rules(&self, task: &Task) -> String {
        let version = self.python.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let modules = match &self.pipeline.validate.allow {
            Allow::Modules(none) if none.is_empty() => {
                "standard library only; nothing else can be imported".to_owned()
            }
            Allow::Modules(some) => {
                format!("standard library and {}; nothing else can be imported", some.join(", "))
            }
            Allow::Image => "standard library and what else is installed".to_owned(),
        };
        let model = Terms::of(task, &self.pipeline).model.filter(|model| model.faces.contains(&Face::Openai));
        let network = model.map_or_else(|| "There is no network.".to_owned(), |granted| to_ask(&granted));
        format!("Rules:\n- Python{version}, {modules}. {network}\n")
    }
}

/// Says how a run asks a model.
fn to_ask(granted: &Granted<'_>) -> String {
    let (models, requests) = (granted.allow.join(", "), counted(granted.requests, "request"));
    format!(
        "There is no network but a language model: each run may make {requests} of OpenAI's protocol (POST /chat/completions) below \
         the address in the environment variable OPENAI_BASE_URL, with the key in OPENAI_API_KEY, to one of these models: {models}. Read both \
         variables in the function that asks; urllib.request is enough."
    )
}

/// Says which names in the tests are their own, where there are any.
fn helpers_of(wanted: &Wanted) -> String {
    let names: Vec<String> = wanted.helpers.iter().map(|name| format!("`{name}`")).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    if names.is_empty() { String::new() } else { format!("{} {are} the tests' own.\n\n", names.join(", ")) }
}

/// Asks for a task's solution: a program where the public tests look at what one prints, else functions.
#[must_use]
pub fn ask(task: &Task, interpreter: &Interpreter) -> String {
    let wanted = Wanted::of(task);
    let (what, rules) = match wanted.program && wanted.functions.is_empty() {
        true => ("a Python program, agent.py, that does the following task when it is run.", PROGRAM),
        false => ("Python code for the following task as a function in agent.py.", FUNCTIONS),
    };
    let mut text = format!("Write {what}\n\n{}\n", quoted(task));
    let public: Vec<_> = task.tests.iter().filter(|test| test.public).collect();
    if !public.is_empty() {
        text += "Some of the tests that it must pass (`output` is what the program printed):\n\n";
        for test in public {
            let form =
                if test.form == Form::Score { " (a score from 0 to 1, the more the better)" } else { "" };
            text += &format!("# {}{form}\n{}\n", test.name, test.assertion.text.trim_end());
        }
        text += "\n";
        text += &helpers_of(&wanted);
    }
    text + &interpreter.rules(task) + FILE + rules + REPLY
}

/// Asks for a better reply after one that could not be used.
#[must_use]
pub fn repair(task: &Task, interpreter: &Interpreter, source: Option<&str>, problem: &str) -> String {
    let mut text = ask(task, interpreter);
    match source {
        Some(source) => {
            text += &format!("\nThis was your last reply:\n\n```python\n{}\n```\n", source.trim_end())
        }
        None => text += "\nYour last reply held no Python code.\n",
    }
    text + &format!("\nIt can't be used: {problem}\n\nReply with the whole corrected file.\n")
}

fn quoted(task: &Task) -> String {
    task.prompt.trim_end().lines().map(|line| format!("> {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn interpreter(pipeline: &str, library: Option<&Library>) -> Interpreter {
        Interpreter::of(&crate::config::parse(Path::new("p.yaml"), pipeline.as_bytes()).unwrap(), library)
    }

    fn prompt(test: &str) -> String {
        let yaml = format!("prompt: p\ntests: [{{assert: \"{test}\", public: true}}]");
        ask(&crate::task::parse(Path::new("t.yaml"), yaml.as_bytes()).unwrap(), &interpreter("", None))
    }

    #[test]
    fn the_python_in_use_is_named_and_none_that_is_not_known() {
        let newer = Library { python: "3.14".into(), ..Library::default() };
        let task = crate::task::parse(Path::new("t.yaml"), b"prompt: p\ntests: [f() == 1]\n").unwrap();
        for (pipeline, library, told) in [
            ("", None, "Python 3.11, standard library only;"),
            ("", None, "There is no network."),
            (
                "stages: [{name: a, model: {allow: [x, y], requests: 5}}]",
                None,
                "may make 5 requests of OpenAI's protocol",
            ),
            ("sandbox: {image: 'host/python:3.13-slim'}", None, "Python 3.13, "),
            ("sandbox: {image: 'agentmill/python:3.13-slim-0123456789ab'}", None, "Python 3.13, "),
            ("sandbox: {image: own}", None, "- Python, standard library only;"),
            ("sandbox: {image: own}", Some(&newer), "Python 3.14, "),
            ("validate: {allow: [numpy, pandas]}", None, "standard library and numpy, pandas; nothing else"),
            ("validate: {allow: image}", None, "standard library and what else is installed."),
        ] {
            let rules = interpreter(pipeline, library).rules(&task);
            assert!(rules.contains(told), "{pipeline}: {rules}");
        }
    }

    #[test]
    fn the_documentation_shows_the_prompt() {
        let yaml = "prompt: Write a function double(n) that gives twice n.\n\
                    tests:\n- {name: small, assert: double(2) == 4, public: true}\n- assert: double(0) == 0\n";
        let task = crate::task::parse(Path::new("t.yaml"), yaml.as_bytes()).unwrap();
        let prompt = ask(&task, &interpreter("", None));
        let page = include_str!("../../../docs/http.md");
        let (_, shown) = page.split_once("````text\n").unwrap();
        assert_eq!(prompt, shown.split_once("````\n").unwrap().0);
    }

    #[test]
    fn a_program_is_asked_for_where_one_is_wanted() {
        for test in ["output == 'x'", "agent.run('1').stdout == '2'"] {
            let prompt = prompt(test);
            assert!(prompt.contains("a Python program") && !prompt.contains("function"), "{prompt}");
        }
        assert!(prompt("f(1) == 1").contains("as a function in agent.py"));
        assert!(prompt("f(1) == 1 and output == 'x'").contains("as a function in agent.py"));
    }
}
