//! The wire to Discord: its address, our deadlines, the gate, the buckets. It knows no token: whatever belongs to one
//! request is given with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::clock::{Clock, Witness};
use crate::config::DiscordBase;
use crate::discord::answer::Answer;
use crate::discord::bucket::{Buckets, Route, Share};
use crate::discord::limits::{self, Heard};
use crate::discord::{CircuitBreaker, Failure, failure};
use crate::model::{Arrived, Attempt, Outcome, Receipt};
use crate::outgoing::Outgoing;

/// How long a request may take in all.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);
/// An answer that took longer than this does not say what time it is.
const PROMPT: Duration = Duration::from_secs(10);
/// How long a request without an answer may have been on its way.
pub const NO_ANSWER_LIMIT: Duration = DEADLINE;
/// Discord: "API Reference", User Agent.
const USER_AGENT: &str =
    concat!("DiscordBot (https://crates.io/crates/nuncio, ", env!("CARGO_PKG_VERSION"), ")");

/// The wire to Discord. Clones share it.
#[derive(Clone, Debug)]
pub struct HttpTransport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: DiscordBase,
    clock: Clock,
    gate: CircuitBreaker,
    buckets: Buckets,
    http: Outgoing,
    /// An answer was Discord's own, whatever it came through.
    is_discords: AtomicBool,
    /// When connections were dropped last: seconds of the clock's `elapsed`, and one more.
    dropped: AtomicU64,
}

impl HttpTransport {
    /// A wire to `base`.
    #[must_use]
    pub fn new(base: DiscordBase, clock: Clock) -> Self {
        let (gate, buckets) = (CircuitBreaker::new(clock.clone()), Buckets::default());
        let http = Outgoing::new(USER_AGENT, DEADLINE, base.is_loopback());
        let is_discords = AtomicBool::new(false);
        let dropped = AtomicU64::new(0);
        Self(Arc::new(Inner { base, clock, gate, buckets, http, is_discords, dropped }))
    }

    /// What every request passes.
    #[must_use]
    pub fn gate(&self) -> &CircuitBreaker {
        &self.0.gate
    }

    /// Where Discord is.
    #[must_use]
    pub fn base(&self) -> &DiscordBase {
        &self.0.base
    }

    /// Whether Discord itself is at its end, as far as is known: a nonce is heeded there. Proxies before Discord pass on
    /// the `Via` that stands in its answers, and servers written by others have none of the kind.
    pub(super) fn leads_to_discord(&self) -> bool {
        self.0.base.is_discord() || self.0.is_discords.load(Ordering::Acquire)
    }

    /// Looks at whose answer it is.
    pub(super) fn hear(&self, answer: &Answer) {
        if answer.is_via_discord() {
            self.0.is_discords.store(true, Ordering::Release);
        }
    }

    /// Takes the time from an answer that is certainly Discord's own, to a request that `began` a moment ago: of one that
    /// took long nobody knows when it was dated. Where its dates say nothing, the wall clock is all there is.
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

    /// Uses no open connection again: what came on one of them was the answer to nothing that was asked there, so the
    /// next answer may be that to this request. At most once a second, for a new client reads the system's certificates.
    pub(super) fn distrust(&self) {
        let now = self.0.clock.elapsed().as_secs() + 1;
        if self.0.dropped.swap(now, Ordering::AcqRel) != now {
            self.0.http.drop_connections();
        }
    }

    /// How long the next request along `route` should wait for its bucket.
    pub(super) fn ready_in(&self, route: Route, share: Share) -> Duration {
        self.0.buckets.wait(route, share, self.0.clock.elapsed())
    }

    /// The HTTP client underneath, with our deadlines and without redirects: connections and certificates are shared
    /// by whoever else speaks to Discord.
    pub(super) fn http_client(&self) -> Result<reqwest::Client, Failure> {
        self.0.http.client().map_err(Failure::network)
    }

    /// A request for what is at `path`, without any token.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.http_client()?.request(method, format!("{}{path}", self.0.base.rest())))
    }

    /// Sends one request with `body` and says what came of it.
    pub(super) async fn attempt<B: Serialize + Sync>(
        &self,
        route: Route,
        request: Result<RequestBuilder, Failure>,
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
                if matches!(outcome, Outcome::Sent(Receipt { message: Some(_), .. })) {
                    self.learn_time(&answer, began);
                }
                // What is said of a bucket by the answer to another request is said of another bucket.
                let proven = sent || answer.is_discords();
                if !proven {
                    self.distrust();
                }
                let heard = if proven { answer.heard() } else { Heard::default() };
                Attempt {
                    status: Some(answer.status),
                    code: answer.code(),
                    response: if sent { Vec::new() } else { answer.excerpt() },
                    shared_limit: limits::is_shared(&answer.headers),
                    cooldown: ticket.settle(&heard, clock.elapsed()),
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
