//! Routes: the paths and their answers.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::model::miner_id::Miner;
use crate::serve::answer::{Document, Failure, JSON, typed};
use crate::serve::board::{self, Sight};
use crate::serve::conditional;
use crate::serve::events;
use crate::serve::feed;
use crate::serve::guard::{self, Principal};
use crate::serve::metrics;
use crate::serve::paging::Page;
use crate::serve::state::{Shared, on_disk};
use crate::serve::submission;
use crate::serve::upload;
use crate::status;

const OPENAPI: &str = include_str!("openapi.json");

const ATOM: &str = "application/atom+xml; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The rankings before there are any.
const NO_RANKINGS: &str = r#"{"rankings":[],"rejected":[],"pending":[]}"#;

/// The page before there are results.
const NO_PAGE: &str = "<!doctype html><title>agentmill</title><p>There are no results yet.";

/// The page where scores are private.
const PRIVATE_PAGE: &str =
    "<!doctype html><title>agentmill</title><p>Scores are private here. Ask /agents/ID with your token.";

/// All paths.
pub(super) fn router(state: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/models.html", get(models))
        .route("/healthz", get(healthz))
        .route("/openapi.json", get(openapi))
        .route("/tasks", get(tasks))
        .route("/tasks/{*id}", get(task))
        .route("/rankings", get(rankings))
        .route("/agents/{miner}", get(agent))
        .route("/submissions/{sha256}", get(submission::submission))
        .route("/feed.atom", get(feed))
        .route("/events", get(events::events))
        .route("/metrics", get(metrics))
        .route("/upload/agent", post(upload::upload).put(upload::upload))
        .fallback(nothing)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(conditional::answer))
        .layer(from_fn_with_state(Arc::clone(&state), guard::check))
        // A body is read up to a limit of our own, which follows pipeline.yaml.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

async fn healthz() -> Response {
    typed(StatusCode::OK, JSON, r#"{"status":"ok"}"#)
}

async fn openapi() -> Response {
    Document::new(OPENAPI).answer(JSON)
}

async fn tasks(State(state): State<Shared>, uri: Uri) -> Result<Response, Failure> {
    let snapshot = state.snapshot();
    let Some(page) = Page::of(&uri)? else { return Ok(snapshot.tasks.answer(JSON)) };
    let mut list: Vec<&RawValue> =
        serde_json::from_slice(&snapshot.tasks.bytes).map_err(|_| Failure::ours())?;
    let links = page.links("/tasks", list.len());
    page.cut(&mut list);
    let part = Document::json(&list).map_err(|_| Failure::ours())?;
    Ok(([(header::LINK, links)], part.answer(JSON)).into_response())
}

async fn task(
    State(state): State<Shared>,
    id: Result<UrlPath<String>, PathRejection>,
) -> Result<Response, Failure> {
    let id = id.map_or_else(|_| String::new(), |UrlPath(id)| id);
    let snapshot = state.snapshot();
    let task = snapshot
        .by_id
        .get(&id)
        .ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "there is no such task"))?;
    Ok(task.answer(JSON))
}

async fn page(State(state): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    if Sight::of_request(&state, &headers).await? != Sight::All {
        return Ok(typed(StatusCode::FORBIDDEN, HTML, PRIVATE_PAGE));
    }
    let snapshot = state.snapshot();
    let principal = guard::principal(&state, &snapshot, &headers).await;
    let sees_each_own = principal.is_ok_and(|principal| principal.sees_each_own());
    let page = on_disk(move || {
        let published = snapshot.published();
        if sees_each_own { published.page.get() } else { published.everybodys_page.get() }
    });
    let page = page.await?.map_err(|_| Failure::ours())?;
    Ok(page.map_or_else(|| Document::new(NO_PAGE), |page| Document::clone(&page)).answer(HTML))
}

/// The page of models that were benchmarked; whoever may see all scores may see it.
async fn models(State(state): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    if Sight::of_request(&state, &headers).await? != Sight::All {
        return Ok(typed(StatusCode::FORBIDDEN, HTML, PRIVATE_PAGE));
    }
    let page = on_disk(move || state.snapshot().models.get()).await?.map_err(|_| Failure::ours())?;
    let page = page.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "no models were benchmarked"))?;
    Ok(page.answer(HTML))
}

