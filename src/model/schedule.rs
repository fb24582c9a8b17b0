//! Retry schedule: backoff and probe intervals.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// Retry interval for a destination that denies messages or is closed.
pub const DENIED_AGAIN: Duration = Duration::from_secs(15 * 60);
/// Upper bound of every stored wait: waits that Discord or the platform request are capped at an hour, and so is the
/// grace period of a decision.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Minimum interval between two pings for one subject.
pub const PING_AGAIN: Duration = Duration::from_secs(600);
/// Longest wait of a destination after a failure, once another one has succeeded.
pub const RECOVERED: Duration = Duration::from_secs(10);
/// Wait from a ban of this IP address to the first probe.
pub const FIRST_PROBE: Duration = Duration::from_secs(5);
/// Longest wait between two probes.
const LAST_PROBE: Duration = Duration::from_secs(60);
/// Shortest backoff, so that a low draw still gives the other side some room.
const SHORTEST: Duration = Duration::from_millis(250);

/// Exponential backoff after the `failures`-th failure in a row (1 = the first): 1 s doubling to 5 min, with full
/// jitter, so that a hundred lanes that failed together do not return together. `draw` is a random number in
/// `0.0..1.0`.
#[must_use]
pub fn backoff(failures: u32, draw: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let cap = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    cap.mul_f64(draw.clamp(0.0, 1.0)).max(SHORTEST)
}

/// Wait before the `nth` probe in a row (1 = the first): 5, 10, 20, 40, 60 s. No jitter: one request probes for all
/// lanes.
#[must_use]
pub fn probe(nth: u32) -> Duration {
    FIRST_PROBE.saturating_mul(1 << nth.saturating_sub(1).min(8)).min(LAST_PROBE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_five_minutes_and_never_hammers() {
        let longest: Vec<u64> = [1, 2, 3, 9, 10, u32::MAX].map(|n| backoff(n, 1.0).as_secs()).to_vec();
        assert_eq!(longest, [1, 2, 4, 256, 300, 300]);
        assert_eq!(backoff(1, 0.0), SHORTEST);
    }

    // N-3
    #[test]
    fn probes_come_after_five_seconds_and_at_last_once_a_minute() {
        let waits: Vec<u64> = [1, 2, 3, 4, 5, 6, u32::MAX].map(|nth| probe(nth).as_secs()).to_vec();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
    }
}
