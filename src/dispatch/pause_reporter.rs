//! The herald: tells people how the gate to Discord stands, and the next process as well.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SteadyTime};
use crate::discord::{BreakerState, CircuitBreaker, OpenReason, REFUSAL_WINDOW, REFUSALS};
use crate::dispatch::Context;
use crate::hub::{Condition, Conditions};
use crate::model::schedule::LONGEST_WAIT;
use crate::model::wait::PAUSE;
use crate::store::{self, Store};

/// Shorter pauses are over before another process could ask anything.
const WORTH_KEEPING: Duration = Duration::from_secs(2);

/// Takes up what the last process knew: a pause that still lasts, and the refusals of the last ten minutes. So a
/// process that crashes and is started again and again does not provoke Discord either.
pub(super) async fn recall(store: &Store, clock: &Clock, gate: &CircuitBreaker) -> store::Result<()> {
    let now = clock.now();
    let refusals = store.refusals_since(now.minus(REFUSAL_WINDOW)).await?;
    gate.recall(refusals.into_iter().map(|at| now.since(at)));
    let until = store.meta(PAUSE).await?.and_then(|until| until.parse().ok()).map(SteadyTime::from_millis);
    let left = until.map_or(Duration::ZERO, |until| until.since(clock.steady())).min(LONGEST_WAIT);
    if !left.is_zero() {
        gate.shut(OpenReason::Address, left);
    }
    Ok(())
}

/// Follows the gate. Never ends.
pub(super) async fn follow(context: Arc<Context>, gate: CircuitBreaker) {
    let conditions = context.hub.conditions();
    let mut changes = gate.changes();
    let mut kept = SteadyTime::default();
    loop {
        changes.mark_unchanged();
        let standing = gate.standing();
        tell(conditions, standing);
        let until = match standing {
            BreakerState::OpenReason { why: OpenReason::Address | OpenReason::Refusals, left }
                if left > WORTH_KEEPING =>
            {
                context.clock.steady().plus(left)
            }
            // It is over by itself.
            _ => kept,
        };
        // The same end, seen a moment later, differs by a few milliseconds.
        if until.since(kept) > WORTH_KEEPING {
            if let Err(error) = context.store.set_meta(PAUSE, until.as_millis().to_string()).await {
                tracing::warn!(%error, "the pause could not be saved in the database, so a restart ends it early");
            }
            kept = until;
        }
        // The gate lives as long as we hold it.
        let _ = changes.changed().await;
    }
}

/// Tells the operator, once for each pause.
fn tell(conditions: &Conditions, standing: BreakerState) {
    let BreakerState::OpenReason { why, left } = standing else {
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
        // While somebody finds out, the last sentence stands.
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
