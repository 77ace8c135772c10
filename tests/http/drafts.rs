//! A model's drafts: which are taken, mended, kept beside others, and shown.

use crate::support::Line::{Fails, Says};
use crate::support::{Folder, GOOD, Model, drafted, said};

const SHOUT: &str = "def shout(s):\n    return s.upper()\n";
const WRONG: &str = "def reverse_string(s):\n    return s\n";

/// A folder with a second task, which asks for `shout`.
fn two_tasks(model: &Model) -> Folder {
    let folder = Folder::new(&model.pipeline());
    let task = "prompt: Write shout(s)\ntests: [{assert: \"shout('a') == 'A'\", public: true}]\n";
    folder.write("tasks/shout.yaml", task);
    folder
}

/// Runs `generate` with these arguments: exit code and what was said.
fn generate(folder: &Folder, args: &[&str]) -> (i32, String) {
    let mut command = folder.command(&[&["generate"], args].concat());
    let output = command.env("TEST_KEY", "none").output().unwrap();
    (output.status.code().unwrap(), said(&output))
}

#[test]
fn a_file_without_the_asked_function_is_mended() {
    let model = Model::new([Says("def reverse(s):\n    return s[::-1]\n".into()), Says(GOOD.into())]);
    let folder = Folder::new(&model.pipeline());
    let (code, text) = generate(&folder, &["--all", "--miner", "alice"]);
    assert_eq!((code, folder.read("inbox/alice.py")), (0, drafted("strings/reverse", GOOD)), "{text}");
    assert!(model.prompts()[1].contains("it does not define reverse_string"), "{}", model.prompts()[1]);
}

#[test]
fn all_keeps_what_succeeded() {
    let cannot = || Says("I can't.".into());
    let model = Model::new([Says(SHOUT.into()), cannot()]);
    let folder = two_tasks(&model);
    let (code, text) = generate(&folder, &["--all", "--miner", "alice"]);
    assert_eq!((code, folder.read("inbox/alice.py")), (1, drafted("shout", SHOUT)), "{text}");
    assert!(text.contains("agentmill: strings/reverse: no usable code"), "{text}");
    let model = Model::new([cannot(), cannot(), Says(GOOD.into()), cannot()]);
    let folder = two_tasks(&model);
    folder.write("tasks/zero.yaml", "prompt: zero()\ntests: [{assert: zero() == 0, public: true}]\n");
    let (code, text) = generate(&folder, &["--all", "--miner", "alice"]);
    assert_eq!((code, folder.read("inbox/alice.py")), (1, drafted("strings/reverse", GOOD)), "{text}");
    assert!(text.contains("agentmill: shout: ") && text.contains("agentmill: zero: "), "{text}");
    let model = Model::new([Says(SHOUT.into()), Fails(401, "", "no".into())]);
    let folder = two_tasks(&model);
    let (code, text) = generate(&folder, &["--all", "--miner", "alice"]);
    assert_eq!((code, folder.read("inbox/alice.py")), (1, drafted("shout", SHOUT)), "{text}");
    assert!(text.contains("stopped before the rest") && text.contains("HTTP 401"), "{text}");
}

#[test]
fn a_second_generate_keeps_what_the_first_made() {
    let model = Model::new([Says(GOOD.into()), Says(SHOUT.into()), Says(SHOUT.replace("s.", "str(s)."))]);
    let folder = two_tasks(&model);
    for task in ["strings/reverse", "shout", "shout"] {
        let (code, text) = generate(&folder, &[task, "--miner", "Alice", "--try"]);
        assert_eq!(code, 0, "{text}");
    }
    let file = folder.read("inbox/alice.py");
    assert!(
        file.contains("s[::-1]") && file.contains("str(s).upper()") && !file.contains("return s.upper()")
    );
    let output = folder.run(&["run"]);
    assert!(said(&output).contains("1. alice: 100"), "{}", said(&output));
    let (code, text) = generate(&folder, &["shout", "--miner", "alice", "--replace"]);
    assert_eq!(code, 0, "{text}");
    assert!(!folder.read("inbox/alice.py").contains("reverse_string"));
}

