//! Rate limits: a bucket for each route and resource, a global limit for each caller, and the ban of an address after
//! too many invalid requests (Discord: "Rate Limits").
//!
//! Pure: the caller passes the time, and routes are only names.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::sandbox::Snowflake;

/// Above this many buckets, those whose window is over are dropped.
const BUCKETS_KEPT: usize = 4096;

/// A number of requests per time window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The number of requests.
    pub limit: u32,
    /// The length of the window, which starts with the first request.
    pub window: Duration,
}

impl Allowance {
    /// `limit` requests in `window`.
    #[must_use]
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window }
    }
}

/// All rate limits. The defaults are close to Discord's behavior; Discord guarantees none of these numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Create Message, per channel.
    pub create_message: Allowance,
    /// Edit Message, per channel.
    pub edit_message: Allowance,
    /// Delete Message, per channel.
    pub delete_message: Allowance,
    /// Execute Webhook, per webhook.
    pub execute_webhook: Allowance,
    /// Every other route, per channel, guild or webhook.
    pub other: Allowance,
    /// All requests of one caller.
    pub global: Allowance,
    /// Requests answered 401, 403 or 429 (except scope `shared`) before the address is banned.
    pub invalid: Allowance,
    /// How long a ban lasts.
    pub ban: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            create_message: Allowance::new(5, seconds(5)),
            edit_message: Allowance::new(5, seconds(5)),
            delete_message: Allowance::new(5, seconds(1)),
            execute_webhook: Allowance::new(5, seconds(2)),
            other: Allowance::new(50, seconds(1)),
            global: Allowance::new(50, seconds(1)),
            invalid: Allowance::new(10_000, seconds(600)),
            ban: seconds(600),
        }
    }
}

impl RateLimits {
    /// Limits that no caller reaches.
    #[must_use]
    pub fn unlimited() -> Self {
        let open = Allowance::new(u32::MAX, Duration::from_secs(1));
        Self {
            create_message: open,
            edit_message: open,
            delete_message: open,
            execute_webhook: open,
            other: open,
            global: open,
            invalid: open,
            ban: Duration::ZERO,
        }
    }
}

/// The rate-limit bucket of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    /// The method and the route template.
    pub(super) route: &'static str,
    /// The channel, guild or webhook (Discord's major parameter).
    pub(super) major: Option<Snowflake>,
}

impl Bucket {
    /// Discord's hash of the bucket: 32 hex digits, equal for every resource.
    pub(super) fn name(&self) -> String {
        hex::encode(&Sha256::digest(self.route)[..16])
    }
}

/// A fixed window: it begins with the first request and admits no more than its allowance.
#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Duration,
    used: u32,
}

impl Window {
    /// Counts one request at `now`. Returns whether it was within the allowance.
    fn take(window: &mut Option<Self>, allowance: Allowance, now: Duration) -> (bool, Self) {
        let fresh = Self { ends: now + allowance.window, used: 0 };
        let current = window.get_or_insert(fresh);
        if now >= current.ends {
            *current = fresh;
        }
        let within = current.used < allowance.limit;
        current.used = current.used.saturating_add(u32::from(within));
        (within, *current)
    }
}

/// The state of a bucket after a request: the values of the rate-limit headers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Time until the bucket is full again.
    pub(super) reset_after: Duration,
    pub(super) bucket: String,
}

/// A request over a limit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limited {
    pub(super) retry_after: Duration,
    pub(super) global: bool,
    /// The bucket, unless the limit was global.
    pub(super) standing: Option<Standing>,
}

/// The counters of all limits.
pub(super) struct Limiter {
    limits: RateLimits,
    buckets: HashMap<(Snowflake, Bucket), Option<Window>>,
    global: HashMap<Snowflake, Option<Window>>,
    invalid: Option<Window>,
    banned_until: Duration,
}

impl Limiter {
    pub(super) fn new(limits: RateLimits) -> Self {
        let (buckets, global) = (HashMap::new(), HashMap::new());
        Self { limits, buckets, global, invalid: None, banned_until: Duration::ZERO }
    }

    /// Counts a request of `user`. A request over the limit does not extend the wait.
    pub(super) fn take(
        &mut self,
        user: Snowflake,
        bucket: Bucket,
        now: Duration,
    ) -> Result<Standing, Limited> {
        // Answers to interactions do not count toward the global limit, and every interaction has its own buckets.
        let bound = !bucket.route.contains("{interaction}");
        let (within, window) = match bound {
            true => Window::take(self.global.entry(user).or_default(), self.limits.global, now),
            false => Window::take(&mut None, self.limits.other, now),
        };
        if !within {
            return Err(Limited { retry_after: window.ends - now, global: true, standing: None });
        }
        let allowance = match bucket.route {
            "POST /channels/{channel}/messages" => self.limits.create_message,
            "PATCH /channels/{channel}/messages/{message}" => self.limits.edit_message,
            "DELETE /channels/{channel}/messages/{message}" => self.limits.delete_message,
            "POST /webhooks/{webhook}/{token}" => self.limits.execute_webhook,
            _ => self.limits.other,
        };
        let name = bucket.name();
        if self.buckets.len() >= BUCKETS_KEPT {
            self.buckets.retain(|_, window| window.is_some_and(|window| now < window.ends));
        }
        let (within, window) = Window::take(self.buckets.entry((user, bucket)).or_default(), allowance, now);
        let standing = Standing {
            limit: allowance.limit,
            remaining: allowance.limit.saturating_sub(window.used),
            reset_after: window.ends - now,
            bucket: name,
        };
        if within {
            Ok(standing)
        } else {
            Err(Limited { retry_after: standing.reset_after, global: false, standing: Some(standing) })
        }
    }

    /// The remaining time of the address's ban at `now`, if it is banned.
    pub(super) fn banned(&self, now: Duration) -> Option<Duration> {
        self.banned_until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Bans the address for `span`.
    pub(super) fn ban(&mut self, span: Duration, now: Duration) {
        self.banned_until = now + span;
    }

    /// Counts an answer of 401, 403 or 429 that was not `shared`; too many of them ban the address.
    pub(super) fn invalid(&mut self, now: Duration) {
        let (_, window) = Window::take(&mut self.invalid, self.limits.invalid, now);
        if window.used >= self.limits.invalid.limit {
            self.banned_until = now + self.limits.ban;
            self.invalid = None;
        }
    }
}

#[cfg(test)]
mod tests;
