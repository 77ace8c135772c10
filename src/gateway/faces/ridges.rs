//! Ridges' protocol, as its inference gateway speaks it: dialogues, tools with parameters as lists, embeddings, and the cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::grant::Grant;
use crate::gateway::budget::Budget;
use crate::gateway::faces::fields::{self, Message};
use crate::gateway::faces::{Asking, Environment, Face, Said, address};
use crate::gateway::question::{Kind, Question};
use crate::gateway::refusal::Refusal;

/// The run's id as agents see it. It names no run: who asks is known by the pipe.
const RUN_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The face.
pub struct Ridges;

#[derive(Deserialize)]
struct Inference {
    model: String,
    temperature: f64,
    messages: Vec<Message>,
    tool_mode: Option<ToolMode>,
    tools: Option<Vec<Tool>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ToolMode {
    None,
    Auto,
    Required,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    description: String,
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: ParameterType,
    name: String,
    description: String,
    #[serde(default)]
    required: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ParameterType {
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

#[derive(Deserialize)]
struct Embedding {
    model: String,
    input: String,
}

impl Face for Ridges {
    fn paths(&self) -> &'static str {
        "/api/inference, /api/embedding, /api/usage"
    }

    fn environment(&self, grant: &Grant, timeout: Duration) -> Environment {
        let cost = grant.cost.map(|cost| ("RIDGES_MAX_COST_USD", cost.to_string()));
        let others = [
            ("SANDBOX_PROXY_URL", address()),
            ("EVALUATION_RUN_ID", RUN_ID.to_owned()),
            ("RUN_ID", RUN_ID.to_owned()),
            ("AGENT_TIMEOUT", timeout.as_secs_f64().to_string()),
        ];
        others.into_iter().chain(cost).collect()
    }

    fn asked_at(&self, path: &str) -> Option<Asking> {
        match path {
            "/api/inference" => {
                Some(Asking { kind: Kind::Chat, read: read_inference, write: write_inference })
            }
            "/api/embedding" => {
                Some(Asking { kind: Kind::Embedding, read: read_embedding, write: write_embedding })
            }
            _ => None,
        }
    }

    fn told_at(&self, path: &str, budget: &Budget) -> Option<Value> {
        let (used, granted) = (budget.used(), budget.grant().cost);
        let left = granted.map(|cost| cost.less(used.cost));
        match path {
            "/api/usage" => Some(
                json!({ "used_cost_usd": used.cost, "remaining_cost_usd": left, "max_cost_usd": granted }),
            ),
            "/api/v1/usage" => Some(json!({
                "evaluation_run_id": RUN_ID,
                "total_cost_usd": used.cost,
                "budget_remaining_usd": left,
                "requests": used.requests,
                "prompt_tokens": used.tokens_in,
                "completion_tokens": used.tokens_out,
                "models": budget.grant().allow,
            })),
            _ => None,
        }
    }

    fn refusal(&self, refusal: &Refusal) -> (u16, Value) {
        fields::refusal(refusal)
    }
}

fn read_inference(kind: Kind, body: &[u8], _: &Grant) -> Result<Question, Refusal> {
    let asked: Inference = fields::read(body)?;
    let mode = asked.tool_mode.unwrap_or(ToolMode::None);
    let tools = asked.tools.unwrap_or_default();
    match (mode, tools.is_empty()) {
        (ToolMode::None, false) => return Err(Refusal::wrong("there are tools, and tool_mode is none")),
        (ToolMode::Required, true) => {
            return Err(Refusal::wrong("tool_mode is required, and there are no tools"));
        }
        _ => {}
    }
    let mut fields = Map::new();
    fields.insert("model".to_owned(), asked.model.into());
    fields.insert("temperature".to_owned(), asked.temperature.into());
    fields.insert("messages".to_owned(), json!(asked.messages));
    if !tools.is_empty() {
        fields.insert("tool_choice".to_owned(), json!(mode));
        fields.insert("tools".to_owned(), tools.iter().map(function).collect());
    }
    Question::of(kind, fields)
}

/// A tool as OpenAI's protocol has it.
fn function(tool: &Tool) -> Value {
    let properties = tool
        .parameters
        .iter()
        .map(|one| (one.name.clone(), json!({ "type": one.kind, "description": one.description })));
    let required = tool.parameters.iter().filter(|one| one.required).map(|one| one.name.as_str());
    let parameters = json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required.collect::<Vec<_>>(),
    });
    let function = json!({ "name": tool.name, "description": tool.description, "parameters": parameters });
    json!({ "type": "function", "function": function })
}