#[test]
fn another_solution_of_the_same_task_takes_the_place_of_the_one_before() {
    let model = Model::new([SHOUT, "def shout(s):\n    return s\n"].map(|source| Says(source.into())));
    let folder = Folder::new(&model.pipeline());
    folder.write("tasks/shout.yaml", "prompt: shout(s)\ntests: [\"assert shout('a') == 'A'\"]\n");
    assert_eq!(generate(&folder, &["shout", "--miner", "alice"]).0, 0);
    let (code, text) = generate(&folder, &["shout", "--miner", "alice"]);
    assert!(code == 0 && text.contains("replaced: shout\n") && !text.contains("kept"), "{text}");
    assert_eq!(folder.read("inbox/alice.py"), drafted("shout", "def shout(s):\n    return s\n"));
    folder.write("inbox/alice.py", SHOUT);
    let (code, text) = generate(&folder, &["shout", "--miner", "alice"]);
    let told = "kept beside it: what was there before\nnothing says which task that is of, so it may answer in place of";
    assert!(code == 0 && text.contains(told), "{text}");
}

#[test]
fn a_reply_that_ignores_the_name_in_the_prompt_is_mended() {
    let model = Model::new([
        Says("def to_roman(n):\n    return 'I'\n".into()),
        Says("def roman(n):\n    return 'I'\n".into()),
    ]);
    let folder = Folder::new(&model.pipeline());
    folder.write(
        "tasks/roman.yaml",
        "prompt: \"Implement a function roman(n: int)\"\ntests: [\"assert roman(1) == 'I'\"]\n",
    );
    let (code, text) = generate(&folder, &["roman", "--miner", "alice"]);
    assert!(code == 0 && model.prompts()[1].contains("it does not define roman, as the task asks"), "{text}");
    // Nor does a class around the function take its place.
    let before = folder.read("inbox/alice.py");
    let model =
        Model::new([Says("```python\nclass Solution:\n    def roman(self, n): return 1\n```\n".into())]);
    folder.write("pipeline.yaml", &model.pipeline());
    let (code, text) = generate(&folder, &["roman", "--miner", "alice", "--repairs", "0"]);
    assert!(code == 2 && text.contains("it does not define roman, as the task asks"), "{text}");
    assert_eq!(folder.read("inbox/alice.py"), before);
}

#[test]
fn repairs_are_told_what_failed_as_often_as_wanted() {
    let model = Model::new([WRONG, WRONG, WRONG, GOOD].map(|source| Says(source.into())));
    let folder = Folder::new(&model.pipeline());
    let (code, text) = generate(&folder, &["--all", "--miner", "alice", "--try", "--repairs", "3"]);
    assert_eq!((code, model.prompts().len()), (0, 4), "{text}");
    for prompt in &model.prompts()[1..] {
        assert!(prompt.contains("strings/reverse: word") && prompt.contains("'olleh'"), "{prompt}");
    }
    let model = Model::new([Says(WRONG.into())]);
    let folder = Folder::new(&model.pipeline());
    let (code, text) = generate(&folder, &["--all", "--miner", "alice", "--try", "--repairs", "0"]);
    assert_eq!((code, model.prompts().len()), (2, 1), "{text}");
    assert!(text.contains("no usable code: strings/reverse: word"), "{text}");
}

#[test]
fn replies_are_shown_when_asked_for_or_of_no_use() {
    let chat = format!("Here \x1b[2J:\n```python\n{GOOD}```\nBye.\n");
    for (args, shown) in [(&["--show-reply"][..], true), (&[], false)] {
        let model = Model::new([Says(chat.clone())]);
        let folder = Folder::new(&model.pipeline());
        let (code, text) = generate(&folder, &[&["--all", "--miner", "alice"], args].concat());
        assert_eq!((code, text.contains("  | Here \\u{1b}[2J:\n") && text.contains("  | Bye.")), (0, shown));
    }
    let model = Model::new([Says("I can't, \u{202e}sorry.\nReally.".into())]);
    let folder = Folder::new(&model.pipeline());
    let (_, text) = generate(&folder, &["--quiet", "--all", "--miner", "alice"]);
    assert!(text.contains("  | I can't, \\u{202e}sorry.\n  | Really.\n"), "{text}");
}
