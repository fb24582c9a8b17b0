//! Session start limits: per day, and per five seconds (Discord: "Session Start Limit Object", "Rate Limiting" of
//! sharding).
//!
//! Pure: the caller passes the time.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Timestamp;

/// The period of the total limit, from the first start.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The interval between two starts in one concurrency bucket.
const PLACE: Duration = Duration::from_secs(5);

/// The limits of one bot, and their usage.
#[derive(Clone, Debug)]
pub(in crate::sandbox::discord) struct Starts {
    total: u32,
    max_concurrency: u32,
    used: u32,
    resets: Timestamp,
    /// By `shard id % max_concurrency`: the time of the next allowed start.
    places: HashMap<u32, Timestamp>,
}

/// The result of a session start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Granted,
    /// Less than five seconds after another start: an invalid session.
    TooSoon,
    /// The day's total is used up: the token is reset.
    Exhausted,
}

impl Default for Starts {
    fn default() -> Self {
        Self::new(1000, 1)
    }
}

impl Starts {
    pub(super) fn new(total: u32, max_concurrency: u32) -> Self {
        let (resets, places) = (Timestamp::default(), HashMap::new());
        Self { total, max_concurrency: max_concurrency.max(1), used: 0, resets, places }
    }

    /// Leaves `remaining` starts for a day that begins now.
    pub(in crate::sandbox::discord) fn leave(&mut self, remaining: u32, now: Timestamp) {
        (self.used, self.resets) = (self.total.saturating_sub(remaining), now.plus(DAY));
    }

    /// Counts a session start of this shard.
    pub(super) fn take(&mut self, shard: u32, now: Timestamp) -> Start {
        if now >= self.resets {
            self.used = 0;
            self.resets = now.plus(DAY);
        }
        if self.used >= self.total {
            return Start::Exhausted;
        }
        self.used += 1;
        let place = self.places.entry(shard % self.max_concurrency).or_default();
        if now < *place {
            return Start::TooSoon;
        }
        *place = now.plus(PLACE);
        Start::Granted
    }

    /// Discord's session start limit object; `reset_after` in milliseconds.
    pub(in crate::sandbox::discord) fn object(&self, now: Timestamp) -> Value {
        let left = self.resets.since(now);
        let used = if left.is_zero() { 0 } else { self.used };
        json!({
            "total": self.total, "remaining": self.total.saturating_sub(used),
            "reset_after": left.as_millis(), "max_concurrency": self.max_concurrency,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_counted_by_day_and_by_place() {
        let at = |secs: i64| Timestamp::from_secs(1_700_000_000 + secs);
        let mut starts = Starts::new(4, 2);
        assert_eq!(starts.object(at(0))["remaining"], 4);
        assert_eq!(starts.take(0, at(0)), Start::Granted);
        assert_eq!(starts.take(2, at(1)), Start::TooSoon, "shard 2 shares the place of shard 0");
        assert_eq!(starts.take(1, at(1)), Start::Granted);
        assert_eq!(starts.take(0, at(5)), Start::Granted);
        assert_eq!(starts.take(0, at(20)), Start::Exhausted);
        let limits = starts.object(at(3600));
        assert_eq!(
            (limits["remaining"].as_u64(), limits["reset_after"].as_u64()),
            (Some(0), Some(82_800_000))
        );
        assert_eq!(starts.object(at(86_400))["remaining"], 4);
        assert_eq!(starts.take(0, at(86_400)), Start::Granted);
    }
}
