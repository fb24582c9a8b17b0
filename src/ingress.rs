//! The HTTP ingress: `POST /webhooks/{source}`, `/health`, and a start page.
//!
//! A request becomes a [`NewEvent`](crate::model::NewEvent) or a `Rejection`; `signed` does
//! limit → verify → parse, in this order, over the raw bytes. A sender gets one of a few bare sentences; the
//! operator gets the reason, in the log and in [`Hub::findings`]. Nothing is written before the signature is verified.
//!
//! The `listener` enforces connection deadlines, [`framing`] finds where requests end, the `limiter` bounds how
//! often one [`ClientAddress`] may fail, the `throttle` how many requests it may send at all.

mod body_budget;
mod buffer;
mod client;
mod connection;
pub mod framing;
mod health;
mod insider;
mod limiter;
mod listener;
mod live_config;
mod metrics;
mod pages;
mod pipeline;
pub mod probe;
mod registration;
mod rejection;
pub mod source;
mod throttle;
mod wrong_sender;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use hyper::body::Body;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{RateLimit, TrustedProxies, WebhookConfig};
use crate::hub::{Finding, Hub, IngressReport};
use crate::ingress::body_budget::BodyBudget;
use crate::ingress::limiter::AddressLimiter;
use crate::ingress::listener::ListenerRole;
use crate::ingress::probe::{ProbeContext, ProbeKey, Refusals};
use crate::ingress::rejection::Rejection;
use crate::ingress::source::SourceRoute;
use crate::ingress::throttle::Throttle;
use crate::model::{ClientAddress, EventId};
use crate::xtsystems::Registrar;

pub use live_config::ConfigHandle;

use live_config::LiveConfig;

/// Interval of the cleanup: full rate-limit buckets, and findings that are not logged yet.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

/// Memory budget for all bodies being read, beyond the first [`buffer::SMALL`] bytes of each.
const BODY_BUDGET_KIB: usize = 64 * 1024;

/// The HTTP ingress of one nuncio process.
pub struct Ingress(IngressState);

/// State shared by the handlers.
#[derive(Clone)]
struct IngressState(Arc<Inner>);

struct Inner {
    hub: Hub,
    clock: Clock,
    /// The part of the configuration that can be reloaded.
    live: RwLock<Arc<LiveConfig>>,
    registrar: Registrar,
    /// The path of XTSystems' events. It does not change while nuncio runs.
    xtsystems_path: String,
    /// The key that proves to a probe which nuncio answers.
    probe_key: OnceLock<ProbeKey>,
    /// The memory budget for large bodies.
    body_budget: Arc<BodyBudget>,
}

impl Ingress {
    /// An ingress that hands accepted events to `hub`.
    #[must_use]
    pub fn new(
        hub: Hub,
        webhook: WebhookConfig,
        limit: RateLimit,
        proxies: TrustedProxies,
        registrar: Registrar,
        clock: Clock,
    ) -> Self {
        let body_budget = BodyBudget::new(body_budget_for(&webhook));
        let limiter = Arc::new(AddressLimiter::new(limit, clock.clone()));
        let throttle = Arc::new(Throttle::new(limit));
        let routes = SourceRoute::all(&webhook);
        let live = LiveConfig { routes, limit, limiter, throttle, proxies };
        let live = RwLock::new(Arc::new(live));
        let (xtsystems_path, probe_key) = (webhook.path, OnceLock::new());
        let inner = Inner { hub, clock, live, registrar, xtsystems_path, probe_key, body_budget };
        Self(IngressState(Arc::new(inner)))
    }

    /// Enables answers to [probes](probe) made with `key`. Called once, by the composition root.
    #[must_use]
    pub fn with_probe_key(self, key: ProbeKey) -> Self {
        let _ = self.0.0.probe_key.set(key);
        self
    }

    /// The routes, without the webhook paths' POST: those requests never reach the router. Those of
    /// [`Ingress::admin_router`] are not among them.
    pub fn router(&self) -> Router {
        let path = &self.0.0.xtsystems_path;
        let router = Router::new()
            .route(path, get(pages::explain_post).fallback(pages::method_not_allowed))
            .merge(registration::routes())
            .route("/", get(pages::page))
            .route("/health", get(health::report).post(health::report))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready));
        self.with_fallbacks(router)
    }

    /// The operators' routes, which `ADMIN_LISTEN` moves to a listener of their own.
    pub fn admin_router(&self) -> Router {
        Router::new().route("/metrics", get(metrics::page)).with_state(self.0.clone())
    }

    /// Answers what no route of `router` takes.
    fn with_fallbacks(&self, router: Router<IngressState>) -> Router {
        router
            .fallback(not_found)
            .method_not_allowed_fallback(async || {
                (StatusCode::METHOD_NOT_ALLOWED, Json(rejection::ErrorBody::new("Method not allowed")))
            })
            .with_state(self.0.clone())
    }

    /// Serves `router` (the ingress's routes, plus any added ones) on `listener` until `stop`, then finishes the
    /// answers in progress. `admin` is the operators' listener, if they have one of their own, and its routes.
    pub async fn serve(
        self,
        listener: TcpListener,
        router: Router,
        admin: Option<(TcpListener, Router)>,
        stop: CancellationToken,
    ) {
        let most = listener::most_connections();
        let (public, ingress) = (ListenerRole::Public, &self.0);
        let serving = async {
            match admin {
                None => listener::serve(listener, router, ingress, public, most, stop).await,
                Some((admin, routes)) => {
                    let routes = routes.merge(self.with_fallbacks(Router::new()));
                    let (few, rest) = listener::shared_connections(most);
                    tokio::join!(
                        listener::serve(listener, router, ingress, public, rest, stop.clone()),
                        listener::serve(admin, routes, ingress, ListenerRole::Admin, few, stop),
                    );
                }
            }
        };
        tokio::select! {
            () = serving => {}
            () = self.0.clean_up() => {}
        }
        // Logs the last minute's findings before the end.
        self.0.0.hub.log_findings();
    }
}

