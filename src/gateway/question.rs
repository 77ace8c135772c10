//! Questions: what an agent may say to a model, taken apart and put together anew, so that nothing else gets through.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::gateway::fields::{self, LIMITS};
pub use crate::gateway::kind::Kind;
use crate::gateway::refusal::Refusal;
use crate::model::model_use::told_tokens;
use crate::util::digest;

/// Bytes that a token has, as a rule.
const BYTES_PER_TOKEN: u64 = 4;

/// Tokens of so many bytes, as a rule.
pub fn tokens_of(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// A question that may be passed on.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its kind.
    pub kind: Kind,
    /// How the answer is wanted.
    pub delivery: Delivery,
    body: Map<String, Value>,
    size: u64,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In one piece.
    Whole,
    /// As a stream of events; at its end the usage, if that was asked for.
    Stream {
        /// Tells whether the usage is wanted.
        usage: bool,
    },
}

impl Question {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// It is not a question of this kind, or holds what is not passed on.
    pub fn read(kind: Kind, bytes: &[u8]) -> Result<Self, Refusal> {
        let value =
            serde_json::from_slice(bytes).map_err(|error| Refusal::wrong(format!("not JSON: {error}")));
        let Value::Object(body) = value? else { return Err(Refusal::wrong("expected a JSON object")) };
        Self::of(kind, body)
    }

    /// The question of these fields.
    ///
    /// # Errors
    /// It is not one of this kind, or holds what is not passed on.
    pub fn of(kind: Kind, mut body: Map<String, Value>) -> Result<Self, Refusal> {
        let delivery = delivery(&body);
        fields::check(kind, &mut body)?;
        Ok(Self::new(kind, delivery, body))
    }

    fn new(kind: Kind, delivery: Delivery, body: Map<String, Value>) -> Self {
        let mut question = Self { kind, delivery, body, size: 0 };
        question.size = json!(question.body).to_string().len() as u64;
        question
    }

    /// A harmless question, by whose answer it is known that a provider is well.
    pub fn control(kind: Kind, model: &str) -> Self {
        let text = "Say yes.";
        let body = match kind {
            Kind::Chat => json!({ "model": model, "messages": [{ "role": "user", "content": text }] }),
            Kind::Completion => json!({ "model": model, "prompt": text }),
            Kind::Embedding => json!({ "model": model, "input": text }),
        };
        let Value::Object(body) = body else { unreachable!("it is an object") };
        Self::new(kind, Delivery::Whole, body)
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    /// A digest of all that is asked: the same question has the same one.
    pub fn key(&self) -> String {
        digest::hex([self.kind.path().as_bytes(), sorted(&json!(self.body)).to_string().as_bytes()])
    }

    /// Bytes of the question. It can't have more tokens.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Answers that it asks for: several of each text to go on with.
    pub fn choices(&self) -> u64 {
        let count = |name| self.body.get(name).and_then(Value::as_u64).unwrap_or(1);
        count("n").max(count("best_of")).saturating_mul(self.prompts())
    }

    /// Texts to go on with. A list of numbers is the tokens of one.
    fn prompts(&self) -> u64 {
        match self.body.get("prompt") {
            Some(Value::Array(texts)) if !texts.iter().all(Value::is_number) => texts.len() as u64,
            _ => 1,
        }
    }

    /// Tokens of an answer that it asks for at most, if it says so.
    pub fn longest(&self) -> Option<u64> {
        LIMITS.iter().filter_map(|name| self.body.get(*name)?.as_u64()).min()
    }

    /// Tokens that its answers have at least.
    pub fn shortest(&self) -> u64 {
        if self.kind == Kind::Embedding { 0 } else { self.choices() }
    }

    /// Tokens of it and of its answer: as the provider counts, or else by their lengths.
    pub fn tokens(&self, answer: &Value) -> [u64; 2] {
        let [prompt, reply] = told_tokens(&answer["usage"]);
        let said = || json!(answer["choices"]).to_string().len() as u64;
        let by_length = || answer.get("choices").map_or(0, |_| tokens_of(said()));
        [prompt.unwrap_or_else(|| tokens_of(self.size())), reply.unwrap_or_else(by_length)]
    }

    /// The question as it was asked.
    pub fn asked(&self) -> &Map<String, Value> {
        &self.body
    }

    /// The question with a limit on each of its answers, by the newer name if that is the only one that is understood.
    pub fn limited(&self, longest: u64, newer_name: bool) -> Value {
        let mut body = self.body.clone();
        if self.kind != Kind::Embedding {
            let newer_name = newer_name || body.contains_key(LIMITS[1]);
            LIMITS.iter().for_each(|name| drop(body.remove(*name)));
            body.insert(LIMITS[usize::from(newer_name)].to_owned(), longest.into());
        }
        Value::Object(body)
    }

    /// The answer in the body of a response; None if it is none to such a question.
    pub fn answer(&self, body: &str) -> Option<Value> {
        let answer: Value = serde_json::from_str(body).ok()?;
        let parts = answer.get(self.kind.answer())?.as_array()?;
        let holds = |part: &Value| match self.kind {
            Kind::Chat => part["message"].is_object(),
            Kind::Completion => part["text"].is_string(),
            Kind::Embedding => !part["embedding"].is_null(),
        };
        (!parts.is_empty() && parts.iter().all(holds)).then_some(answer)
    }
}

/// The value with the fields of objects in order, however they came.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(fields)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn delivery(body: &Map<String, Value>) -> Delivery {
    match body.get("stream") {
        Some(Value::Bool(true)) => {
            let usage = body.get("stream_options").and_then(|options| options["include_usage"].as_bool());
            Delivery::Stream { usage: usage == Some(true) }
        }
        _ => Delivery::Whole,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn chat(body: &Value) -> Result<Question, Refusal> {
        Question::read(Kind::Chat, body.to_string().as_bytes())
    }

    fn plain() -> Value {
        json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut body = plain();
        body[name] = value;
        body
    }

    #[test]
    fn what_clients_send_is_passed_on_and_what_concerns_nobody_is_left_out() {
        let mut body = with("temperature", json!(0.5));
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
        body["user"] = json!("miner");
        body["tools"] = json!([{ "type": "function", "function": { "name": "f" } }]);
        body["seed"] = Value::Null;
        let question = chat(&body).unwrap();
        assert_eq!(question.delivery, Delivery::Stream { usage: true });
        let sent = question.limited(7, false);
        let names: BTreeSet<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["max_tokens", "messages", "model", "temperature", "tools"]
        );
    }

