//! What a model is asked.

use crate::task::Task;

/// What every reply must keep to.
const RULES: &str = "\
Rules:
- Python 3.11, standard library only; nothing else can be imported. There is no network.
- Everything stands at the top level of one file, agent.py. Importing the file prints and reads nothing.
- `python agent.py --task PROMPT` must work, too: where the task asks for printed output, print it; where it asks for \
a function, print nothing. Do this below `if __name__ == \"__main__\":`.
- Reply with the whole file in exactly one ```python block, without explanations.
";

/// Asks for a task's solution.
#[must_use]
pub fn ask(task: &Task) -> String {
    let mut text =
        format!("Write Python code for the following task as a function in agent.py.\n\n{}\n", quoted(task));
    let public: Vec<_> = task.tests.iter().filter(|test| test.public).collect();
    if !public.is_empty() {
        text += "Some of the tests that it must pass (`output` is what the program printed):\n\n";
        for test in public {
            text += &format!("# {}\n{}\n", test.name, test.assertion.text.trim_end());
        }
        text += "\n";
    }
    text + RULES
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
