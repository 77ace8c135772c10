//! HTTP as agents speak it to the gateway: one request a connection, bounded in bytes and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::gateway::question::{Delivery, Kind, Question};
use crate::gateway::refusal::Refusal;
use crate::gateway::session::{Session, Unheard};
use crate::gateway::stream;

/// Longest request body, in bytes.
pub const LONGEST: usize = 2 << 20;

/// Time that an agent has for sending a request.
pub const PATIENCE: Duration = Duration::from_secs(60);

const JSON: &str = "application/json";

type Reply = Response<Full<Bytes>>;

/// Answers one request of an agent. Once the run is at its end by somebody else's fault it never does.
pub async fn answer(session: Arc<Session>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    Ok(match route(session, request).await {
        Ok(reply) => reply,
        Err(Unheard::Refused(refusal)) => refused(&refusal),
        Err(Unheard::Fault) => std::future::pending().await,
    })
}

async fn route(session: Arc<Session>, request: Request<Incoming>) -> Result<Reply, Unheard> {
    let path = request.uri().path().to_owned();
    let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(&path);
    let allow = &session.budget.grant().allow;
    match (request.method(), path, Kind::at(path)) {
        (&Method::POST, _, Some(kind)) => ask(session, kind, request).await,
        (&Method::GET, "/models", _) => Ok(found(&models(allow))),
        (&Method::GET, "/budget", _) => Ok(found(&session.budget.told())),
        (&Method::GET, _, _) if path.strip_prefix("/models/").is_some_and(|name| knows(allow, name)) => {
            Ok(found(&model(path.trim_start_matches("/models/"))))
        }
        (method, ..) => {
            Err(Unheard::Refused(Refusal::unknown(&format!("there is no {method} of that path"))))
        }
    }
}

async fn ask(session: Arc<Session>, kind: Kind, request: Request<Incoming>) -> Result<Reply, Unheard> {
    let refuse = |refusal| Err(Unheard::Refused(refusal));
    let body = Limited::new(request.into_body(), LONGEST).collect();
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return refuse(Refusal::too_large(LONGEST));
        }
        Ok(Err(_)) => return refuse(Refusal::wrong("the request's body can't be read")),
        Err(_) => return refuse(Refusal::too_slow()),
    };
    let asked = Arc::clone(&session);
    at_once(&session, move || {
        let question = Question::read(kind, &body).map_err(Unheard::Refused)?;
        drop(body);
        let answer = asked.exchange(&question)?;
        Ok(match question.delivery {
            Delivery::Stream { usage } if kind != Kind::Embedding => {
                reply(StatusCode::OK, "text/event-stream", stream::events(kind, &answer, usage))
            }
            _ => found(&answer),
        })
    })
    .await
}

/// Does what waits for a provider when there is a place for it. The place is held until that has ended, be its asker gone
/// meanwhile; should it break, the run ends by our fault.
async fn at_once<T: Send + 'static>(
    session: &Arc<Session>,
    work: impl FnOnce() -> Result<T, Unheard> + Send + 'static,
) -> Result<T, Unheard> {
    let Ok(place) = Arc::clone(&session.places).acquire_owned().await else { return Err(Unheard::Fault) };
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.unwrap_or_else(|error| Err(session.fail(format!("the gateway could not ask: {error}"))))
}

fn knows(allow: &[String], name: &str) -> bool {
    allow.iter().any(|model| model == name)
}

fn models(allow: &[String]) -> Value {
    json!({ "object": "list", "data": allow.iter().map(|name| model(name)).collect::<Vec<_>>() })
}

fn model(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": 0, "owned_by": "agentmill" })
}

fn found(value: &Value) -> Reply {
    reply(StatusCode::OK, JSON, value.to_string())
}

fn refused(refusal: &Refusal) -> Reply {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut reply = reply(status, JSON, refusal.body().to_string());
    if refusal.budget.is_some() {
        // Clients would ask again and again; nothing comes back to a budget.
        reply.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    reply
}

fn reply(status: StatusCode, kind: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::from(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use super::*;
    use crate::config::grant::Grant;
    use crate::gateway::budget::{Budget, Prices};
    use crate::gateway::health::Health;
    use crate::gateway::provider::Provider;
    use crate::gateway::recording::Recording;
    use crate::gateway::session::{Source, Tempo};
    use crate::ui::Events;

    /// A session with one place, and nobody to ask.
    fn session() -> Arc<Session> {
        let pipeline = crate::config::parse(Path::new("p"), b"llm: {base_url: 'http://127.0.0.1:1/v1'}");
        let provider = Arc::new(Provider::new(&pipeline.unwrap().llm, None).unwrap());
        let timeout = Duration::ZERO;
        let health = Health::new(Arc::clone(&provider), timeout, Events::channel().0);
        let source = Arc::new(Source { provider, health, timeout, no_key: None });
        let grant =
            Grant { allow: Vec::new(), requests: 1, tokens: 1, cost: None, wait: timeout, at_once: 1 };
        let budget = Budget::new(grant, Prices::new(), None);
        let recording = Arc::new(Recording::open(Path::new("/nowhere"), "k", false).unwrap());
        Arc::new(Session::new(source, budget, recording, Tempo::AtOnce).unwrap())
    }

    #[tokio::test]
    async fn work_that_breaks_ends_the_run_by_our_fault() {
        let session = session();
        let done = at_once(&session, || -> Result<(), Unheard> { panic!("as this test wants it") }).await;
        assert!(matches!(done, Err(Unheard::Fault)), "{done:?}");
        let fault = session.fault().unwrap();
        assert!(fault.contains("as this test wants it"), "{fault}");
        assert_eq!(session.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_work_has_ended_be_its_asker_gone() {
        let session = session();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let asking = Arc::clone(&session);
        let asker = tokio::spawn(async move {
            at_once(&asking, move || {
                begin.send(()).unwrap();
                let _ = ended.recv();
                Ok(())
            })
            .await
        });
        begun.await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(session.places.available_permits(), 0);
        drop(end);
        session.places.acquire().await.unwrap().forget();
    }

    #[test]
    fn only_a_budget_that_is_used_up_says_not_to_ask_again() {
        let asks_not = |refusal: &Refusal| refused(refusal).headers().contains_key("x-should-retry");
        assert!(asks_not(&Refusal::used_up("tokens", json!({}))));
        assert!(!asks_not(&Refusal::of_provider(429, "slow down".into())));
    }
}
