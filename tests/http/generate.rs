//! A scripted model, and what `generate` and `submit` make of what it says.

use crate::support::Line::{Fails, IsSilent, Says};
use crate::support::{Folder, GOOD, Model, TASK, drafted, said};

const KEY: &str = "sk-test-0123456789";

fn fenced(source: &str) -> String {
    format!("Sure, here it is:\n\n```python\n{source}```\n\nIt reverses the text.\n")
}

/// Runs `generate strings/reverse --out agent.py` against a script; gives the folder, the exit code and what was said.
fn generate(model: &Model, more: &str) -> (Folder, i32, String) {
    let folder = Folder::new(&model.pipeline().replace("}\n", &format!("{more}}}\n")));
    let out = folder.path().join("agent.py");
    let mut command = folder.command(&["generate", "strings/reverse", "--out", out.to_str().unwrap()]);
    let output = command.env("TEST_KEY", KEY).output().unwrap();
    let text = said(&output);
    assert!(!text.contains(KEY), "{text}");
    (folder, output.status.code().unwrap(), text)
}

#[test]
fn a_good_reply_becomes_the_file() {
    let model = Model::new([Says(fenced(GOOD))]);
    let (folder, code, text) = generate(&model, ", temperature: 0.5");
    assert_eq!(code, 0, "{text}");
    assert_eq!(folder.read("agent.py"), drafted("strings/reverse", GOOD));
    let (head, body) = model.requests().remove(0);
    assert!(
        head.starts_with("post /v1/chat/completions")
            && head.contains(&format!("authorization: bearer {KEY}"))
    );
    assert_eq!((&body["model"], &body["temperature"]), (&"scripted".into(), &0.5.into()));
    let prompt = &model.prompts()[0];
    assert!(prompt.contains("Write reverse_string(s)") && prompt.contains("'olleh'"));
    assert!(!prompt.contains("'ab'"), "hidden tests stay hidden");
}

#[test]
fn a_foreign_import_is_repaired_once() {
    let model = Model::new([Says(fenced("import numpy\n")), Says(fenced(GOOD))]);
    let (folder, code, text) = generate(&model, "");
    assert_eq!((code, folder.read("agent.py")), (0, drafted("strings/reverse", GOOD)), "{text}");
    let prompts = model.prompts();
    assert_eq!(prompts.len(), 2);
    assert!(prompts[1].contains("line 1: imports numpy"), "{}", prompts[1]);
}

#[test]
fn a_syntax_error_is_found_in_a_cell_and_repaired() {
    let model = Model::new([Says(fenced("def reverse_string(s:\n    return s\n")), Says(fenced(GOOD))]);
    let (folder, code, text) = generate(&model, "");
    assert_eq!((code, folder.read("agent.py")), (0, drafted("strings/reverse", GOOD)), "{text}");
    assert!(model.prompts()[1].contains("not valid Python 3.11"), "{}", model.prompts()[1]);
}

#[test]
fn a_second_bad_reply_is_the_end() {
    let model = Model::new([Says("I can't do that.".into())]);
    let (folder, code, text) = generate(&model, "");
    assert_eq!((code, model.prompts().len()), (2, 2));
    assert!(
        text.contains("strings/reverse: no usable code, not even after a repair")
            && text.contains("no Python code"),
        "{text}"
    );
    assert!(!folder.path().join("agent.py").exists());
}

/// One needs the place to mend the address, and the key doesn't go there by itself.
#[test]
fn an_endpoint_that_sends_elsewhere_is_told_with_the_place() {
    let model = Model::new([Fails(307, "Location: https://elsewhere.example/v1/x\r\n", String::new())]);
    let (_, code, text) = generate(&model, "");
    assert_eq!((code, model.prompts().len()), (2, 1), "{text}");
    assert!(
        text.contains("HTTP 307: it is at https://elsewhere.example/v1/x now; mend llm.base_url"),
        "{text}"
    );
}

