//! The control API: misbehaviour on demand, and the ledger of what was asked and answered.
//!
//! For the page and for tests in other languages; tests in Rust hold the [`Discord`] itself. Both routes want the
//! token of one of the sandbox's people.

use std::time::Duration;

use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Map, Value, json};

use crate::model::Snowflake;
use crate::sandbox::discord::token::Kind;
use crate::sandbox::discord::{Asked, Discord, Face, Fault};

/// The longest time that can be asked for, in seconds.
const LONGEST: f64 = 86_400.0;

/// Lets only those through who reach us by a name of this machine: a page from elsewhere whose name was made to lead
/// here (DNS rebinding) still says its own name, and what it is the page of.
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

/// Whether `host`, with or without a port, is this machine by one of its own names.
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
    let asked: Vec<Value> = face.discord.requests().iter().map(Asked::object).collect();
    Json(json!({"counts": face.discord.counts(), "asked": asked})).into_response()
}

/// `POST /sandbox/control`: an object of orders, each of which is carried out.
///
/// `fail {kind, n, on, status, code, message, seconds, scope}`, `clear`, `break_s`, `ban_s`, `advance_s`,
/// `delete_channel` and `delete_webhook` (ids or names; `true` for the webhook of the setup), `revoke_token`,
/// `restore_token`, `replay_interaction` (an id, or `true` for the last), `gateway` (an object of the gateway's own
/// orders).
pub(super) async fn control(
    Extract(face): Extract<Face>,
    headers: HeaderMap,
    Json(orders): Json<Map<String, Value>>,
) -> Response {
    if !face.discord.is_person(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "Send the token of one of the sandbox's people.");
    }
    for (order, value) in &orders {
        if let Err(why) = face.discord.carry_out(order, value) {
            return refused(StatusCode::BAD_REQUEST, &format!("{order}: {why}"));
        }
    }
    Json(json!({"ok": true})).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"ok": false, "message": why}))).into_response()
}

impl Asked {
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

    /// Does one thing that was ordered; says what is wrong with the order.
    fn carry_out(&self, order: &str, value: &Value) -> Result<(), String> {
        let seconds = || seconds(value).ok_or("a number of seconds, at most a day");
        let known = |known: bool| known.then_some(()).ok_or("there is no such thing");
        match order {
            "fail" => {
                let count = value["n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
                let fault = fault(value)?;
                match value["on"].as_str() {
                    Some(part) => self.faults().next_on(part, count, fault),
                    None => self.faults().next(count, fault),
                }
            }
            "clear" => self.faults().clear(),
            "break_s" => self.faults().break_for(seconds()?),
            "ban_s" => self.ban_for(seconds()?),
            "advance_s" => self.clock().advance(seconds()?),
            "delete_channel" => {
                let name = value.as_str().unwrap_or_default();
                let id = self.channel_id(name).or_else(|| name.parse().ok());
                known(id.is_some_and(|id| self.delete_channel(id)))?;
            }
            "delete_webhook" => {
                let id = id(value).unwrap_or_else(|| self.webhook_id());
                known(self.delete_webhook(id))?;
            }
            "gateway" => self.gateway().carry_out(value)?,
            "revoke_token" => self.revoke_token(),
            "restore_token" => self.restore_token(),
            "replay_interaction" => known(self.replay_interaction(id(value)))?,
            _ => return Err("no such order".to_owned()),
        }
        Ok(())
    }
}

fn id(value: &Value) -> Option<Snowflake> {
    value.as_str().and_then(|id| id.parse().ok())
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST).contains(seconds))?;
    Some(Duration::from_secs_f64(seconds))
}

/// What is to go wrong: by its `kind`, or, without one, a status.
fn fault(value: &Value) -> Result<Fault, &'static str> {
    let span = || seconds(&value["seconds"]).ok_or("seconds: a number, at most a day");
    let message = value["message"].as_str().unwrap_or("Something is wrong");
    Ok(match value["kind"].as_str() {
        None | Some("status") => {
            let status = value["status"].as_u64().unwrap_or(500);
            let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
            let status = status.ok_or("status: a number from 200 to 599")?;
            let code = value["code"].as_u64().and_then(|code| u32::try_from(code).ok());
            match code {
                Some(code) => Fault::refusal(status, code, message),
                None if status == 429 => {
                    Fault::rate_limited(span()?, value["scope"].as_str().unwrap_or("user"))
                }
                None => Fault::status(status),
            }
        }
        Some("delay") => Fault::Delay(span()?),
        Some("slow") => Fault::Slow(span()?),
        Some("cut_before") => Fault::CutBefore,
        Some("cut_after") => Fault::CutAfter,
        Some("hang_after") => Fault::HangAfter,
        Some("garbage") => Fault::Garbage,
        Some("truncated") => Fault::Truncated,
        Some(_) => {
            return Err("kind: status, delay, slow, cut_before, cut_after, hang_after, garbage or truncated");
        }
    })
}

#[cfg(test)]
mod tests;
