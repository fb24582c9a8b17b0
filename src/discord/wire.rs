//! The wire to Discord: its address, our deadlines, the gate, the buckets. It knows no token: whatever belongs to one
//! request is given with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderValue, VIA};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::clock::Clock;
use crate::config::DiscordBase;
use crate::discord::answer::{self, Answer};
use crate::discord::bucket::{Buckets, Route, Share};
use crate::discord::{Failure, Gate, limits};
use crate::model::{Arrived, Attempt, Outcome};
use crate::outgoing::Outgoing;

/// How long a request may take in all.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);
/// Discord: "API Reference", User Agent.
const USER_AGENT: &str =
    concat!("DiscordBot (https://crates.io/crates/nuncio, ", env!("CARGO_PKG_VERSION"), ")");

/// The wire to Discord. Clones share it.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: DiscordBase,
    clock: Clock,
    gate: Gate,
    buckets: Buckets,
    http: Outgoing,
    /// An answer was Discord's own, whatever it came through.
    is_discords: AtomicBool,
}

impl Wire {
    /// A wire to `base`.
    #[must_use]
    pub fn new(base: DiscordBase, clock: Clock) -> Self {
        let (gate, buckets) = (Gate::new(clock.clone()), Buckets::default());
        let http = Outgoing::new(USER_AGENT, DEADLINE, base.is_loopback());
        let is_discords = AtomicBool::new(false);
        Self(Arc::new(Inner { base, clock, gate, buckets, http, is_discords }))
    }

    /// What every request passes.
    #[must_use]
    pub fn gate(&self) -> &Gate {
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
        let is_google = |via: &HeaderValue| via.as_bytes().ends_with(b"google");
        if answer.headers.get_all(VIA).iter().any(is_google) {
            self.0.is_discords.store(true, Ordering::Release);
        }
    }

    /// How long the next request along `route` should wait for its bucket.
    pub(super) fn ready_in(&self, route: Route, share: Share) -> Duration {
        self.0.buckets.wait(route, share, self.0.clock.elapsed())
    }

    /// The HTTP client underneath, with our deadlines and without redirects: connections and certificates are shared
    /// by whoever else speaks to Discord.
    pub(super) fn transport(&self) -> Result<&reqwest::Client, Failure> {
        self.0.http.client().map_err(Failure::network)
    }

    /// A request for what is at `path`, without any token.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.transport()?.request(method, format!("{}{path}", self.0.base.rest())))
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
                Attempt {
                    status: Some(answer.status),
                    code: answer.code(),
                    response: if sent { Vec::new() } else { answer.excerpt() },
                    shared_limit: limits::is_shared(&answer.headers),
                    cooldown: ticket.settle(&answer.heard(), clock.elapsed()),
                    ..attempt(outcome)
                }
            }
            Err(Some(error)) => {
                let attempt = attempt(answer::no_answer(&error));
                Attempt { response: answer::sentence(&error).into_bytes(), ..attempt }
            }
            Err(None) => {
                let attempt = attempt(Outcome::Retry { after: None, arrived: Arrived::No });
                Attempt { response: b"TLS could not be set up".to_vec(), ..attempt }
            }
        }
    }
}
