//! The gateway: Discord's WebSocket (version 10, JSON), over which a bot receives events.
//!
//! What sessions receive and what clients may send is decided in the state behind the one lock (`sessions`,
//! `receive`), so no event can be missed or reordered; only a `connection` ever waits. [`Gateway`] is the handle
//! through which tests and the page inspect it and make it misbehave.
//!
//! Times use the sandbox's clock, except heartbeats: clients send them in real time, whatever a test does with the
//! clock.

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

/// The largest message that is read at all, in bytes. One above Discord's limit, which is lower, gets its close code.
const LARGEST: usize = 64 * 1024;

/// The gateway's routes. The path with a trailing slash is for twilight.
pub(super) fn router() -> Router<Face> {
    Router::new().route("/gateway", get(enter)).route("/gateway/", get(enter))
}

async fn enter(
    Extract(face): Extract<Face>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if face.discord.gateway().is_down() {
        return (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(LARGEST),
        Err(rejection) => return rejection.into_response(),
    };
    let parameter = |key: &str| query.get(key).map(String::as_str);
    let version = parameter("v").map_or(Some(10), |version| version.parse().ok());
    let served = version.filter(|version| matches!(version, 9 | 10));
    let json = parameter("encoding").is_none_or(|encoding| encoding == "json");
    let transport = Transport::requested(parameter("compress"));
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

/// The control handle of a [`Discord`]'s gateway.
#[derive(Clone)]
pub struct Gateway(Discord);

impl Discord {
    /// The handle to inspect the gateway and inject faults.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        Gateway(self.clone())
    }
}

impl Gateway {
    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.state().gateway.connections()
    }

    /// Ids of the connected sessions that received READY or RESUMED.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        self.0.state().gateway.live().map(|session| session.id().to_owned()).collect()
    }

    /// How many IDENTIFYs arrived, whatever their outcome.
    #[must_use]
    pub fn identifies(&self) -> usize {
        self.0.state().gateway.identifies
    }

    /// How many RESUMEs were accepted.
    #[must_use]
    pub fn resumes(&self) -> usize {
        self.0.state().gateway.resumes
    }

    /// The last received payloads, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.0.state().gateway.received.iter().cloned().collect()
    }

    /// The close codes of client-initiated closes, in order; `None` for one without a code.
    #[must_use]
    pub fn client_closes(&self) -> Vec<Option<u16>> {
        self.0.state().gateway.closes.clone()
    }

    /// Waits until a session is connected, and returns its id.
    pub async fn wait_for_session(&self) -> String {
        self.0.wait_until(|discord| discord.gateway().sessions().pop()).await
    }

    /// Sets the heartbeat interval for new connections; the default is 41.25 s.
    pub fn set_heartbeat_interval(&self, interval: Duration) {
        self.0.state().gateway.heartbeat = interval;
    }

    /// Sets how many sessions may start in 24 hours, and at once in five seconds; the defaults are 1,000 and 1.
    /// Resets the counters.
    pub fn set_session_start_limit(&self, total: u32, max_concurrency: u32) {
        self.0.state().gateway.starts = Starts::new(total, max_concurrency);
    }

    /// Sets the resume address in READY, in place of the sandbox's own. (For a test of clients that must find another
    /// way in.)
    pub fn set_resume_url(&self, url: &str) {
        self.0.state().gateway.resume_url = Some(url.to_owned());
    }

    /// Sets whether IDENTIFY may request privileged intents, as on the application's page at Discord.
    pub fn allow_privileged_intents(&self, allowed: bool) {
        self.0.state().gateway.privileged = allowed;
    }

    /// Asks every client to send a heartbeat at once (op 1).
    pub fn request_heartbeats(&self) {
        let payload = json!({"t": null, "s": null, "op": 1, "d": null});
        self.0.with(|state, _| state.gateway.send_all(&payload));
    }

    /// Asks every client to reconnect and resume (op 7).
    pub fn reconnect_all(&self) {
        let payload = json!({"t": null, "s": null, "op": 7, "d": null});
        self.0.with(|state, _| state.gateway.send_all(&payload));
    }

    /// Sends every client Invalid Session (op 9); sessions that are not `resumable` are forgotten.
    pub fn invalidate_all(&self, resumable: bool) {
        self.0.with(|state, now| state.gateway.invalidate_all(resumable, now));
    }

    /// Closes every connection with this code. Codes that end sessions end them.
    pub fn close_all(&self, code: u16) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Close(CloseCode(code)), now));
    }

    /// Closes every connection with a close frame without a code. Sessions can be resumed.
    pub fn close_all_without_code(&self) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Bare, now));
    }

    /// Drops every connection without a close frame. Sessions can be resumed.
    pub fn cut_all(&self) {
        self.0.with(|state, now| state.gateway.end_all(Ending::Cut, now));
    }

    /// Stops or restarts heartbeat ACKs. To clients, a silent connection looks dead.
    pub fn stop_acking(&self, silent: bool) {
        self.0.state().gateway.acking = !silent;
    }

    /// Answers new connections with 503 for `span` of the sandbox's clock. Open connections stay.
    pub fn down_for(&self, span: Duration) {
        let until = self.0.clock().now().plus(span);
        self.0.state().gateway.down_until = until;
    }

    /// Sends the last interaction again to every session, as Discord never should. Returns whether there was one.
    pub fn replay_last_interaction(&self) -> bool {
        self.0.with(|state, now| {
            let last = state.gateway.interaction.clone();
            if let Some(last) = &last {
                state.gateway.publish(&Arc::clone(last), &state.world, now);
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
