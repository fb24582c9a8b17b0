//! The steady time line: what durations are measured and stored on.
//!
//! It starts at the wall clock and moves with the monotonic clock. A wall clock that is set, forward or back, does not
//! move it, so a wait that is stored ("not before", "due at") lasts as long as it was meant to. A later process takes
//! the line up where the database says it was (`store/steady.rs`): it never goes back, across restarts either, and ids
//! are minted on it.
//!
//! What people see (events, attempts, the audit log, cards) and what is agreed with the outside (signatures, mutes,
//! expiry) is wall time: [`Timestamp`]. The two are different types, so that nobody compares one with the other.

use std::time::Duration;

use crate::clock::{ProvenTime, Timestamp};

/// A point on the steady line, in milliseconds. Near the wall clock, but never to be compared with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SteadyTime(i64);

impl SteadyTime {
    /// From milliseconds, as they are stored.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds, as they are stored.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This point, `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(Timestamp::from_millis(self.0).plus(by).as_millis())
    }

    /// This point, `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(Timestamp::from_millis(self.0).minus(by).as_millis())
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Timestamp::from_millis(self.0).since(Timestamp::from_millis(earlier.0))
    }
}

/// A start that moved the line forward, because the wall clock had been set while an earlier process ran. What was made
/// before that is not older for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Where the line went on.
    pub to: SteadyTime,
    /// By how much it was moved.
    pub by: Duration,
}

impl Jump {
    /// How long before `now` the point `at` was.
    #[must_use]
    pub fn age(self, at: SteadyTime, now: SteadyTime) -> Duration {
        let skipped = if at < self.to { self.by } else { Duration::ZERO };
        now.since(at).saturating_sub(skipped)
    }

    /// The point that was `age` before `now`.
    #[must_use]
    pub fn before(self, now: SteadyTime, age: Duration) -> SteadyTime {
        let skipped = if age > now.since(self.to) { self.by } else { Duration::ZERO };
        now.minus(age).minus(skipped)
    }
}

/// One moment, on every line: for what is written down with a time to show and a time to wait from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// What the wall clock shows.
    pub wall: Timestamp,
    /// The point on the steady line.
    pub steady: SteadyTime,
    /// What appointments are made from.
    pub proven: ProvenTime,
}

impl Moment {
    /// What the wall clock shows when `steady` comes, if nobody sets it until then. Two processes read the same there: the
    /// line does not begin at the same millisecond in both.
    #[must_use]
    pub const fn wall_at(self, steady: SteadyTime) -> Timestamp {
        let ahead = self.wall.as_millis().saturating_sub(self.steady.as_millis());
        let ahead = if ahead.unsigned_abs() < 1_000 { 0 } else { ahead };
        Timestamp::from_millis(steady.as_millis().saturating_add(ahead))
    }

    /// The point on the steady line at which the wall clock showed `wall`, as it is set now.
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