fn write_inference(_: &Question, answer: &Value) -> Said {
    let message = &answer["choices"][0]["message"];
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(call);
    let content = message["content"].as_str().unwrap_or_default();
    Said::json(&json!({ "content": content, "tool_calls": calls.collect::<Vec<_>>() }))
}

/// A call of a tool with its arguments as a list; none if they are no object.
fn call(call: &Value) -> Value {
    let function = &call["function"];
    let arguments = function["arguments"].as_str().unwrap_or_default();
    let arguments: Map<String, Value> = serde_json::from_str(arguments).unwrap_or_default();
    let arguments = arguments.into_iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let name = function["name"].as_str().unwrap_or_default();
    json!({ "name": name, "arguments": arguments.collect::<Vec<_>>() })
}

fn read_embedding(kind: Kind, body: &[u8], _: &Grant) -> Result<Question, Refusal> {
    let Embedding { model, input } = fields::read(body)?;
    Question::of(
        kind,
        Map::from_iter([("model".to_owned(), model.into()), ("input".to_owned(), input.into())]),
    )
}

fn write_embedding(_: &Question, answer: &Value) -> Said {
    Said::json(&json!({ "embedding": answer["data"][0]["embedding"] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &Value) -> Result<Question, Refusal> {
        read_inference(Kind::Chat, body.to_string().as_bytes(), &Grant::sample())
    }

    fn with(more: Value) -> Value {
        let mut body = json!({ "run_id": "x", "model": "m", "temperature": 0.5, "messages": [] });
        body["messages"] = json!([{ "role": "user", "content": "x", "name": "other" }]);
        body.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        body
    }

    #[test]
    fn tools_become_functions_and_the_run_is_passed_over() {
        let parameters = json!([
            { "type": "string", "name": "path", "description": "a path", "required": true },
            { "type": "integer", "name": "line", "description": "a line" },
        ]);
        let tool =
            json!({ "name": "read", "description": "reads", "parameters": parameters, "url": "http://evil" });
        let question = asked(&with(json!({ "tool_mode": "auto", "tools": [tool] }))).unwrap();
        let parameters = json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "a path" },
                "line": { "type": "integer", "description": "a line" },
            },
            "required": ["path"],
        });
        let function = json!({ "name": "read", "description": "reads", "parameters": parameters });
        assert_eq!(
            json!(question.asked()),
            json!({
                "model": "m", "temperature": 0.5, "messages": [{ "role": "user", "content": "x" }], "tool_choice": "auto",
                "tools": [{ "type": "function", "function": function }],
            })
        );
    }

    #[test]
    fn requests_that_ridges_refuses_are_refused() {
        let tool = json!({ "name": "f", "description": "d", "parameters": [] });
        for wrong in [
            with(json!({ "tools": [tool] })),
            with(json!({ "tool_mode": "required" })),
            with(json!({ "tool_mode": "always" })),
            with(json!({ "messages": [] })),
            with(json!({ "messages": [{ "role": "root", "content": "x" }] })),
            with(json!({ "messages": [{ "role": "user", "content": ["x"] }] })),
            with(json!({ "temperature": "hot" })),
            with(
                json!({ "tool_mode": "auto", "tools": [{ "name": "f", "description": "d", "parameters": [{ "type": "url" }] }] }),
            ),
            json!([]),
        ] {
            let refusal = Ridges.refusal(&asked(&wrong).unwrap_err());
            assert_eq!(refusal.0, 422, "{wrong}");
            assert!(refusal.1["detail"].is_string());
        }
        assert!(
            read_inference(Kind::Chat, br#"{"model": "m", "model": "n"}"#, &Grant::sample()).is_err(),
            "said twice"
        );
    }

    #[test]
    fn calls_of_tools_come_as_lists_of_arguments() {
        let call = |arguments: &str| json!({ "function": { "name": "f", "arguments": arguments } });
        let message =
            json!({ "content": null, "tool_calls": [call(r#"{"a": [1]}"#), call("[1]"), call("{"), 1] });
        let question = asked(&with(json!({}))).unwrap();
        let said = write_inference(&question, &json!({ "choices": [{ "message": message }] }));
        let none = json!({ "name": "f", "arguments": [] });
        let first = json!({ "name": "f", "arguments": [{ "name": "a", "value": [1] }] });
        let calls = json!([first, none, none, { "name": "", "arguments": [] }]);
        assert_eq!(
            serde_json::from_str::<Value>(&said.text).unwrap(),
            json!({ "content": "", "tool_calls": calls })
        );
    }
}
