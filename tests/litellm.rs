//! LiteLLM's proxy as the provider: a real server that many organisers put before their models, here with made-up answers.
//!
//! `python3 -m venv V && V/bin/pip install 'litellm[proxy]'`, then
//! `AGENTMILL_LITELLM=V/bin/litellm cargo test --test litellm -- --ignored`. Its start alone takes half a minute.

mod ignorable;
mod testenv;

use std::env;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};

use ignorable::{Missing, Tested, on_request};
use testenv::{DOUBLE_TASK, TestEnv, wait_until};

const WHY: &str = "needs AGENTMILL_LITELLM=PROGRAM, which CONTRIBUTING.md tells how to get";

/// Models by what they answer; the last is LiteLLM's own refusal, as it passes a provider's on.
const CONFIG: &str = r#"
model_list:
  - {model_name: m, litellm_params: {model: openai/m, api_key: none, mock_response: "right you are"}}
  - model_name: writer
    litellm_params: {model: openai/w, api_key: none, mock_response: "Sure:\n```python\ndef double(n):\n    return 2 * n\n```\n"}
  - {model_name: throttled, litellm_params: {model: openai/t, api_key: none, mock_response: "litellm.RateLimitError"}}
general_settings: {master_key: sk-master}
router_settings: {num_retries: 0, disable_cooldowns: true}
"#;

const ASK: &str = r#"
import json, os, urllib.error, urllib.request

def post(path, body):
    headers = {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    return urllib.request.Request(os.environ["OPENAI_BASE_URL"] + path, json.dumps(body).encode(), headers)

def ask(model, **more):
    body = {"model": model, "messages": [{"role": "user", "content": "am I right?"}], **more}
    try:
        with urllib.request.urlopen(post("/chat/completions", body)) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code

def words(model):
    return json.loads(ask(model))["choices"][0]["message"]["content"]

def streamed(model):
    events = [line[6:] for line in ask(model, stream=True).splitlines() if line.startswith("data: {")]
    return "".join(c["delta"].get("content") or "" for e in events for c in json.loads(e)["choices"])

def used():
    with urllib.request.urlopen(os.environ["OPENAI_BASE_URL"] + "/budget") as answer:
        return json.load(answer)
"#;

fn main() -> ExitCode {
    ignorable::main(vec![
        on_request(WHY, "agents_ask_it", agents_ask_it),
        on_request(WHY, "its_faults_are_nobodys", its_faults_are_nobodys),
        on_request(WHY, "generate_asks_it", generate_asks_it),
    ])
}

/// The proxy; ends with this.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start(env: &TestEnv) -> Result<Self, Missing> {
        let program = env::var_os("AGENTMILL_LITELLM").ok_or_else(|| Missing(WHY.to_owned()))?;
        env.write("litellm/config.yaml", CONFIG);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::create(env.path("litellm/log")).unwrap();
        let mut command = Command::new(program);
        command.arg("--config").arg(env.path("litellm/config.yaml"));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut proxy = Self { child: command.spawn().unwrap(), port };
        wait_until("LiteLLM listens", || {
            assert!(proxy.child.try_wait().unwrap().is_none(), "{}", env.read("litellm/log"));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Ok(proxy)
    }

    /// A pipeline that grants this model.
    fn pipeline(&self, model: &str) -> String {
        let port = self.port;
        format!(
            "stages: [{{name: think, model: {{allow: [{model}], requests: 5, wait: 5s}}}}]\n\
             llm: {{base_url: 'http://127.0.0.1:{port}/v1', model: {model}, api_key_env: TEST_KEY, timeout: 20s}}\n"
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn env() -> TestEnv {
    TestEnv::new().variable("TEST_KEY", "sk-master")
}

fn agents_ask_it() -> Tested {
    let task = "prompt: Write words(model) and streamed(model).\ntests:\n  - assert words('m') == 'right you are'\n  \
                - assert streamed('m') == 'right you are'\n  - assert used()['used']['requests'] == 2\n";
    let env = env().task("ask", task).agent("ann", ASK);
    let proxy = Proxy::start(&env)?;
    env.write("pipeline.yaml", &proxy.pipeline("m"));
    env.run();
    assert_eq!(env.score("ann").as_deref(), Some("100"), "{:?}", env.report("ann", "ask"));
    drop(proxy);
    env.agentmill(&["run", "--force", "--quiet"]).code(0);
    assert_eq!(env.score("ann").as_deref(), Some("100"), "{:?}", env.report("ann", "ask"));
    Ok(())
}

fn its_faults_are_nobodys() -> Tested {
    let task = "prompt: Write words(model).\ntests:\n  - assert words('MODEL') == 'right you are'\n";
    let env = env().agent("ann", ASK);
    let proxy = Proxy::start(&env)?;
    env.write("tasks/ask.yaml", &task.replace("MODEL", "throttled"));
    env.write("pipeline.yaml", &proxy.pipeline("throttled"));
    env.agentmill(&["run", "--quiet"]).code(1);
    assert_eq!(env.csv("scores.csv")[0]["verdict"], "unscored");
    env.write("tasks/ask.yaml", &task.replace("MODEL", "m"));
    env.write("pipeline.yaml", &proxy.pipeline("m"));
    env.run();
    assert_eq!(env.score("ann").as_deref(), Some("100"));
    Ok(())
}

fn generate_asks_it() -> Tested {
    let env = env().task("double", DOUBLE_TASK);
    let proxy = Proxy::start(&env)?;
    env.write("pipeline.yaml", &proxy.pipeline("writer"));
    env.agentmill(&["generate", "double", "--miner", "ann", "--try"]).code(0);
    env.run();
    assert_eq!(env.score("ann").as_deref(), Some("100"), "{}", env.read("inbox/ann.py"));
    Ok(())
}
