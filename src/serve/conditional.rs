//! Conditional requests: a client that has a document already, by its `ETag`, is told so and is sent nothing.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// Middleware that answers 304 where the client has what it asks for. The tag is compared with the answer that the request
/// would get, so that it tells nobody more than the answer would.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let mut response = next.run(request).await;
    if response.status() == StatusCode::OK && has(&known, response.headers()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            response.headers_mut().remove(name);
        }
    }
    response
}

/// True if one of the lists of tags names the answer's.
fn has(known: &[HeaderValue], answer: &HeaderMap) -> bool {
    let Some(tag) = answer.get(header::ETAG).and_then(|tag| tag.to_str().ok()) else { return false };
    let named = known.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    named.map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list() {
        let answer = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"a\""))]);
        let is_known = |lists: &[&'static str]| {
            has(&lists.iter().map(|list| HeaderValue::from_static(list)).collect::<Vec<_>>(), &answer)
        };
        for lists in [&["\"a\""][..], &["W/\"a\""], &["\"b\" , \"a\""], &["\"b\"", "\"a\""], &["*"]] {
            assert!(is_known(lists), "{lists:?}");
        }
        for lists in [&[][..], &["a"], &["\"b\""], &[""], &["\"a"]] {
            assert!(!is_known(lists), "{lists:?}");
        }
        assert!(!has(&[HeaderValue::from_static("*")], &HeaderMap::new()), "a failure has no tag");
    }
}
