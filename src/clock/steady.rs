//! The steady timeline: a persistent monotonic clock that measures stored durations.
//!
//! It starts at the wall clock and advances with the monotonic clock. Setting the wall clock, forward or back, does not
//! move it, so a stored wait ("not before", "due at") lasts as long as intended. A later process continues
//! the timeline from the value in the database (`store/steady.rs`): it never goes back, not even across restarts, and
//! ids are generated from it.
//!
//! What people see (events, attempts, the audit log, cards) and what is agreed with the outside (signatures, mutes,
//! expiry) uses the wall clock: [`Timestamp`]. The two are different types, so that they cannot be compared by mistake.

use std::time::Duration;

use crate::clock::{ProvenTime, Timestamp};

/// A point on the steady timeline, in milliseconds. Near the wall clock, but never to be compared with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SteadyTime(i64);

impl SteadyTime {
    /// Creates it from stored milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds to store.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The point `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(Timestamp::from_millis(self.0).plus(by).as_millis())
    }

    /// The point `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(Timestamp::from_millis(self.0).minus(by).as_millis())
    }

    /// The duration since `earlier`; zero if this point is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Timestamp::from_millis(self.0).since(Timestamp::from_millis(earlier.0))
    }
}

/// A start that moved the timeline forward, because the wall clock had been set while an earlier process ran. Earlier
/// points do not age by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The point where the timeline continued.
    pub to: SteadyTime,
    /// The distance that it was moved.
    pub by: Duration,
}

impl Jump {
    /// The time from point `at` to `now`, without the jump.
    #[must_use]
    pub fn age(self, at: SteadyTime, now: SteadyTime) -> Duration {
        let skipped = if at < self.to { self.by } else { Duration::ZERO };
        now.since(at).saturating_sub(skipped)
    }

    /// The point that was `age` before `now`, without the jump.
    #[must_use]
    pub fn before(self, now: SteadyTime, age: Duration) -> SteadyTime {
        let skipped = if age > now.since(self.to) { self.by } else { Duration::ZERO };
        now.minus(age).minus(skipped)
    }
}

/// One moment on every clock, for records that need a time to show and a time to wait from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock's time.
    pub wall: Timestamp,
    /// The point on the steady timeline.
    pub steady: SteadyTime,
    /// The time that appointments are computed from.
    pub proven: ProvenTime,
}

impl Moment {
    /// The wall clock's time at `steady`, if the clock is not set until then. An offset below one second counts as
    /// zero, so that two processes get equal results: their timelines do not begin at the same millisecond.
    #[must_use]
    pub const fn wall_at(self, steady: SteadyTime) -> Timestamp {
        let ahead = self.wall.as_millis().saturating_sub(self.steady.as_millis());
        let ahead = if ahead.unsigned_abs() < 1_000 { 0 } else { ahead };
        Timestamp::from_millis(steady.as_millis().saturating_add(ahead))
    }

    /// The point on the steady timeline at which the wall clock showed `wall`, by its present setting.
    #[must_use]
    pub const fn steady_at(self, wall: Timestamp) -> SteadyTime {
        let ahead = self.steady.as_millis().saturating_sub(self.wall.as_millis());
        SteadyTime::from_millis(wall.as_millis().saturating_add(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_jump_skipped_makes_nothing_older() {
        let at = |seconds: i64| SteadyTime::from_millis(seconds * 1000);
        let span = Duration::from_secs;
        // From 100 to 1,100.
        let jump = Jump { to: at(1100), by: span(1000) };
        assert_eq!(jump.age(at(90), at(1105)), span(15));
        assert_eq!(jump.age(at(1102), at(1105)), span(3));
        assert_eq!(jump.age(at(1106), at(1105)), span(0));
        assert_eq!(jump.before(at(1105), span(15)), at(90));
        assert_eq!(jump.before(at(1105), span(3)), at(1102));
    }
}
