//! `/upload/agent`: checks who submits what, and puts it into the inbox.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Pipeline;
use crate::model::joined;
use crate::model::miner_id::{Miner, printable};
use crate::serve::answer::{Failure, json};
use crate::serve::guard::{self, Principal};
use crate::serve::snapshot::Snapshot;
use crate::serve::state::{Shared, on_disk};
use crate::status;
use crate::submission::{self, Channel, Receipt, Refused};
use crate::util::digest;

/// Bytes that a multipart body may hold besides the file.
const WRAPPING: u64 = 16 << 10;

/// How long an upload waits for its turn to be compiled.
const RUSH: Duration = Duration::from_secs(10);

/// How much of a refused body is read, so that the client gets to read why.
const DISCARDED: usize = 4 << 20;

/// The answer to an accepted upload.
#[derive(Serialize)]
struct Accepted {
    #[serde(flatten)]
    receipt: Receipt,
    status: &'static str,
    next: String,
}

/// `POST` and `PUT`; multipart with the fields `miner_id` and `file`, or the bare source with `?miner_id=`.
pub(super) async fn upload(State(state): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // A client that asks first need not send the body at all.
    let coming = !parts.headers.contains_key(header::EXPECT);
    let mut body = Some(body);
    match take(&state, parts, &mut body).await {
        Ok(response) => response,
        Err(failure) => {
            if let Some(body) = body.filter(|_| coming) {
                let _ = timeout(state.snapshot().pipeline.serve.timeout, discard(body)).await;
            }
            failure.into_response()
        }
    }
}

/// Reads a body and keeps nothing of it.
async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// Refuses by the head, before the body is read, whatever the head tells.
async fn take(state: &Shared, parts: Parts, body: &mut Option<Body>) -> Result<Response, Failure> {
    let snapshot = state.snapshot();
    let principal = guard::principal(state, &snapshot, &parts.headers).await?;
    if principal == Principal::Nobody {
        return Err(Failure::unauthorized("submitting takes a token: Authorization: Bearer TOKEN"));
    }
    as_it_stands(&parts)?;
    let kind = Kind::of(&parts)?;
    let named = match kind {
        Kind::Bare => Some(allowed(&principal, &query(&parts)?)?),
        Kind::Multipart => None,
    };
    let Pipeline { validate, serve, .. } = &snapshot.pipeline;
    let wrapping = if kind == Kind::Multipart { WRAPPING } else { 0 };
    let bytes = read(&parts, body, validate.max_bytes, wrapping, serve.timeout).await?;
    let (miner, source) = match named {
        Some(miner) => (miner, bytes),
        None => {
            let form = Form::read(parts, bytes).await?;
            (allowed(&principal, &form.miner_id)?, form.file)
        }
    };
    let here = Instant::now();
    let spent = state.per_miner.spend(miner.clone(), serve.uploads_per_minute, here);
    spent.map_err(Failure::too_often)?;
    look_at(state, &snapshot, &miner, source.clone(), here).await?;
    let shared = Arc::clone(state);
    let submitted = on_disk(move || {
        let (receipt, changed) =
            shared.submitter.submit(&snapshot.pipeline, &miner, &source, (Channel::Http, here))?;
        let known = if changed { None } else { outcome(&snapshot, &miner) };
        Ok((receipt, changed, known))
    });
    let submitted = submitted.await?;
    let (receipt, changed, known) = submitted.map_err(|refused: Refused| Failure::from(&refused))?;
    Ok(accepted(receipt, changed, known))
}

/// Has a source checked, and compiled if it is its turn soon: in a rush that is left to the pass.
async fn look_at(
    state: &Shared,
    snapshot: &Arc<Snapshot>,
    miner: &Miner,
    source: Bytes,
    here: Instant,
) -> Result<(), Failure> {
    let (shared, rules, bytes, of) = (Arc::clone(state), Arc::clone(snapshot), source.clone(), miner.clone());
    let checked = on_disk(move || {
        submission::check(&bytes, &rules.pipeline)?;
        shared.submitter.admit(&rules.pipeline, &of, &digest::sha256(&bytes), here).map(drop)
    });
    let checked = checked.await?;
    checked.map_err(|refused: Refused| Failure::from(&refused))?;
    let snapshot = Arc::clone(snapshot);
    let compile = move || snapshot.compiler.check(&source, &snapshot.pipeline);
    let compiled = state.turns.work(miner, RUSH, compile).await.map_err(|_| Failure::ours())?;
    compiled.unwrap_or(Ok(())).map_err(|refused| Failure::from(&refused))
}

/// The state of what lies there, for its own miner; None where it can't be told.
fn outcome(snapshot: &Snapshot, miner: &Miner) -> Option<status::State> {
    let view = snapshot.look_up(|shown| status::view(miner, shown, &snapshot.pipeline, true));
    view.ok().flatten().map(|view| view.state)
}

fn accepted(receipt: Receipt, changed: bool, known: Option<status::State>) -> Response {
    let (code, status) = match changed {
        true => (StatusCode::CREATED, "accepted"),
        false => (StatusCode::OK, "unchanged"),
    };
    let then = match known {
        Some(status::State::Ranked | status::State::Evaluated) => "it is evaluated already",
        Some(status::State::Refused) => "it was refused already",
        _ => "it is evaluated when it is its turn",
    };
    let next = format!("{then}; ask /agents/{} for the outcome", receipt.miner);
    json(code, &Accepted { receipt, status, next })
}

