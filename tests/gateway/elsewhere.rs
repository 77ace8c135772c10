//! An agent that asks a model in cells of any kind: its questions reach the provider from there, and no more than granted.

#[path = "provider.rs"]
#[allow(dead_code, reason = "the gateway's own tests need more of it")]
mod provider;

use crate::testenv::TestEnv;
use provider::Provider;

const TASK: &str = r#"
prompt: Write ask(text), which asks the model and returns its words, or the status of a refusal.
tests:
  - assert ask("one") == "echo one"
  - assert [ask("two"), ask("three")] == ["echo two", 429]
"#;

const AGENT: &str = r#"
import json, os, urllib.error, urllib.request

def ask(text):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return error.code
"#;

/// Evaluates it in this sandbox, and once more by what is recorded.
pub fn a_model_is_asked(env: TestEnv, sandbox: &str) {
    let provider = Provider::echo();
    let address = provider.address;
    let env = env.task("ask", TASK).agent("ann", AGENT).variable("TEST_KEY", "sk-test").pipeline(&format!(
        "sandbox: {{{sandbox}}}\nparallel: 2\nstages: [{{name: think, model: {{allow: [m], requests: 2}}}}]\n\
         llm: {{base_url: 'http://{address}/v1', api_key_env: TEST_KEY, timeout: 5s, prices: {{m: [1, 2]}}}}\n"
    ));
    for again in [&["run", "--quiet"][..], &["run", "--quiet", "--force"]] {
        env.agentmill(again).code(0);
        assert_eq!(env.score("ann").as_deref(), Some("100"), "{:?}", env.report("ann", "ask"));
        assert_eq!(provider.asked().len(), 2, "{again:?}");
    }
}
