//! Retention: removes finished data older than `RETENTION_DAYS`, little by little. Gives up deliveries that waited
//! that long for a closed destination, and notifies operators.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::hub::{Condition, Hub, Notice};
use crate::store::{IDEMPOTENCY_KEPT, Result, RetentionTable};

/// Delay before the first run, and the interval after it.
const FIRST: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(3600);
/// Pause between two units: at least this long, and at least `SHARE` times as long as the unit took.
const PAUSE: Duration = Duration::from_millis(20);
const SHARE: u32 = 4;

/// Result of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Number of events removed.
    pub events: u64,
    /// Number of deliveries removed.
    pub deliveries: u64,
    /// Number of messages removed.
    pub messages: u64,
    /// Number of quarantined bodies removed.
    pub quarantined: u64,
    /// Number of idempotency keys of the API removed.
    pub idempotency_keys: u64,
    /// Number of deliveries given up because their destination was closed for too long.
    pub expired: u64,
}

impl Hub {
    /// Runs retention periodically, as long as the clock is trustworthy: a wrong clock would remove everything. Never
    /// returns.
    pub async fn keep_tidy(&self, retention: Duration) {
        let clock = &self.0.clock;
        clock.sleep(FIRST).await;
        loop {
            let doubt = match self.doubts_clock().await {
                Ok(doubt) => doubt,
                Err(error) => Some(format!("Nothing old is removed: {error}")),
            };
            if let Some(sentence) = doubt {
                if self.conditions().raise(Condition::RetentionHeld, sentence.clone()) {
                    tracing::warn!("{sentence}");
                }
                clock.sleep(FIRST).await;
                continue;
            }
            match self.run_retention(clock.now().minus(retention)).await {
                Ok(done) if Tidied { idempotency_keys: 0, ..done } == Tidied::default() => {}
                Ok(done) => {
                    let days = retention.as_secs() / 86_400;
                    tracing::info!(
                        done.deliveries,
                        done.messages,
                        done.quarantined,
                        "removed {} events that were finished more than {days} days ago",
                        done.events
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, "old events could not be removed from the database: nuncio tries again in an hour")
                }
            }
            clock.sleep(AGAIN).await;
        }
    }

    /// Gives up deliveries that have waited for closed destinations since before `before`, and removes what was
    /// finished by then.
    pub async fn run_retention(&self, before: Timestamp) -> Result<Tidied> {
        let mut done = Tidied { expired: self.expire(before).await?, ..Tidied::default() };
        for shelf in RetentionTable::ALL {
            let before = match shelf {
                RetentionTable::IdempotencyKeys => self.0.clock.now().minus(IDEMPOTENCY_KEPT),
                _ => before,
            };
            let removed = self.clear(shelf, before).await?;
            match shelf {
                RetentionTable::Deliveries => done.deliveries = removed,
                RetentionTable::Messages => done.messages = removed,
                RetentionTable::Events => done.events = removed,
                RetentionTable::Quarantine => done.quarantined = removed,
                RetentionTable::IdempotencyKeys => done.idempotency_keys = removed,
            }
        }
        Ok(done)
    }

    async fn clear(&self, shelf: RetentionTable, before: Timestamp) -> Result<u64> {
        let (mut removed, mut after) = (0, None);
        loop {
            let began = self.0.clock.elapsed();
            let outdated = self.0.store.outdated(shelf, after, before).await?;
            let Some(last) = outdated.last() else { return Ok(removed) };
            after = Some(last);
            let some = self.0.store.remove(outdated).await?;
            removed += some;
            self.0.metrics.removed.add(some);
            self.rest(began).await;
        }
    }

    async fn expire(&self, before: Timestamp) -> Result<u64> {
        let before = self.0.clock.moment().steady_at(before);
        let mut expired = 0;
        for (id, count) in self.0.store.expired(before).await? {
            let Some(destination) = self.0.store.destination(id).await? else { continue };
            let now = self.0.clock.moment();
            let mut notice = Some(self.announcement(&Notice::Expired(count), &destination, None, now).await);
            tracing::error!(
                "{count} deliveries were given up: {} has been closed for longer than RETENTION_DAYS. Let it take messages \
                 again (its reason is in /health), then: nuncio redeliver --dead",
                destination.name
            );
            loop {
                let began = self.0.clock.elapsed();
                let some = self.0.store.expire(id, before, notice.take()).await?;
                if some == 0 {
                    break;
                }
                expired += some;
                self.rest(began).await;
            }
        }
        if expired > 0 {
            self.0.metrics.expired.add(expired);
            self.progressed();
        }
        Ok(expired)
    }

    /// Leaves the database to others for a while.
    async fn rest(&self, began: Duration) {
        let took = self.0.clock.elapsed().saturating_sub(began);
        self.0.clock.sleep((took * SHARE).max(PAUSE)).await;
    }
}
