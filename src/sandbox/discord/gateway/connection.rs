//! A gateway connection: the task between a client's socket and the sessions.
//!
//! Its only state is its deadline; it fetches payloads to send from [`Sessions`](super::sessions::Sessions), and
//! passes received ones on. Every await is abandoned when the connection is to end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::close::CloseCode;
use super::sessions::{Ending, Opened};
use super::transport::Transport;
use crate::clock::Clock;
use crate::sandbox::discord::Discord;

/// How late a heartbeat may be beyond half an interval, so that a busy machine is not mistaken for a dead client.
const SLACK: Duration = Duration::from_secs(1);
/// How long a client may take to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// The socket of one client and its deadline.
pub(super) struct Connection {
    discord: Discord,
    socket: WebSocket,
    transport: Transport,
    opened: Opened,
    /// The clients' time: heartbeats come in real time, whatever a test does with the sandbox's clock.
    pulse: Clock,
    /// When the next heartbeat must have arrived, on `pulse`.
    deadline: Duration,
}

/// How the exchange with a client ended.
enum Over {
    /// The client closed, with this code if it gave one.
    Closed(Option<u16>),
    /// The connection broke off.
    Gone,
    /// The server ends it.
    Ending(Ending),
}

impl Connection {
    /// A new connection, not yet served.
    pub(super) fn new(discord: Discord, socket: WebSocket, transport: Transport, opened: Opened) -> Self {
        let pulse = discord.gateway().pulse().clone();
        let deadline = pulse.elapsed() + heartbeat_timeout(opened.heartbeat);
        Self { discord, socket, transport, opened, pulse, deadline }
    }

    /// Serves the connection until either side ends it.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let ended = self.opened.ended.clone();
        let over = tokio::select! {
            biased;
            () = stop.cancelled() => Over::Ending(Ending::Close(CloseCode::GOING_AWAY)),
            () = ended.cancelled() => Over::Ending(self.ending()),
            over = self.talk() => over,
        };
        let link = self.opened.link;
        // Before the close frame: a client that reconnects at once finds the session free.
        self.discord.with(|state, now| match over {
            Over::Closed(code) => state.gateway.left(link, Some(code), now),
            Over::Gone => state.gateway.left(link, None, now),
            Over::Ending(ending) => {
                state.gateway.end(link, ending, now);
                state.gateway.left(link, None, now);
            }
        });
        match over {
            Over::Ending(Ending::Close(code)) => {
                self.close(Some(CloseFrame { code: code.0, reason: code.reason().into() })).await;
            }
            Over::Ending(Ending::Bare) => self.close(None).await,
            // Reading on sends the answer to the client's close frame.
            Over::Closed(_) => self.drain().await,
            Over::Gone | Over::Ending(Ending::Cut) => {}
        }
    }

    async fn talk(&mut self) -> Over {
        let interval = u64::try_from(self.opened.heartbeat.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({
            "t": null, "s": null, "op": 10,
            "d": {"heartbeat_interval": interval, "_trace": ["[\"nuncio-sandbox\",{}]"]},
        });
        if self.send(&hello, false).await.is_err() {
            return Over::Gone;
        }
        loop {
            while let Some((payload, single)) = self.outgoing() {
                if self.send(&payload, single).await.is_err() {
                    return Over::Gone;
                }
            }
            tokio::select! {
                () = self.opened.wake.notified() => {}
                () = self.pulse.sleep_until_elapsed(self.deadline) => {
                    return Over::Ending(Ending::Close(CloseCode::SESSION_TIMED_OUT));
                }
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => self.receive(text.as_bytes()),
                    Some(Ok(Message::Binary(bytes))) => self.receive(&bytes),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(frame))) => return Over::Closed(frame.map(|frame| frame.code)),
                    Some(Err(_)) | None => return Over::Gone,
                },
            }
        }
    }

    fn outgoing(&self) -> Option<(Value, bool)> {
        self.discord.state().gateway.next(self.opened.link)
    }

    fn ending(&self) -> Ending {
        self.discord.state().gateway.ending(self.opened.link).unwrap_or(Ending::Cut)
    }

    fn receive(&mut self, bytes: &[u8]) {
        let link = self.opened.link;
        if self.discord.with(|state, now| state.receive(link, bytes, now)) {
            self.deadline = self.pulse.elapsed() + heartbeat_timeout(self.opened.heartbeat);
        }
    }

    async fn send(&mut self, payload: &Value, single: bool) -> Result<(), axum::Error> {
        let message = self.transport.pack(payload, single).map_err(axum::Error::new)?;
        self.socket.send(message).await
    }

    async fn close(mut self, frame: Option<CloseFrame>) {
        let pulse = self.pulse.clone();
        let sent = pulse.within(FAREWELL, self.socket.send(Message::Close(frame))).await;
        if matches!(sent, Some(Ok(()))) {
            self.drain().await;
        }
    }

    /// Reads the remaining messages: dropping a socket with unread data would reset the connection, and the client
    /// would not see the close frame.
    async fn drain(mut self) {
        let pulse = self.pulse.clone();
        pulse.within(FAREWELL, async { while let Some(Ok(_)) = self.socket.recv().await {} }).await;
    }
}

/// How long to wait for a heartbeat: one and a half intervals, and the slack.
fn heartbeat_timeout(interval: Duration) -> Duration {
    interval * 3 / 2 + SLACK
}
