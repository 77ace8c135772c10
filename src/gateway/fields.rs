//! Fields of questions: which ones are passed on, and what may stand in them.
//!
//! Passed on are known fields with text in them. Whatever would have the provider fetch an address, run a tool of its own,
//! or charge another price is refused: it would be a network, or a budget, that nobody granted.

use serde_json::{Map, Value};

use crate::gateway::kind::Kind;
use crate::gateway::refusal::Refusal;
use crate::util::text::visible;

/// Most answers to one question.
const MOST_CHOICES: u64 = 16;

/// The names of the limit on answers, the older one first.
pub const LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

const CHAT: [&str; 26] = [
    "messages",
    "model",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "reasoning_effort",
    "verbosity",
    "chat_template_kwargs",
];

const COMPLETION: [&str; 17] = [
    "prompt",
    "model",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "best_of",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "echo",
    "suffix",
];

/// Fields that are left out without a word: clients send them, and they change nothing of the answer.
const DROPPED: [&str; 9] = [
    "stream",
    "stream_options",
    "user",
    "store",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
];

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

const OF_MESSAGES: [&str; 8] = [
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "reasoning_content",
];

/// Fields of a function that is a tool.
const OF_FUNCTIONS: [&str; 4] = ["name", "description", "parameters", "strict"];

/// Fields of a message that models' own answers have, and agents send back with them: left out, they tell a model nothing.
const ECHOED: [&str; 5] =
    ["annotations", "provider_specific_fields", "reasoning", "reasoning_details", "thinking_blocks"];

/// Fields of a call of a tool, and of the function in it; others are left out.
const OF_CALLS: [&str; 4] = ["id", "type", "index", "function"];
const OF_CALLED: [&str; 2] = ["name", "arguments"];

const OF_FORMATS: [&str; 3] = ["type", "json_schema", "schema"];
const OF_SCHEMAS: [&str; 4] = ["name", "description", "schema", "strict"];

/// Leaves out what concerns nobody, and looks at all the rest.
///
/// # Errors
/// It is no question of this kind, or holds what is not passed on.
pub fn check(kind: Kind, body: &mut Map<String, Value>) -> Result<(), Refusal> {
    body.retain(|name, value| !DROPPED.contains(&name.as_str()) && !value.is_null());
    let (text, known) = of(kind);
    if let Some(strange) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::wrong(format!("{:?} is not passed on to a model", visible(strange, 40))));
    }
    if let Some(missing) = [text, "model"].into_iter().find(|name| !body.contains_key(*name)) {
        return Err(Refusal::wrong(format!("{missing:?} is missing")));
    }
    if !body["model"].is_string() {
        return Err(Refusal::wrong("\"model\" must be text"));
    }
    body.iter_mut().try_for_each(|(name, value)| check_field(name, value))
}

