//! Streams: an answer that came in one piece, delivered as server-sent events.
//!
//! A provider is never asked for a stream: what has come whole can be checked, priced and recorded before anything of it is
//! delivered, and an answer from a recording looks the same.

use serde_json::{Value, json};

use crate::gateway::question::Kind;

/// The events of an answer, as text; with the usage at the end if it is wanted.
pub fn events(kind: Kind, answer: &Value, usage: bool) -> String {
    let mut head = answer.clone();
    head["object"] = json!(if kind == Kind::Chat { "chat.completion.chunk" } else { "text_completion" });
    let used = head["usage"].take();
    let with = |choices: Value, usage: Option<&Value>| {
        let mut chunk = head.clone();
        chunk["choices"] = choices;
        match usage {
            Some(usage) => chunk["usage"] = usage.clone(),
            None => drop(chunk.as_object_mut().and_then(|chunk| chunk.remove("usage"))),
        }
        format!("data: {chunk}\n\n")
    };
    let choices = answer["choices"].as_array().into_iter().flatten();
    let mut text: String =
        choices.flat_map(|choice| pieces(kind, choice)).map(|piece| with(json!([piece]), None)).collect();
    if usage {
        text += &with(json!([]), Some(&used));
    }
    text + "data: [DONE]\n\n"
}

/// A choice in pieces: what it says, and how it ends.
fn pieces(kind: Kind, choice: &Value) -> Vec<Value> {
    if kind != Kind::Chat {
        return vec![choice.clone()];
    }
    let mut delta = choice["message"].clone();
    let calls = delta.get_mut("tool_calls").and_then(Value::as_array_mut);
    for (at, call) in calls.into_iter().flatten().enumerate() {
        call.as_object_mut().map(|call| call.insert("index".to_owned(), at.into()));
    }
    let piece = |delta: Value, reason: &Value| {
        json!({
            "index": choice["index"],
            "delta": delta,
            "logprobs": if reason.is_null() { choice["logprobs"].clone() } else { Value::Null },
            "finish_reason": reason,
        })
    };
    vec![piece(delta, &Value::Null), piece(json!({}), &choice["finish_reason"])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str) -> Vec<Value> {
        let events = text.split("\n\n").filter(|event| !event.is_empty());
        let data = events.map(|event| event.strip_prefix("data: ").unwrap());
        data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    #[test]
    fn a_dialogues_answer_comes_as_a_delta_and_an_end() {
        let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let message = json!({ "role": "assistant", "content": "hi\n\nyou", "tool_calls": [call] });
        let answer = json!({
            "id": "1", "object": "chat.completion", "model": "m", "usage": { "total_tokens": 3 },
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        });
        let text = events(Kind::Chat, &answer, false);
        assert!(text.ends_with("data: [DONE]\n\n"));
        let all = chunks(&text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0]["object"], "chat.completion.chunk");
        assert_eq!(all[0]["choices"][0]["delta"]["content"], "hi\n\nyou");
        assert_eq!(all[0]["choices"][0]["delta"]["tool_calls"][0]["index"], 0);
        assert_eq!(all[1]["choices"][0]["finish_reason"], "stop");
        assert!(all.iter().all(|chunk| chunk.get("usage").is_none()));
        let all = chunks(&events(Kind::Chat, &answer, true));
        assert_eq!((&all[2]["usage"]["total_tokens"], &all[2]["choices"]), (&json!(3), &json!([])));
    }

    #[test]
    fn odd_calls_of_tools_stop_no_stream() {
        for calls in [json!(["f", 1, null, []]), json!("f"), json!({ "a": 1 }), Value::Null] {
            let answer = json!({ "choices": [{ "message": { "content": "x", "tool_calls": calls } }] });
            let all = chunks(&events(Kind::Chat, &answer, true));
            assert_eq!(all[0]["choices"][0]["delta"]["tool_calls"], calls);
            assert_eq!(all.len(), 3);
        }
    }

    #[test]
    fn a_completion_comes_as_it_is() {
        let answer = json!({ "choices": [{ "index": 0, "text": "more", "finish_reason": "length" }] });
        let all = chunks(&events(Kind::Completion, &answer, false));
        assert_eq!((all.len(), &all[0]["choices"][0]["text"]), (1, &json!("more")));
    }
}
