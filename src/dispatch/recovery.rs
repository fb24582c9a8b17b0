//! The end of an outage: the first request that succeeds wakes every destination that waits for it.
//!
//! Each lane backs off alone, up to five minutes. The first success of any lane shows that Discord is back, so the
//! others need not wait out their backoff. The table records which destinations to wake (`destinations.retry_from`),
//! including those of lanes that have stopped since.

use std::sync::Arc;

use tokio::sync::watch;

use crate::dispatch::Context;
use crate::dispatch::lane::insist::STORE_AGAIN;

/// Counts successes and tracks destinations that wait for one. Shared by all lanes.
pub(super) struct Recovery {
    successes: watch::Receiver<u64>,
    /// The number of successes when the earliest waiting request began; `None` if no destination waits.
    waiting: watch::Sender<Option<u64>>,
}

impl Recovery {
    /// Follows `successes`. The first success wakes what an earlier process left waiting.
    pub(super) fn new(successes: watch::Receiver<u64>) -> Self {
        let waiting = watch::Sender::new(Some(*successes.borrow()));
        Self { successes, waiting }
    }

    /// How many requests have succeeded so far.
    pub(super) fn successes(&self) -> u64 {
        *self.successes.borrow()
    }

    /// Records that a destination waits whose request began after `began` successes.
    pub(super) fn wait_since(&self, began: u64) {
        self.waiting.send_modify(|since| *since = Some(since.map_or(began, |since| since.min(began))));
    }
}

/// Wakes the waiting destinations after each success. Never returns.
pub(super) async fn follow(context: Arc<Context>) {
    let mut successes = context.recovery.successes.clone();
    let mut waiting = context.recovery.waiting.subscribe();
    loop {
        let since = *waiting.borrow_and_update();
        let count = *successes.borrow_and_update();
        if let Some(since) = since.filter(|since| count > *since) {
            // Destinations that begin to wait meanwhile set it again.
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
