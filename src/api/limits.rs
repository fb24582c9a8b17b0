//! The rate limit of the API (`API_RATE_LIMIT`): a bucket per key, or per address for requests without a valid key.
//!
//! `tower-governor` counts requests behind authentication; refused ones are charged to their address by hand. Both share
//! one table. Its size is bounded by the number of keys and, as at the ingress, of networks.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, QuantaClock, QuantaInstant};
use governor::middleware::NoOpMiddleware;
use tower::{Service as _, service_fn};
use tower_governor::GovernorError;
use tower_governor::governor::{Governor, GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::KeyExtractor;

use crate::api::problem::{Code, ProblemDetails};
use crate::config::RateLimit;
use crate::model::{ApiKeyId, ClientAddress, Network, Principal};

/// Number of buckets beyond which unknown addresses share one per network.
const BUCKETS: usize = 100_000;
/// Full buckets are dropped once in so many refused requests.
const SWEEP_EVERY: u64 = 4096;

type RateBuckets = GovernorConfig<ByPayer, NoOpMiddleware<QuantaInstant>>;

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

    fn extract<T>(&self, request: &axum::http::Request<T>) -> Result<Payer, GovernorError> {
        let principal = request.extensions().get::<Principal>().ok_or(GovernorError::UnableToExtractKey)?;
        Ok(Payer::Key(principal.key))
    }
}

/// The buckets of all keys and addresses.
#[derive(Default)]
pub(in crate::api) struct Limits {
    /// The limit in effect and its buckets: another limit begins with full ones.
    current: Mutex<Option<(RateLimit, Arc<RateBuckets>)>>,
    refused: AtomicU64,
}

impl Limits {
    fn buckets(&self, limit: RateLimit) -> Arc<RateBuckets> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((of, buckets)) if *of == limit => Arc::clone(buckets),
            _ => {
                let buckets = Arc::new(buckets(limit));
                *current = Some((limit, Arc::clone(&buckets)));
                buckets
            }
        }
    }

    /// Runs a request if its key has not used up `limit`.
    pub(in crate::api) async fn pass(&self, limit: RateLimit, request: Request, next: Next) -> Response {
        let inner = service_fn(move |request: Request| {
            let next = next.clone();
            async move { Ok::<_, Infallible>(next.run(request).await) }
        });
        let mut governor = Governor::new(inner, &self.buckets(limit)).error_handler(refusal);
        let Ok(response) = governor.call(request).await;
        response
    }

    /// Charges a request without a valid key to its address.
    ///
    /// # Errors
    /// If that address has used its requests up.
    pub(in crate::api) fn charge(
        &self,
        limit: RateLimit,
        client: Option<ClientAddress>,
    ) -> Result<(), ProblemDetails> {
        let buckets = self.buckets(limit);
        let buckets = buckets.limiter();
        if self.refused.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        let is_crowded = buckets.len() >= BUCKETS;
        let payer = Payer::Network(client.map(|client| Network::of(client.0, is_crowded)));
        buckets
            .check_key(&payer)
            .map_err(|not_until| limited(not_until.wait_time_from(QuantaClock::default().now()).as_secs()))
    }
}

fn buckets(limit: RateLimit) -> RateBuckets {
    #[expect(clippy::expect_used, reason = "neither of the two is zero")]
    GovernorConfigBuilder::default()
        .key_extractor(ByPayer)
        .period(limit.refill.max(Duration::from_nanos(1)))
        .burst_size(limit.burst.get())
        .finish()
        .expect("a limit")
}

/// The response to a request that is refused.
fn refusal(error: GovernorError) -> Response {
    match error {
        GovernorError::TooManyRequests { wait_time, .. } => limited(wait_time),
        GovernorError::UnableToExtractKey | GovernorError::Other { .. } => ProblemDetails::internal(),
    }
    .into_response()
}

/// `wait_s` is rounded down: a client that comes back a moment too early would be refused once more.
fn limited(wait_s: u64) -> ProblemDetails {
    let seconds = wait_s + 1;
    let detail = format!("More requests than API_RATE_LIMIT allows. Try again in {seconds} s.");
    ProblemDetails::new(Code::RateLimited, detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::num::NonZeroU32;

    use super::*;
    use crate::config::Scope;

    fn limit(burst: u32) -> RateLimit {
        let burst = NonZeroU32::new(burst).unwrap();
        RateLimit { burst, refill: Duration::from_secs(3600), scope: Scope::All }
    }

    // Control: with `is_crowded` always false there are 300,000.
    #[test]
    fn buckets_are_bounded() {
        let limits = Limits::default();
        for n in 0..300_000_u128 {
            let client = ClientAddress(Ipv6Addr::from_bits(n << 64 | 0x2001 << 112).into());
            let _ = limits.charge(limit(1), Some(client));
        }
        let length = limits.buckets(limit(1)).limiter().len();
        assert!(length <= BUCKETS + 1, "{length}");
    }

    #[test]
    fn another_limit_counts_at_once_and_the_same_one_forgets_nothing() {
        let limits = Limits::default();
        let passes = |burst| limits.charge(limit(burst), None).is_ok();
        assert_eq!([passes(1), passes(1), passes(2), passes(2), passes(2)], [true, false, true, true, false]);
    }

    #[test]
    fn whom_it_does_not_know_it_does_not_let_in() {
        assert_eq!(refusal(ByPayer.extract(&axum::http::Request::new(())).unwrap_err()).status(), 500);
    }
}
