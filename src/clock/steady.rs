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