/// The field that holds the text, and all that are passed on.
fn of(kind: Kind) -> (&'static str, &'static [&'static str]) {
    match kind {
        Kind::Chat => ("messages", &CHAT),
        Kind::Completion => ("prompt", &COMPLETION),
        Kind::Embedding => ("input", &["input", "model", "encoding_format", "dimensions"]),
    }
}

fn check_field(name: &str, value: &mut Value) -> Result<(), Refusal> {
    match name {
        "messages" => check_messages(value),
        "prompt" | "input" => must(is_text(value), name, "be text, tokens, or a list of either"),
        "n" | "best_of" => check_count(name, value, MOST_CHOICES),
        "max_tokens" | "max_completion_tokens" => check_count(name, value, u64::MAX),
        "tools" | "functions" => {
            let is_known = |one: &Value| if name == "tools" { is_tool(one) } else { is_function(one) };
            let are_known = value.as_array().is_some_and(|all| all.iter().all(is_known));
            must(are_known, name, &format!("hold functions only, of {}", OF_FUNCTIONS.join(", ")))
        }
        "tool_choice" | "function_call" => must(is_choice(value), name, "be a word, or name a function"),
        "response_format" => {
            must(is_format(value), name, "be of text, json_object or json_schema, without addresses")
        }
        // Else a template of one's own would be run by some servers.
        "chat_template_kwargs" => must(holds(value, Value::is_boolean), name, "hold true and false only"),
        "logit_bias" => must(holds(value, Value::is_number), name, "hold numbers only"),
        "stop" => must(is_text(value), name, "be text, or a list of texts"),
        _ => must(!value.is_object() && !value.is_array(), name, "be one value"),
    }
}

fn must(is_so: bool, name: &str, what: &str) -> Result<(), Refusal> {
    if is_so { Ok(()) } else { Err(Refusal::wrong(format!("{name:?} must {what}"))) }
}

fn check_count(name: &str, value: &Value, most: u64) -> Result<(), Refusal> {
    let is_count = value.as_u64().is_some_and(|count| (1..=most).contains(&count));
    match most {
        u64::MAX => must(is_count, name, "be a whole number above 0"),
        most => must(is_count, name, &format!("be a whole number from 1 to {most}")),
    }
}

/// Text, or tokens, or a list of several of either.
fn is_text(value: &Value) -> bool {
    let is_tokens = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_u64));
    let are_texts = |value: &Value| {
        value.as_array().is_some_and(|all| all.iter().all(|one| one.is_string() || is_tokens(one)))
    };
    value.is_string() || is_tokens(value) || are_texts(value)
}

/// Tells whether it is an object, and this is so of all its values.
fn holds(value: &Value, is_so: fn(&Value) -> bool) -> bool {
    value.as_object().is_some_and(|fields| fields.values().all(is_so))
}

fn check_messages(messages: &mut Value) -> Result<(), Refusal> {
    let messages = messages.as_array_mut().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| Refusal::wrong("\"messages\" must be a list of messages"))?;
    messages.iter_mut().enumerate().try_for_each(|(at, message)| {
        check_message(message).map_err(|why| Refusal::wrong(format!("messages[{at}]: {why}")))
    })
}

fn check_message(message: &mut Value) -> Result<(), String> {
    let fields = message.as_object_mut().ok_or("expected an object")?;
    let is_known = |name: &str| OF_MESSAGES.contains(&name);
    fields.retain(|name, value| is_known(name) || !ECHOED.contains(&name.as_str()) && !value.is_null());
    if let Some(strange) = fields.keys().find(|name| !is_known(name)) {
        return Err(format!("{:?} is not passed on", visible(strange, 40)));
    }
    if !fields.get("role").and_then(Value::as_str).is_some_and(|role| ROLES.contains(&role)) {
        return Err(format!("\"role\" must be one of {}", ROLES.join(", ")));
    }
    for (name, value) in fields.iter_mut().filter(|(name, value)| *name != "role" && !value.is_null()) {
        check_part(name, value)?;
    }
    Ok(())
}

/// Looks at a field of a message.
fn check_part(name: &str, value: &mut Value) -> Result<(), String> {
    let (is_so, what) = match (name, value) {
        ("content", Value::Array(parts)) => {
            (parts.iter().all(is_part), "hold parts of type \"text\" only, with \"text\" and nothing else")
        }
        ("content", value) => (value.is_string(), "be text or a list of parts"),
        ("tool_calls", value) => {
            let calls = value.as_array_mut();
            (calls.is_some_and(|calls| calls.iter_mut().all(is_call)), "be a list of calls of functions")
        }
        ("function_call", value) => (is_called(value), "be a call of a function"),
        (_, value) => (value.is_string(), "be text"),
    };
    if is_so { Ok(()) } else { Err(format!("{name:?} must {what}")) }
}

fn is_part(part: &Value) -> bool {
    part["type"] == "text" && part["text"].is_string() && has_only(part, &["type", "text"])
}

