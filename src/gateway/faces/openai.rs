//! OpenAI's protocol, below `/v1` or without it, with `/budget` beside it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::grant::Grant;
use crate::gateway::budget::Budget;
use crate::gateway::faces::{Asking, Environment, Face, Said, address};
use crate::gateway::question::{Delivery, Kind, Question};
use crate::gateway::refusal::Refusal;
use crate::gateway::stream;

/// The face.
pub struct OpenAi;

impl Face for OpenAi {
    fn paths(&self) -> &'static str {
        "/chat/completions, /completions, /embeddings, /models, /budget"
    }

    fn environment(&self, _: &Grant, _: Duration) -> Environment {
        // Clients want a key.
        [("OPENAI_BASE_URL", format!("{}/v1", address())), ("OPENAI_API_KEY", "agentmill".to_owned())].into()
    }

    fn asked_at(&self, path: &str) -> Option<Asking> {
        let read = |kind, body: &[u8], _: &Grant| Question::read(kind, body);
        Kind::at(below(path)).map(|kind| Asking { kind, read, write })
    }

    fn told_at(&self, path: &str, budget: &Budget) -> Option<Value> {
        let allow = &budget.grant().allow;
        match below(path) {
            "/models" => Some(models(allow)),
            "/budget" => Some(budget.told()),
            path => {
                let name = path.strip_prefix("/models/")?;
                allow.iter().any(|model| model == name).then(|| model(name))
            }
        }
    }

    fn refusal(&self, refusal: &Refusal) -> (u16, Value) {
        (refusal.status, refusal.body())
    }
}

/// The path below the address that agents are told.
fn below(path: &str) -> &str {
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

fn write(question: &Question, answer: &Value) -> Said {
    match question.delivery {
        Delivery::Stream { usage } if question.kind != Kind::Embedding => {
            Said { media: "text/event-stream", text: stream::events(question.kind, answer, usage) }
        }
        _ => Said::json(answer),
    }
}

fn models(allow: &[String]) -> Value {
    json!({ "object": "list", "data": allow.iter().map(|name| model(name)).collect::<Vec<_>>() })
}

fn model(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": 0, "owned_by": "agentmill" })
}
