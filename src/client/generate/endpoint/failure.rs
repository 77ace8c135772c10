//! Failures of a request: which may pass, and which never will.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;

use crate::client::generate::answer::Unanswered;
use crate::util::http_client;

/// Codes of errors that no waiting mends, though some come as 429, "too many requests".
const USED_UP: [&str; 6] = [
    "insufficient_quota",
    "insufficient_balance",
    "insufficient_credits",
    "billing_not_active",
    "billing_hard_limit_reached",
    "access_terminated",
];

/// A request that failed.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// Another try may work; how long to wait, if the endpoint says so.
    Passing(String, Option<Duration>),
    /// It was understood, and something in it was refused: the whole refusal, and its words.
    Refused { body: String, words: String },
    /// Trying again is of no use.
    Final(Unanswered),
}

/// The failure that an answer with this status is.
pub(super) fn of_answer(status: u16, body: &str, wish: Option<Duration>) -> Failure {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let words = words(status, body);
    match status {
        _ if is_used_up(&value) => Failure::Final(Unanswered::Hopeless(words)),
        400 | 422 => Failure::Refused { body: body.to_owned(), words },
        413 | 501 | 505 => Failure::Final(Unanswered::Failed(words)),
        408 | 425 | 429 | 500.. => Failure::Passing(words, wish),
        404 if is_of_model(&value, &words) => Failure::Final(Unanswered::Hopeless(words)),
        404 => Failure::Final(Unanswered::Hopeless(format!(
            "{words} (llm.base_url is all before /chat/completions, mostly with /v1 at its end)"
        ))),
        _ => Failure::Final(Unanswered::Hopeless(words)),
    }
}

/// The failure of a request that got no answer.
pub(super) fn of_error(error: &ureq::Error, patience: Duration) -> Failure {
    let passing = |kind| {
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
        matches!(kind, BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset | UnexpectedEof)
    };
    match error {
        ureq::Error::Timeout(_) => Failure::Final(Unanswered::Failed(format!(
            "no reply within {} s; a larger llm.timeout may help",
            patience.as_secs_f64()
        ))),
        ureq::Error::BodyExceedsLimit(limit) => {
            Failure::Final(Unanswered::Failed(format!("its answer is longer than {limit} bytes")))
        }
        // Nothing listens yet, or the connection broke.
        ureq::Error::Io(io) if passing(io.kind()) => Failure::Passing(error.to_string(), None),
        ureq::Error::ConnectionFailed => Failure::Passing(error.to_string(), None),
        _ => Failure::Final(Unanswered::Hopeless(http_client::said(error))),
    }
}

/// True if the endpoint was found, and says that the model wasn't.
fn is_of_model(value: &Value, words: &str) -> bool {
    value.is_object() && words.to_lowercase().contains("model")
}

/// True if money or a quota ran out.
fn is_used_up(value: &Value) -> bool {
    let error = &value["error"];
    [&error["code"], &error["type"], &value["code"]]
        .into_iter()
        .filter_map(Value::as_str)
        .any(|code| USED_UP.contains(&code))
}

/// An answer's status and reason: its own words, where they are.
pub(super) fn words(status: u16, body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &value["error"];
    let places = [&error["message"], error, &value["message"], &value["detail"], &value["detail"][0]["msg"]];
    let words = places.into_iter().find_map(Value::as_str);
    let words = words.map_or_else(|| http_client::plain(body), str::to_owned);
    // Where the endpoint only passes on, the provider behind it knows why.
    let behind = error["metadata"]["raw"].as_str().map_or_else(String::new, |raw| format!(" ({raw})"));
    format!("HTTP {status}: {words}{behind}").trim_end_matches(": ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_the_endpoints_words() {
        for (body, told) in [
            (r#"{"error": {"message": "no such key"}}"#, "no such key"),
            (r#"{"error": "no such model"}"#, "no such model"),
            (r#"{"detail": "Not Found"}"#, "Not Found"),
            (r#"{"detail": [{"loc": ["body", "x"], "msg": "extra field"}]}"#, "extra field"),
            (
                r#"{"error": {"message": "Provider returned error", "metadata": {"raw": "busy"}}}"#,
                "Provider returned error (busy)",
            ),
            ("<html>", "a web page"),
            ("no", "no"),
        ] {
            assert_eq!(words(400, body), format!("HTTP 400: {told}"));
        }
    }

    #[test]
    fn what_no_waiting_mends_is_not_tried_again() {
        let quota = r#"{"error": {"message": "You exceeded your quota", "type": "insufficient_quota"}}"#;
        let hopeless =
            |status, body| matches!(of_answer(status, body, None), Failure::Final(Unanswered::Hopeless(_)));
        for (status, body) in [(429, quota), (401, "{}"), (402, ""), (403, ""), (404, ""), (301, "")] {
            assert!(hopeless(status, body), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 529] {
            assert!(matches!(of_answer(status, "{}", None), Failure::Passing(..)), "{status}");
        }
    }

    #[test]
    fn a_model_that_is_not_there_says_nothing_of_the_address() {
        let hints = |body: &str| {
            let Failure::Final(Unanswered::Hopeless(words)) = of_answer(404, body, None) else {
                panic!("it is tried again")
            };
            words.contains("llm.base_url")
        };
        let code = r#"{"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}"#;
        for (body, hint) in [
            (code, false),
            (r#"{"error": "model 'x' not found, try pulling it first"}"#, false),
            (r#"{"detail": "Not Found"}"#, true),
            ("<html>no such model", true),
            ("", true),
        ] {
            assert_eq!(hints(body), hint, "{body}");
        }
    }

    #[test]
    fn a_time_out_is_told_with_the_setting() {
        let error = ureq::Error::Timeout(ureq::Timeout::Global);
        let Failure::Final(Unanswered::Failed(words)) = of_error(&error, Duration::from_secs(120)) else {
            panic!("it is tried again")
        };
        assert_eq!(words, "no reply within 120 s; a larger llm.timeout may help");
        let hopeless =
            |error| matches!(of_error(&error, Duration::ZERO), Failure::Final(Unanswered::Hopeless(_)));
        assert!(hopeless(ureq::Error::HostNotFound) && hopeless(ureq::Error::Tls("no")));
        assert!(hopeless(ureq::Error::Io(std::io::Error::new(ErrorKind::InvalidData, "UnknownIssuer"))));
        assert!(!hopeless(ureq::Error::Io(ErrorKind::ConnectionRefused.into())));
    }
}
