//! Who is asking, and whether they may.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Failure;
use super::routes::Shared;
use crate::pipeline::intake::Miner;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// For whom a request may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Voice {
    /// There are no tokens, and only this machine can ask.
    Anybody,
    /// It brought this miner's token.
    Of(Miner),
    /// It brought none.
    Nobody,
}

impl Voice {
    /// Whether it may speak for the miner.
    pub(super) fn is_of(&self, miner: &Miner) -> bool {
        match self {
            Self::Anybody => true,
            Self::Of(owner) => owner == miner,
            Self::Nobody => false,
        }
    }
}

/// Before every request: not too often, and without tokens not by way of a browser's page from elsewhere.
pub(super) async fn gate(
    State(doors): State<Shared>,
    Extension(Peer(address)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(seconds) = doors.per_address.spend(home(address), Instant::now()) {
        return Failure::too_often(seconds).into_response();
    }
    if !doors.guarded.load(Ordering::SeqCst) && is_from_elsewhere(request.headers()) {
        let error = "without tokens, only this machine is served, and no page of another site";
        return Failure::new(StatusCode::FORBIDDEN, error).into_response();
    }
    next.run(request).await
}

/// An IPv6 household has a whole /64 to ask from.
fn home(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
    }
}

/// Whether a browser sends this for a foreign page, or by a name that was made to point here.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let foreign_host = text(header::HOST).is_some_and(|host| !is_this_machine(host));
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
    name.eq_ignore_ascii_case("localhost")
        || plain.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// For whom the request speaks, by its `Authorization`.
pub(super) fn voice(doors: &Shared, headers: &HeaderMap) -> Result<Voice, Failure> {
    let tokens = match doors.tokens.get() {
        Ok(tokens) => tokens,
        // Without the tokens nobody can be told from anybody.
        Err(_) => return Err(Failure::ours()),
    };
    if tokens.as_ref().is_some_and(|tokens| !tokens.is_empty()) {
        doors.guarded.store(true, Ordering::SeqCst);
    }
    let guarded = doors.guarded.load(Ordering::SeqCst);
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(if guarded { Voice::Nobody } else { Voice::Anybody });
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    if !guarded {
        return Ok(Voice::Anybody);
    }
    let owner = token.zip(tokens.as_ref()).and_then(|(token, tokens)| tokens.owner(token));
    owner
        .cloned()
        .map(Voice::Of)
        .ok_or_else(|| Failure::unauthorized("this is not a token that is valid here"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

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
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "LOCALHOST:1"] {
            assert!(!is_from_elsewhere(&headers(host, None)), "{host}");
        }
        for host in ["example.org:8000", "192.0.2.1", "localhost.example.org", "", "[::2]:8000"] {
            assert!(is_from_elsewhere(&headers(host, None)), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_told_apart() {
        let host = "127.0.0.1:8000";
        assert!(!is_from_elsewhere(&headers(host, Some("http://127.0.0.1:8000"))));
        for origin in ["http://example.org", "http://127.0.0.1:9000", "null"] {
            assert!(is_from_elsewhere(&headers(host, Some(origin))), "{origin}");
        }
    }

    #[test]
    fn addresses_of_one_household_are_one() {
        let home = |text: &str| home(text.parse().unwrap());
        assert_eq!(home("2001:db8::1"), home("2001:db8::ffff:1"));
        assert_ne!(home("2001:db8::1"), home("2001:db8:0:1::1"));
        assert_eq!(home("::ffff:192.0.2.1"), home("192.0.2.1"));
        assert_ne!(home("192.0.2.1"), home("192.0.2.2"));
    }
}
