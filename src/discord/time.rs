//! Discord's own time, as far as its responses prove it.
//!
//! The local wall clock may be wrong by a day and may be stepped at any moment, so it is never compared with the times
//! of messages. The `Date` of a response is: Discord's time, at a moment of our monotonic clock. Later times are
//! computed from there.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::discord::answer::Answer;

/// Maximum skew between the servers that respond and the servers that date messages.
const MARGIN: Duration = Duration::from_secs(1);
/// Monotonic clocks drift: one part in a thousand is twice the maximum slew of a clock.
const DRIFT: u32 = 1000;

/// The newest `Date`, and when it was received.
#[derive(Debug, Default)]
pub(super) struct DiscordTime(Mutex<Option<(Timestamp, Duration)>>);

impl DiscordTime {
    /// Records a response of Discord's own that was read at `now` of [`Clock::elapsed`](crate::clock::Clock::elapsed).
    /// A response without a date changes nothing.
    pub(super) fn hear(&self, answer: &Answer, now: Duration) {
        if let Some(date) = answer.date() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, now));
        }
    }

    /// A lower bound for Discord's clock at `moment` of [`Clock::elapsed`](crate::clock::Clock::elapsed). A date is
    /// written before it is received and has no fractions, so the bound is early by the network delay and at most some
    /// seconds, and never late.
    pub(super) fn at_least(&self, moment: Duration) -> Option<Timestamp> {
        let (date, received) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let date = date.minus(MARGIN);
        Some(match moment.checked_sub(received) {
            Some(since) => date.plus(since - since / DRIFT),
            None => {
                let before = received - moment;
                date.minus(before + before / DRIFT)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, HeaderMap, HeaderValue};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn dated(date: &'static str) -> Answer {
        Answer::of(200, HeaderMap::from_iter([(DATE, HeaderValue::from_static(date))]), b"[]".to_vec())
    }

    // K-10
    #[test]
    fn it_is_counted_from_the_newest_date_and_never_late() {
        let time = DiscordTime::default();
        assert_eq!(time.at_least(HOUR), None, "nothing is proven");
        time.hear(&dated("soon"), HOUR);
        time.hear(&Answer::of(200, HeaderMap::new(), Vec::new()), HOUR);
        assert_eq!(time.at_least(HOUR), None, "nothing is proven");
        time.hear(&dated("Sun, 06 Nov 1994 08:49:37 GMT"), HOUR);
        let truth = Timestamp::from_secs(784_111_777);
        assert_eq!(time.at_least(HOUR), Some(truth.minus(SECOND)));
        for (moment, truth) in [(2 * HOUR, truth.plus(HOUR)), (Duration::ZERO, truth.minus(HOUR))] {
            let least = time.at_least(moment).unwrap();
            assert!(
                least <= truth.minus(SECOND) && least >= truth.minus(6 * SECOND),
                "{moment:?}: {least:?}"
            );
        }
    }
}
