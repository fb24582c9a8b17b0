//! A fake XTSystems with its API: webhooks, tickets and machines, with the platform's answers.
//!
//! It is a model with a thin HTTP layer. Every request except reads is recorded in a [request log](RecordedRequest)
//! that tests and the demo's page read. Its changes are sent to its webhooks as signed events, as the real platform
//! does. It knows nothing of nuncio.

mod api;
mod fault;
mod hook;
mod ledger;
mod machine;
mod model;
mod reply;
mod ticket;
mod webhook;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::demo::{WebhookAnswer, XtSystems};
use crate::secret::Secret;

pub use fault::PlatformFault;
pub use ledger::RecordedRequest;

use model::Model;

/// The delay between an approval and its event to the webhooks.
const EVENT_DELAY: Duration = Duration::from_millis(700);
/// How long running requests may take to finish after serving is cancelled.
const GRACE: Duration = Duration::from_secs(2);

/// The fake platform. Clones share one state.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    key: Secret,
    clock: Clock,
    model: Mutex<Model>,
    /// Increases with each request.
    changes: watch::Sender<u64>,
}

impl Platform {
    /// A platform without webhooks, whose API requires `key`.
    #[must_use]
    pub fn new(key: Secret, clock: Clock) -> Self {
        let model = Mutex::new(Model::default());
        Self(Arc::new(Inner { key, clock, model, changes: watch::Sender::new(0) }))
    }

    /// The API key that callers must send.
    #[must_use]
    pub fn key(&self) -> &Secret {
        &self.0.key
    }

    /// Adds a webhook, as a user does on the platform's own pages.
    pub fn add_webhook(&self, name: &str, url: &str, secret: Secret) {
        let now = self.0.clock.now();
        self.model().add_hook(name, url, vec!["*".to_owned()], secret, now);
    }

    /// Serves the API on `listener` until `stop`.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        let clock = self.0.clock.clone();
        let serving =
            axum::serve(listener, api::router(self)).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::select! {
            served = serving.into_future() => served,
            () = async { stop.cancelled().await; clock.sleep(GRACE).await } => Ok(()),
        }
    }

    /// The value of `XTSYSTEMS_API_URL` for a platform served at `address`.
    #[must_use]
    pub fn url(address: SocketAddr) -> String {
        format!("http://{address}")
    }

    /// All recorded requests, oldest first, except those that only read.
    #[must_use]
    pub fn recorded_requests(&self) -> Vec<RecordedRequest> {
        self.model().ledger.clone()
    }

    /// Increases with each request; waiters then read [`Platform::recorded_requests`].
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// The status of a machine: `pending`, `approved`, `denied`; `None` if it is unknown.
    #[must_use]
    pub fn machine(&self, id: &str) -> Option<String> {
        self.model().machines.get(id).cloned()
    }

    /// The ticket with this id, as the API returns it.
    #[must_use]
    pub fn ticket(&self, id: &str) -> Option<Value> {
        self.model().tickets.get(id).cloned()
    }

    /// Applies `fault` to the next `n` requests whose method and path begin with `part`.
    pub fn fails_next(&self, part: &str, n: usize, fault: PlatformFault) {
        self.model().faults.next_on(part, n, fault);
    }

    /// Creates the tickets and machines that an event of the platform refers to.
    pub fn learn(&self, event: &Value) {
        self.model().learn(event);
    }

    /// Sends an event to every webhook subscribed to its kind. Returns the answer of each.
    pub async fn emit(&self, kind: &str, data: Value) -> Vec<WebhookAnswer> {
        let hooks = self.model().hooks_for(kind);
        let mut answers = Vec::new();
        for hook in hooks {
            answers.extend(self.deliver(&hook, kind, data.clone()).await.1);
        }
        answers
    }

    /// Sends one event to one webhook, and records the delivery. Returns the duration and the answer, if any.
    async fn deliver(&self, hook: &hook::Hook, kind: &str, data: Value) -> (Duration, Option<WebhookAnswer>) {
        let company = self.model().company_of(&data);
        let event = json!({"event_type": kind, "data": data, "company_id": company});
        self.learn(&event);
        let began = self.0.clock.elapsed();
        let answer = match XtSystems::new(&hook.url, hook.secret.clone(), self.0.clock.clone()) {
            Ok(sender) => sender.send(event.clone()).await.ok(),
            Err(_) => None,
        };
        let now = self.0.clock.now();
        self.model().note_delivery(&hook.id, kind, event, answer.as_ref(), now);
        (self.0.clock.elapsed().saturating_sub(began), answer)
    }

    /// Sends an event after a delay, like a platform that first finishes the request.
    fn emit_afterwards(&self, kind: &'static str, data: Value) {
        let platform = self.clone();
        tokio::spawn(async move {
            platform.0.clock.sleep(EVENT_DELAY).await;
            platform.emit(kind, data).await;
        });
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, request: RecordedRequest) {
        // Requests that only read are not recorded.
        if !matches!(request.method.as_str(), "GET" | "OPTIONS") {
            self.model().ledger.push(request);
        }
        self.0.changes.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests;
