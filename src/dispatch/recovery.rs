//! The end of an outage: the first request that comes through wakes every destination that waits for it.
//!
//! Each lane backs off alone, up to five minutes. When Discord is back, that is known by the first success of anybody, so
//! nobody need sit out the rest. What wakes whom stands in the table (`destinations.retry_from`), for lanes that were
//! stopped since as well.

use std::sync::Arc;

use tokio::sync::watch;

use crate::dispatch::Context;
use crate::dispatch::disposition::STORE_AGAIN;

/// What is known of successes and of destinations that wait for one. Shared by all lanes.
pub(super) struct Recovery {
    successes: watch::Receiver<u64>,
    /// How many successes there had been when the first of those began that wait; `None` if nobody waits.
    waiting: watch::Sender<Option<u64>>,
}

impl Recovery {
    /// Follows `successes`. What an earlier process left waiting is woken by the first of them.
    pub(super) fn new(successes: watch::Receiver<u64>) -> Self {
        let waiting = watch::Sender::new(Some(*successes.borrow()));
        Self { successes, waiting }
    }

    /// How many requests have come through so far.
    pub(super) fn successes(&self) -> u64 {
        *self.successes.borrow()
    }

    /// Takes in that a destination waits whose request began after `began` successes.
    pub(super) fn wait_since(&self, began: u64) {
        self.waiting.send_modify(|since| *since = Some(since.map_or(began, |since| since.min(began))));
    }
}

/// Wakes whoever waits, whenever somebody has come through since. Never ends.
pub(super) async fn follow(context: Arc<Context>) {
    let mut successes = context.recovery.successes.clone();
    let mut waiting = context.recovery.waiting.subscribe();
    loop {
        let since = *waiting.borrow_and_update();
        let count = *successes.borrow_and_update();
        if let Some(since) = since.filter(|since| count > *since) {
            // Whoever begins to wait meanwhile says so anew.
            context.recovery.waiting.send_replace(None);
            match context.store.end_outage().await {
                Ok(0) => {}
                Ok(woken) => {
                    tracing::info!("Discord answers again: {woken} destinations that waited are tried now")
                }
                Err(error) => {
                    tracing::warn!(%error, "the end of the outage could not be saved: each destination is tried when \
                                            its own wait is over");
                    context.recovery.wait_since(since);
                    context.clock.sleep(STORE_AGAIN).await;
                }
            }
            continue;
        }
        tokio::select! {
            _ = successes.changed() => {}
            _ = waiting.changed() => {}
        }
    }
}