/// Refuses a body that its head says to be something else than the bytes of a source: a part of one, or one in another code.
fn as_it_stands(parts: &Parts) -> Result<(), Failure> {
    let unsupported = |why: &str| Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    let values = |name| {
        parts.headers.get_all(name).iter().map(|value: &HeaderValue| value.to_str().unwrap_or_default())
    };
    let is_plain = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    let of_charset = |value: &str| {
        value.to_ascii_lowercase().split(';').any(|part| matches!(part.trim().strip_prefix("charset="), Some(set) if !["utf-8", "utf8", "us-ascii"].contains(&set.trim_matches('"'))))
    };
    match () {
        () if parts.headers.contains_key(header::CONTENT_RANGE) => {
            Err(Failure::bad("send the whole source; a part of one (Content-Range) is not taken"))
        }
        () if values(header::CONTENT_TYPE).count() > 1 => {
            Err(Failure::bad("there is more than one Content-Type"))
        }
        () if !values(header::CONTENT_ENCODING).all(is_plain) => {
            unsupported("send the source as it is, without a Content-Encoding")
        }
        () if values(header::CONTENT_TYPE).any(of_charset) => unsupported("send the source as UTF-8"),
        () => Ok(()),
    }
}

/// How the source is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Multipart,
    Bare,
}

impl Kind {
    fn of(parts: &Parts) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(header::CONTENT_TYPE) else {
            return Ok(Self::Bare);
        };
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "multipart/form-data" => Ok(Self::Multipart),
            "text/x-python" | "text/plain" | "application/octet-stream" => Ok(Self::Bare),
            _ => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send multipart/form-data with miner_id and file, or the source as text/x-python",
            )),
        }
    }
}

/// The `miner_id` of the query.
fn query(parts: &Parts) -> Result<String, Failure> {
    let wrong = || Failure::bad("expected one parameter, ?miner_id=MINER");
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| wrong())?;
    match <[_; 1]>::try_from(pairs) {
        Ok([(name, value)]) if name == "miner_id" => Ok(value),
        _ => Err(wrong()),
    }
}

/// The miner of this id, if the request may speak for it.
fn allowed(principal: &Principal, id: &str) -> Result<Miner, Failure> {
    let miner: Miner =
        id.parse().map_err(|error: String| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let why = match principal {
        _ if principal.is_of(&miner) => return Ok(miner),
        Principal::Organiser => "this is the organiser's token, which submits for nobody",
        _ => "this token is another miner's",
    };
    Err(Failure::new(StatusCode::FORBIDDEN, why))
}

fn unprocessable(error: &str) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error)
}

/// The whole body, if it comes in time and is not larger than a submission and the form around it.
async fn read(
    parts: &Parts,
    body: &mut Option<Body>,
    most: u64,
    wrapping: u64,
    patience: Duration,
) -> Result<Bytes, Failure> {
    let large =
        || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the submission is larger than {most} bytes"));
    let limit = most + wrapping;
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(large());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    match timeout(patience, to_bytes(body.take().unwrap_or_default(), limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length(&error) => Err(large()),
        Ok(Err(_)) => Err(Failure::bad("the body broke off")),
        Err(_) => Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

fn is_length(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

/// The fields of a multipart body.
struct Form {
    miner_id: String,
    file: Bytes,
}

impl Form {
    async fn read(parts: Parts, bytes: Bytes) -> Result<Self, Failure> {
        let broken = |_| Failure::bad("the body is not well-formed multipart/form-data");
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut multipart = Multipart::from_request(request, &()).await.map_err(|_| broken(()))?;
        let (mut miner_id, mut files) = (None, Vec::new());
        while let Some(field) = multipart.next_field().await.map_err(|_| broken(()))? {
            let name = field.name().unwrap_or_default().to_owned();
            let path = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.map_err(|_| broken(()))?;
            match name.as_str() {
                "miner_id" if miner_id.is_none() => miner_id = Some(bytes),
                "miner_id" => return Err(Failure::bad("the field miner_id is there twice")),
                "file" if path.is_none() && is_name(&bytes) => return Err(unprocessable(NAME)),
                "file" => files.push((path, bytes)),
                other => {
                    let other = printable(other.as_bytes());
                    return Err(unprocessable(&format!(
                        "there are no fields but miner_id and file; {other:?} is none"
                    )));
                }
            }
        }
        let missing = |name| unprocessable(&format!("the field {name} is missing"));
        let miner_id = miner_id.ok_or_else(|| missing("miner_id"))?;
        let miner_id = String::from_utf8_lossy(&miner_id).into_owned();
        Ok(Self { miner_id, file: one(files)?.ok_or_else(|| missing("file"))? })
    }
}

const NAME: &str = "the field file holds a file's name, not the file; with curl: -F file=@agent.py";

/// True of a file's name alone, as `curl -F file=agent.py` sends it. It would be Python.
fn is_name(bytes: &[u8]) -> bool {
    let name = bytes.trim_ascii();
    name.ends_with(b".py") && !name.iter().any(|byte| byte.is_ascii_whitespace() || b"()#;".contains(byte))
}

/// The source that files make up: one is it, several are joined by their names.
fn one(mut files: Vec<(Option<String>, Bytes)>) -> Result<Option<Bytes>, Failure> {
    if files.len() < 2 {
        return Ok(files.pop().map(|(_, bytes)| bytes));
    }
    let named: Option<Vec<(&str, &[u8])>> =
        files.iter().map(|(path, bytes)| Some((path.as_deref()?, bytes.as_ref()))).collect();
    let named =
        named.ok_or_else(|| unprocessable("of several files, each takes its path as its file name"))?;
    Ok(Some(joined::join(named).into()))
}
