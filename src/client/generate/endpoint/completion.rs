//! Completions: what an endpoint's answer says, whichever of its forms it has.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::client::generate::answer::{Reply, Unanswered, Usage};
use crate::model::model_use::told_tokens;
use crate::util::http_client;

/// The most of a model's refusal that is quoted, in characters.
const QUOTED: usize = 200;

/// The most of an answer that is quoted where it is something else, in characters.
const BEGINNING: usize = 80;

/// An answer with status 200.
#[derive(Debug, PartialEq)]
pub(super) enum Completion {
    Reply(Reply),
    /// There is nothing in it to use.
    Nothing(Unanswered),
    /// It is an error after all, with a status of its own if it names one.
    Error(Option<u16>),
}

/// Takes an answer's body apart.
pub(super) fn read(body: &str) -> Completion {
    let value = match serde_json::from_str::<Value>(&whole_characters(body)) {
        Ok(value) => value,
        Err(error) => return foreign(&no_json(body, &error)),
    };
    let choice = &value["choices"][0];
    if let Some(error) = [&value["error"], &choice["error"]].into_iter().find(|error| !error.is_null()) {
        let status = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
        return Completion::Error(status.and_then(|status| u16::try_from(status).ok()));
    }
    match (value["choices"].as_array(), choice.is_null()) {
        (None, _) => foreign(&begun("JSON without a list of `choices`", body)),
        (_, true) => failed("its answer has no choice"),
        _ => reply(choice, usage(&value["usage"])),
    }
}

/// The failure of an answer that is something else.
fn foreign(what: &str) -> Completion {
    failed(&format!("its answer is not an OpenAI-compatible completion, but {what}"))
}

/// Words for an answer, and its beginning.
fn begun(what: &str, body: &str) -> String {
    format!("{what}: {}", body.trim().chars().take(BEGINNING).collect::<String>())
}

/// Words for an answer that is no JSON.
fn no_json(body: &str, error: &serde_json::Error) -> String {
    let begins = |with: &str| body.trim_start().starts_with(with);
    match () {
        () if body.trim().is_empty() => "empty".to_owned(),
        () if begins("data:") || begins("event:") => begun("a stream, which was not asked for", body),
        () if http_client::plain(body) != body => http_client::plain(body),
        () if begins("\u{1f}") => "compressed, which was not asked for".to_owned(),
        () if error.is_eof() => begun(&format!("JSON that ends too early, at byte {}", body.len()), body),
        () => begun(&format!("no JSON ({error})"), body),
    }
}

static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
    let [high, low] = [r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"];
    Regex::new(&format!(r"(\\[^u]|{high}{low})|{high}|{low}")).expect("a constant")
});

/// JSON in which halves of characters, which no text has, are U+FFFD: a model may write one in a reply that is good otherwise.
fn whole_characters(json: &str) -> Cow<'_, str> {
    ESCAPES.replace_all(json, |found: &Captures<'_>| {
        found.get(1).map_or_else(|| r"\ufffd".to_owned(), |whole| whole.as_str().to_owned())
    })
}

fn failed(words: &str) -> Completion {
    Completion::Nothing(Unanswered::Failed(words.to_owned()))
}

fn reply(choice: &Value, usage: Usage) -> Completion {
    let message = &choice["message"];
    let text = text(&message["content"]);
    let finish = choice["finish_reason"].as_str().unwrap_or_default();
    let cut_off = finish == "length";
    let reason = match finish {
        "content_filter" => "the endpoint's content filter stopped the reply".to_owned(),
        _ if text.trim().is_empty() => nothing(message, cut_off),
        _ => return Completion::Reply(Reply { text, cut_off, usage }),
    };
    Completion::Nothing(Unanswered::Declined { reason, cut_off, usage })
}

/// The reason why a message has no text.
fn nothing(message: &Value, cut_off: bool) -> String {
    let refusal =
        message["refusal"].as_str().map(str::to_owned).unwrap_or_else(|| refusal(&message["content"]));
    let call = [&message["tool_calls"][0]["function"], &message["function_call"]];
    let call = call.into_iter().find(|call| !call.is_null());
    let reasoned = ["reasoning_content", "reasoning"].iter().any(|name| !message[*name].is_null());
    match (refusal.trim(), call) {
        ("", Some(call)) => {
            let name = call["name"].as_str().unwrap_or("unnamed");
            format!("the model calls a tool ({name}) instead of replying; it was offered none")
        }
        ("", None) if cut_off => {
            "the reply was cut off before it began; a larger llm.max_tokens may help".to_owned()
        }
        ("", None) if message["content"].is_number() || message["content"].is_boolean() => {
            format!("the model's reply is no text, but {}", message["content"])
        }
        ("", None) if reasoned => "the model reasoned, but its reply is empty".to_owned(),
        ("", None) => "the model's reply is empty".to_owned(),
        (words, _) => {
            format!("the model refuses: {}", words.chars().take(QUOTED).collect::<String>())
        }
    }
}

/// The text of a message: as it is, or in parts, some of which may be reasoning or pictures.
fn text(content: &Value) -> String {
    let part = |part: &Value| match part {
        Value::String(text) => text.clone(),
        part => match part["type"].as_str() {
            None | Some("text" | "output_text") => part["text"].as_str().unwrap_or_default().to_owned(),
            Some(_) => String::new(),
        },
    };
    match content {
        Value::Array(parts) => parts.iter().map(part).collect(),
        other => part(other),
    }
}

/// A refusal among the parts of a message.
fn refusal(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    parts.filter_map(|part| part["refusal"].as_str()).collect()
}

