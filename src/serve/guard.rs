//! Access: who a request speaks for, from where it may come, and how often.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::model::miner_id::Miner;
use crate::serve::answer::Failure;
use crate::serve::peer::Peer;
use crate::serve::snapshot::Snapshot;
use crate::serve::state::{Shared, on_disk};
use crate::tokens::{Bearer, Tokens};

/// The miners that a request may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principal {
    /// There are no tokens, and only this machine can ask.
    Anybody,
    /// It brought the organiser's token, who sees all and submits for nobody.
    Organiser,
    /// It brought this miner's token.
    Of(Miner),
    /// It brought none.
    Nobody,
}

impl Principal {
    /// True if it may speak for the miner.
    pub(super) fn is_of(&self, miner: &Miner) -> bool {
        match self {
            Self::Anybody => true,
            Self::Of(owner) => owner == miner,
            Self::Nobody | Self::Organiser => false,
        }
    }

    /// True if it may see what is each miner's own: messages of tests and stderr.
    pub(super) fn sees_each_own(&self) -> bool {
        match self {
            Self::Anybody | Self::Organiser => true,
            Self::Of(_) | Self::Nobody => false,
        }
    }
}

/// Middleware that refuses requests that come too often, and without tokens those of other sites' pages.
pub(super) async fn check(
    State(state): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let per_minute = state.snapshot().pipeline.serve.requests_per_minute;
    if let Err(seconds) = state.per_address.spend(peer.network(), per_minute, Instant::now()) {
        return Failure::too_often(seconds).into_response();
    }
    if let Some(error) = from_elsewhere(request.headers()) {
        match is_guarded(&state).await {
            Ok(true) => {}
            Ok(false) => return Failure::new(StatusCode::FORBIDDEN, error).into_response(),
            Err(failure) => return failure.into_response(),
        }
    }
    next.run(request).await
}

/// Headers by which a proxy says that it carries somebody else's request.
const OF_PROXIES: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// The reason to refuse a request where there are no tokens; None for one that comes from this machine itself.
fn from_elsewhere(headers: &HeaderMap) -> Option<&'static str> {
    if OF_PROXIES.into_iter().any(|name| headers.contains_key(name)) {
        return Some(
            "this request came through a proxy, and without tokens only this machine itself is served",
        );
    }
    is_of_other_site(headers)
        .then_some("without tokens, only this machine is served, and no page of another site")
}

/// True if submitting takes a token. Looks at the tokens anew as long as it does not.
async fn is_guarded(state: &Shared) -> Result<bool, Failure> {
    Ok(state.guarded.load(Ordering::SeqCst) || {
        tokens(state, &state.snapshot()).await?;
        state.guarded.load(Ordering::SeqCst)
    })
}

/// The tokens as they are now; the first one closes the server to all others.
async fn tokens(state: &Shared, snapshot: &Arc<Snapshot>) -> Result<Option<Arc<Tokens>>, Failure> {
    let now = Arc::clone(snapshot);
    // Without the tokens nobody can be told from anybody.
    let tokens = on_disk(move || now.tokens.get()).await?.map_err(|_| Failure::ours())?;
    if tokens.as_ref().is_some_and(|tokens| !tokens.is_empty()) {
        state.guarded.store(true, Ordering::SeqCst);
    }
    Ok(tokens)
}

/// True if a browser sends this for another site's page, or by a name that was made to point here.
fn is_of_other_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    // Of several, the first is not all that may be meant.
    let hosts = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let foreign_host = hosts.into_iter().any(|host| !is_this_machine(host));
    let foreign_page = text(header::ORIGIN).is_some_and(|origin| {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host != text(header::HOST)
    });
    foreign_host || foreign_page
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || plain.parse().is_ok_and(|address| Peer::new(address).is_local())
}

/// The refusal of a token where there are none.
const NO_TOKENS: &str = "there are no tokens here, so this one can't be valid; the organiser makes them: agentmill token add MINER";

/// The principal of a request, by its `Authorization`.
pub(super) async fn principal(
    state: &Shared,
    snapshot: &Arc<Snapshot>,
    headers: &HeaderMap,
) -> Result<Principal, Failure> {
    let tokens = tokens(state, snapshot).await?;
    let guarded = state.guarded.load(Ordering::SeqCst);
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(if guarded { Principal::Nobody } else { Principal::Anybody });
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    if !guarded {
        // One who brings a token takes it for needed; an empty one is none.
        return match token {
            Some(token) if !token.is_empty() => Err(Failure::unauthorized(NO_TOKENS)),
            _ => Ok(Principal::Anybody),
        };
    }
    let owner = token.zip(tokens.as_ref()).and_then(|(token, tokens)| tokens.owner(token));
    let principal = owner.map(|bearer| match bearer {
        Bearer::Miner(miner) => Principal::Of(miner.clone()),
        Bearer::Organiser => Principal::Organiser,
    });
    let why = match token {
        Some(_) => "this is not a token that is valid here",
        None => "expected a header such as Authorization: Bearer TOKEN",
    };
    principal.ok_or_else(|| Failure::unauthorized(why))
}

/// True if a request brings the organiser's token, whatever it would be shown without.
pub(super) async fn is_organisers(state: &Shared, headers: &HeaderMap) -> bool {
    matches!(principal(state, &state.snapshot(), headers).await, Ok(Principal::Organiser))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_second_host_is_looked_at_too() {
        let mut two = headers("localhost", None);
        two.append(header::HOST, HeaderValue::from_static("example.org"));
        assert!(is_of_other_site(&two));
    }

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn this_machine_by_its_own_names() {
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::1]",
            "LOCALHOST:1",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!is_of_other_site(&headers(host, None)), "{host}");
        }
        for host in ["example.org:8000", "192.0.2.1", "localhost.example.org", "", "[::2]:8000"] {
            assert!(is_of_other_site(&headers(host, None)), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_told_apart() {
        let host = "127.0.0.1:8000";
        assert!(!is_of_other_site(&headers(host, Some("http://127.0.0.1:8000"))));
        for origin in ["http://example.org", "http://127.0.0.1:9000", "null"] {
            assert!(is_of_other_site(&headers(host, Some(origin))), "{origin}");
        }
    }

    #[test]
    fn requests_through_proxies_are_from_elsewhere() {
        assert_eq!(from_elsewhere(&headers("127.0.0.1:8000", None)), None);
        for name in OF_PROXIES {
            let mut headers = headers("127.0.0.1:8000", None);
            headers.insert(name, HeaderValue::from_static("203.0.113.9"));
            assert!(from_elsewhere(&headers).is_some_and(|why| why.contains("proxy")), "{name}");
        }
    }
}
