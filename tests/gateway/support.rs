//! A folder with a pipeline that grants a model, tasks and agents.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::provider::Provider;

pub const KEY: &str = "sk-test-0123456789";

/// How agents ask: plain Python, nothing that is not in its library.
pub const ASK: &str = r#"
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.request


def post(path, body):
    headers = {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    return fetch(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + path, json.dumps(body).encode(), headers))


def get(path):
    return fetch(os.environ["OPENAI_BASE_URL"] + path)


def fetch(request):
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def chat(text, **more):
    return post("/chat/completions", {"model": "m", "messages": [{"role": "user", "content": text}], **more})


def ask(text, **more):
    status, body = chat(text, **more)
    return json.loads(body)["choices"][0]["message"]["content"] if status == 200 else status


def raw(data, patience=None):
    """Sends bytes and reads to the end."""
    with socket.create_connection(("127.0.0.1", int(os.environ["OPENAI_BASE_URL"].split(":")[2].split("/")[0]))) as link:
        link.settimeout(patience)
        link.sendall(data)
        answer = b""
        while chunk := link.recv(1 << 16):
            answer += chunk
        return answer.decode(errors="replace")
"#;

/// A folder to work in.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// With a stage that grants this, and more lines for the provider.
    pub fn new(provider: &Provider, grant: &str, llm: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let address = provider.address;
        folder.write(
            "pipeline.yaml",
            &format!(
                "stages:\n  - name: think\n    model: {grant}\nllm: {{base_url: 'http://{address}/v1', api_key_env: TEST_KEY, \
                 timeout: 5s, prices: {{m: [1, 2]}}{llm}}}\n"
            ),
        );
        fs::create_dir(folder.path().join("inbox")).unwrap();
        folder
    }

    /// The same with one task and one agent, alice, that begins with [`ASK`].
    pub fn with(provider: &Provider, grant: &str, tests: &[&str], agent: &str) -> Self {
        let folder = Self::new(provider, grant, "");
        folder.task("work", tests);
        folder.agent("alice", agent);
        folder
    }

    /// A task of these assertions.
    pub fn task(&self, name: &str, tests: &[&str]) {
        let functions = "ask(text), work(), chat(text), post(path, body), get(path)";
        let tests: String = tests.iter().map(|test| format!("  - |-\n    assert {test}\n")).collect();
        self.write(&format!("tasks/{name}.yaml"), &format!("prompt: Write {functions}\ntests:\n{tests}"));
    }

    pub fn agent(&self, name: &str, source: &str) {
        self.write(&format!("inbox/{name}.py"), &format!("{ASK}\n{source}"));
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        command.arg("-C").arg(self.path()).args(args).env("CI", "1").env("TEST_KEY", KEY);
        command
    }

    /// `agentmill run` and more; what it said, in which no key may be.
    pub fn run(&self, more: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(&[&["run"], more].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        assert!(!said.contains(KEY), "{said}");
        Ran { code: status.code(), said }
    }

    /// alice's only run, as reported.
    pub fn alice(&self) -> Value {
        let report: Value = serde_json::from_str(&self.read("results/agents/alice.json")).unwrap();
        assert_eq!(report["runs"].as_array().map(Vec::len), Some(1), "{report}");
        report["runs"][0].clone()
    }

    /// Runs, and says what did not pass.
    pub fn expect_passed(&self) {
        let ran = self.run(&[]);
        let run = self.alice();
        assert_eq!((ran.code, &run["verdict"]), (Some(0), &"passed".into()), "{}\n{run:#}", ran.said);
    }

    /// The lines of the only recording.
    pub fn recording(&self) -> Vec<Value> {
        let files: Vec<_> = fs::read_dir(self.path().join("results/recordings")).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A run of the program.
pub struct Ran {
    pub code: Option<i32>,
    pub said: String,
}