fn usage(usage: &Value) -> Usage {
    let [prompt_tokens, completion_tokens] = told_tokens(usage);
    Usage {
        prompt_tokens,
        completion_tokens,
        cost: usage["cost"].as_f64().filter(|cost| cost.is_finite() && *cost >= 0.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(message: Value, finish: &str) -> Completion {
        read(&json!({ "choices": [{ "message": message, "finish_reason": finish }] }).to_string())
    }

    #[test]
    fn a_reply_in_every_form() {
        let parts = json!([
            { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] },
            { "type": "reasoning", "text": "hm" },
            "a", { "type": "text", "text": "b" }, { "text": "c" },
        ]);
        let reply = |text: &str, cut_off| {
            Completion::Reply(Reply { text: text.to_owned(), cut_off, ..Reply::default() })
        };
        assert_eq!(of(json!({ "content": parts }), "stop"), reply("abc", false));
        assert_eq!(of(json!({ "content": "x" }), "length"), reply("x", true));
        assert_eq!(
            of(json!({ "content": "x", "refusal": null, "tool_calls": [] }), "stop"),
            reply("x", false)
        );
    }

    #[test]
    fn half_a_character_spoils_no_reply() {
        let body = r#"{"choices": [{"message": {"content": "\ud83d\ude00 \ud800 \\ud800 \udc00."}}]}"#;
        let text = "\u{1f600} \u{fffd} \\ud800 \u{fffd}.".to_owned();
        assert_eq!(read(body), Completion::Reply(Reply { text, ..Reply::default() }));
    }

    #[test]
    fn an_answer_that_is_something_else_is_told() {
        for (body, told) in [
            ("<html><title>Log in</title>", "but a web page, Log in"),
            (" ", "but empty"),
            ("data: {}", "but a stream, which was not asked for: data: {}"),
            (r#"{"choices": ["#, "but JSON that ends too early, at byte 13: {"),
            ("hello", "but no JSON (expected value at line 1 column 1): hello"),
            ("[]", "but JSON without a list of `choices`: []"),
            (r#"{"choices": null}"#, "but JSON without a list of `choices`: {"),
        ] {
            match read(body) {
                Completion::Nothing(Unanswered::Failed(words)) if words.contains(told) => {}
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn usage_is_as_told() {
        for (told, cost) in [(0.25, Some(0.25)), (0.0, Some(0.0)), (-0.25, None)] {
            let usage =
                json!({ "prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 8, "cost": told });
            let body = json!({ "choices": [{ "message": { "content": "x" } }], "usage": usage });
            let Completion::Reply(reply) = read(&body.to_string()) else { panic!("{body}") };
            let usage = Usage { prompt_tokens: Some(3), completion_tokens: Some(5), cost };
            assert_eq!(reply.usage, usage);
        }
    }

    #[test]
    fn nothing_said_has_a_price_too() {
        let usage = Usage { prompt_tokens: Some(155), completion_tokens: Some(30), cost: Some(0.5) };
        for (message, finish, cut_off) in [
            (json!({ "content": null, "reasoning_content": "long" }), "length", true),
            (json!({ "content": "" }), "length", true),
            (json!({ "content": "" }), "stop", false),
            (json!({ "content": "def f" }), "content_filter", false),
            (json!({ "content": null, "refusal": "No." }), "stop", false),
        ] {
            let told = json!({ "prompt_tokens": 155, "completion_tokens": 30, "cost": 0.5 });
            let choice = json!({ "message": message, "finish_reason": finish });
            let Completion::Nothing(Unanswered::Declined { cut_off: is_cut_off, usage: counted, .. }) =
                read(&json!({ "choices": [choice], "usage": told }).to_string())
            else {
                panic!("{message}")
            };
            assert_eq!((is_cut_off, counted), (cut_off, usage), "{message}");
        }
    }

    #[test]
    fn a_message_without_text_says_why() {
        let call = json!([{ "type": "function", "function": { "name": "run_code", "arguments": "{}" } }]);
        for (message, finish, words) in [
            (json!({ "content": null, "refusal": "I can't." }), "stop", "the model refuses: I can't."),
            (
                json!({ "content": [{ "type": "refusal", "refusal": "No." }] }),
                "stop",
                "the model refuses: No.",
            ),
            (json!({ "content": null, "tool_calls": call }), "tool_calls", "calls a tool (run_code)"),
            (json!({ "content": "", "function_call": { "name": "f" } }), "stop", "calls a tool (f)"),
            (json!({ "content": "def f" }), "content_filter", "content filter"),
            (
                json!({ "content": null, "reasoning_content": "hm" }),
                "stop",
                "reasoned, but its reply is empty",
            ),
            (json!({ "content": null, "reasoning_content": "hm" }), "length", "cut off before it began"),
            (json!({ "content": "  " }), "stop", "the model's reply is empty"),
            (json!({ "content": 5 }), "stop", "the model's reply is no text, but 5"),
        ] {
            match of(message.clone(), finish) {
                Completion::Nothing(Unanswered::Declined { reason, .. }) if reason.contains(words) => {}
                other => panic!("{message}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_error_is_an_error_whatever_the_status() {
        assert_eq!(read(r#"{"error": {"code": 502, "message": "x"}}"#), Completion::Error(Some(502)));
        assert_eq!(read(r#"{"error": {"code": "429"}}"#), Completion::Error(Some(429)));
        assert_eq!(read(r#"{"error": "no such model"}"#), Completion::Error(None));
        assert_eq!(read(r#"{"choices": [{"error": {"code": 503}}]}"#), Completion::Error(Some(503)));
        for body in ["<html>", "{}", "[]", "null", r#"{"choices": []}"#, r#"{"choices": 1}"#] {
            assert!(matches!(read(body), Completion::Nothing(Unanswered::Failed(_))), "{body}");
        }
    }
}
