//! How much Discord lets through: a bucket for each route and resource, a global limit for each caller, and the ban
//! of an address that asks wrongly too often (Discord: "Rate Limits").
//!
//! Pure: it is told what time it is, and knows routes only as names.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::Snowflake;
use crate::signature::sha256_hex;

/// Buckets beyond which those whose window is over are forgotten.
const BUCKETS_KEPT: usize = 4096;

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many.
    pub limit: u32,
    /// In how long, from the first one on.
    pub window: Duration,
}

impl Allowance {
    /// `limit` requests in `window`.
    #[must_use]
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window }
    }
}

/// All limits. The default is near what Discord does; it does not promise any of these numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Create Message, for each channel.
    pub create_message: Allowance,
    /// Edit Message, for each channel.
    pub edit_message: Allowance,
    /// Delete Message, for each channel.
    pub delete_message: Allowance,
    /// Execute Webhook, for each webhook.
    pub execute_webhook: Allowance,
    /// Every other route, for each channel, guild or webhook it is about.
    pub other: Allowance,
    /// All requests of one caller.
    pub global: Allowance,
    /// Requests answered 401, 403 or 429 (scope `shared` excepted) before the address is banned.
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
    /// Limits that nobody reaches.
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

/// What a request is counted under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    /// The method and the route's template.
    pub(super) route: &'static str,
    /// The channel, guild or webhook it is about.
    pub(super) major: Option<Snowflake>,
}

impl Bucket {
    /// Discord's name of it: 32 hex digits that are the same for every resource.
    pub(super) fn name(&self) -> String {
        sha256_hex(&[self.route.as_bytes()])[..32].to_owned()
    }
}

/// A fixed window: it begins with the first request and takes no more than its allowance.
#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Duration,
    used: u32,
}

impl Window {
    /// Counts one more at `now`. Whether it was within the allowance.
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

/// How a bucket stands after a request: the figures of the rate-limit headers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// The whole allowance.
    pub(super) limit: u32,
    /// What is left of it.
    pub(super) remaining: u32,
    /// When it is whole again.
    pub(super) reset_after: Duration,
    /// Its name.
    pub(super) bucket: String,
}

/// A request over a limit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limited {
    /// After how long it may be tried again.
    pub(super) retry_after: Duration,
    /// Whether it was the global limit.
    pub(super) global: bool,
    /// The bucket, unless the limit was global.
    pub(super) standing: Option<Standing>,
}

/// Counts.
pub(super) struct Limiter {
    limits: RateLimits,
    buckets: HashMap<(Snowflake, Bucket), Option<Window>>,
    global: HashMap<Snowflake, Option<Window>>,
    invalid: Option<Window>,
    banned_until: Duration,
}

impl Limiter {
    /// Nothing counted yet.
    pub(super) fn new(limits: RateLimits) -> Self {
        let (buckets, global) = (HashMap::new(), HashMap::new());
        Self { limits, buckets, global, invalid: None, banned_until: Duration::ZERO }
    }

    /// Counts a request of `user`. A request over the limit does not prolong the wait.
    pub(super) fn take(
        &mut self,
        user: Snowflake,
        bucket: Bucket,
        now: Duration,
    ) -> Result<Standing, Limited> {
        // Answers to interactions are not bound to the global limit, and every interaction has buckets of its own.
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

    /// Whether the address is banned at `now`, and for how long still.
    pub(super) fn banned(&self, now: Duration) -> Option<Duration> {
        self.banned_until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Bans the address for `span`.
    pub(super) fn ban(&mut self, span: Duration, now: Duration) {
        self.banned_until = now + span;
    }

    /// Counts an answer of 401, 403 or 429 that was not `shared`; the one that is too many bans the address.
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
