//! The control API: fault injection, and the request log.
//!
//! For the page and for tests that run the sandbox as a separate process; tests in Rust may hold the [`Discord`]
//! itself. All routes require the token of one of the sandbox's people.

mod order;

use std::collections::HashMap;

use axum::extract::{Query, Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Map, Value, json};

use crate::sandbox::discord::token::Kind;
use crate::sandbox::discord::{Discord, Face, LoggedRequest};

/// Admits only requests that name this machine as their host. A page from elsewhere whose name was made to resolve to
/// this machine (DNS rebinding) still sends its own name as host and origin.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    if is_from_here(request.headers()) {
        next.run(request).await
    } else {
        refused(StatusCode::FORBIDDEN, "The sandbox is served to this machine only.")
    }
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = named("origin").map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    named("host").is_some_and(is_local) && origin.is_none_or(is_local)
}

/// Whether `host`, with or without a port, is a local name of this machine.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// `GET /sandbox/ledger`: `{counts, asked: [{at, method, path, status, code, body}]}`, oldest first.
pub(super) async fn ledger(Extract(face): Extract<Face>, headers: HeaderMap) -> Response {
    if !face.discord.is_person(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "Send the token of one of the sandbox's people.");
    }
    let asked: Vec<Value> = face.discord.requests().iter().map(|asked| asked.object()).collect();
    Json(json!({"counts": face.discord.counts(), "asked": asked})).into_response()
}

/// `GET /sandbox/messages`: all messages by channel id, oldest first.
pub(super) async fn messages(Extract(face): Extract<Face>, headers: HeaderMap) -> Response {
    if !face.discord.is_person(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "Send the token of one of the sandbox's people.");
    }
    let channels = face.discord.channels();
    let messages: Map<String, Value> =
        channels.iter().map(|(_, id)| (id.to_string(), face.discord.messages(*id).into())).collect();
    Json(messages).into_response()
}

/// `GET /sandbox/wait?sent=N`: returns the counts as soon as each named count has reached its number. Put a timeout
/// around it.
pub(super) async fn wait(
    Extract(face): Extract<Face>,
    headers: HeaderMap,
    Query(wanted): Query<HashMap<String, u64>>,
) -> Response {
    if !face.discord.is_person(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "Send the token of one of the sandbox's people.");
    }
    let reached = face.discord.wait_until(|discord| {
        let counts = json!(discord.counts());
        let reached = |(name, number): (&String, &u64)| counts[name].as_u64() >= Some(*number);
        wanted.iter().all(reached).then_some(counts)
    });
    tokio::select! {
        counts = reached => Json(counts).into_response(),
        () = face.stop.cancelled() => refused(StatusCode::SERVICE_UNAVAILABLE, "The sandbox stops."),
    }
}

/// `POST /sandbox/control`: an object of commands, each of which is executed.
///
/// Faults: `fail {kind, n, on, about, status, code, message, headers, body, seconds, scope}` (`on`: a part of method
/// and path; `about`: a part of the body), `storm {seed, share, on, seconds}`, `clear`, `break_s`, `ban_s`. State:
/// `limits` (`"default"`, `"none"`), `nonce_window_s`, `advance_s`, `add_channel` (a name, or a list), `deny` and
/// `allow {channel, permission}` (`send_messages`, `read_message_history`, …), `delete_channel` and `delete_webhook`
/// (ids or names; `true` for the webhook of the setup), `revoke_token`, `restore_token`, `kick_bot` and `invite_bot`
/// (the permissions of the link, as `"84992"`), `replay_interaction` (an id, or `true` for the last), `distort`
/// (changes to dispatched interactions), `dialect` (`"others"`: behaves like third-party servers, `"discord"`),
/// `gateway` (an object of the gateway's own commands).
pub(super) async fn control(
    Extract(face): Extract<Face>,
    headers: HeaderMap,
    Json(orders): Json<Map<String, Value>>,
) -> Response {
    if !face.discord.is_person(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "Send the token of one of the sandbox's people.");
    }
    for (order, value) in &orders {
        if let Err(why) = face.discord.execute(order, value) {
            return refused(StatusCode::BAD_REQUEST, &format!("{order}: {why}"));
        }
    }
    Json(json!({"ok": true})).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"ok": false, "message": why}))).into_response()
}

impl LoggedRequest {
    fn object(&self) -> Value {
        json!({
            "at": self.at.to_rfc3339(), "method": self.method, "path": self.path, "status": self.status,
            "code": self.code, "body": self.body,
        })
    }
}

impl Discord {
    fn is_person(&self, headers: &HeaderMap) -> bool {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        let caller = token.and_then(|token| self.state().tokens.check(token));
        caller.is_some_and(|caller| caller.kind == Kind::Person)
    }
}

#[cfg(test)]
mod tests;
