//! Parameters of a request, and which of them an endpoint refuses.

use serde_json::{Map, Value, json};

/// Names of the limit of a reply's length: the first is known to most endpoints, the second to the newest.
const LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// Parameters that are sent with each prompt. An endpoint or a model may refuse one that another one needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    /// The limit of a reply's length, and its name.
    limit: Option<(&'static str, u32)>,
    temperature: Option<f64>,
    /// More fields, as `llm.body` has them; these are never left out.
    more: Map<String, Value>,
}

impl Parameters {
    pub(super) const fn new(limit: Option<u32>, temperature: Option<f64>, more: Map<String, Value>) -> Self {
        let limit = match limit {
            Some(limit) => Some((LIMITS[0], limit)),
            None => None,
        };
        Self { limit, temperature, more }
    }

    /// The body of a request.
    pub(super) fn body(&self, model: &str, prompt: &str) -> Value {
        let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] });
        if let Some((name, tokens)) = self.limit {
            body[name] = tokens.into();
        }
        if let Some(temperature) = self.temperature {
            body["temperature"] = temperature.into();
        }
        for (name, value) in &self.more {
            body[name] = value.clone();
        }
        body
    }

    /// Renames or leaves out the parameter that a refusal names; gives what was done, or None if it names none.
    pub(super) fn yield_to(&mut self, refusal: &str) -> Option<String> {
        let [old, new] = LIMITS;
        match self.limit {
            Some((name, tokens)) if name == old && refusal.contains(new) => {
                self.limit = Some((new, tokens));
                return Some(format!("it knows {old} as {new}"));
            }
            Some((name, _)) if refusal.contains(name) => {
                self.limit = None;
                return Some(format!("it refuses {name}, so replies are as long as it likes"));
            }
            _ => {}
        }
        let refused = self.temperature.is_some() && refusal.contains("temperature");
        refused.then(|| {
            self.temperature = None;
            "it refuses temperature, so its own is used".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_renamed_or_left_out_once() {
        let more = Map::from_iter([("seed".to_owned(), 1.into())]);
        let mut parameters = Parameters::new(Some(9), Some(0.5), more);
        assert_eq!(parameters.yield_to("no such model"), None);
        assert!(parameters.yield_to("'max_tokens': use 'max_completion_tokens'").is_some());
        let body = parameters.body("m", "p");
        assert_eq!((&body["max_completion_tokens"], &body["max_tokens"]), (&9.into(), &Value::Null));
        assert!(parameters.yield_to("temperature: only the default (1) is supported").is_some());
        assert!(parameters.yield_to("max_completion_tokens is too large").is_some());
        assert_eq!(parameters.yield_to("temperature max_completion_tokens seed"), None);
        assert_eq!(
            parameters.body("m", "p"),
            json!({ "model": "m", "messages": [{ "role": "user", "content": "p" }], "seed": 1 })
        );
    }
}
