//! When a destination of any kind may be used again after an attempt. (A pause of all lanes is the circuit breaker's.)

use std::time::Duration;

use crate::clock::SteadyTime;
use crate::model::schedule::{self, DENIED_AGAIN, RECOVERED};
use crate::model::{Attempt, Outcome};

/// When a destination may be used again.
#[derive(Clone, Copy, Debug)]
pub(in crate::dispatch) struct Pacing {
    /// When, apart from its rate-limit bucket.
    pub(in crate::dispatch) not_before: SteadyTime,
    /// When after any other request succeeds, if it waits for the end of an outage.
    pub(in crate::dispatch) retry_from: Option<SteadyTime>,
    /// When its rate-limit bucket is full again.
    pub(in crate::dispatch) whole_at: SteadyTime,
}

impl Pacing {
    /// Follows from `attempt`. `failures` counts the destination's consecutive failures.
    pub(in crate::dispatch) fn after(attempt: &Attempt, failures: &mut u32, now: SteadyTime) -> Self {
        let wait = backoff(&attempt.outcome, failures);
        let recovered = || now.plus(wait.min(RECOVERED).max(attempt.cooldown));
        Self {
            not_before: now.plus(wait),
            retry_from: attempt.is_outage().then(recovered),
            whole_at: now.plus(attempt.cooldown),
        }
    }
}

/// The backoff of this destination alone.
fn backoff(outcome: &Outcome, failures: &mut u32) -> Duration {
    match outcome {
        Outcome::Retry { after, .. } => {
            *failures += 1;
            let backoff = schedule::backoff(*failures, rand::random());
            after.map_or(backoff, |after| after.max(backoff))
        }
        // A closed destination is probed again.
        Outcome::Denied(_) | Outcome::Closed(_) => DENIED_AGAIN,
        Outcome::Sent(_) => {
            *failures = 0;
            Duration::ZERO
        }
        Outcome::Refused(_) | Outcome::Uneditable(_) | Outcome::Paused { .. } => Duration::ZERO,
    }
}
