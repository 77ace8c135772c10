//! Answers: documents with a digest by which a client asks whether they changed, and failures as problem details (RFC 9457).

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;

use crate::pipeline::season::Refusal;
use crate::submission::Refused;
use crate::util::digest;

pub(super) const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// A failed request: its status and reason.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: Box<str>,
    /// The sentence for people; None where `error` is one.
    detail: Option<Box<str>>,
    line: Option<u32>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// A failure as problem details; `error` and `line` are members of ours.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    line: Option<u32>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into().into(), detail: None, line: None, header: None }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn unauthorized(error: impl Into<String>) -> Self {
        let header = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self { header: Some(header), ..Self::new(StatusCode::UNAUTHORIZED, error) }
    }

    pub(super) fn too_often(seconds: u64) -> Self {
        let error = format!("too many requests; try again in {seconds} s");
        Self::later(StatusCode::TOO_MANY_REQUESTS, seconds, error)
    }

    /// A refusal of what may be asked again in so many seconds.
    pub(super) fn later(status: StatusCode, seconds: u64, error: impl Into<String>) -> Self {
        let header = (header::RETRY_AFTER, HeaderValue::from(seconds));
        Self { header: Some(header), ..Self::new(status, error) }
    }

    /// By the rules of the season.
    fn not_counted(refusal: &Refusal) -> Self {
        let Some(next) = refusal.next else { return Self::new(StatusCode::FORBIDDEN, &refusal.reason) };
        let seconds = next.duration_since(Timestamp::now()).as_secs().max(0).unsigned_abs() + 1;
        Self::later(StatusCode::TOO_MANY_REQUESTS, seconds, &refusal.reason)
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
            Refused::Season(refusal) => {
                return Self { detail: Some(refused.sentence().into()), ..Self::not_counted(refusal) };
            }
            Refused::Conflict(_) => StatusCode::CONFLICT,
            Refused::Inbox(_) => return Self::ours(),
        };
        let detail = Some(refused.sentence().into());
        Self { line: refused.line(), detail, ..Self::new(status, refused.to_string()) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, error, detail, line, .. } = &self;
        let detail = detail.as_ref().unwrap_or(error);
        let title = status.canonical_reason().unwrap_or_default();
        // The status says it all: there are no kinds of problems beside it.
        let r#type = "about:blank";
        let problem = Problem { r#type, title, status: status.as_u16(), detail, error, line: *line };
        let body = serde_json::to_vec(&problem).expect("text and numbers only");
        let mut response = typed(*status, PROBLEM, body);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A text that is read again and again.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) bytes: Bytes,
    tag: HeaderValue,
}

impl Document {
    /// The digest is of what is shown, never of files that tell more.
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let tag = format!("\"{}\"", &digest::sha256(&bytes)[..32]);
        Self { bytes, tag: HeaderValue::try_from(tag).expect("hex digits") }
    }

    /// A value as JSON.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(value).map(Self::new)
    }

    /// The answer to a request for it.
    pub(super) fn answer(&self, kind: &'static str) -> Response {
        let mut response = typed(StatusCode::OK, kind, self.bytes.clone());
        response.headers_mut().insert(header::ETAG, self.tag.clone());
        response
    }
}

/// A value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => typed(status, JSON, bytes),
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
