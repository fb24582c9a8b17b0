//! The rate limiter: a token bucket per client address, on our clock.
//!
//! An address is an IPv4 address or an IPv6 /64 network: a client with one such address has all of them. Memory
//! is bounded: full buckets are dropped each minute, and beyond [`BUCKETS`] unknown addresses share one bucket per
//! network. Requests that count even if they verify pass the [`throttle`](super::throttle) instead.

use std::net::IpAddr;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::config::{RateLimit, Scope};
use crate::model::Network;

/// Number of buckets beyond which unknown addresses share one per network: about 10 MB.
pub(super) const BUCKETS: usize = 100_000;

/// Adapts our clock to the library's trait.
#[derive(Clone)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type AddressBuckets = RateLimiter<Network, HashMapStateStore<Network>, Ticks, NoOpMiddleware<Duration>>;

/// The buckets of all addresses.
pub(super) struct AddressLimiter {
    buckets: AddressBuckets,
    ticks: Ticks,
    scope: Scope,
}

impl AddressLimiter {
    pub(super) fn new(limit: RateLimit, clock: Clock) -> Self {
        let ticks = Ticks(clock);
        // The configuration allows no refill of zero; one request per nanosecond would be no limit.
        let quota = Quota::with_period(limit.refill)
            .unwrap_or_else(|| Quota::per_second(limit.burst))
            .allow_burst(limit.burst);
        Self { buckets: RateLimiter::hashmap_with_clock(quota, ticks.clone()), ticks, scope: limit.scope }
    }

    /// Whether requests that verify count as well.
    pub(super) fn counts_all(&self) -> bool {
        self.scope == Scope::All
    }

    /// Takes one token from the bucket of `address`.
    ///
    /// # Errors
    /// The bucket is empty: the seconds until the next token, at least 1.
    pub(super) fn charge(&self, address: IpAddr) -> Result<(), u64> {
        let is_crowded = self.buckets.len() >= BUCKETS;
        self.buckets.check_key(&Network::of(address, is_crowded)).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.ticks.now());
            // Rounded up: a client that comes back a moment too early is refused once more.
            (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
        })
    }

    /// Drops the buckets that are full again.
    pub(super) fn sweep(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::num::NonZeroU32;

    use super::*;

    fn limiter(burst: u32, refill: Duration) -> (AddressLimiter, Clock) {
        let clock = Clock::system();
        let limit = RateLimit { burst: NonZeroU32::new(burst).unwrap(), refill, scope: Scope::Unverified };
        (AddressLimiter::new(limit, clock.clone()), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_hundred_at_once_then_one_per_nine_seconds() {
        let (limiter, clock) = limiter(100, Duration::from_secs(9));
        let one = address("192.0.2.1");
        assert_eq!((0..1000).filter(|_| limiter.charge(one).is_ok()).count(), 100);
        let wait = limiter.charge(one).unwrap_err();
        assert!((1..=9).contains(&wait), "{wait}");
        // After the returned wait, the next request passes.
        clock.advance(Duration::from_secs(wait));
        assert_eq!(limiter.charge(one), Ok(()));
        assert!(limiter.charge(one).is_err());
        assert_eq!(limiter.charge(address("192.0.2.2")), Ok(()));
        clock.advance(Duration::from_secs(900));
        assert_eq!((0..1000).filter(|_| limiter.charge(one).is_ok()).count(), 100);
    }

    #[test]
    fn the_wait_is_never_nothing() {
        let (limiter, _) = limiter(1, Duration::from_millis(500));
        assert_eq!(limiter.charge(address("192.0.2.1")), Ok(()));
        assert_eq!(limiter.charge(address("192.0.2.1")), Err(1));
    }

    #[test]
    fn whoever_has_one_address_of_a_network_has_them_all() {
        let (limiter, _) = limiter(1, Duration::from_secs(60));
        assert_eq!(limiter.charge(address("2001:db8:1:2::1")), Ok(()));
        assert!(limiter.charge(address("2001:db8:1:2:ffff::9")).is_err());
        assert_eq!(limiter.charge(address("2001:db8:1:3::1")), Ok(()));
        assert_eq!(limiter.charge(address("192.0.2.1")), Ok(()));
        assert!(limiter.charge(address("::ffff:192.0.2.1")).is_err());
    }

    #[test]
    fn buckets_are_bounded_and_forgotten() {
        let (limiter, clock) = limiter(1, Duration::from_secs(60));
        for n in 0..300_000_u128 {
            let _ = limiter.charge(Ipv6Addr::from_bits(n << 64 | 0x2001 << 112).into());
        }
        assert!(limiter.buckets.len() <= BUCKETS + 1, "{}", limiter.buckets.len());
        clock.advance(Duration::from_secs(121));
        limiter.sweep();
        assert!(limiter.buckets.is_empty());
    }
}
