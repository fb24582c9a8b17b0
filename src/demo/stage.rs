//! The demo's stage: actions that a visitor can start on the page, and the count that shows whether anything was
//! lost.
//!
//! It works from outside of nuncio, like a visitor. It knows the acknowledged events because it sent them, the
//! displayed ones because it reads Discord, and the pending ones from `/health`. For an event that no footer names
//! (it shares a card with others, or is one of many in a digest), it asks nuncio for the message that contains it.
//! That message must have been seen, and a digest must not contain more events than it states.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::demo::{Platform, RecordedRequest, XtSystems, storm};
use crate::model::Tag;
use crate::outgoing;
use crate::sandbox::Discord;
use crate::sandbox::discord::Dispatch;

/// The most events that a visitor can send at once.
const MOST_EVENTS: usize = 1000;
const LONGEST_BREAK: u64 = 60;
/// How many events of a storm are sent concurrently.
const AT_ONCE: usize = 8;
/// How often the count is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);
/// How many characters of an event's id are in its card's footer.
const TAG: usize = 8;
/// How many of the platform's newest requests the page shows.
const REQUESTS_SHOWN: usize = 30;

/// The demo's stage. Clones share one state.
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

struct Inner {
    discord: Discord,
    sender: XtSystems,
    platform: Platform,
    health: String,
    clock: Clock,
    /// The client for requests to this machine: without a proxy, which could not reach it.
    http: reqwest::Client,
    /// Every acknowledged event by the end of its id.
    shown: Mutex<HashMap<String, Seen>>,
    /// Every posted message; for a digest, with the number of events that it states.
    posted: Mutex<HashMap<String, Option<usize>>>,
    event_lookup: OnceLock<EventLookup>,
    recovers_at: Mutex<Duration>,
}

/// Looks up in nuncio which Discord messages contain an event.
pub type EventLookup = Box<dyn Fn(String) -> BoxFuture<'static, Vec<String>> + Send + Sync>;

/// Where an acknowledged event was seen.
#[derive(Default)]
struct Seen {
    /// The full event id, if the stage sent it.
    id: Option<String>,
    /// The messages that show the event.
    messages: HashSet<String>,
}

/// The counts on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Count {
    /// Acknowledged events: the stage's, and visitors' as soon as they are shown.
    sent: usize,
    /// Events that are shown in a channel.
    shown: usize,
    /// Events that are not shown and no longer pending.
    lost: usize,
    /// Events that are shown more than once.
    twice: usize,
    /// Pending deliveries, as reported by nuncio.
    pending: usize,
    /// Seconds until Discord works again.
    broken_s: u64,
}

#[derive(Deserialize)]
struct Storm {
    events: usize,
}

#[derive(Deserialize)]
struct Break {
    seconds: u64,
}