/// Tells whether it is a call of a function, of which no more is left than may be passed on.
fn is_call(call: &mut Value) -> bool {
    let Some(fields) = call.as_object_mut() else { return false };
    fields.retain(|name, _| OF_CALLS.contains(&name.as_str()));
    let is_plain = fields.iter().all(|(name, value)| match name.as_str() {
        "function" => true,
        "type" => value == "function",
        _ => value.is_string() || value.is_u64(),
    });
    is_plain && fields.get_mut("function").is_some_and(is_called)
}

fn is_called(function: &mut Value) -> bool {
    let Some(fields) = function.as_object_mut() else { return false };
    fields.retain(|name, _| OF_CALLED.contains(&name.as_str()));
    fields.values().all(Value::is_string)
}

fn is_tool(tool: &Value) -> bool {
    tool["type"] == "function" && has_only(tool, &["type", "function"]) && is_function(&tool["function"])
}

fn is_function(function: &Value) -> bool {
    function["name"].is_string() && has_only(function, &OF_FUNCTIONS) && stays_here(function)
}

fn is_choice(choice: &Value) -> bool {
    let names = |value: &Value| value["name"].is_string() && has_only(value, &["name"]);
    let of_tools = || {
        choice["type"] == "function" && has_only(choice, &["type", "function"]) && names(&choice["function"])
    };
    choice.is_string() || names(choice) || of_tools()
}

fn is_format(format: &Value) -> bool {
    let schema = &format["json_schema"];
    ["text", "json_object", "json_schema"].iter().any(|known| format["type"] == *known)
        && has_only(format, &OF_FORMATS)
        && (schema.is_null() || has_only(schema, &OF_SCHEMAS))
        && stays_here(format)
}

/// Tells whether no schema in it refers to another place, which a provider's reader of schemas might fetch.
fn stays_here(value: &Value) -> bool {
    let is_near = |(name, value): (&String, &Value)| {
        !matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef")
            || value.as_str().is_none_or(|place| place.starts_with('#'))
    };
    match value {
        Value::Object(fields) => fields.iter().all(is_near) && fields.values().all(stays_here),
        Value::Array(items) => items.iter().all(stays_here),
        _ => true,
    }
}

