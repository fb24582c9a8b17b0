//! The HTTP ingress: `POST /webhooks/{source}`, `/health`, and a start page.
//!
//! A request becomes a [`NewEvent`](crate::model::NewEvent) or a `Rejection`; `signed` does
//! limit → verify → parse, in this order, over the raw bytes. A sender gets one of a few bare sentences; the
//! operator gets the reason, in the log and in [`Hub::findings`]. Nothing is written before the signature is verified.
//!
//! The `listener` enforces connection deadlines, [`framing`] finds where requests end, the `limiter` bounds how
//! often one [`Client`] may fail, the `throttle` how many requests it may send at all.

mod buffer;
mod client;
mod connection;
mod foreign;
pub mod framing;
mod gate;
mod health;
mod home;
mod insider;
mod limiter;
mod listener;
mod metrics;
pub mod probe;
mod registration;
mod reins;
mod rejection;
mod room;
mod signed;
mod throttle;
pub mod xtsystems;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use bytes::Bytes;
use hyper::body::Body;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{RateLimit, TrustedProxies, Webhook};
use crate::hub::{Finding, Hub, IngressReport};
use crate::ingress::gate::SourceRoute;
use crate::ingress::limiter::Limiter;
use crate::ingress::probe::{Answering, ProbeKey, Refusals};
use crate::ingress::rejection::Rejection;
use crate::ingress::room::Room;
use crate::ingress::throttle::Throttle;
use crate::model::EventId;
use crate::secret::Secret;
use crate::xtsystems::Registrar;

pub use client::Client;
pub use reins::Reins;

use reins::Live;

/// Interval of the cleanup: full rate-limit buckets, and findings that are not logged yet.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Memory budget for all bodies being read, beyond the first [`buffer::SMALL`] bytes of each.
const ROOM_KIB: usize = 64 * 1024;

/// The HTTP ingress of one nuncio process.
pub struct Ingress(IngressState);

/// State shared by the handlers.
#[derive(Clone)]
struct IngressState(Arc<Inner>);

struct Inner {
    hub: Hub,
    clock: Clock,
    /// The part of the configuration that can be reloaded.
    live: RwLock<Arc<Live>>,
    registrar: Registrar,
    /// The key that proves to a probe which nuncio answers.
    probe_key: OnceLock<ProbeKey>,
    /// The memory budget for large bodies.
    room: Arc<Room>,
}

impl Ingress {
    /// An ingress that hands accepted events to `hub`.
    #[must_use]
    pub fn new(
        hub: Hub,
        webhook: Webhook,
        limit: RateLimit,
        proxies: TrustedProxies,
        api_key: Option<Secret>,
        registrar: Registrar,
        clock: Clock,
    ) -> Self {
        let room = Room::new(room_for(&webhook));
        let limiter = Arc::new(Limiter::new(limit, clock.clone()));
        let throttle = Arc::new(Throttle::new(limit));
        let gates = vec![SourceRoute::xtsystems(webhook)];
        let live = Live { gates, limit, limiter, throttle, api_key, proxies };
        let live = RwLock::new(Arc::new(live));
        let probe_key = OnceLock::new();
        Self(IngressState(Arc::new(Inner { hub, clock, live, registrar, probe_key, room })))
    }

    /// Enables answers to [probes](probe) made with `key`. Called once, by the composition root.
    #[must_use]
    pub fn proving(self, key: ProbeKey) -> Self {
        let _ = self.0.0.probe_key.set(key);
        self
    }

    /// The routes, without the webhook paths' POST: those requests never reach the router.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for gate in &self.0.live().gates {
            router = router.route(&gate.path, get(home::friendly).fallback(home::only_posted));
        }
        router
            .merge(registration::routes())
            .route("/", get(home::page))
            .route("/metrics", get(metrics::page))
            .route("/health", get(health::report).post(health::report))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready))
            .fallback(not_found)
            .method_not_allowed_fallback(async || {
                (StatusCode::METHOD_NOT_ALLOWED, Json(rejection::Sentence::new("Method not allowed")))
            })
            .with_state(self.0.clone())
    }

    /// Serves `router` (the ingress's routes, plus any added ones) on `listener` until `stop`, then finishes the
    /// answers in progress.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: CancellationToken) {
        tokio::select! {
            () = listener::serve(listener, router, &self.0, listener::most_connections(), stop) => {}
            () = self.0.tidy() => {}
        }
        // Logs the last minute's findings before the end.
        self.0.0.hub.log_findings();
    }
}

/// The body budget, in KiB: whatever the limit is, two of the largest bodies fit.
fn room_for(webhook: &Webhook) -> usize {
    (2 * webhook.body_limit / 1024).max(ROOM_KIB)
}

