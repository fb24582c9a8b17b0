//! Rate-limit buckets: the remaining quota, learned from response headers (Discord: "Rate Limits").
//!
//! A route's bucket has the name that Discord gives it, together with the channel or webhook it is about: routes that
//! lead to the same pair share a bucket. Until Discord has named the bucket, a route has its own.
//!
//! Nothing waits here: the caller gets the time to wait. Requests that can wait leave the last slot of a bucket to
//! those that cannot ([`Share`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::discord::limits::{self, BucketHeaders};
use crate::model::Snowflake;

/// Number of buckets above which full, idle buckets are dropped.
const KEPT: usize = 4096;
/// Assumed limit of a bucket whose limit is not known yet.
const UNKNOWN: u32 = u32::MAX;
/// The smallest limit with a reserved slot: of a smaller bucket it would be half or more.
const SHARED: u32 = 3;

/// The share of a bucket that a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The whole bucket: the request must not wait behind earlier ones.
    Full,
    /// All but the last slot.
    Ordinary,
}

/// The bucket key until Discord has named a bucket: the route's template, and the channel or webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BucketRoute {
    pub(super) template: &'static str,
    pub(super) major: Snowflake,
}

/// A bucket's name, and the channel or webhook it is about.
type BucketKey = (Arc<str>, Snowflake);

/// All buckets of one transport. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    names: HashMap<BucketRoute, Arc<str>>,
    buckets: HashMap<BucketKey, Bucket>,
}

/// One bucket. Times are values of the clock's `elapsed`.
#[derive(Debug)]
struct Bucket {
    limit: u32,
    remaining: u32,
    /// When the window resets.
    whole_at: Duration,
    /// No request before this time, whatever remains of the quota.
    blocked_until: Duration,
    in_flight: u32,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            limit: UNKNOWN,
            remaining: UNKNOWN,
            whole_at: Duration::ZERO,
            blocked_until: Duration::ZERO,
            in_flight: 0,
        }
    }
}

impl Bucket {
    fn wait(&self, share: Share, now: Duration) -> Duration {
        let kept = u32::from(share == Share::Ordinary && self.limit >= SHARED);
        let blocked = self.blocked_until.saturating_sub(now);
        let empty = if now >= self.whole_at {
            // The window is over. In-flight requests count in the next one.
            if self.in_flight < self.limit - kept { Duration::ZERO } else { limits::SHORTEST }
        } else if self.remaining <= kept {
            self.whole_at - now
        } else {
            Duration::ZERO
        };
        blocked.max(empty)
    }

    fn take(&mut self, now: Duration) {
        if now >= self.whole_at {
            self.remaining = self.limit.saturating_sub(self.in_flight);
        }
        self.remaining = self.remaining.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_add(1);
    }

    fn learn(&mut self, bucket_headers: &BucketHeaders, now: Duration) {
        if let Some(limit) = bucket_headers.limit {
            self.limit = limit.max(1);
        }
        if let Some(left) = bucket_headers.remaining {
            // This figure does not include the other in-flight requests yet.
            let left = left.saturating_sub(self.in_flight);
            let whole_at = now + bucket_headers.reset_after.unwrap_or(limits::SHORTEST);
            if now < self.whole_at {
                self.remaining = self.remaining.min(left);
                self.whole_at = self.whole_at.max(whole_at);
            } else {
                self.remaining = left;
                self.whole_at = whole_at;
            }
        }
        // A block is only ever extended.
        if let Some(after) = bucket_headers.blocked {
            self.blocked_until = self.blocked_until.max(now + after);
        }
    }

    fn is_open(&self, now: Duration) -> bool {
        self.in_flight == 0 && self.wait(Share::Full, now).is_zero() && now >= self.whole_at
    }
}

impl Buckets {
    /// How long a request along `route` should wait at `now`.
    pub(super) fn wait(&self, route: BucketRoute, share: Share, now: Duration) -> Duration {
        let state = self.state();
        state.buckets.get(&state.key(route)).map_or(Duration::ZERO, |bucket| bucket.wait(share, now))
    }

