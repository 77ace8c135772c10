//! The package `openai` as agents use it: from PyPI, in an image that `image build` makes, against a mock of a provider.
//!
//! `cargo test --test openai_package -- --ignored`, where pip's registry is reachable; the image takes a minute or two.

mod ignorable;
#[path = "gateway/provider.rs"]
#[allow(dead_code, reason = "the gateway's tests need more of it")]
mod provider;
mod testenv;

use std::process::{Command, ExitCode};

use ignorable::{Missing, Tested, on_request};
use provider::Provider;
use testenv::TestEnv;

const WHY: &str = "fetches packages from pip's registry, for a minute or two";

/// Asks in the ways that the package's own documentation shows.
const AGENT: &str = r#"
import asyncio

import openai
from openai import AsyncOpenAI, OpenAI


def said(text):
    return [{"role": "user", "content": text}]


def ask(text, model="m"):
    return OpenAI().chat.completions.create(model=model, messages=said(text)).choices[0].message.content


def streamed(text):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    words, tokens = "", None
    for chunk in OpenAI().chat.completions.create(model="m", messages=said(text), **options):
        words += "".join(choice.delta.content or "" for choice in chunk.choices)
        tokens = chunk.usage.total_tokens if chunk.usage else tokens
    return words, tokens


def side_by_side(texts):
    async def one(client, text):
        answer = await client.chat.completions.create(model="m", messages=said(text))
        return answer.choices[0].message.content

    async def every():
        async with AsyncOpenAI() as client:
            return await asyncio.gather(*(one(client, text) for text in texts))

    return asyncio.run(every())


def completed(text):
    return OpenAI().completions.create(model="m", prompt=text).choices[0].text


def embedded(text):
    return OpenAI().embeddings.create(model="m", input=text, encoding_format="float").data[0].embedding


def models():
    return [model.id for model in OpenAI().models.list()]


def refused(model, times):
    try:
        for _ in range(times):
            ask("again", model)
    except openai.APIStatusError as error:
        return type(error).__name__, error.status_code
"#;

/// Ten questions are granted; the ninth to the eleventh end the budget, after which the package asks once and not again.
const TASK: &str = r#"prompt: Write functions that ask by the package openai.
tests:
  - assert ask('hi') == 'echo hi'
  - assert streamed('hi') == ('echo hi', 15)
  - "assert side_by_side(['a', 'b', 'c']) == ['echo a', 'echo b', 'echo c']"
  - assert completed('hi').startswith('echo')
  - "assert embedded('hi') == [0.5, 1.0]"
  - "assert models() == ['m']"
  - assert refused('other', 1) == ('PermissionDeniedError', 403)
  - assert refused('m', 10) == ('RateLimitError', 429)
"#;

/// An image; removed when dropped.
struct Image(String);

impl Image {
    fn with_openai(env: &TestEnv) -> Result<Self, Missing> {
        // A comment of its own gives it a name of its own.
        env.write("requirements.txt", &format!("openai\n# for {}\n", std::process::id()));
        let mut build = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        build.args(["--quiet", "image", "build", "requirements.txt"]).current_dir(env.path(""));
        let output = build.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(Self(String::from_utf8(output.stdout).unwrap().trim().to_owned())),
            false => Err(Missing(format!("no image was built: {told}"))),
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

fn main() -> ExitCode {
    ignorable::main(vec![on_request(WHY, "agents_ask_by_it_unchanged", agents_ask_by_it_unchanged)])
}

fn agents_ask_by_it_unchanged() -> Tested {
    let (provider, env) = (Provider::echo(), TestEnv::new().task("ask", TASK).agent("ann", AGENT));
    let image = Image::with_openai(&env)?;
    let (name, address) = (&image.0, provider.address);
    env.write(
        "pipeline.yaml",
        &format!(
            "sandbox: {{engine: docker, image: '{name}', memory: 512MiB, timeout: 60s}}\nvalidate: {{allow: [openai]}}\n\
             stages: [{{name: think, model: {{allow: [m], requests: 10, wait: 60s}}}}]\n\
             llm: {{base_url: 'http://{address}/v1', api_key_env: null}}\n"
        ),
    );
    env.run();
    assert_eq!(env.score("ann").as_deref(), Some("100"), "{:?}", env.report("ann", "ask"));
    assert_eq!(provider.asked().len(), 10, "the package does not ask again once the budget is used up");
    let version = env.read("requirements.lock");
    println!("{}", version.lines().find(|line| line.starts_with("openai==")).unwrap_or_default());
    Ok(())
}