/// Tells whether it is an object without other fields than these.
fn has_only(value: &Value, fields: &[&str]) -> bool {
    value.as_object().is_some_and(|object| object.keys().all(|name| fields.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(kind: Kind, mut body: Value) -> Result<Value, Refusal> {
        let fields = body.as_object_mut().unwrap();
        fields.insert("model".to_owned(), json!("m"));
        check(kind, fields).map(|()| body)
    }

    fn chat(name: &str, value: Value) -> Result<Value, Refusal> {
        let mut body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
        body[name] = value;
        checked(Kind::Chat, body)
    }

    #[test]
    fn an_older_name_or_another_field_is_no_way_around() {
        let far =
            json!({ "type": "object", "properties": { "x": { "$ref": "http://evil.example/schema" } } });
        let function = |more: Value| {
            let mut function = json!({ "name": "f" });
            function.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            function
        };
        for (name, value) in [
            ("functions", json!([function(json!({ "url": "http://evil.example" }))])),
            ("functions", json!([function(json!({ "parameters": far }))])),
            ("functions", json!({})),
            ("tools", json!([{ "type": "function", "function": function(json!({ "parameters": far })) }])),
            ("tool_choice", json!({ "type": "web_search_preview" })),
            ("tool_choice", json!({ "type": "mcp", "server_label": "x" })),
            ("tool_choice", json!([])),
            ("function_call", json!({ "name": "f", "url": "x" })),
            (
                "response_format",
                json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": far } }),
            ),
            ("response_format", json!({ "type": "json_object", "schema": far })),
            ("response_format", json!({ "type": "structural_tag", "structures": [] })),
            ("response_format", json!("json")),
            ("chat_template_kwargs", json!({ "chat_template": "{% for i in range(10**9) %}{% endfor %}" })),
            ("chat_template_kwargs", json!({ "documents": [] })),
            ("logit_bias", json!({ "7": { "url": "x" } })),
            ("reasoning_effort", json!({ "max_tokens": 100000 })),
            ("temperature", json!([0])),
            ("stop", json!([{ "url": "x" }])),
            ("n", json!(1000)),
            ("n", json!(1.5)),
            ("max_tokens", json!(1e99)),
            ("max_tokens", json!("5")),
            ("max_completion_tokens", json!(0)),
        ] {
            let told = format!("{name}: {value}");
            assert_eq!(chat(name, value).map_err(|refusal| refusal.status), Err(400), "{told}");
        }
    }

    #[test]
    fn what_clients_say_otherwise_is_passed_on() {
        let near =
            json!({ "$defs": { "x": { "type": "string" } }, "properties": { "x": { "$ref": "#/$defs/x" } } });
        for (name, value) in [
            ("functions", json!([{ "name": "f", "description": "d", "parameters": near }])),
            ("tool_choice", json!("required")),
            ("tool_choice", json!({ "type": "function", "function": { "name": "f" } })),
            ("function_call", json!({ "name": "f" })),
            (
                "response_format",
                json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": near, "strict": true } }),
            ),
            ("response_format", json!({ "type": "json_object" })),
            ("chat_template_kwargs", json!({ "enable_thinking": false })),
            ("logit_bias", json!({ "7": -100 })),
            ("stop", json!(["a", "b"])),
        ] {
            let told = format!("{name}: {value}");
            assert_eq!(chat(name, value.clone()).map(|body| body[name].clone()), Ok(value), "{told}");
        }
    }

    #[test]
    fn texts_to_go_on_with_or_to_embed_are_no_objects() {
        let image =
            json!([{ "content": [{ "type": "image_url", "image_url": { "url": "http://evil.example" } }] }]);
        for (kind, name) in [(Kind::Embedding, "input"), (Kind::Completion, "prompt")] {
            for wrong in [
                image.clone(),
                json!({ "image": "http://evil.example" }),
                json!(7),
                json!([["a"]]),
                json!([-1]),
            ] {
                assert!(checked(kind, json!({ name: wrong })).is_err(), "{name}: {wrong}");
            }
            for right in [json!("a"), json!(["a", "b"]), json!([1, 2]), json!([[1, 2], [3]])] {
                assert!(checked(kind, json!({ name: right })).is_ok(), "{name}: {right}");
            }
        }
    }

    /// As programs do that call tools: they put the model's message behind the others.
    #[test]
    fn a_models_own_message_can_be_sent_back() {
        let function = json!({ "name": "f", "arguments": "{}", "cache_control": { "type": "ephemeral" } });
        let call = json!({ "id": "c", "type": "function", "index": 0, "function": function, "extra_content": { "google": 1 } });
        let message = json!({
            "role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null, "function_call": null,
            "reasoning_details": [{ "type": "x" }], "provider_specific_fields": {}, "tool_calls": [call],
        });
        let passed = chat("messages", json!([message])).unwrap()["messages"][0].clone();
        let call = json!({ "id": "c", "type": "function", "index": 0, "function": { "name": "f", "arguments": "{}" } });
        let left = json!({ "role": "assistant", "content": null, "refusal": null, "function_call": null, "tool_calls": [call] });
        assert_eq!(passed, left);
        for wrong in [
            json!({ "tool_calls": [{ "type": "custom", "custom": {} }] }),
            json!({ "tool_calls": [{ "type": "function", "function": { "name": {} } }] }),
            json!({ "tool_calls": {} }),
            json!({ "function_call": "f" }),
            json!({ "name": { "url": "x" } }),
            json!({ "reasoning_content": [1] }),
            json!({ "audio": { "id": "a" } }),
        ] {
            let mut message = json!({ "role": "assistant", "content": "x" });
            message.as_object_mut().unwrap().append(&mut wrong.as_object().unwrap().clone());
            assert!(chat("messages", json!([message])).is_err(), "{wrong}");
        }
    }
}
