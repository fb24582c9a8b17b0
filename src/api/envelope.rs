//! The outermost layer: what every answer of the API has, whatever happens inside.
//!
//! The request's id (taken from `X-Request-Id` if it is harmless, else made) is in the answer, in problems and in the log.
//! Problems get their body here. A panic becomes a problem, and answers are never cached, framed or guessed at.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::api::problem::ProblemDetails;

const X_REQUEST_ID: &str = "x-request-id";
/// Maximum length of an id that a client chose.
const LONGEST_ID: usize = 64;

/// Set on every answer that does not set them itself (W-5).
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Answers a request in the API's envelope.
pub(in crate::api) async fn wrap(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = loggable(request.uri().path());
    let span = tracing::info_span!("api", request.id = %id);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let _inside = span.enter();
    let response = answered.unwrap_or_else(|_| {
        tracing::error!(
            "{method} {path} was not answered because nuncio panicked (stderr shows where). Please report this"
        );
        ProblemDetails::internal().into_response()
    });
    let mut response = finished(response, &id);
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    tracing::debug!(status = response.status().as_u16(), "answered {method} {path}");
    response
}

/// A path for the log: words and ids. Anything else may be a secret that got there by mistake.
fn loggable(path: &str) -> String {
    let is_word = |part: &str| {
        part.len() <= 32 && part.bytes().all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte))
    };
    let is_id = |part: &str| {
        let hex = part.get(4..).filter(|_| part.as_bytes().get(3) == Some(&b'_') && is_word(&part[..3]));
        part == "v1"
            || hex.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let parts = path.split('/').map(|part| if is_word(part) || is_id(part) { part } else { "…" });
    parts.collect::<Vec<_>>().join("/")
}

/// Gives a problem its body. What else the response has (`Allow`) stays.
fn finished(response: Response, id: &str) -> Response {
    let Some(problem) = response.extensions().get::<ProblemDetails>() else { return response };
    let mut written = problem.write(id);
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH {
            written.headers_mut().entry(name).or_insert(value.clone());
        }
    }
    written
}

/// The client's id if there is exactly one of a few harmless characters, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let mut given = headers.get_all(X_REQUEST_ID).iter();
    let given = given.next().filter(|_| given.next().is_none()).and_then(|value| value.to_str().ok());
    let is_harmless = |id: &&str| {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // A key sent as an id would be logged.
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(harmless) && !id.contains("nun_")
    };
    given.filter(is_harmless).map_or_else(|| format!("req_{}", Uuid::now_v7().simple()), str::to_owned)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(id: &str) -> (Response, String) {
        async fn panics() -> &'static str {
            panic!("the canary of this test")
        }
        let router = Router::new().route("/panics", get(panics)).layer(axum::middleware::from_fn(wrap));
        let request = Request::builder().uri("/panics").header(X_REQUEST_ID, id).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap();
        (Response::from_parts(head, Body::empty()), text)
    }

    // Control: without `catch_unwind` the connection just ends.
    #[tokio::test]
    async fn a_panic_is_a_problem_without_its_message() {
        let (response, body) = ask("my-id.1").await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[X_REQUEST_ID], "my-id.1");
        assert!(
            body.contains(r#""code":"internal""#) && body.contains(r#""request_id":"my-id.1""#),
            "{body}"
        );
        assert!(!body.contains("canary"), "{body}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }

    #[test]
    fn what_may_be_a_secret_is_not_logged() {
        let id = "key_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f";
        assert_eq!(loggable(&format!("/v1/keys/{id}/rotate")), format!("/v1/keys/{id}/rotate"));
        assert_eq!(loggable("/v1/keys/nun_abc/é/%20/A"), "/v1/keys/…/…/…/…");
        assert_eq!(loggable(&format!("/v1/{}", "a".repeat(33))), "/v1/…");
    }

    #[tokio::test]
    async fn an_id_that_is_not_harmless_is_replaced() {
        for id in ["", "a b", "\u{7f}", "nun_secret", &"a".repeat(65), "<script>"] {
            let Ok(_) = HeaderValue::from_str(id) else { continue };
            let (response, _) = ask(id).await;
            let made = response.headers()[X_REQUEST_ID].to_str().unwrap();
            assert!(made.starts_with("req_") && made.len() == 36, "{id:?}: {made}");
        }
    }
}
