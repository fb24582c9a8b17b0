//! The rate limit of the API (`API_RATE_LIMIT`): a bucket per key, or per address for requests without a valid key.
//!
//! `tower-governor` counts requests as a layer behind authentication; refused ones are charged to their address by hand.
//! Both share one table. Its size is bounded by the number of keys and, as at the ingress, of networks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, QuantaClock, QuantaInstant};
use governor::middleware::NoOpMiddleware;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use crate::api::problem::{Code, Problem};
use crate::config::RateLimit;
use crate::model::{ApiKeyId, ClientAddress, Network, Principal};

/// Number of buckets beyond which unknown addresses share one per network.
const BUCKETS: usize = 100_000;
/// Full buckets are dropped once in so many refused requests.
const SWEEP_EVERY: u64 = 4096;

type Config = GovernorConfig<ByPayer, NoOpMiddleware<QuantaInstant>>;

/// The layer that counts requests with a key.
pub(in crate::api) type LimitLayer = GovernorLayer<ByPayer, NoOpMiddleware<QuantaInstant>, Body>;

/// Whose bucket a request is charged to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::api) enum Payer {
    /// A key; `None`: `NUNCIO_API_KEY`.
    Key(Option<ApiKeyId>),
    /// The network of a client without a valid key; `None`: not known.
    Network(Option<Network>),
}

/// Charges the key that `auth.rs` found.
#[derive(Clone)]
pub(in crate::api) struct ByPayer;

impl KeyExtractor for ByPayer {
    type Key = Payer;

    fn extract<T>(&self, request: &Request<T>) -> Result<Payer, GovernorError> {
        let principal = request.extensions().get::<Principal>().ok_or(GovernorError::UnableToExtractKey)?;
        Ok(Payer::Key(principal.key))
    }
}

/// The buckets of all keys and addresses.
pub(in crate::api) struct Limits {
    config: Arc<Config>,
    refused: AtomicU64,
}

impl Limits {
    pub(in crate::api) fn new(limit: RateLimit) -> Self {
        #[expect(clippy::expect_used, reason = "neither of the two is zero")]
        let config = GovernorConfigBuilder::default()
            .key_extractor(ByPayer)
            .period(limit.refill.max(Duration::from_nanos(1)))
            .burst_size(limit.burst.get())
            .finish()
            .expect("a limit");
        Self { config: Arc::new(config), refused: AtomicU64::new(0) }
    }

    /// The layer that charges requests to their key.
    pub(in crate::api) fn layer(&self) -> LimitLayer {
        GovernorLayer::new(Arc::clone(&self.config)).error_handler(refusal)
    }

    /// Charges a request without a valid key to its address.
    ///
    /// # Errors
    /// If that address has used its requests up.
    pub(in crate::api) fn charge(&self, client: Option<ClientAddress>) -> Result<(), Problem> {
        let buckets = self.config.limiter();
        if self.refused.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        let is_crowded = buckets.len() >= BUCKETS;
        let payer = Payer::Network(client.map(|client| Network::of(client.0, is_crowded)));
        buckets.check_key(&payer).map_err(|not_until| {
            limited(not_until.wait_time_from(QuantaClock::default().now()).as_secs())
        })
    }
}

/// The response to a request that the layer refuses.
fn refusal(error: GovernorError) -> Response {
    match error {
        GovernorError::TooManyRequests { wait_time, .. } => limited(wait_time),
        GovernorError::UnableToExtractKey | GovernorError::Other { .. } => Problem::internal(),
    }
    .into_response()
}

/// `wait_s` is rounded down: a client that comes back a moment too early would be refused once more.
fn limited(wait_s: u64) -> Problem {
    let seconds = wait_s + 1;
    let detail = format!("More requests than API_RATE_LIMIT allows. Try again in {seconds} s.");
    Problem::new(Code::RateLimited, detail).retry_after(seconds)
}
