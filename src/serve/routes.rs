//! What stands behind which path.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::answer::{Failure, json, typed};
use super::cached::Cached;
use super::catalog::Catalog;
use super::guard::{self, gate};
use super::rate::Rate;
use super::upload;
use crate::pipeline::intake::Miner;
use crate::standing::{self, Board};
use crate::tokens::Tokens;
use crate::workspace::Workspace;

const OPENAPI: &str = include_str!("openapi.json");

const JSON: &str = "application/json";

/// The rankings before there are any.
const NO_RANKINGS: &str = r#"{"rankings":[],"rejected":[],"pending":[]}"#;

/// What the page says before there are results.
const NO_PAGE: &str = "<!doctype html><title>agentmill</title><p>There are no results yet.";

/// All that requests need.
#[derive(Debug)]
pub(super) struct Doors {
    pub(super) inbox: PathBuf,
    pub(super) results: PathBuf,
    pub(super) catalog: Catalog,
    pub(super) tokens: Cached<Tokens>,
    pub(super) per_address: Rate,
    pub(super) per_miner: Rate,
    /// Whether it takes a token to hand in: from the first token on, even if the last one has been removed.
    pub(super) guarded: AtomicBool,
    /// How long a body may take.
    pub(super) patience: Duration,
    board: Cached<(Bytes, Board)>,
    page: Cached<Bytes>,
}

pub(super) type Shared = Arc<Doors>;

impl Doors {
    pub(super) fn open(dir: &Path, workspace: &Workspace, guarded: bool) -> anyhow::Result<Shared> {
        let pipeline = &workspace.pipeline;
        let settings = &pipeline.serve;
        Ok(Arc::new(Self {
            inbox: pipeline.inbox.clone(),
            results: pipeline.results.clone(),
            catalog: Catalog::follow(dir, workspace)?,
            tokens: Cached::new(settings.tokens.clone(), |bytes| Ok(serde_json::from_slice(&bytes)?)),
            per_address: Rate::new(settings.requests_per_minute),
            per_miner: Rate::new(settings.uploads_per_minute),
            guarded: AtomicBool::new(guarded || !settings.listen.ip().is_loopback()),
            patience: settings.timeout,
            board: Cached::new(pipeline.results.join("rankings.json"), |bytes| {
                Board::read(&bytes).map(|board| (bytes.into(), board))
            }),
            page: Cached::new(pipeline.results.join("index.html"), |bytes| Ok(bytes.into())),
        }))
    }
}

/// All paths.
pub(super) fn router(doors: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(healthz))
        .route("/openapi.json", get(openapi))
        .route("/tasks", get(tasks))
        .route("/tasks/{*id}", get(task))
        .route("/rankings", get(rankings))
        .route("/agents/{miner}", get(agent))
        .route("/upload/agent", post(upload::upload).put(upload::upload))
        .fallback(nothing)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(&doors), gate))
        // A body is read up to a limit of our own, which follows pipeline.yaml.
        .layer(DefaultBodyLimit::disable())
        .with_state(doors)
}

/// Work that waits for a disk, off the threads that answer.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::ours())
}

async fn healthz() -> Response {
    typed(StatusCode::OK, JSON, r#"{"status":"ok"}"#)
}

async fn openapi() -> Response {
    typed(StatusCode::OK, JSON, OPENAPI)
}

async fn tasks(State(doors): State<Shared>) -> Response {
    typed(StatusCode::OK, JSON, doors.catalog.page().tasks.clone())
}

async fn task(
    State(doors): State<Shared>,
    id: Result<UrlPath<String>, PathRejection>,
) -> Result<Response, Failure> {
    let id = id.map_or_else(|_| String::new(), |UrlPath(id)| id);
    let page = doors.catalog.page();
    let task =
        page.by_id.get(&id).ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "there is no such task"))?;
    Ok(typed(StatusCode::OK, JSON, task.clone()))
}

async fn page(State(doors): State<Shared>) -> Result<Response, Failure> {
    let page = on_disk(move || doors.page.get()).await?.map_err(|_| Failure::ours())?;
    let bytes = page.map_or_else(|| Bytes::from_static(NO_PAGE.as_bytes()), |page| Bytes::clone(&page));
    Ok(typed(StatusCode::OK, "text/html; charset=utf-8", bytes))
}

async fn rankings(State(doors): State<Shared>) -> Result<Response, Failure> {
    let published = on_disk(move || doors.board.get()).await?.map_err(|_| Failure::ours())?;
    let bytes = published.map_or(Bytes::from_static(NO_RANKINGS.as_bytes()), |published| published.0.clone());
    Ok(typed(StatusCode::OK, JSON, bytes))
}

async fn agent(
    State(doors): State<Shared>,
    miner: Result<UrlPath<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let nobody = || Failure::new(StatusCode::NOT_FOUND, "nothing is known of such a miner");
    let miner: Miner = miner.ok().and_then(|UrlPath(miner)| miner.parse().ok()).ok_or_else(nobody)?;
    let own = guard::voice(&doors, &headers)?.is_of(&miner);
    let view = on_disk(move || {
        let published = doors.board.get()?;
        let nothing = Board::default();
        let board = published.as_ref().map_or(&nothing, |published| &published.1);
        io::Result::Ok(standing::view(&miner, board, &doors.inbox, &doors.results, own))
    });
    let view = view.await?.map_err(|_| Failure::ours())?;
    view.map(|view| json(StatusCode::OK, &view)).ok_or_else(nobody)
}

async fn nothing() -> Response {
    Failure::new(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json").into_response()
}

async fn no_such_method() -> Response {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "this can't be done here; see /openapi.json").into_response()
}