impl IngressState {
    /// Records a finding about a request from `client`.
    fn remark(&self, finding: Finding, sentence: &str, client: IpAddr) {
        let (sentence, from) = (sentence.to_owned(), client.to_string());
        self.0.hub.remark(IngressReport { finding, sentence, seconds_behind: None, from });
    }

    /// Runs the cleanup. Never returns.
    async fn tidy(&self) {
        loop {
            self.0.clock.sleep(TIDY_EVERY).await;
            let live = self.live();
            live.limiter.sweep();
            live.throttle.sweep();
            self.0.hub.log_findings();
        }
    }
}

/// The response body for an accepted event.
#[derive(Serialize)]
struct Receipt {
    success: bool,
    message: &'static str,
    event_id: EventId,
    duplicate: bool,
}

/// A request with trustworthy framing, before its signature is checked.
struct InboundRequest<B> {
    head: request::Parts,
    body: B,
    client: Client,
    /// Deadline for the whole request, by [`Clock::elapsed`].
    whole_by: Duration,
}

impl Live {
    /// Whether every request for `path` counts toward the limit. Those of [`registration::PATHS`] always do; with
    /// `RATE_LIMIT_SCOPE=all` every path does, except health checks. (Probes always count: see the listener.)
    fn counts(&self, path: &str) -> bool {
        let is_health = path == "/health" || path.starts_with("/health/");
        registration::PATHS.contains(&path) || (self.limiter.counts_all() && !is_health)
    }

    /// The source route of a request. Nearly all requests have one, so they skip the router.
    fn gate(&self, method: &Method, path: &str) -> Option<&SourceRoute> {
        self.gates.iter().find(|gate| *method == Method::POST && gate.path == path)
    }
}

impl IngressState {
    /// `POST /webhooks/{source}`: responds 200 once the event and its deliveries are on disk.
    async fn receive<B: Body<Data = Bytes>>(
        &self,
        gate: &SourceRoute,
        inbound: InboundRequest<B>,
    ) -> Response {
        let client = inbound.client.0;
        let accepted = match signed::read(self, gate, inbound).await {
            Ok(event) => self.0.hub.accept(event).await,
            Err(rejection) => return rejection.into_response(),
        };
        match accepted {
            Ok(accepted) => Json(Receipt {
                success: true,
                message: "Webhook processed successfully",
                event_id: accepted.event_id,
                duplicate: accepted.duplicate,
            })
            .into_response(),
            Err(error) => signed::not_stored(self, client, &error).into_response(),
        }
    }
}

impl IngressState {
    /// Answers a [probe]; `None` if the request is none, or if this ingress has no probe key or secret.
    async fn probed(
        &self,
        request: hyper::Request<hyper::body::Incoming>,
        peer: IpAddr,
        client: Client,
    ) -> Option<Response> {
        let live = self.live();
        let (key, secret) = (self.0.probe_key.get()?, live.gates.first()?.secret()?);
        let is_peer_trusted = live.proxies.contains(peer);
        let (now, peer) = (self.0.clock.now(), peer.to_canonical());
        let answering = Answering { key, secret, now, peer, is_peer_trusted, client };
        let (head, body) = request.into_parts();
        Some(answering.answer(&head, body, || self.refusals()).await)
    }

    fn refusals(&self) -> Vec<Refusals> {
        let found = self.0.hub.findings().into_iter();
        let refusals = found.map(|found| Refusals {
            reason: found.finding.as_str().to_owned(),
            is_refusal: found.finding.is_refusal(),
            last_day: found.last_day,
            last_at: found.last_at.as_millis(),
            from: found.last_from,
            addresses: found.addresses.into_iter().map(|count| (count.address, count.last_day)).collect(),
            sentence: found.sentence,
        });
        refusals.collect()
    }
}

/// The fallback for unknown paths. Logs webhooks that were sent to a wrong path.
async fn not_found(
    State(door): State<IngressState>,
    client: Option<Extension<Client>>,
    request: Request,
) -> Rejection {
    if request.method() == Method::POST && request.uri().path().starts_with("/webhooks/") {
        let live = door.live();
        let paths: Vec<&str> = live.gates.iter().map(|gate| gate.path.as_str()).collect();
        let sentence = format!(
            "a webhook was refused: nothing is received at its path. Webhooks are received at {}",
            paths.join(", ")
        );
        door.remark(Finding::UnknownSource, &sentence, client_of(client));
    }
    Rejection::NotFound
}

/// The client address; unspecified if the request did not come through the listener.
fn client_of(client: Option<Extension<Client>>) -> IpAddr {
    client.map_or(IpAddr::from([0; 4]), |Extension(client)| client.0)
}
