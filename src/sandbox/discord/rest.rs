//! The HTTP layer of the REST API: turns a request into a change of the model and its result into an answer.
//!
//! Checks run in Discord's order: the edge's ban, the route, the token, the rate limits, the body, then the operation
//! itself. This layer implements only the rules of HTTP; Discord's own are in the model.

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use serde_json::{Value, json};

use super::ledger::{Exchange, LoggedRequest, redact};
use super::limits::{Bucket, Limited, Standing};
use super::model::Refusal;
use super::{Discord, Face, Fault, State};
use crate::clock::Timestamp;

mod action;
mod body;
mod command;
mod guild;
mod interact;
mod query;
mod reaction;
mod reply;
mod role;
mod route;
mod thread;
pub(super) mod webhook;

use reply::{Answer, Content};
use route::Route;

/// The largest accepted body, in bytes (Discord: "Uploading Files").
const BODY_LIMIT: usize = 25 * 1024 * 1024;

/// The routes of the API.
pub(super) fn router() -> Router<Face> {
    Router::new().route("/api", any(answer)).route("/api/{*path}", any(answer))
}

/// A parsed request.
struct Call {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The entry point of every API request. A request that was read completely is carried out even if the client hangs
/// up: the work is a task of its own.
async fn answer(Extract(face): Extract<Face>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await;
    let request = format!("{} {}", head.method, head.uri.path());
    let fault = face.discord.faults().take(&request, body.as_ref().map_or(&[], |body| &body[..]));
    let early = body.is_err().then(|| Answer::of(&Refusal::TooLarge));
    let call = Call {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.unwrap_or_default(),
    };
    tokio::spawn(work(face, call, early, fault)).await.unwrap_or_else(|_| reply::cut())
}

/// Carries out the call, unless there is an `early` answer, and applies `fault`.
async fn work(face: Face, call: Call, early: Option<Answer>, fault: Option<Fault>) -> Response {
    let early = match &fault {
        Some(Fault::Status { status, headers, body }) => Some(Answer::canned(*status, headers, body)),
        Some(Fault::CutBefore) => Some(Answer::of(&Refusal::NotFound)),
        Some(Fault::Stale) => Some(face.discord.made_up(Discord::stale)),
        Some(Fault::FalseSuccess) => Some(face.discord.made_up(|discord| discord.echo(&call))),
        Some(Fault::Delay(span)) => {
            tokio::select! {
                () = face.discord.clock().sleep(*span) => early,
                () = face.stop.cancelled() => return reply::cut(),
            }
        }
        _ => early,
    };
    let answer = face.discord.ask(&call, early, fault.as_ref());
    reply::send(&face, answer, fault).await
}

impl Discord {
    /// A success answer for a request that the model never saw.
    fn made_up(&self, body: impl FnOnce(&Self) -> Value) -> Answer {
        let has_via = self.state().dialect.is_discords();
        Answer { has_via, ..Answer::json(body(self)) }
    }

    /// The newest message, as the answer to the request that created it.
    fn stale(&self) -> Value {
        self.with(|state, now| {
            let channels: Vec<_> = state.world.channels().map(|channel| channel.id).collect();
            let newest = channels.into_iter().filter_map(|channel| state.world.history(channel, 1).pop());
            let mut message = newest
                .max_by_key(|message| message["timestamp"].to_string())
                .unwrap_or_else(|| json!({"id": state.world.mint(now), "content": "another's"}));
            message["nonce"] = "another's".into();
            message
        })
    }

    /// What was sent, as if it had been accepted.
    fn echo(&self, call: &Call) -> Value {
        let mut message = body::read(call).map(|upload| upload.body).unwrap_or_default();
        message["id"] = self.with(|state, now| json!(state.world.mint(now)));
        message
    }

