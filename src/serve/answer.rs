//! Answers: JSON, and for a failure `{"error": ..., "line": ...}`.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;

use crate::pipeline::season::Refusal;
use crate::submission::Refused;

/// A failed request: its status and reason.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: String,
    line: Option<u32>,
    header: Option<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Words<'a> {
    error: &'a str,
    line: Option<u32>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), line: None, header: None }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn unauthorized(error: impl Into<String>) -> Self {
        let header = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self { header: Some(header), ..Self::new(StatusCode::UNAUTHORIZED, error) }
    }

    pub(super) fn too_often(seconds: u64) -> Self {
        let header = (header::RETRY_AFTER, HeaderValue::from(seconds));
        let error = format!("too many requests; try again in {seconds} s");
        Self { header: Some(header), ..Self::new(StatusCode::TOO_MANY_REQUESTS, error) }
    }

    /// By the rules of the season.
    fn not_counted(refusal: &Refusal) -> Self {
        let Some(next) = refusal.next else { return Self::new(StatusCode::FORBIDDEN, &refusal.reason) };
        let seconds = next.duration_since(Timestamp::now()).as_secs().max(0).unsigned_abs() + 1;
        let header = (header::RETRY_AFTER, HeaderValue::from(seconds));
        Self { header: Some(header), ..Self::new(StatusCode::TOO_MANY_REQUESTS, &refusal.reason) }
    }

    /// A fault of the server. The details are for its owner, not for the client.
    pub(super) fn ours() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server can't do this right now; try again later")
    }
}

impl From<&Refused> for Failure {
    fn from(refused: &Refused) -> Self {
        let status = match refused {
            Refused::Source(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refused::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refused::Season(refusal) => return Self::not_counted(refusal),
            Refused::Conflict(_) => StatusCode::CONFLICT,
            Refused::Inbox(_) => return Self::ours(),
        };
        Self { line: refused.line(), ..Self::new(status, refused.to_string()) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &Words { error: &self.error, line: self.line });
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => typed(status, "application/json", bytes),
        Err(_) => Failure::ours().into_response(),
    }
}

/// Bytes of a known kind.
pub(super) fn typed(status: StatusCode, kind: &'static str, bytes: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (status, headers, bytes.into()).into_response()
}
