//! Refusals: answers of the gateway itself, in the words that clients of OpenAI's API know.

use serde_json::{Value, json};

/// An answer that no model gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A word for the kind, as programs look for it.
    pub kind: &'static str,
    /// The reason, for people.
    pub message: String,
    /// Budget used and left, where that is the reason.
    pub budget: Option<Value>,
}

impl Refusal {
    /// The request is wrong.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "invalid_request_error", message: message.into(), budget: None }
    }

    /// There is no such thing here.
    pub fn unknown(message: String) -> Self {
        Self { status: 404, kind: "not_found_error", message, budget: None }
    }

    /// The model is not among those that may be asked.
    pub fn not_allowed(model: &str, allow: &[String]) -> Self {
        let message = format!("model {model:?} is not allowed here; allowed: {}", allow.join(", "));
        Self { status: 403, kind: "permission_error", message, budget: None }
    }

    /// The request is too large.
    pub fn too_large(most: usize) -> Self {
        let message = format!("a request may have {most} bytes");
        Self { status: 413, kind: "invalid_request_error", message, budget: None }
    }

    /// The request did not come to its end in time.
    pub fn too_slow() -> Self {
        let message = "the request did not come to its end".to_owned();
        Self { status: 408, kind: "invalid_request_error", message, budget: None }
    }

    /// The budget is used up.
    pub fn used_up(what: &str, budget: Value) -> Self {
        let message = format!("this run's budget of {what} is used up");
        Self { status: 429, kind: "insufficient_quota", message, budget: Some(budget) }
    }

    /// The question is more than what is left of the budget.
    pub fn over_budget(what: &str, budget: Value) -> Self {
        let message = format!("this question is larger than what is left of the run's budget of {what}");
        Self { status: 429, kind: "insufficient_quota", message, budget: Some(budget) }
    }

    /// The provider is well, and would not answer this question.
    pub fn of_provider(status: u16, words: String) -> Self {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        Self { status, kind, message: words, budget: None }
    }

    /// The refusal as JSON.
    pub fn body(&self) -> Value {
        let mut error =
            json!({ "message": self.message, "type": self.kind, "param": null, "code": self.kind });
        if let Some(budget) = &self.budget {
            error["budget"] = budget.clone();
        }
        json!({ "error": error })
    }
}
