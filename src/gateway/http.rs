//! HTTP as agents speak it to the gateway: one request a connection, bounded in bytes and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::gateway::faces::{self, Asking, Face, Said, Service};
use crate::gateway::refusal::Refusal;
use crate::gateway::session::{Session, Unheard};

/// Longest request body, in bytes.
pub const LONGEST: usize = 2 << 20;

/// Time that an agent has for sending a request.
pub const PATIENCE: Duration = Duration::from_secs(60);

type Reply = Response<Full<Bytes>>;

/// Answers one request of an agent. Once the run is at its end by somebody else's fault it never does.
pub async fn answer(session: Arc<Session>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (face, service) = faces::find(request.method(), request.uri().path(), &session.budget);
    let said = match service {
        Ok(Service::Ask(asking)) => ask(session, asking, request).await,
        Ok(Service::Tell(value)) => Ok(Said::json(&value)),
        Err(refusal) => Err(Unheard::Refused(session.budget.deny(refusal))),
    };
    Ok(match said {
        Ok(said) => reply(StatusCode::OK, said),
        Err(Unheard::Refused(refusal)) => refused(face, &refusal),
        Err(Unheard::Fault) => std::future::pending().await,
    })
}

async fn ask(session: Arc<Session>, asking: Asking, request: Request<Incoming>) -> Result<Said, Unheard> {
    let refuse = |refusal| Err(Unheard::Refused(session.budget.deny(refusal)));
    if let Err(refusal) = session.budget.listen() {
        return refuse(refusal);
    }
    let body = Limited::new(request.into_body(), LONGEST).collect();
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            session.budget.note_in_vain(LONGEST as u64);
            return refuse(Refusal::too_large(LONGEST));
        }
        Ok(Err(_)) => return refuse(Refusal::wrong("the request's body can't be read")),
        Err(_) => return refuse(Refusal::too_slow()),
    };
    let asked = Arc::clone(&session);
    at_once(&session, move || {
        let question = (asking.read)(asking.kind, &body, asked.budget.grant());
        let question = question.map_err(|refusal| {
            asked.budget.note_in_vain(body.len() as u64);
            Unheard::Refused(asked.budget.deny(refusal))
        })?;
        drop(body);
        let answer = asked.exchange(&question)?;
        Ok((asking.write)(&question, &answer))
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

fn refused(face: &dyn Face, refusal: &Refusal) -> Reply {
    let (status, body) = face.refusal(refusal);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut reply = reply(status, Said::json(&body));
    if refusal.budget.is_some() {
        // Clients would ask again and again; nothing comes back to a budget.
        reply.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    reply
}

fn reply(status: StatusCode, said: Said) -> Reply {
    let mut reply = Response::new(Full::from(said.text));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(said.media));
    reply
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn work_that_breaks_ends_the_run_by_our_fault() {
        let session = Arc::new(Session::sample());
        let done = at_once(&session, || -> Result<(), Unheard> { panic!("as this test wants it") }).await;
        assert!(matches!(done, Err(Unheard::Fault)), "{done:?}");
        let fault = session.fault().unwrap();
        assert!(fault.contains("as this test wants it"), "{fault}");
        assert_eq!(session.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_work_has_ended_be_its_asker_gone() {
        let session = Arc::new(Session::sample());
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
        let session = Arc::new(Session::sample());
        let (face, _) = faces::find(&hyper::Method::GET, "/", &session.budget);
        let asks_not = |refusal: &Refusal| refused(face, refusal).headers().contains_key("x-should-retry");
        assert!(asks_not(&Refusal::used_up("tokens", json!({}))));
        assert!(!asks_not(&Refusal::of_provider(429, "slow down".into())));
    }
}