/// The body budget, in KiB: whatever the limit is, two of the largest bodies fit.
fn body_budget_for(webhook: &WebhookConfig) -> usize {
    (2 * webhook.body_limit / 1024).max(BODY_BUDGET_KIB)
}

impl IngressState {
    /// Records a finding about a request from `client`.
    fn report(&self, finding: Finding, sentence: &str, client: IpAddr) {
        let (sentence, from) = (sentence.to_owned(), client.to_string());
        self.0.hub.remark(IngressReport { finding, sentence, seconds_behind: None, from });
    }

    /// Runs the cleanup. Never returns.
    async fn clean_up(&self) {
        loop {
            self.0.clock.sleep(CLEANUP_INTERVAL).await;
            let live = self.live();
            live.limiter.sweep();
            live.throttle.sweep();
            self.0.hub.log_findings();
        }
    }
}

/// The response body for an accepted event.
#[derive(Serialize)]
struct AcceptedBody {
    success: bool,
    message: &'static str,
    event_id: EventId,
    duplicate: bool,
}

/// A request with trustworthy framing, before its signature is checked.
struct InboundRequest<B> {
    head: request::Parts,
    body: B,
    client: ClientAddress,
    /// Deadline for the whole request, by [`Clock::elapsed`].
    whole_by: Duration,
}

impl LiveConfig {
    /// Whether every request for `path` counts toward the limit. Those of [`registration::PATHS`] always do; with
    /// `RATE_LIMIT_SCOPE=all` every path does, except health checks. (Probes always count: see the listener.)
    fn counts(&self, path: &str) -> bool {
        let is_health = path == "/health" || path.starts_with("/health/");
        registration::PATHS.contains(&path) || (self.limiter.counts_all() && !is_health)
    }

    /// The source route of a request. Nearly all requests have one, so they skip the router.
    fn route(&self, method: &Method, path: &str) -> Option<&SourceRoute> {
        self.routes.iter().find(|route| *method == Method::POST && route.path == path)
    }
}

impl IngressState {
    /// `POST /webhooks/{source}`: responds 200 once the event and its deliveries are on disk.
    async fn receive<B: Body<Data = Bytes>>(
        &self,
        route: &SourceRoute,
        inbound: InboundRequest<B>,
    ) -> Response {
        let client = inbound.client.0;
        let accepted = match pipeline::read(self, route, inbound).await {
            Ok(event) => self.0.hub.accept(event).await,
            Err(rejection) => return rejection.into_response(),
        };
        match accepted {
            Ok(accepted) => Json(AcceptedBody {
                success: true,
                message: "Webhook processed successfully",
                event_id: accepted.event_id,
                duplicate: accepted.duplicate,
            })
            .into_response(),
            Err(error) => pipeline::not_stored(self, client, &error).into_response(),
        }
    }
}

impl IngressState {
    /// Answers a [probe]; `None` if this ingress has no probe key.
    async fn answer_probe(
        &self,
        request: hyper::Request<hyper::body::Incoming>,
        peer: IpAddr,
        client: ClientAddress,
    ) -> Option<Response> {
        let live = self.live();
        let key = self.0.probe_key.get()?;
        let secret = live.routes.first().and_then(SourceRoute::secret);
        let is_peer_trusted = live.proxies.contains(peer);
        let (now, peer) = (self.0.clock.now(), peer.to_canonical());
        let answering = ProbeContext { key, secret, now, peer, is_peer_trusted, client };
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
async fn not_found(State(ingress): State<IngressState>, request: Request) -> Rejection {
    if request.method() == Method::POST && request.uri().path().starts_with("/webhooks/") {
        let live = ingress.live();
        let paths: Vec<&str> = live.routes.iter().map(|route| route.path.as_str()).collect();
        let sentence = match paths.as_slice() {
            [] => "a webhook was refused: this nuncio takes none. For XTSystems' events, set WEBHOOK_SECRET"
                .to_owned(),
            paths => format!(
                "a webhook was refused: nothing is received at its path. Webhooks are received at {}",
                paths.join(", ")
            ),
        };
        // Unspecified if the request did not come through the listener.
        let client = request.extensions().get::<ClientAddress>();
        ingress.report(
            Finding::UnknownSource,
            &sentence,
            client.map_or(IpAddr::from([0; 4]), |client| client.0),
        );
    }
    Rejection::NotFound
}
