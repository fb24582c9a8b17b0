//! The pause reporter: reports circuit-breaker changes to operators and persists them across restarts.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SteadyTime};
use crate::discord::{BreakerState, CircuitBreaker, OpenReason, REFUSAL_WINDOW, REFUSALS};
use crate::dispatch::Context;
use crate::hub::{Condition, Conditions};
use crate::model::schedule::LONGEST_WAIT;
use crate::model::wait::PAUSE;
use crate::store::{self, Store};

/// Shorter pauses are over before a restarted process could send a request.
const WORTH_KEEPING: Duration = Duration::from_secs(2);

/// Restores the last process's state: a pause that is not over, and the refusals of the last ten minutes. So a process
/// in a crash loop does not exceed Discord's limits either.
pub async fn recall(store: &Store, clock: &Clock, breaker: &CircuitBreaker) -> store::Result<()> {
    let now = clock.now();
    let refusals = store.refusals_since(now.minus(REFUSAL_WINDOW)).await?;
    breaker.recall(refusals.into_iter().map(|at| now.since(at)));
    let until = store.meta(PAUSE).await?.and_then(|until| until.parse().ok()).map(SteadyTime::from_millis);
    let left = until.map_or(Duration::ZERO, |until| until.since(clock.steady())).min(LONGEST_WAIT);
    if !left.is_zero() {
        breaker.trip(OpenReason::Address, left);
    }
    Ok(())
}

/// Follows the circuit breaker. Never returns.
pub(super) async fn follow(context: Arc<Context>, breaker: CircuitBreaker) {
    let conditions = context.hub.conditions();
    let mut changes = breaker.changes();
    let mut kept = SteadyTime::default();
    loop {
        changes.mark_unchanged();
        let state = breaker.state();
        log_state(conditions, state);
        let until = match state {
            BreakerState::Open { why: OpenReason::Address | OpenReason::Refusals, left }
                if left > WORTH_KEEPING =>
            {
                context.clock.steady().plus(left)
            }
            // It ends by itself.
            _ => kept,
        };
        // Recomputing one and the same end a moment later gives a value a few milliseconds off.
        if until.since(kept) > WORTH_KEEPING {
            if let Err(error) = context.store.set_meta(PAUSE, until.as_millis().to_string()).await {
                tracing::warn!(%error, "the pause could not be saved in the database, so a restart ends it early");
            }
            kept = until;
        }
        // The breaker lives as long as this reference.
        let _ = changes.changed().await;
    }
}

/// Logs the state for the operator, once for each pause.
fn log_state(conditions: &Conditions, state: BreakerState) {
    let BreakerState::Open { why, left } = state else {
        if conditions.clear(Condition::Paused) {
            tracing::info!("Discord takes messages again: the pause is over");
        }
        return;
    };
    let seconds = left.as_secs().saturating_add(1);
    match why {
        OpenReason::Token => {
            let sentence = "Discord refused DISCORD_TOKEN (401): nothing is sent to channels, everything is kept. \
                            Put a valid token into .env (Developer Portal → Bot → Reset Token) and restart";
            if conditions.raise(Condition::TokenRefused, sentence) {
                tracing::error!("{sentence}");
            }
            if conditions.clear(Condition::Paused) {
                tracing::info!("Discord takes messages through webhooks again: the pause is over");
            }
        }
        // While a probe is in flight, the last sentence remains.
        _ if left.is_zero() => {}
        OpenReason::Address => pause(
            conditions,
            format!(
                "Discord refuses all requests from this address for {seconds} s. nuncio keeps everything and sends \
                 nothing until then; after that, one request tests whether it is over"
            ),
        ),
        OpenReason::Refusals => pause(
            conditions,
            format!(
                "Discord refused {REFUSALS} requests in ten minutes. nuncio sends nothing for {seconds} s, so that \
                 Discord does not ban this address. The log says which channels refuse: fix those"
            ),
        ),
    }
}

fn pause(conditions: &Conditions, sentence: String) {
    if conditions.raise(Condition::Paused, sentence.clone()) {
        tracing::warn!("{sentence}");
    }
}
