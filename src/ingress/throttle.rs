//! The `tower-governor` layer: counts requests whether they verify or not. That is all requests with
//! `RATE_LIMIT_SCOPE=all`, and always those for `/webhooks/config` and `/webhooks/register`.
//!
//! It has its own clock: moving ours does not refill its buckets. Addresses are grouped as in the
//! [`limiter`](super::limiter), and the memory is bounded in the same way.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::{IntoResponse as _, Response};
use governor::middleware::NoOpMiddleware;
use tower_governor::GovernorError;
use tower_governor::governor::{Governor, GovernorConfig, GovernorConfigBuilder, SharedRateLimiter};
use tower_governor::key_extractor::KeyExtractor;

use crate::config::RateLimit;
use crate::ingress::limiter::BUCKETS;
use crate::ingress::rejection::Rejection;
use crate::model::{ClientAddress, Network};

type ThrottleBuckets = SharedRateLimiter<Network, NoOpMiddleware<governor::clock::QuantaInstant>>;
type ThrottleConfig = GovernorConfig<ByClient, NoOpMiddleware<governor::clock::QuantaInstant>>;
/// A service wrapped in the throttle.
pub(super) type Behind<S> = Governor<ByClient, NoOpMiddleware<governor::clock::QuantaInstant>, S, Body>;

/// The buckets of all addresses.
pub(super) struct Throttle {
    config: Arc<ThrottleConfig>,
}

/// Marks the response of a request that was refused here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Throttled;

/// Counts by the [`ClientAddress`] that the listener determined.
#[derive(Clone, Default)]
pub(super) struct ByClient {
    /// Set once the buckets exist.
    buckets: Arc<OnceLock<ThrottleBuckets>>,
}

impl KeyExtractor for ByClient {
    type Key = Network;

    fn extract<T>(&self, request: &Request<T>) -> Result<Network, GovernorError> {
        let client = request.extensions().get::<ClientAddress>().ok_or(GovernorError::UnableToExtractKey)?;
        let is_crowded = self.buckets.get().is_some_and(|buckets| buckets.len() >= BUCKETS);
        Ok(Network::of(client.0, is_crowded))
    }
}

impl Throttle {
    pub(super) fn new(limit: RateLimit) -> Self {
        let by_client = ByClient::default();
        // The configuration allows no refill of zero.
        let period = limit.refill.max(Duration::from_nanos(1));
        #[expect(clippy::expect_used, reason = "neither of the two is zero")]
        let config = GovernorConfigBuilder::default()
            .key_extractor(by_client.clone())
            .period(period)
            .burst_size(limit.burst.get())
            .finish()
            .expect("a limit");
        // The first value stays: it is the only one.
        let _ = by_client.buckets.set(Arc::clone(config.limiter()));
        Self { config: Arc::new(config) }
    }

    /// Wraps `service`.
    pub(super) fn before<S>(&self, service: S) -> Behind<S> {
        Governor::new(service, &self.config).error_handler(refused)
    }

    /// Drops the buckets that are full again.
    pub(super) fn sweep(&self) {
        let buckets = self.config.limiter();
        buckets.retain_recent();
        buckets.shrink_to_fit();
    }
}

/// The response to a throttled request.
fn refused(error: GovernorError) -> Response {
    let rejection = match error {
        // Its seconds are rounded down: a client that comes back a moment too early is refused once more.
        GovernorError::TooManyRequests { wait_time, .. } => {
            Rejection::TooMany { retry_after_s: wait_time + 1 }
        }
        GovernorError::UnableToExtractKey | GovernorError::Other { .. } => Rejection::Unavailable,
    };
    let mut response = rejection.into_response();
    if matches!(rejection, Rejection::TooMany { .. }) {
        response.extensions_mut().insert(Throttled);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};
    use std::num::NonZeroU32;

    use super::*;
    use crate::config::Scope;

    fn throttle(burst: u32, refill: Duration) -> Throttle {
        Throttle::new(RateLimit { burst: NonZeroU32::new(burst).unwrap(), refill, scope: Scope::All })
    }

    /// Whether a request from `address` passes.
    fn passes(throttle: &Throttle, by_client: &ByClient, address: IpAddr) -> bool {
        let mut request = Request::new(());
        request.extensions_mut().insert(ClientAddress(address));
        let key = by_client.extract(&request).unwrap();
        throttle.config.limiter().check_key(&key).is_ok()
    }

    fn by_client(throttle: &Throttle) -> ByClient {
        ByClient { buckets: Arc::new(OnceLock::from(Arc::clone(throttle.config.limiter()))) }
    }

    #[test]
    fn a_hundred_at_once_whoever_has_one_address_of_a_network() {
        let throttle = throttle(100, Duration::from_secs(3600));
        let by_client = by_client(&throttle);
        let all = (0..1000_u128).map(|n| Ipv6Addr::from_bits(0x2001 << 112 | n).into());
        assert_eq!(all.filter(|address| passes(&throttle, &by_client, *address)).count(), 100);
        assert!(passes(&throttle, &by_client, "2001:0:0:1::1".parse().unwrap()));
        assert!(passes(&throttle, &by_client, "192.0.2.1".parse().unwrap()));
    }

    // Controls: with `is_crowded` always false there are 300,000; without `retain_recent` they stay.
    #[test]
    fn buckets_are_bounded_and_forgotten() {
        let slow = throttle(1, Duration::from_secs(3600));
        let crowd = by_client(&slow);
        for n in 0..300_000_u128 {
            passes(&slow, &crowd, Ipv6Addr::from_bits(n << 64 | 0x2001 << 112).into());
        }
        assert!(slow.config.limiter().len() <= BUCKETS + 1, "{}", slow.config.limiter().len());
        slow.sweep();
        assert!(slow.config.limiter().len() >= BUCKETS, "those that are not full are kept");

        let quick = throttle(1, Duration::from_nanos(1));
        for n in 0..100_u128 {
            passes(&quick, &by_client(&quick), Ipv6Addr::from_bits(n << 64 | 0x2001 << 112).into());
        }
        quick.sweep();
        assert_eq!(quick.config.limiter().len(), 0);
    }

    #[test]
    fn whom_it_does_not_know_it_does_not_let_in() {
        let refusal = refused(ByClient::default().extract(&Request::new(())).unwrap_err());
        assert_eq!(refusal.status(), 503);
    }
}
