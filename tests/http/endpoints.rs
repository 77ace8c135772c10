//! Endpoints as they are in the world: Azure, OpenRouter, new models that refuse old parameters, TLS by an own authority,
//! hosts that aren't there.

use std::time::Instant;

use crate::support::Line::{Fails, Says};
use crate::support::{Folder, GOOD, Model, PATIENCE, said};
use crate::tls;

/// Runs `generate strings/reverse --miner alice` with these lines of the `llm` section.
fn generate(llm: &str, environment: &[(&str, &str)]) -> (i32, String) {
    let folder = Folder::new(&format!("llm: {{model: m, api_key_env: TEST_KEY, {llm}}}"));
    let mut command = folder.command(&["generate", "strings/reverse", "--miner", "alice"]);
    command
        .env("TEST_KEY", "secret")
        .env("DOCKER_HOST", "unix:///nowhere")
        .env("AGENTMILL_ENGINE", "docker")
        .env_remove("SSL_CERT_FILE");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    (output.status.code().unwrap(), said(&output))
}

#[test]
fn azure_gets_its_version_and_its_key() {
    let model = Model::new([Says(GOOD.into())]);
    let base = model.url.replace("/v1", "/openai/deployments/mine");
    let (code, text) = generate(&format!("base_url: '{base}', api_version: 2024-10-21"), &[]);
    assert_eq!(code, 0, "{text}");
    let (head, _) = model.requests().remove(0);
    assert!(
        head.starts_with("post /openai/deployments/mine/chat/completions?api-version=2024-10-21 "),
        "{head}"
    );
    assert!(head.contains("\r\napi-key: secret\r\n") && !head.contains("authorization"), "{head}");
}

#[test]
fn more_headers_and_fields_are_sent_as_they_are() {
    let model = Model::new([Says(GOOD.into())]);
    let more = "headers: {X-Title: my course}, body: {provider: {order: [a, b]}, keep_alive: 5m, seed: 7}";
    let (code, text) = generate(&format!("base_url: '{}', {more}", model.url), &[]);
    assert_eq!(code, 0, "{text}");
    let (head, body) = model.requests().remove(0);
    assert!(head.contains("\r\nx-title: my course\r\n"), "{head}");
    assert_eq!(body["provider"], serde_json::json!({ "order": ["a", "b"] }));
    assert_eq!((&body["keep_alive"], &body["seed"]), (&"5m".into(), &7.into()));
}

#[test]
fn a_refused_parameter_is_left_out() {
    let no = |words: &str| Fails(400, "", format!(r#"{{"error": {{"message": "{words}"}}}}"#));
    let model = Model::new([
        no("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        no("Unsupported value: 'temperature' does not support 0.5. Only the default (1) value is supported."),
        Says(GOOD.into()),
    ]);
    let (code, text) = generate(&format!("base_url: '{}', temperature: 0.5, max_tokens: 9", model.url), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it refuses temperature, so its own is used"), "{text}");
    let (_, last) = model.requests().remove(2);
    let sent: Vec<&String> = last.as_object().unwrap().keys().collect();
    assert_eq!(sent, ["model", "messages", "max_completion_tokens"]);
    let (_, text) = generate(&format!("base_url: '{}'", Model::new([no("no such model: m")]).url), &[]);
    assert!(text.contains("HTTP 400: no such model: m") && !text.contains("asking again"), "{text}");
}

#[test]
fn an_own_authority_is_trusted_where_it_is_named() {
    let authority = tls::authority();
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let model = Model::secure([Says(GOOD.into())]);
    let llm = format!("base_url: '{}'", model.url);
    let (code, text) = generate(&llm, &[]);
    assert!(code == 2 && text.contains("UnknownIssuer") && !text.contains("asking again"), "{text}");
    let (code, text) = generate(&llm, &trusted);
    assert_eq!(code, 0, "{text}");
    for (file, words) in [("/nowhere.pem", "can't read /nowhere.pem"), ("/dev/null", "holds no certificate")]
    {
        let (code, text) = generate(&llm, &[("SSL_CERT_FILE", file)]);
        assert!(code == 2 && text.contains("SSL_CERT_FILE") && text.contains(words), "{text}");
    }
}

#[test]
fn submitting_trusts_the_same_authority() {
    let sha256 = "ab".repeat(32);
    let answer = format!(r#"{{"sha256": "{sha256}", "status": "accepted"}}"#);
    let platform = Model::secure([Fails(201, "", answer)]);
    let folder = Folder::new("");
    folder.write("agent.py", GOOD);
    let (file, url) = (folder.path().join("agent.py"), platform.url.replace("/v1", ""));
    let submit = |certificates: Option<&std::path::Path>| {
        let mut command =
            folder.command(&["submit", file.to_str().unwrap(), "--miner", "alice", "--to", &url]);
        command.env_remove("SSL_CERT_FILE").envs(certificates.map(|file| ("SSL_CERT_FILE", file)));
        command.output().unwrap()
    };
    let output = submit(None);
    assert!(output.status.code() == Some(2) && said(&output).contains("UnknownIssuer"), "{}", said(&output));
    let output = submit(Some(&tls::authority()));
    assert_eq!(said(&output), format!("alice: accepted, sha256 {sha256}\n"));
}

#[test]
fn a_host_that_is_not_there_is_told_at_once() {
    let begun = Instant::now();
    let (code, text) = generate("base_url: 'https://no-such-host.invalid/v1'", &[]);
    assert!(code == 2 && text.contains("no-such-host.invalid") && !text.contains("asking again"), "{text}");
    assert!(begun.elapsed() < PATIENCE);
}
