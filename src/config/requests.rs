//! Requests to a model's endpoint: what goes into each of them besides the prompt, and what it costs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::check::within;
use crate::config::settings::Price;
use crate::yaml::{Kind, Node, Place, excerpt};

/// Headers that agentmill sets itself.
const OURS: [&str; 5] = ["authorization", "api-key", "content-type", "content-length", "host"];

/// Fields of a request that have a setting of their own, or that would change the answer's form.
const SET_ELSEWHERE: [&str; 7] =
    ["model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream", "n"];

/// The version of Azure's API.
pub(super) fn api_version(version: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match (1..=64).contains(&version.len()) && version.chars().all(plain) {
        true => Ok(version),
        false => Err(format!("expected a version such as 2024-10-21, found {}", excerpt(&version))),
    }
}

/// More headers. Their values are not quoted in messages: they may be secret.
pub(super) fn headers(place: Option<Place<'_>>) -> Vec<(String, String)> {
    let entries = place.and_then(|place| place.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(name, place)| header(name, &place)).collect()
}

fn header(name: &str, place: &Place<'_>) -> Option<(String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        place.complain(format!("{} is no name of a header", excerpt(name)));
        return None;
    }
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        place.complain(format!("{name} is not for you to set; a key is set by api_key_env"));
        return None;
    }
    let value = place.value(|value: String| match value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        true => Ok(value),
        false => Err("expected plain ASCII text".to_owned()),
    });
    Some((name.to_owned(), value?))
}

/// More fields of a request's body.
pub(super) fn body(place: Option<Place<'_>>) -> Map<String, Value> {
    let entries = place.and_then(|place| place.entries()).unwrap_or_default();
    let mut body = Map::new();
    for (name, place) in entries {
        match SET_ELSEWHERE.contains(&name) {
            true => place.complain(format!("{name} has a setting of its own, or can't be set")),
            false => body.extend(json(place.node).map(|value| (name.to_owned(), value))),
        }
    }
    body
}

/// A YAML node as JSON; None if something is wrong with it, which the log has.
fn json(node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Scalar(value) => serde_json::to_value(value).ok(),
        Kind::Sequence(items) => items.iter().map(json).collect::<Option<Vec<_>>>().map(Value::Array),
        Kind::Mapping(fields) => {
            let fields = fields.iter().map(|field| Some((field.key.clone(), json(&field.value)?)));
            fields.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Kind::Bad => None,
    }
}

/// Prices by model.
pub(super) fn prices(place: Option<Place<'_>>) -> BTreeMap<String, Price> {
    let entries = place.and_then(|place| place.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(model, place)| Some((model.to_owned(), price(&place)?))).collect()
}

fn price(place: &Place<'_>) -> Option<Price> {
    let amount = |item: &Place<'_>| item.value(|price| within(price, 0.0, 1e6));
    let items = match &place.node.kind {
        Kind::Bad => return None,
        Kind::Sequence(_) => place.items()?,
        _ => Vec::new(),
    };
    match items.as_slice() {
        [prompt, reply] => Some(Price { prompt: amount(prompt)?, reply: amount(reply)? }),
        _ => {
            place.complain(
                "expected the price of a million tokens of prompts and of replies, such as [2.5, 10]",
            );
            None
        }
    }
}
