//! Fuzz entry: requests of agents in every face, and answers of providers, as the gateway takes them.

use hyper::Method;
use serde_json::{Value, json};

use crate::config::grant::{Face, Grant};
use crate::gateway::budget::{Budget, Prices};
use crate::gateway::faces::{Service, find};
use crate::gateway::question::Question;

const PATHS: [&str; 6] =
    ["/v1/chat/completions", "/completions", "/embeddings", "/inference", "/api/inference", "/api/embedding"];

/// A request becomes a question that is one in OpenAI's protocol, too, or it is refused as the agent's own mistake; and an
/// answer of any shape can be delivered.
pub fn requests(bytes: &[u8]) {
    let grant = Grant { faces: vec![Face::Openai, Face::Bitsec, Face::Ridges], ..Grant::sample() };
    let budget = Budget::new(grant, Prices::new(), None);
    for path in PATHS {
        let (face, service) = find(&Method::POST, path, &budget);
        let Ok(Service::Ask(asking)) = service else { panic!("{path} asks nothing") };
        match (asking.read)(asking.kind, bytes, budget.grant()) {
            Ok(question) => {
                let again = Question::read(asking.kind, json!(question.asked()).to_string().as_bytes());
                assert_eq!(again.map(|again| again.key()), Ok(question.key()), "{path}");
            }
            Err(refusal) => {
                let (status, body) = face.refusal(&refusal);
                assert!((400..500).contains(&status) && body.is_object(), "{path}: {status} {body}");
            }
        }
        let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
        assert!(!(asking.write)(&Question::control(asking.kind, "m"), &answer).text.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words that requests and answers are made of.
    const WORDS: [&str; 28] = [
        "model",
        "messages",
        "role",
        "content",
        "temperature",
        "tools",
        "tool_mode",
        "parameters",
        "type",
        "name",
        "description",
        "required",
        "input",
        "prompt",
        "max_tokens",
        "choices",
        "message",
        "tool_calls",
        "function",
        "arguments",
        "data",
        "embedding",
        "text",
        "usage",
        "user",
        "auto",
        "string",
        "{\"a\": 1}",
    ];

    fn word() -> impl Strategy<Value = String> {
        prop::sample::select(&WORDS[..]).prop_map(str::to_owned)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            4 => word().prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => any::<f64>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => any::<bool>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(word(), inner, 0..7).prop_map(|fields| json!(fields)),
            ]
        })
    }

    /// A right request of every face in one, with some of its fields replaced.
    fn request() -> impl Strategy<Value = Value> {
        prop::collection::btree_map(word(), value(), 0..3).prop_map(|fields| {
            let messages = json!([{ "role": "user", "content": "x" }]);
            let mut body = json!({ "model": "m", "temperature": 0.5, "messages": messages });
            fields.into_iter().for_each(|(name, value)| body[name] = value);
            body
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn requests_of_agents_keep_the_promise(value in prop_oneof![value(), request()], end in 0..9_usize) {
            let bytes = value.to_string().into_bytes();
            requests(&bytes);
            requests(&bytes[..bytes.len() * end / 9]);
        }
    }
}