async fn rankings(State(state): State<Shared>, uri: Uri, headers: HeaderMap) -> Result<Response, Failure> {
    let page = Page::of(&uri)?;
    let miner = Sight::of_request(&state, &headers).await?.own()?;
    let for_organiser = guard::is_organisers(&state, &headers).await;
    let answer = on_disk(move || {
        let snapshot = state.snapshot();
        let Some(published) = snapshot.rankings(for_organiser)? else {
            return Ok(Document::new(NO_RANKINGS).answer(JSON));
        };
        if miner.is_none() && page.is_none() {
            return Ok(published.answer(JSON));
        }
        let mut board = board::of(&published.bytes, miner.as_ref())?;
        if let Some(miner) = &miner {
            // The time of a publication would tell that others have done something.
            board.rankings.generated_at = snapshot.last_change(miner)?;
        }
        let Some(page) = page else { return Ok(Document::json(&board)?.answer(JSON)) };
        let lines = &mut board.rankings.rankings;
        let links = page.links("/rankings", lines.len());
        page.cut(lines);
        Ok(([(header::LINK, links)], Document::json(&board)?.answer(JSON)).into_response())
    });
    answer.await?.map_err(|_: io::Error| Failure::ours())
}

async fn agent(
    State(state): State<Shared>,
    miner: Result<UrlPath<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let nobody = || Failure::new(StatusCode::NOT_FOUND, "nothing is known of such a miner");
    let miner: Miner = miner.ok().and_then(|UrlPath(miner)| miner.parse().ok()).ok_or_else(nobody)?;
    let snapshot = state.snapshot();
    let principal = guard::principal(&state, &snapshot, &headers).await?;
    Sight::of(snapshot.pipeline.board, &principal).must_reach(&miner)?;
    let own = principal.is_of(&miner);
    let may_ask = own || principal == Principal::Organiser;
    let view = on_disk(move || {
        let absent = || status::absent(&miner, &snapshot.pipeline, &state.submitter).filter(|_| may_ask);
        let view = snapshot.look_up(|shown| status::view(&miner, shown, &snapshot.pipeline, own))?;
        let mut view = view.or_else(absent);
        if let Some(own) = view.as_mut().and_then(|view| view.own.as_mut()) {
            // A ledger that can't be read keeps nobody from what is known without it.
            own.limits =
                state.submitter.room(&snapshot.pipeline, &miner, Timestamp::now()).unwrap_or_default();
        }
        io::Result::Ok(view)
    });
    let view = view.await?.map_err(|_| Failure::ours())?;
    let view = Document::json(&view.ok_or_else(nobody)?).map_err(|_| Failure::ours())?;
    Ok(view.answer(JSON))
}

async fn feed(State(state): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    let own = Sight::of_request(&state, &headers).await?.own()?;
    let snapshot = state.snapshot();
    let feed = on_disk(move || {
        let view = snapshot.view(own);
        let history = snapshot.published().history.get()?.unwrap_or_default();
        feed::atom(snapshot.pipeline.title.as_deref(), &history, &view)
    });
    let feed = feed.await?.map_err(|_: io::Error| Failure::ours())?;
    Ok(Document::new(feed).answer(ATOM))
}

/// Figures of everybody's results: for the organiser only, once there are tokens to tell by.
async fn metrics(State(state): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    let snapshot = state.snapshot();
    match guard::principal(&state, &snapshot, &headers).await? {
        Principal::Anybody | Principal::Organiser => {}
        Principal::Of(_) => return Err(Failure::new(StatusCode::FORBIDDEN, "metrics are the organiser's")),
        Principal::Nobody => return Err(Failure::unauthorized("metrics take the organiser's token")),
    }
    let text = on_disk(move || {
        let (standing, runs) = (snapshot.standing.get()?, snapshot.runs.get()?.unwrap_or_default());
        io::Result::Ok(metrics::text(standing.as_deref(), &runs))
    });
    let text = text.await?.map_err(|_| Failure::ours())?;
    Ok(typed(StatusCode::OK, PROMETHEUS, text))
}

async fn nothing() -> Response {
    Failure::new(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json").into_response()
}

async fn no_such_method() -> Response {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "this can't be done here; see /openapi.json").into_response()
}
