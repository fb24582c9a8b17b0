//! Proven time: an external clock's time, extrapolated with the monotonic clock.
//!
//! Appointments (the end of a mute, the expiry of a question, retention) are wall-clock times, and must not depend on a
//! wall clock that is wrong. Discord's answers carry a `Date`; once one is known, it replaces a wall clock that differs
//! from it by more than [`TOLERANCE`].

use std::time::Duration;

use crate::clock::Timestamp;

/// How far the wall clock may differ from a proven time, or jump, before it counts as wrong.
pub const TOLERANCE: Duration = Duration::from_secs(30);

/// Wall-clock time that may be compared with an appointment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProvenTime(Timestamp);

impl ProvenTime {
    pub(super) const fn new(at: Timestamp) -> Self {
        Self(at)
    }

    /// Returns the plain timestamp.
    #[must_use]
    pub const fn get(self) -> Timestamp {
        self.0
    }
}

/// The source of a proven time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// Discord, by the `Date` of an answer that is certainly its own.
    Discord,
    /// A person who confirmed that the wall clock is right. Takes precedence over Discord until the clock is set again.
    Person,
}

/// The newest proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The source of the time.
    pub witness: Witness,
    /// The time that the source gave.
    pub date: Timestamp,
    /// When it arrived, on [`Clock::elapsed`](crate::clock::Clock::elapsed).
    pub heard_at: Duration,
}

impl Proof {
    /// The proven time at `elapsed`.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Timestamp {
        self.date.plus(elapsed.saturating_sub(self.heard_at))
    }
}

/// Inaccuracy of a `Date`: it has whole seconds, and was delayed in transit.
const INEXACT: Duration = Duration::from_secs(2);

/// Whether a proven time and the wall clock differ by more than [`TOLERANCE`].
#[must_use]
pub fn differ(proven: Timestamp, wall: Timestamp) -> bool {
    let most = TOLERANCE + INEXACT;
    proven.since(wall) > most || wall.since(proven) > most
}
