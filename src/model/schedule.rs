//! When to try again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How often a destination that denies us, or is closed, is looked at again.
pub const DENIED_AGAIN: Duration = Duration::from_secs(15 * 60);
/// No stored wait is longer than this: what Discord or the platform ask for is cut to an hour, and so is the grace of a
/// decision.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// A subject pings at most once in this span.
pub const PING_AGAIN: Duration = Duration::from_secs(600);
/// How long a destination waits at most after a failure, once somebody else has come through.
pub const RECOVERED: Duration = Duration::from_secs(10);
/// How long after a ban of this address the first request finds out whether it is over.
pub const FIRST_PROBE: Duration = Duration::from_secs(5);
/// The longest wait between two of those.
const LAST_PROBE: Duration = Duration::from_secs(60);
/// Even a lucky draw leaves the other side this much room.
const SHORTEST: Duration = Duration::from_millis(250);

/// The wait after the `failures`-th failure in a row (1 = the first): 1 s doubling to 5 min, with full jitter, so
/// that a hundred lanes that failed together do not return together. `draw` is a random number in `0.0..1.0`.
#[must_use]
pub fn backoff(failures: u32, draw: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let cap = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    cap.mul_f64(draw.clamp(0.0, 1.0)).max(SHORTEST)
}

/// The wait before the `nth` probe in a row (1 = the first): 5, 10, 20, 40, 60 s. One request stands for all lanes, so
/// there is nothing to spread.
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
