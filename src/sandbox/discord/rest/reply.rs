//! Outgoing answers, and what faults do to them.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::DATE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;

use super::super::{Face, Fault};
use crate::clock::Timestamp;
use crate::sandbox::discord::model::Refusal;

/// Exactly this: with a charset after it, some clients do not parse the body as JSON.
const JSON: &str = "application/json";
const HTML: &str = "text/html";
/// How many pieces a slow answer is sent in.
const PIECES: u32 = 8;

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
    /// Whether it has the `Via` header of Discord's answers.
    pub(super) has_via: bool,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Content {
    Empty,
    Json(Value),
    /// An answer of the edge, not of Discord: any text, with its own headers.
    Canned(String, Vec<(String, String)>),
}

impl Answer {
    /// 200 with JSON.
    pub(super) fn json(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Json(body), has_via: true }
    }

    /// 204.
    pub(super) fn empty() -> Self {
        Self { status: 204, headers: Vec::new(), content: Content::Empty, has_via: true }
    }

    /// The answer for a refusal.
    pub(super) fn of(refusal: &Refusal) -> Self {
        Self { status: refusal.status(), ..Self::json(refusal.body()) }
    }

    /// Passes the answer through `rewrite`, unless it comes from the edge.
    pub(super) fn rewritten(self, rewrite: impl FnOnce(u16, Option<Value>) -> (u16, Option<Value>)) -> Self {
        let body = match &self.content {
            Content::Empty => None,
            Content::Json(body) => Some(body.clone()),
            Content::Canned(..) => return self,
        };
        let (status, body) = rewrite(self.status, body);
        Self { status, content: body.map_or(Content::Empty, Content::Json), ..self }
    }

    /// An answer set by a fault.
    pub(super) fn canned(status: u16, headers: &[(String, String)], body: &str) -> Self {
        let content = Content::Canned(body.to_owned(), headers.to_vec());
        Self { status, headers: Vec::new(), content, has_via: false }
    }

    /// Cloudflare's answer to a banned address: not JSON, and without the `Via` of Discord's answers.
    pub(super) fn banned(left: Duration) -> Self {
        let headers = [("retry-after".to_owned(), left.as_secs().saturating_add(1).to_string())];
        Self::canned(429, &headers, "error code: 1015")
    }

    /// The HTTP response, dated by this Discord's own clock, which may differ from the machine's.
    fn into_response(self, now: Timestamp) -> Response {
        let mut response = Response::builder().status(self.status).header(DATE, now.to_http_date());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if self.has_via {
            response = response.header("via", "1.1 google");
        }
        let built = match self.content {
            Content::Empty => response.body(Body::empty()),
            Content::Json(body) => response.header("content-type", JSON).body(Body::from(body.to_string())),
            Content::Canned(body, headers) => {
                let kind = if body.starts_with('{') { JSON } else { HTML };
                let response = headers
                    .into_iter()
                    .fold(response.header("content-type", kind), |response, (name, value)| {
                        response.header(name, value)
                    });
                response.body(Body::from(body))
            }
        };
        built.unwrap_or_else(|error| failed(&error.to_string()))
    }
}

/// Sends `answer`, modified by `fault`.
pub(super) async fn send(face: &Face, answer: Answer, fault: Option<Fault>) -> Response {
    let now = face.discord.clock().now();
    match fault {
        Some(Fault::CutBefore | Fault::CutAfter) => cut(),
        Some(Fault::HangAfter) => {
            face.stop.cancelled().await;
            cut()
        }
        Some(Fault::WrongBody) => {
            Answer::canned(200, &[], "<html><body>all is well</body></html>").into_response(now)
        }
        Some(Fault::Truncated) => pieces(answer.into_response(now), 2, Duration::ZERO, true, face).await,
        Some(Fault::Slow(span)) => {
            pieces(answer.into_response(now), PIECES, span / PIECES, false, face).await
        }
        Some(Fault::WrongHeaders(headers)) => with_headers(answer.into_response(now), headers),
        Some(Fault::Status { .. } | Fault::Delay(_) | Fault::Stale | Fault::FalseSuccess) | None => {
            answer.into_response(now)
        }
    }
}

/// Replaces headers of the response. Invalid headers are skipped.
fn with_headers(mut response: Response, headers: Vec<(String, String)>) -> Response {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Drops the connection: if a body fails before its first byte, the server closes without sending anything.
pub(super) fn cut() -> Response {
    let failure = stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted)) });
    Response::new(Body::from_stream(failure))
}

/// Splits the response into `count` pieces with `pause` before each; if `broken`, it breaks off after the first.
async fn pieces(response: Response, count: u32, pause: Duration, broken: bool, face: &Face) -> Response {
    let (head, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return failed("no body") };
    let length = body.len();
    let size = length.div_ceil(count as usize).max(1);
    let face = face.clone();
    let parts = stream::unfold(body, move |mut left| {
        let face = face.clone();
        async move {
            if left.is_empty() {
                return None;
            }
            tokio::select! {
                () = face.discord.clock().sleep(pause) => {}
                () = face.stop.cancelled() => return Some((Err(io::ErrorKind::ConnectionAborted.into()), Bytes::new())),
            }
            if broken && left.len() < length {
                // The first piece must be sent before the connection is dropped.
                tokio::task::yield_now().await;
                return Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), Bytes::new()));
            }
            let piece = left.split_to(size.min(left.len()));
            Some((Ok(piece), left))
        }
    });
    let mut response = Response::from_parts(head, Body::from_stream(parts));
    response.headers_mut().insert("content-length", length.into());
    response
}

fn failed(why: &str) -> Response {
    let mut response = Response::new(Body::from(why.to_owned()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
