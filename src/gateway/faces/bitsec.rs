//! Bitsec's protocol, as its sandbox's inference proxy speaks it: one path, and answers that are JSON, as it has models give
//! no others.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::grant::Grant;
use crate::gateway::budget::Budget;
use crate::gateway::faces::fields::{self, Message};
use crate::gateway::faces::{Asking, Environment, Face, Said, address};
use crate::gateway::question::{Kind, Question};
use crate::gateway::refusal::Refusal;

/// The longest answer where a request does not say.
const MAX_TOKENS: u64 = 60_000;

/// The temperature where a request does not say.
const TEMPERATURE: f64 = 0.2;

/// Names of the project and the job, which its agents put into headers that nobody reads.
const NAMES: [&str; 4] = ["PROJECT_ID", "JOB_ID", "PROJECT_KEY", "JOB_RUN_ID"];

/// The face.
pub struct Bitsec;

#[derive(Deserialize)]
struct Inference {
    /// None: the first that is allowed.
    model: Option<String>,
    messages: Vec<Message>,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
}

impl Face for Bitsec {
    fn paths(&self) -> &'static str {
        "/inference"
    }

    fn environment(&self, _: &Grant, _: Duration) -> Environment {
        let names = NAMES.map(|name| (name, "local".to_owned()));
        names.into_iter().chain([("INFERENCE_API", address())]).collect()
    }

    fn asked_at(&self, path: &str) -> Option<Asking> {
        (path == "/inference").then_some(Asking { kind: Kind::Chat, read, write })
    }

    fn told_at(&self, _: &str, _: &Budget) -> Option<Value> {
        None
    }

    fn refusal(&self, refusal: &Refusal) -> (u16, Value) {
        fields::refusal(refusal)
    }
}

fn read(kind: Kind, body: &[u8], grant: &Grant) -> Result<Question, Refusal> {
    let asked: Inference = fields::read(body)?;
    let fields = [
        ("model", json!(asked.model.or_else(|| grant.allow.first().cloned()))),
        ("messages", json!(asked.messages)),
        ("max_tokens", json!(asked.max_tokens.unwrap_or(MAX_TOKENS))),
        ("temperature", json!(asked.temperature.unwrap_or(TEMPERATURE))),
        ("response_format", json!({ "type": "json_object" })),
    ];
    Question::of(kind, Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value))))
}

fn write(question: &Question, answer: &Value) -> Said {
    let message = &answer["choices"][0]["message"];
    let [input, output] = question.tokens(answer);
    Said::json(&json!({
        "content": message["content"].as_str().unwrap_or_default(),
        "role": message["role"].as_str().unwrap_or("assistant"),
        "input_tokens": input,
        "cached_tokens": answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0),
        "output_tokens": output,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_defaults_of_the_proxy_and_nothing_else_is_passed_on() {
        let body = br#"{"messages": [{"role": "user", "content": "x", "image_url": "http://evil"}], "web_search": true}"#;
        let question = read(Kind::Chat, body, &Grant::sample()).unwrap();
        assert_eq!(
            json!(question.asked()),
            json!({
                "model": "m", "messages": [{ "role": "user", "content": "x" }], "max_tokens": 60_000, "temperature": 0.2,
                "response_format": { "type": "json_object" },
            })
        );
    }

    #[test]
    fn an_answer_has_all_its_fields_whatever_the_provider_leaves_out() {
        let question =
            read(Kind::Chat, br#"{"messages": [{"role": "user", "content": "x"}]}"#, &Grant::sample())
                .unwrap();
        let said = |answer: Value| serde_json::from_str::<Value>(&write(&question, &answer).text).unwrap();
        let usage = json!({ "prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": { "cached_tokens": 3 } });
        let message = json!({ "role": "assistant", "content": "{}" });
        let right = json!({ "content": "{}", "role": "assistant", "input_tokens": 7, "cached_tokens": 3, "output_tokens": 2 });
        assert_eq!(said(json!({ "choices": [{ "message": message }], "usage": usage })), right);
        let bare = said(json!({ "choices": [{ "message": {} }] }));
        assert_eq!(
            (&bare["content"], &bare["role"], &bare["cached_tokens"]),
            (&json!(""), &json!("assistant"), &json!(0))
        );
    }
}
