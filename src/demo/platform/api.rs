//! The HTTP layer: checks each request, passes it to the model, and records it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::reply::{ApiReply, json_of, text};
use super::{Platform, PlatformFault, RecordedRequest};

/// A request to the model: method, path in pieces, query, body.
pub(super) struct ApiRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: Vec<String>,
    pub(super) query: &'a str,
    pub(super) body: Value,
}

pub(super) fn router(platform: Platform) -> Router {
    Router::new().fallback(answer).with_state(platform)
}

async fn answer(
    State(platform): State<Platform>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let (method, path) = (method.as_str(), uri.path_and_query().map_or("/", |path| path.as_str()));
    let key = text(&headers, "idempotency-key");
    let body = json_of(&bytes);
    let entry = RecordedRequest::new(
        platform.0.clock.now(),
        method,
        path,
        key,
        body.as_ref().unwrap_or(&Value::Null),
    );
    let fault = platform.model().faults.take(&format!("{method} {path}"));
    let is_lost = fault == Some(PlatformFault::DoneUnanswered);
    let reply = match fault {
        Some(PlatformFault::Status(status, body)) => ApiReply { status, body, allow: None },
        Some(PlatformFault::Hang) => {
            platform.record(entry);
            // The caller gives up first; closing the connection drops this future.
            return std::future::pending().await;
        }
        _ => match (is_authorized(&platform, uri.path(), &headers), body) {
            (false, _) => ApiReply::detail(401, "Invalid or missing API key"),
            (true, Err(reply)) => reply,
            (true, Ok(body)) => {
                let query = uri.query().unwrap_or_default();
                once(&platform, key, ApiRequest { method, path: pieces(uri.path()), query, body }).await
            }
        },
    };
    if is_lost {
        platform.record(entry);
        return std::future::pending().await;
    }
    platform.record(entry.answered(reply.status, &reply.body));
    reply.into_response()
}

/// Idempotency: a call with a known key gets the earlier answer and is not repeated.
async fn once(platform: &Platform, key: Option<&str>, request: ApiRequest<'_>) -> ApiReply {
    let Some(key) = key else { return dispatch(platform, request).await };
    let known = platform.model().answered.get(key).cloned();
    match known {
        Some(reply) => reply,
        None => {
            let reply = dispatch(platform, request).await;
            if (200..300).contains(&reply.status) {
                platform.model().answered.insert(key.to_owned(), reply.clone());
            }
            reply
        }
    }
}

async fn dispatch(platform: &Platform, request: ApiRequest<'_>) -> ApiReply {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    if request.method == "OPTIONS" {
        return options(&path);
    }
    match path.as_slice() {
        ["health"] => ApiReply::ok(json!({"status": "ok", "service": "xtsystems"})),
        ["v1", "webhooks", rest @ ..] => platform.webhooks(rest, &request).await,
        ["v1", "tickets", rest @ ..] => platform.tickets(rest, &request),
        ["v1", "machines", rest @ ..] => platform.machines(rest, &request),
        _ => ApiReply::detail(404, "Not Found"),
    }
}

/// `OPTIONS` is not a method of any path, and has no effect.
fn options(path: &[&str]) -> ApiReply {
    match path {
        ["health"] => ApiReply::not_allowed("GET"),
        ["v1", "webhooks" | "tickets"] => ApiReply::not_allowed("GET, POST"),
        ["v1", "machines"] | ["v1", "machines", _] | ["v1", "webhooks", _, "deliveries"] => {
            ApiReply::not_allowed("GET")
        }
        ["v1", "webhooks", _] => ApiReply::not_allowed("DELETE, GET, PATCH, PUT"),
        ["v1", "tickets", _] => ApiReply::not_allowed("GET, PATCH, PUT"),
        ["v1", "webhooks", _, "test"] | ["v1", "machines", _, "approve" | "deny"] => {
            ApiReply::not_allowed("POST")
        }
        _ => ApiReply::detail(404, "Not Found"),
    }
}

/// `/health` is public; everything else requires the key.
fn is_authorized(platform: &Platform, path: &str, headers: &HeaderMap) -> bool {
    path == "/health"
        || text(headers, "authorization") == Some(&format!("Bearer {}", platform.key().expose()))
}

/// The path's segments, each decoded separately: an encoded slash stays in its segment.
fn pieces(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(decoded).collect()
}

fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code =
            bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|two| hex::decode(two).ok());
        match code {
            Some(byte) => {
                out.extend(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
