//! Prompts: the text that a model is sent.

use crate::client::generate::wanted::Wanted;
use crate::task::Task;

/// Rules that every reply must keep.
const RULES: &str = "\
Rules:
- Python 3.11, standard library only; nothing else can be imported. There is no network.
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

/// Asks for a task's solution: a program where the public tests look at what one prints, else functions.
#[must_use]
pub fn ask(task: &Task) -> String {
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
            text += &format!("# {}\n{}\n", test.name, test.assertion.text.trim_end());
        }
        text += "\n";
    }
    text + RULES + rules + REPLY
}

/// Asks for a better reply after one that could not be used.
#[must_use]
pub fn repair(task: &Task, source: Option<&str>, problem: &str) -> String {
    let mut text = ask(task);
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

    fn prompt(test: &str) -> String {
        let yaml = format!("prompt: p\ntests: [{{assert: \"{test}\", public: true}}]");
        ask(&crate::task::parse(Path::new("t.yaml"), yaml.as_bytes()).unwrap())
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
