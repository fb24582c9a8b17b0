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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_five_minutes_and_never_hammers() {
        let longest: Vec<u64> = [1, 2, 3, 9, 10, u32::MAX].map(|n| backoff(n, 1.0).as_secs()).to_vec();
        assert_eq!(longest, [1, 2, 4, 256, 300, 300]);
        assert_eq!(backoff(1, 0.0), SHORTEST);
    }
}
