//! The gateway: Discord's WebSocket, version 10, JSON, over which a bot hears what happens.
//!
//! What sessions are told and what clients may ask is decided in the state behind the one lock (`sessions`,
//! `receive`), so no event can be missed or overtake another; only a `connection` ever waits. [`Gateway`] is the
//! handle by which tests and the page look at all that and make it misbehave.
//!
//! Times are the sandbox's clock, but for heartbeats: clients beat in real time, whatever a test does with the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::{Discord, Face};
use crate::clock::Clock;

mod close;
mod command;
mod connection;
mod control;
mod greeting;
mod intents;
mod receive;
mod received;
mod session;
mod sessions;
mod start;
mod transport;

pub use close::CloseCode;
pub(super) use greeting::guild_create;
pub(super) use intents::Intents;
pub use received::Received;
pub(super) use sessions::Sessions;

use connection::Connection;
use sessions::Ending;
use start::Starts;
use transport::Transport;

/// The greatest message that is read at all; what is over Discord's limit below that gets its close code.
const LARGEST: usize = 64 * 1024;

/// The gateway's routes. The slash at the end is twilight's.
pub(super) fn router() -> Router<Face> {
    Router::new().route("/gateway", get(enter)).route("/gateway/", get(enter))
}

async fn enter(
    Extract(face): Extract<Face>,
    Query(asked): Query<HashMap<String, String>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if face.discord.gateway().is_down() {
        return (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(LARGEST),
        Err(rejection) => return rejection.into_response(),
    };
    let asked = |key: &str| asked.get(key).map(String::as_str);
    let version = asked("v").map_or(Some(10), |version| version.parse().ok());
    let served = version.filter(|version| matches!(version, 9 | 10));
    let json = asked("encoding").is_none_or(|encoding| encoding == "json");
    let transport = Transport::asked(asked("compress"));
    upgrade.on_upgrade(async move |socket| {
        let opened = face.discord.with(|state, now| {
            let opened = state.gateway.open(version.unwrap_or(10));
            if served.is_none() || !json {
                state.gateway.end(opened.link, Ending::Close(CloseCode::INVALID_VERSION), now);
            }
            opened
        });
        Connection::new(face.discord, socket, transport, opened).run(face.stop).await;
    })
}

/// The gateway of a [`Discord`], from behind.
#[derive(Clone)]
pub struct Gateway(Discord);

impl Discord {
    /// Its gateway, to look at and to break.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        Gateway(self.clone())
    }
}

impl Gateway {
    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.state().gateway.connections()
    }

    /// Names of the sessions that are connected and were told READY or RESUMED.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        self.0.state().gateway.live().map(|session| session.id().to_owned()).collect()
    }

    /// IDENTIFYs that came, whatever became of them.
    #[must_use]
    pub fn identifies(&self) -> usize {
        self.0.state().gateway.identifies
    }

    /// RESUMEs that were granted.
    #[must_use]
    pub fn resumes(&self) -> usize {
        self.0.state().gateway.resumes
    }

    /// The last payloads that came, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.0.state().gateway.received.iter().cloned().collect()
    }

    /// The close codes of clients that closed by themselves, in order; `None` for one without a code.
    #[must_use]
    pub fn client_closes(&self) -> Vec<Option<u16>> {
        self.0.state().gateway.closes.clone()
    }

    /// Waits until a session is connected, and returns its name.
    pub async fn wait_for_session(&self) -> String {
        self.0.wait_until(|discord| discord.gateway().sessions().pop()).await
    }

    /// Tells connections from now on to send heartbeats this often; 41.25 s unless set.
    pub fn set_heartbeat_interval(&self, interval: Duration) {
        self.0.state().gateway.heartbeat = interval;
    }

    /// Session starts granted in 24 hours, and at once in five seconds; 1,000 and 1 unless set. Forgets what is used.
    pub fn set_session_start_limit(&self, total: u32, max_concurrency: u32) {
        self.0.state().gateway.starts = Starts::new(total, max_concurrency);
    }

    /// What READY says from now on where to resume, in place of the sandbox's own address. (A test of clients that
    /// must find another way in.)
    pub fn set_resume_url(&self, url: &str) {
        self.0.state().gateway.resume_url = Some(url.to_owned());
    }

    /// Whether IDENTIFY may ask for privileged intents from now on, as the application's page at Discord says.
    pub fn allow_privileged_intents(&self, allowed: bool) {
        self.0.state().gateway.privileged = allowed;
    }

    /// Asks every client to send a heartbeat at once (op 1).
    pub fn request_heartbeats(&self) {
        let payload = json!({"t": null, "s": null, "op": 1, "d": null});
        self.0.with(|state, _| state.gateway.send_all(&payload));
    }

    /// Asks every client to connect anew and resume (op 7).
    pub fn reconnect_all(&self) {
        let payload = json!({"t": null, "s": null, "op": 7, "d": null});
        self.0.with(|state, _| state.gateway.send_all(&payload));
    }

    /// Tells every client that its session is invalid (op 9); sessions that are not `resumable` are forgotten.
    pub fn invalidate_all(&self, resumable: bool) {
        self.0.with(|state, now| state.gateway.invalidate_all(resumable, now));
    }

    /// Closes every connection with this code. Sessions end with codes that end sessions.
    pub fn close_all(&self, code: u16) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Close(CloseCode(code)), now));
    }

    /// Closes every connection with a frame that holds no code. Sessions can be resumed.
    pub fn close_all_without_code(&self) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Bare, now));
    }

    /// Drops every connection without a close frame. Sessions can be resumed.
    pub fn cut_all(&self) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Cut, now));
    }

    /// Leaves heartbeats unanswered, or answers them again: to clients, a line that died unnoticed.
    pub fn stop_acking(&self, silent: bool) {
        self.0.state().gateway.acking = !silent;
    }

    /// Answers new connections with 503 for `span` of the sandbox's clock. Those there are go on.
    pub fn down_for(&self, span: Duration) {
        let until = self.0.clock().now().plus(span);
        self.0.state().gateway.down_until = until;
    }

    /// Sends the last interaction again to every session, as Discord never should. Whether there was one.
    pub fn replay_last_interaction(&self) -> bool {
        self.0.with(|state, now| {
            let last = state.gateway.interaction.clone();
            if let Some(last) = &last {
                state.gateway.hear(&Arc::clone(last), &state.world, now);
            }
            last.is_some()
        })
    }

    /// The clock of heartbeats: real time, until a test moves it.
    #[must_use]
    pub fn pulse(&self) -> &Clock {
        &self.0.0.pulse
    }

    fn is_down(&self) -> bool {
        let now = self.0.clock().now();
        now < self.0.state().gateway.down_until
    }
}

#[cfg(test)]
mod tests;