    /// Answers a call, or returns the `early` answer, and records it in the request log.
    fn ask(&self, call: &Call, early: Option<Answer>, fault: Option<&Fault>) -> Answer {
        let elapsed = self.clock().elapsed();
        self.with(|state, now| {
            let answer = early.unwrap_or_else(|| match state.limiter.banned(elapsed) {
                Some(left) => Answer::banned(left),
                None => {
                    let answer = state.answer(call, now, elapsed);
                    if matches!(answer.status, 401 | 403 | 429) {
                        state.limiter.invalid(elapsed);
                    }
                    answer
                }
            });
            let body = body::read(call).ok().map(|upload| upload.body);
            let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
            if let (Content::Json(_) | Content::Empty, true) = (&answer.content, fault.is_none()) {
                state.ledger.exchange(|| Exchange {
                    method: call.method.clone(),
                    path: redact(&call.path),
                    query: call.query.clone(),
                    request: body.clone(),
                    status: answer.status,
                    answer: match &answer.content {
                        Content::Json(body) => Some(body.clone()),
                        _ => None,
                    },
                });
            }
            let unanswered = matches!(fault, Some(Fault::CutBefore | Fault::CutAfter | Fault::HangAfter));
            state.ledger.record(LoggedRequest {
                at: now,
                method: call.method.clone(),
                path: format!("{}{query}", redact(&call.path)),
                had_allowed_mentions: body
                    .as_ref()
                    .is_some_and(|body| body.get("allowed_mentions").is_some()),
                body,
                status: (!unanswered).then_some(answer.status),
                code: match &answer.content {
                    Content::Json(body) if !unanswered => body.get("code").and_then(Value::as_u64),
                    _ => None,
                },
            });
            answer
        })
    }
}

impl State {
    fn answer(&mut self, call: &Call, now: Timestamp, elapsed: std::time::Duration) -> Answer {
        let (route, bucket) = match Route::find(&call.method, &call.path) {
            Ok(found) => found,
            Err(refusal) => return Answer::of(&refusal),
        };
        if matches!(route, Route::Gateway) {
            return Answer::json(json!({"url": format!("ws://{}/gateway", self.address)}));
        }
        let (mut bucket, mut open_to) = (bucket, route.open_to());
        if let Route::Hook(id, token) | Route::HookMessage(id, token, _) = &route
            && *id == self.world.application()
        {
            // Messages of an interaction have their own bucket.
            bucket = "/webhooks/{interaction}/{token}";
            open_to = self.world.answered(token, now).map(|found| found.id).ok().or(open_to);
        }
        let caller = call.header("authorization").and_then(|value| self.tokens.check(value));
        let Some(counted) = open_to.or(caller.map(|caller| caller.user)) else {
            return Answer::of(&Refusal::Unauthorized);
        };
        let bucket = Bucket { route: bucket, major: route.major() };
        let standing = match self.limiter.take(counted, bucket, elapsed) {
            Ok(standing) => standing,
            Err(limited) => return over_limit(&limited, now),
        };
        let sent = body::read(call).map(|upload| upload.body).unwrap_or_default();
        let done = match (self.dialect.refusal(&call.method, &call.path, &sent), caller) {
            (Some(refusal), _) => Err(refusal),
            (None, Some(caller)) if open_to.is_none() => action::act(self, caller, &route, call, now),
            _ => action::act_openly(self, &route, call, now),
        };
        let answer = done.unwrap_or_else(|refusal| Answer::of(&refusal));
        let mut answer = answer
            .rewritten(|status, body| self.dialect.rewrite(&call.method, &call.path, &sent, status, body));
        answer.has_via &= self.dialect.is_discords();
        if self.dialect.is_discords() {
            answer.headers.extend(rate_headers(&standing, now));
        }
        answer
    }
}

fn rate_headers(standing: &Standing, now: Timestamp) -> [(&'static str, String); 5] {
    let reset = now.plus(standing.reset_after).as_millis();
    [
        ("x-ratelimit-limit", standing.limit.to_string()),
        ("x-ratelimit-remaining", standing.remaining.to_string()),
        ("x-ratelimit-reset", format!("{}.{:03}", reset.div_euclid(1000), reset.rem_euclid(1000))),
        ("x-ratelimit-reset-after", format!("{:.3}", standing.reset_after.as_secs_f64())),
        ("x-ratelimit-bucket", standing.bucket.clone()),
    ]
}

fn over_limit(limited: &Limited, now: Timestamp) -> Answer {
    // Rounded up: for a client that waits exactly that long, the window must be over.
    let retry_after = (limited.retry_after.as_secs_f64() * 1000.0).ceil() / 1000.0;
    let mut answer = Answer::json(json!({
        "message": "You are being rate limited.", "retry_after": retry_after, "global": limited.global,
    }));
    answer.status = 429;
    answer.headers.push(("retry-after", format!("{}", retry_after.ceil())));
    answer.headers.push(("x-ratelimit-scope", if limited.global { "global" } else { "user" }.to_owned()));
    if limited.global {
        answer.headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    answer.headers.extend(limited.standing.iter().flat_map(|standing| rate_headers(standing, now)));
    answer
}

#[cfg(test)]
mod tests;