impl Stage {
    /// A stage whose `sender` sends to the nuncio with the health endpoint `health`, and whose `platform` receives
    /// nuncio's calls.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(
        discord: Discord,
        sender: XtSystems,
        platform: Platform,
        health: String,
        clock: Clock,
    ) -> reqwest::Result<Self> {
        Ok(Self(Arc::new(Inner {
            discord,
            sender,
            platform,
            health,
            clock,
            http: outgoing::builder().no_proxy().build()?,
            shown: Mutex::default(),
            posted: Mutex::default(),
            event_lookup: OnceLock::new(),
            recovers_at: Mutex::default(),
        })))
    }

    /// Sets the lookup for events that no footer names.
    pub fn set_event_lookup(&self, event_lookup: EventLookup) {
        let _ = self.0.event_lookup.set(event_lookup);
    }

    /// The routes of the page's buttons.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/demo/storm", post(storm))
            .route("/demo/break", post(break_discord))
            .with_state(self.clone())
    }

    /// Sends an event. Returns whether it was acknowledged.
    ///
    /// # Errors
    /// If nuncio cannot be reached.
    pub async fn send(&self, event: Value) -> reqwest::Result<bool> {
        self.0.platform.learn(&event);
        let answer = self.0.sender.send(event).await?;
        let accepted = answer.status == 200;
        if let Some(id) = answer.body["event_id"].as_str().filter(|_| accepted) {
            self.shown().entry(tag(id)).or_default().id = Some(id.to_owned());
        }
        Ok(accepted)
    }

    /// Watches Discord and publishes the count until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut dispatches = self.0.discord.dispatches();
        let mut platform_changes = self.0.platform.changes();
        self.publish_platform_requests();
        let mut published = None;
        let mut next = Duration::ZERO;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                received = dispatches.recv() => match received {
                    Ok(dispatch) => self.record(&dispatch),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                Ok(()) = platform_changes.changed() => self.publish_platform_requests(),
                () = self.0.clock.sleep_until_elapsed(next) => {
                    next = self.0.clock.elapsed() + PUBLISH_EVERY;
                    let count = self.count().await;
                    if published != Some(count) {
                        published = Some(count);
                        self.0.discord.show_panel("demo", "DEMO_COUNTS", json!(count));
                    }
                }
            }
        }
    }

    /// Publishes the requests to the platform, newest first.
    fn publish_platform_requests(&self) {
        let requests = self.0.platform.recorded_requests();
        let newest: Vec<&RecordedRequest> = requests.iter().rev().take(REQUESTS_SHOWN).collect();
        self.0.discord.show_panel("platform", "DEMO_PLATFORM", json!(newest));
    }

    /// Records the cards of a message by the tags at the end of their footers.
    fn record(&self, dispatch: &Dispatch) {
        if !["MESSAGE_CREATE", "MESSAGE_UPDATE"].contains(&dispatch.t) {
            return;
        }
        let id = dispatch.d["id"].as_str().unwrap_or_default();
        let mut digest = None;
        for embed in dispatch.d["embeds"].as_array().into_iter().flatten() {
            match embed["footer"]["text"].as_str() {
                Some(footer) if footer.contains(" · digest · ") => {
                    let title = embed["title"].as_str().unwrap_or_default();
                    digest = title.split(' ').nth(1).and_then(|count| count.parse().ok());
                }
                Some(footer) => {
                    let tag = Tag::last_in(footer).map(|tag| tag.id().to_owned()).unwrap_or_default();
                    self.shown().entry(tag).or_default().messages.insert(id.to_owned());
                }
                None => {}
            }
        }
        let mut posted = self.0.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.entry(id.to_owned()).or_insert(digest);
    }

    /// Looks up the events that were not seen. An answer counts only if it is plausible.
    async fn look_up_unseen(&self) {
        let Some(event_lookup) = self.0.event_lookup.get() else { return };
        let unseen: Vec<(String, String)> = self
            .shown()
            .iter()
            .filter(|(_, seen)| seen.messages.is_empty())
            .filter_map(|(tag, seen)| Some((tag.clone(), seen.id.clone()?)))
            .collect();
        for (tag, id) in unseen {
            for message in event_lookup(id).await {
                let mut posted = self.0.posted.lock().unwrap_or_else(PoisonError::into_inner);
                let holds = match posted.get_mut(&message) {
                    None => false,
                    Some(None) => true,
                    Some(Some(left)) => {
                        let holds = *left > 0;
                        *left = left.saturating_sub(1);
                        holds
                    }
                };
                drop(posted);
                if holds {
                    self.shown().entry(tag.clone()).or_default().messages.insert(message);
                }
            }
        }
    }

    async fn count(&self) -> Count {
        // Queried before the cards are counted, so that what is delivered in between does not count as lost.
        let pending = self.pending().await;
        if pending == Some(0) {
            self.look_up_unseen().await;
        }
        let broken = self.recovers_at().saturating_sub(self.0.clock.elapsed());
        let shown = self.shown();
        let (sent, visible) = (shown.len(), shown.values().filter(|seen| !seen.messages.is_empty()).count());
        Count {
            sent,
            shown: visible,
            lost: if pending == Some(0) { sent - visible } else { 0 },
            twice: shown.values().filter(|seen| seen.messages.len() > 1).count(),
            pending: pending.unwrap_or_default(),
            broken_s: broken.as_millis().div_ceil(1000).try_into().unwrap_or(0),
        }
    }

    /// The number of pending deliveries, as reported by nuncio; `None` if it does not answer.
    async fn pending(&self) -> Option<usize> {
        let health: Value = self.0.http.get(&self.0.health).send().await.ok()?.json().await.ok()?;
        usize::try_from(health["pending"].as_u64()?).ok()
    }

    fn shown(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recovers_at(&self) -> Duration {
        *self.0.recovers_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /demo/storm {"events": n}`: sends `n` events at once, over all channels.
async fn storm(State(stage): State<Stage>, Json(storm): Json<Storm>) -> StatusCode {
    let events = storm::storm(storm.events.min(MOST_EVENTS), &stage.0.clock);
    tokio::spawn(async move {
        let mut sends = tokio::task::JoinSet::new();
        for event in events {
            if sends.len() >= AT_ONCE {
                sends.join_next().await;
            }
            let stage = stage.clone();
            sends.spawn(async move { stage.send(event).await });
        }
        sends.join_all().await;
    });
    StatusCode::ACCEPTED
}

/// `POST /demo/break {"seconds": n}`: Discord answers only 503 for this time.
async fn break_discord(State(stage): State<Stage>, Json(order): Json<Break>) -> StatusCode {
    let span = Duration::from_secs(order.seconds.min(LONGEST_BREAK));
    stage.0.discord.faults().break_for(span);
    *stage.0.recovers_at.lock().unwrap_or_else(PoisonError::into_inner) = stage.0.clock.elapsed() + span;
    StatusCode::ACCEPTED
}

/// The last characters of an event's id, as at the end of a footer.
fn tag(text: &str) -> String {
    text.chars().rev().take(TAG).collect::<Vec<_>>().into_iter().rev().collect()
}