#[test]
fn a_busy_endpoint_is_asked_again_as_it_wishes() {
    let wait = "Retry-After: 0.5\r\n";
    let busy = |status| Fails(status, wait, r#"{"error": {"message": "slow down"}}"#.into());
    let model = Model::new([busy(429), busy(500), busy(503), Says(fenced(GOOD))]);
    let (_, code, text) = generate(&model, "");
    assert_eq!((code, model.prompts().len()), (0, 4), "{text}");
    assert!(text.contains("HTTP 429: slow down; asking again in 0.5 s"), "{text}");
    let model = Model::new([busy(529)]);
    let (_, code, text) = generate(&model, "");
    assert_eq!((code, model.prompts().len()), (2, 5));
    assert!(text.contains("after 5 tries"), "{text}");
    let model = Model::new([Fails(429, "Retry-After: 86400\r\n", String::new())]);
    assert!(generate(&model, "").2.contains("asks to wait for 86400 s"));
}

#[test]
fn refusals_are_told_without_the_key() {
    let echo = format!(r#"{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}"#);
    let model = Model::new([Fails(401, "", echo)]);
    let (_, code, text) = generate(&model, "");
    assert_eq!((code, model.prompts().len()), (2, 1));
    assert!(text.contains("HTTP 401: Incorrect API key provided: ***"), "{text}");
    let elsewhere = Fails(301, "Location: http://127.0.0.1:9/\r\n", String::new());
    let (_, code, text) = generate(&Model::new([elsewhere]), "");
    assert!(code == 2 && text.contains("HTTP 301"), "{text}");
}

#[test]
fn a_newer_endpoint_gets_the_limit_by_its_newer_name() {
    let complaint = r#"{"error": {"message": "Use 'max_completion_tokens' instead."}}"#;
    let model = Model::new([Fails(400, "", complaint.into()), Says(fenced(GOOD))]);
    assert_eq!(generate(&model, "").1, 0);
    assert_eq!(model.requests()[1].1["max_completion_tokens"], 4096);
}

#[test]
fn a_silent_endpoint_is_asked_once() {
    let folder = Folder::new("");
    let model = Model::new([IsSilent]);
    folder.write("pipeline.yaml", &model.pipeline().replace("}\n", ", timeout: 200ms}\n"));
    let mut command = folder.command(&["generate", "--all", "--miner", "alice"]);
    let output = command.env("TEST_KEY", KEY).output().unwrap();
    let words = "no reply within 0.2 s; a larger llm.timeout may help";
    assert!(said(&output).contains(words) && model.requests().len() == 1, "{}", said(&output));
}

#[test]
fn what_is_missing_is_named() {
    let folder = Folder::new("llm: {model: m, api_key_env: NO_SUCH_KEY}");
    for (args, words) in [
        (&["generate", "strings/reverse"][..], "--miner"),
        (&["generate", "--miner", "alice"], "say which task"),
        (&["generate", "nothing", "--miner", "alice"], "no task is called \"nothing\""),
        (&["generate", "--all", "--miner", "alice"], "set NO_SUCH_KEY in the environment"),
    ] {
        let output = folder.run(args);
        assert!(output.status.code() == Some(2) && said(&output).contains(words), "{}", said(&output));
    }
    folder.write("pipeline.yaml", "llm: {api_key_env: null}");
    assert!(said(&folder.run(&["generate", "--all", "--miner", "alice"])).contains("llm.model"));
    folder.write(
        "pipeline.yaml",
        "llm: {model: m, api_key_env: null, base_url: 'http://127.0.0.1:1/v1', timeout: 2s}",
    );
    let key = "llm: {api_key_env: sk-live-secret, base_url: 'https://u:pw@host/v1'}";
    folder.write("pipeline.yaml", key);
    let text = said(&folder.run(&["generate", "--all", "--miner", "alice"]));
    assert!(text.contains("not the key itself") && text.contains("must not hold a password"), "{text}");
    assert!(!text.contains("sk-live") && !text.contains("pw@"), "{text}");
}

#[test]
fn a_command_can_be_the_model_and_the_draft_goes_into_the_inbox() {
    let folder = Folder::new("llm: {command: [sh, -c, 'cat > prompt.txt; cat reply.md']}");
    folder.write("reply.md", &fenced(GOOD));
    let mut command = folder.command(&["generate", "strings/reverse", "--miner", "Alice", "--try"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(folder.read("inbox/alice.py"), drafted("strings/reverse", GOOD));
    assert!(folder.read("prompt.txt").contains("Write reverse_string(s)"));
    assert!(folder.read("results/.uploads/alice.json").contains("\"generate\""));
}

#[test]
fn a_draft_that_fails_public_tests_is_repaired_when_tried() {
    let wrong = "def reverse_string(s):\n    return s\n";
    let model = Model::new([Says(fenced(wrong)), Says(fenced(GOOD))]);
    let folder = Folder::new(&model.pipeline());
    let mut command = folder.command(&["generate", "--all", "--miner", "alice", "--try"]);
    let output = command.env("TEST_KEY", KEY).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(model.prompts()[1].contains("strings/reverse: word"), "{}", model.prompts()[1]);
    assert_eq!(folder.read("inbox/alice.py"), drafted("strings/reverse", GOOD));
    let text = said(&output);
    assert!(
        text.contains("trying strings/reverse on 1 public test\n") && !text.contains("nothing was"),
        "{text}"
    );
    folder.write("tasks/strings/reverse.yaml", &TASK.replace(", public: true", ""));
    let output =
        folder.command(&["generate", "str*/*", "--miner", "alice", "--try"]).env("TEST_KEY", KEY).output();
    let text = said(&output.unwrap());
    assert!(text.contains("strings/reverse: no public tests: nothing was tried"), "{text}");
}

#[test]
fn several_tasks_end_in_one_file_that_serves_them_all() {
    let shout =
        "SIGN = '!'\n\ndef helper(s):\n    return s.upper() + SIGN\n\ndef shout(s):\n    return helper(s)\n";
    let reverse = "def helper(s):\n    return s[::-1]\n\ndef reverse_string(s):\n    return helper(s)\n";
    let hello = "import sys\n\nif __name__ == '__main__':\n    print('hello', sys.argv[1], '\\n'.strip())\n";
    let model = Model::new([hello, shout, reverse].map(|source| Says(fenced(source))));
    let folder = Folder::new(&model.pipeline());
    folder.write("tasks/hello.yaml", "prompt: |\n  Print hello,\n  'twice'\ntests: [{assert: \"output.split() == ['hello', '--task']\", public: true}]\n");
    folder.write(
        "tasks/shout.yaml",
        "prompt: shout(s)\ntests: [{assert: \"shout('a') == 'A!'\", public: true}]\n",
    );
    let mut command = folder.command(&["generate", "--all", "--miner", "alice", "--try"]);
    let output = command.env("TEST_KEY", KEY).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(model.prompts().len(), 3);
    let output = folder.run(&["run"]);
    assert!(said(&output).contains("1. alice: 100"), "{}", said(&output));
}

#[test]
fn submit_puts_a_checked_file_into_the_inbox() {
    let folder = Folder::new("");
    folder.write("good.py", GOOD);
    folder.write("bad.py", "import os\nimport numpy\n");
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let output = folder.run(&["submit", &file("good.py"), "--miner", "alice"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(folder.read("inbox/alice.py"), GOOD);
    let output = folder.run(&["submit", &file("bad.py"), "--miner", "bob"]);
    assert!(
        output.status.code() == Some(2) && said(&output).contains("line 2: this submission imports numpy"),
        "{}",
        said(&output)
    );
    assert!(!folder.inbox().join("bob.py").exists());
    let output = folder.run(&["submit", &file("good.py"), "--miner", "../x"]);
    assert_eq!(output.status.code(), Some(2));
}