    /// Counts a request that is sent at `now`.
    pub(super) fn take(&self, route: BucketRoute, now: Duration) -> BucketPermit {
        let mut state = self.state();
        if state.buckets.len() >= KEPT {
            state.forget(now);
        }
        let key = state.key(route);
        state.buckets.entry(key.clone()).or_default().take(now);
        BucketPermit { buckets: self.clone(), route, key }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn key(&self, route: BucketRoute) -> BucketKey {
        let name = self.names.get(&route).cloned().unwrap_or_else(|| Arc::from(route.template));
        (name, route.major)
    }

    fn forget(&mut self, now: Duration) {
        self.buckets.retain(|_, bucket| !bucket.is_open(now));
        let Self { names, buckets } = self;
        names.retain(|route, name| buckets.contains_key(&(Arc::clone(name), route.major)));
    }
}

/// An in-flight request. Dropping it without [`BucketPermit::settle`] means that it got no response.
pub(super) struct BucketPermit {
    buckets: Buckets,
    route: BucketRoute,
    key: BucketKey,
}

impl BucketPermit {
    /// Records the response's bucket data. Returns how long the next request along this route should wait.
    pub(super) fn settle(self, bucket_headers: &BucketHeaders, now: Duration) -> Duration {
        let (buckets, route) = (self.buckets.clone(), self.route);
        drop(self);
        let mut state = buckets.state();
        if let Some(name) = &bucket_headers.bucket {
            state.names.insert(route, Arc::from(name.as_str()));
        }
        let key = state.key(route);
        let bucket = state.buckets.entry(key).or_default();
        bucket.learn(bucket_headers, now);
        bucket.wait(Share::Full, now)
    }
}

impl Drop for BucketPermit {
    fn drop(&mut self) {
        if let Some(bucket) = self.buckets.state().buckets.get_mut(&self.key) {
            bucket.in_flight = bucket.in_flight.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: BucketRoute =
        BucketRoute { template: "POST /channels/{channel}/messages", major: Snowflake::new(1) };
    const PATCH: BucketRoute =
        BucketRoute { template: "PATCH /channels/{channel}/messages/{message}", major: Snowflake::new(1) };
    const ELSEWHERE: BucketRoute = BucketRoute { major: Snowflake::new(2), ..POST };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn bucket_headers(bucket: &str, remaining: u32, reset_after: u64) -> BucketHeaders {
        BucketHeaders {
            bucket: Some(bucket.to_owned()),
            limit: Some(5),
            remaining: Some(remaining),
            reset_after: Some(secs(reset_after)),
            blocked: None,
        }
    }

    #[test]
    fn an_empty_bucket_is_waited_for_and_whole_again_afterwards() {
        let buckets = Buckets::default();
        assert_eq!(buckets.take(POST, secs(0)).settle(&bucket_headers("a", 0, 5), secs(1)), secs(5));
        assert_eq!(buckets.wait(POST, Share::Full, secs(3)), secs(3));
        assert_eq!(
            buckets.wait(ELSEWHERE, Share::Full, secs(3)),
            Duration::ZERO,
            "another channel's bucket is another"
        );
        assert_eq!(buckets.wait(POST, Share::Full, secs(6)), Duration::ZERO);
    }

    #[test]
    fn routes_that_name_the_same_bucket_share_it() {
        let buckets = Buckets::default();
        buckets.take(PATCH, secs(0)).settle(&bucket_headers("a", 4, 5), secs(0));
        assert_eq!(buckets.take(POST, secs(0)).settle(&bucket_headers("a", 0, 5), secs(0)), secs(5));
        assert_eq!(buckets.wait(PATCH, Share::Full, secs(0)), secs(5));
        // Discord assigns the route to another bucket: what remains of the old one no longer matters to it.
        buckets.take(PATCH, secs(0)).settle(&bucket_headers("b", 3, 5), secs(0));
        assert_eq!(buckets.wait(PATCH, Share::Full, secs(0)), Duration::ZERO);
    }

    #[test]
    fn what_is_on_its_way_counts() {
        let buckets = Buckets::default();
        buckets.take(POST, secs(0)).settle(&bucket_headers("a", 3, 5), secs(0));
        let flying: Vec<BucketPermit> = (0..3).map(|_| buckets.take(POST, secs(1))).collect();
        assert_eq!(buckets.wait(POST, Share::Full, secs(1)), secs(4), "three were left, three are flying");
        // The window is over; five fit into the next, and three may arrive in it.
        assert_eq!(buckets.wait(POST, Share::Full, secs(6)), Duration::ZERO);
        let more: Vec<BucketPermit> = (0..2).map(|_| buckets.take(POST, secs(6))).collect();
        assert!(!buckets.wait(POST, Share::Full, secs(6)).is_zero());
        drop((flying, more));
        assert_eq!(buckets.wait(POST, Share::Full, secs(6)), Duration::ZERO);
    }

    // L-5
    #[test]
    fn the_last_place_is_kept_for_what_cannot_wait() {
        let buckets = Buckets::default();
        let waits = |now| [Share::Ordinary, Share::Full].map(|share| buckets.wait(POST, share, secs(now)));
        buckets.take(POST, secs(0)).settle(&bucket_headers("a", 2, 5), secs(0));
        assert_eq!(waits(1), [secs(0), secs(0)]);
        buckets.take(POST, secs(1)).settle(&bucket_headers("a", 1, 4), secs(1));
        assert_eq!(waits(1), [secs(4), secs(0)]);
        buckets.take(POST, secs(2)).settle(&bucket_headers("a", 0, 3), secs(2));
        assert_eq!(waits(2), [secs(3), secs(3)]);
        // In the next window, in-flight requests count.
        let _flying: Vec<BucketPermit> = (0..4).map(|_| buckets.take(POST, secs(6))).collect();
        assert_eq!(waits(6).map(|wait| wait.is_zero()), [false, true]);
    }

    #[rstest::rstest]
    #[case(1, 0)]
    #[case(2, 1)]
    fn of_a_small_bucket_nothing_is_kept(#[case] limit: u32, #[case] remaining: u32) {
        let buckets = Buckets::default();
        let bucket_headers = BucketHeaders { limit: Some(limit), ..bucket_headers("a", remaining, 5) };
        buckets.take(POST, secs(0)).settle(&bucket_headers, secs(0));
        assert_eq!(buckets.wait(POST, Share::Ordinary, secs(1)), buckets.wait(POST, Share::Full, secs(1)));
    }

    #[test]
    fn a_wait_is_only_ever_prolonged() {
        let buckets = Buckets::default();
        let wait = |blocked| {
            let bucket_headers = BucketHeaders { blocked: Some(secs(blocked)), ..BucketHeaders::default() };
            buckets.take(POST, secs(0)).settle(&bucket_headers, secs(0))
        };
        assert_eq!((wait(30), wait(2), wait(60)), (secs(30), secs(30), secs(60)));
    }

    #[test]
    fn the_table_does_not_grow_without_bound() {
        let buckets = Buckets::default();
        for channel in 1..=10 * KEPT as u64 {
            let route = BucketRoute { major: Snowflake::new(channel), ..POST };
            buckets.take(route, secs(channel)).settle(&bucket_headers("a", 4, 1), secs(channel));
        }
        let state = buckets.state();
        assert!(state.buckets.len() <= KEPT + 1 && state.names.len() <= KEPT + 1);
    }
}