    #[test]
    fn whatever_would_reach_a_network_or_another_price_is_refused() {
        let image = json!([{ "type": "image_url", "image_url": { "url": "http://evil.example/?secret" } }]);
        let priced = json!([{ "type": "text", "text": "x", "cache_control": { "type": "ephemeral" } }]);
        let wrong = [
            with("messages", json!([{ "role": "user", "content": image }])),
            with("messages", json!([{ "role": "user", "content": "x", "audio": { "id": "a" } }])),
            with("messages", json!([{ "role": "root", "content": "x" }])),
            with("messages", json!([])),
            with("messages", json!("hi")),
            with("messages", json!([{ "role": "user", "content": [{ "type": "text" }] }])),
            with("messages", json!([{ "role": "user", "content": priced }])),
            with("tools", json!([{ "type": "web_search" }])),
            with("tools", json!([{ "type": "function", "function": {} }])),
            with("tools", json!([{ "type": "function", "function": { "name": "f", "url": "http://evil" } }])),
            with("tools", json!([{ "type": "function", "function": { "name": "f" }, "server_url": "x" }])),
            with("tools", json!({})),
            with("web_search_options", json!({})),
            with("plugins", json!([{ "id": "web" }])),
            with("models", json!(["expensive"])),
            with("n", json!(1000)),
            with("max_tokens", json!(-1)),
            with("model", json!(["m"])),
            json!([]),
        ];
        for body in wrong {
            assert_eq!(chat(&body).unwrap_err().status, 400, "{body}");
        }
        assert!(Question::read(Kind::Chat, b"{").is_err());
        let twice = br#"{"model": "m", "model": "n", "messages": [{"role": "user", "content": "x"}]}"#;
        assert_eq!(Question::read(Kind::Chat, twice).unwrap().limited(1, false)["model"], "n", "one is left");
    }

    #[test]
    fn the_limit_keeps_the_name_that_it_came_by() {
        let older = chat(&with("max_tokens", json!(500))).unwrap();
        assert_eq!(older.longest(), Some(500));
        assert_eq!(older.limited(9, false)["max_tokens"], 9);
        assert_eq!(older.limited(9, true)["max_completion_tokens"], 9);
        let newer = chat(&with("max_completion_tokens", json!(500))).unwrap().limited(9, false);
        assert_eq!((&newer["max_tokens"], &newer["max_completion_tokens"]), (&Value::Null, &json!(9)));
    }

    #[test]
    fn each_of_several_texts_is_answered() {
        let choices = |prompt: Value, n: u64| {
            let body = json!({ "model": "m", "prompt": prompt, "n": n });
            Question::read(Kind::Completion, body.to_string().as_bytes()).unwrap().choices()
        };
        assert_eq!([choices(json!("a"), 1), choices(json!("a"), 3), choices(json!([7, 8, 9]), 1)], [1, 3, 1]);
        assert_eq!(
            [choices(json!(["a", "b"]), 1), choices(json!([[7, 8], [9]]), 3), choices(json!([]), 1)],
            [2, 6, 1]
        );
    }

    #[test]
    fn answers_are_told_from_nonsense() {
        let question = chat(&plain()).unwrap();
        assert!(question.answer(r#"{"choices": [{"message": {"content": "yes"}}]}"#).is_some());
        for nonsense in ["", "<html>", "{}", r#"{"choices": []}"#, r#"{"choices": [{"text": "x"}]}"#, "[]"] {
            assert!(question.answer(nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn the_same_question_has_the_same_key() {
        let key = |body: &Value| chat(body).unwrap().key();
        assert_eq!(key(&plain()), key(&with("stream", json!(true))));
        assert_ne!(key(&plain()), key(&with("temperature", json!(1))));
        let turned = br#"{"messages": [{"content": "hi", "role": "user"}], "model": "m"}"#;
        assert_eq!(key(&plain()), Question::read(Kind::Chat, turned).unwrap().key(), "in another order");
    }
}
