//! The sandbox's web page and its data.
//!
//! `GET /sandbox/state` returns the whole state. `GET /sandbox/stream` returns the events from then on, as the
//! gateway would dispatch them, except those for the application alone. It adds `SANDBOX_INTERACTION` (the outcome of
//! an interaction, in the form of [`Discord::interaction`]) and `SANDBOX_EPHEMERAL` (`{user_id, event, message}`: an
//! ephemeral message was created, changed or deleted). Additions for the page (panels of the demo) are further keys
//! or events: a page ignores those it does not know.

mod asset;

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::State as Extract;
use axum::http::HeaderMap;
use axum::response::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Router, middleware};
use futures_util::stream::{self, Stream};
use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, watch};

use super::ledger::Counts;
use super::{Discord, Dispatch, Face};

mod control;

/// How many messages of each channel are in the state.
const HISTORY: usize = 100;
/// The shortest interval between two events with the counts.
const COUNTS_EVERY: Duration = Duration::from_millis(300);

/// The routes of the page and its data.
pub(super) fn router() -> Router<Face> {
    asset::router()
        .route("/sandbox/state", get(state))
        .route("/sandbox/stream", get(stream))
        .route("/sandbox/control", post(control::control))
        .route("/sandbox/ledger", get(control::ledger))
        .route("/sandbox/messages", get(control::messages))
        .route("/sandbox/wait", get(control::wait))
        .layer(middleware::from_fn(control::guard))
}

async fn state(Extract(face): Extract<Face>) -> Json<Value> {
    Json(face.discord.page_state())
}

impl Discord {
    /// The page's state: guilds with channels, threads, roles and members, the last messages, the visitor and the
    /// users they can act as, the commands, and ephemeral messages.
    fn page_state(&self) -> Value {
        let state = self.state();
        let world = &state.world;
        let guilds: Vec<Value> = world
            .guilds()
            .map(|guild| {
                // Threads are displayed like channels.
                let places = world.channels().chain(world.threads());
                let channels = places.filter(|channel| channel.guild == guild.id);
                json!({
                    "id": guild.id, "name": guild.name,
                    "channels": channels.map(|channel| channel.object()).collect::<Vec<_>>(),
                    "roles": guild.roles.iter().map(|role| role.object()).collect::<Vec<_>>(),
                    "members":
                        guild.members.values().map(|member| world.member_object(member)).collect::<Vec<_>>(),
                })
            })
            .collect();
        let messages: Map<String, Value> = world
            .channels()
            .chain(world.threads())
            .map(|channel| (channel.id.to_string(), world.history(channel.id, HISTORY).into()))
            .collect();
        let me = world.people().next().and_then(|id| world.user(id).ok());
        let bot = world.user(world.bot()).ok();
        let people = world.people().filter_map(|id| {
            let user = world.user(id).ok()?;
            let roles: Vec<_> = world.guilds().filter_map(|guild| guild.members.get(&id)).collect();
            Some(json!({
                "user_id": id, "username": user.username, "name": user.display,
                "roles": roles.iter().flat_map(|member| member.roles.clone()).collect::<Vec<_>>(),
                // The page acts as any of these users; they exist only in this Discord.
                "token": state.tokens.of(id).map(|token| token.expose().to_owned()),
            }))
        });
        let commands = world.commands().map(|command| command.object(world.application()));
        let ephemerals: Vec<Value> =
            world.ephemerals().map(|(user, message)| json!({"user_id": user, "message": message})).collect();
        let mut state = json!({
            "guilds": guilds, "messages": messages, "me": me.map(super::model::User::object),
            "people": people.collect::<Vec<_>>(), "commands": commands.collect::<Vec<_>>(),
            "ephemeral": ephemerals,
            "application": {"id": world.application(), "name": bot.map(|bot| bot.username.clone())},
            "counts": state.ledger.counts(),
        });
        for (key, panel) in self.0.panels.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            state[*key] = panel.clone();
        }
        state
    }

    /// Sets the page's panel `key` to `value`, and sends it to readers of the stream as the event `t`.
    pub fn show_panel(&self, key: &'static str, t: &'static str, value: Value) {
        self.0.panels.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value.clone());
        // Having no subscribers is not an error.
        let _ = self.0.dispatches.send(Arc::new(Dispatch { t, d: value }));
    }
}

async fn stream(
    Extract(face): Extract<Face>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let feed = Feed {
        events: face.discord.dispatches(),
        changes: face.discord.changes(),
        // A browser that lost its stream and reconnects has missed the events in between.
        reload: headers.contains_key("last-event-id"),
        sent: Counts::default(),
        next_counts: Duration::ZERO,
        face,
    };
    Sse::new(stream::unfold(feed, Feed::next)).keep_alive(KeepAlive::default())
}

/// One reader of the event stream.
struct Feed {
    face: Face,
    events: broadcast::Receiver<Arc<Dispatch>>,
    changes: watch::Receiver<u64>,
    reload: bool,
    sent: Counts,
    next_counts: Duration,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let event = if std::mem::take(&mut self.reload) {
            Some(event(&json!({"t": "SANDBOX_RELOAD", "d": null})))
        } else {
            self.happening().await
        };
        event.map(|event| (Ok(event), self))
    }

    /// The next event; `None` when the server stops.
    async fn happening(&mut self) -> Option<Event> {
        let discord = &self.face.discord;
        let sent = self.sent;
        let due = self.next_counts;
        let new_counts = async {
            discord.clock().sleep_until_elapsed(due).await;
            loop {
                self.changes.mark_unchanged();
                let counts = discord.counts();
                if counts != sent {
                    return Some(counts);
                }
                if self.changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        let dispatches = async {
            loop {
                match self.events.recv().await {
                    // For the application alone: it carries the token for the answer.
                    Ok(dispatch) if dispatch.t == "INTERACTION_CREATE" => {}
                    received => return received,
                }
            }
        };
        tokio::select! {
            biased;
            () = self.face.stop.cancelled() => None,
            counts = new_counts => {
                self.sent = counts?;
                self.next_counts = discord.clock().elapsed() + COUNTS_EVERY;
                Some(event(&json!({"t": "SANDBOX_COUNTS", "d": self.sent})))
            }
            received = dispatches => match received {
                Ok(dispatch) => Some(event(&json!(*dispatch))),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    Some(event(&json!({"t": "SANDBOX_RELOAD", "d": null})))
                }
                Err(broadcast::error::RecvError::Closed) => None,
            },
        }
    }
}

/// An event with an id, so that a reconnecting browser sends it back and is recognized.
fn event(data: &Value) -> Event {
    Event::default().id("1").data(data.to_string())
}

#[cfg(test)]
mod tests;
