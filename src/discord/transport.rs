//! The HTTP transport to Discord: its address, deadlines, circuit breaker and buckets. It holds no token: callers add
//! what belongs to one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::clock::{Clock, Witness};
use crate::config::DiscordBase;
use crate::discord::answer::Answer;
use crate::discord::bucket::{BucketRoute, Buckets, Share};
use crate::discord::limits::{self, BucketHeaders};
use crate::discord::{CircuitBreaker, DiscordFailure, failure};
use crate::model::{Arrived, Attempt, Outcome, Receipt};
use crate::outgoing::Outgoing;

/// Timeout of a whole request.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);
/// A response that took longer than this is not used to learn the time.
const PROMPT: Duration = Duration::from_secs(10);
/// How long a request without a response may have been in flight.
pub const NO_ANSWER_LIMIT: Duration = DEADLINE;
/// Discord: "API Reference", User Agent.
const USER_AGENT: &str =
    concat!("DiscordBot (https://crates.io/crates/nuncio, ", env!("CARGO_PKG_VERSION"), ")");

/// The HTTP transport to Discord. Clones share its state.
#[derive(Clone, Debug)]
pub struct HttpTransport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: DiscordBase,
    clock: Clock,
    breaker: CircuitBreaker,
    buckets: Buckets,
    http: Outgoing,
    /// Whether a response has come from Discord itself, even through a proxy.
    is_discords: AtomicBool,
    /// When connections were last dropped: seconds of the clock's `elapsed`, plus one.
    dropped: AtomicU64,
}

impl HttpTransport {
    /// Creates a transport to `base`.
    #[must_use]
    pub fn new(base: DiscordBase, clock: Clock) -> Self {
        let (breaker, buckets) = (CircuitBreaker::new(clock.clone()), Buckets::default());
        let http = Outgoing::new(USER_AGENT, DEADLINE, base.is_loopback());
        let is_discords = AtomicBool::new(false);
        let dropped = AtomicU64::new(0);
        Self(Arc::new(Inner { base, clock, breaker, buckets, http, is_discords, dropped }))
    }

    /// The circuit breaker that every request passes.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.0.breaker
    }

    /// The base address of Discord's API.
    #[must_use]
    pub fn base(&self) -> &DiscordBase {
        &self.0.base
    }

    /// Whether the server is known to be Discord, which honors nonces. Proxies in front of Discord pass on the `Via`
    /// header of its responses, and Discord-compatible servers have no such header.
    pub(super) fn leads_to_discord(&self) -> bool {
        self.0.base.is_discord() || self.0.is_discords.load(Ordering::Acquire)
    }

    /// Records whether a response comes from Discord.
    pub(super) fn hear(&self, answer: &Answer) {
        if answer.is_via_discord() {
            self.0.is_discords.store(true, Ordering::Release);
        }
    }

    /// Learns the time from a response that is certainly Discord's own, to a request that `began` recently: when a slow
    /// response was dated is unknown. If the response has no date, the wall clock is the only source.
    pub(super) fn learn_time(&self, answer: &Answer, began: Duration) {
        if self.0.clock.elapsed().saturating_sub(began) > PROMPT {
            return;
        }
        match answer.date() {
            Some(date) => self.0.clock.prove(Witness::Discord, date),
            None if self.0.clock.proof().is_none() => {
                self.0.clock.prove(Witness::Discord, self.0.clock.now())
            }
            None => {}
        }
    }

    /// Drops all open connections: one carried a response to no request of its own, so the next response could be the
    /// one to this request. At most once a second, because a new client reads the system's certificates.
    pub(super) fn distrust(&self) {
        let now = self.0.clock.elapsed().as_secs() + 1;
        if self.0.dropped.swap(now, Ordering::AcqRel) != now {
            self.0.http.drop_connections();
        }
    }

    /// How long the next request along `route` should wait for its bucket.
    pub(super) fn ready_in(&self, route: BucketRoute, share: Share) -> Duration {
        self.0.buckets.wait(route, share, self.0.clock.elapsed())
    }

    /// The underlying HTTP client, with our deadlines and without redirects, for other users of Discord to share
    /// connections and certificates.
    pub(super) fn http_client(&self) -> Result<reqwest::Client, DiscordFailure> {
        self.0.http.client().map_err(DiscordFailure::network)
    }

    /// Builds a request for `path`, without any token.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, DiscordFailure> {
        Ok(self.http_client()?.request(method, format!("{}{path}", self.0.base.rest())))
    }

    /// Sends one request with `body` and returns the attempt.
    pub(super) async fn attempt<B: Serialize + Sync>(
        &self,
        route: BucketRoute,
        request: Result<RequestBuilder, DiscordFailure>,
        body: &B,
        outcome: impl FnOnce(&Answer) -> Outcome,
    ) -> Attempt {
        let clock = &self.0.clock;
        let (started_at, began) = (clock.now(), clock.elapsed());
        let ticket = self.0.buckets.take(route, began);
        let sent = match request {
            Ok(request) => request.json(body).send().await.map_err(Some),
            Err(_) => Err(None),
        };
        let attempt = |outcome| Attempt {
            took: clock.elapsed().saturating_sub(began),
            ..Attempt::unanswered(started_at, outcome)
        };
        match sent {
            Ok(response) => {
                let answer = Answer::read(response).await;
                self.hear(&answer);
                let outcome = outcome(&answer);
                let sent = matches!(outcome, Outcome::Sent(_));
                if matches!(outcome, Outcome::Sent(Receipt::Message { message: Some(_), .. })) {
                    self.learn_time(&answer, began);
                }
                // The headers of a response to another request describe another bucket.
                let proven = sent || answer.is_discords();
                if !proven {
                    self.distrust();
                }
                let bucket_headers = if proven { answer.bucket_headers() } else { BucketHeaders::default() };
                Attempt {
                    status: Some(answer.status),
                    code: answer.code(),
                    response: if sent { Vec::new() } else { answer.excerpt() },
                    shared_limit: limits::is_shared(&answer.headers),
                    cooldown: ticket.settle(&bucket_headers, clock.elapsed()),
                    ..attempt(outcome)
                }
            }
            Err(Some(error)) => {
                let attempt = attempt(failure::no_answer(&error));
                Attempt { response: failure::sentence(&error).into_bytes(), ..attempt }
            }
            Err(None) => {
                let attempt = attempt(Outcome::Retry { after: None, arrived: Arrived::No });
                Attempt { response: b"TLS could not be set up".to_vec(), ..attempt }
            }
        }
    }
}
