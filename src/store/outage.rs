//! The end of waiting: destinations after an outage, and after their access was given anew.

use sqlx::sqlite::SqliteConnection;

use crate::clock::{SteadyTime, Timestamp};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Lets every destination that waits for the end of an outage be tried as soon as it may. Answers how many.
    pub async fn end_outage(&self) -> Result<u64> {
        self.writer().submit(EndOutage(self.0.clock.steady())).await
    }

    /// Lets every channel that denied an earlier bot, or was closed to it, be tried at once: it may be open to this one.
    pub async fn try_channels_again(&self) -> Result<u64> {
        self.writer().submit(OtherBot(self.0.clock.now())).await
    }
}

struct EndOutage(SteadyTime);

impl Unit for EndOutage {
    type Output = u64;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<u64> {
        let woken = sqlx::query(
            "UPDATE destinations SET not_before = CASE WHEN retry_from > $1 THEN retry_from ELSE $1 END, \
             retry_from = NULL WHERE retry_from IS NOT NULL AND not_before > retry_from AND not_before > $1",
        )
        .bind(self.0.as_millis())
        .execute(tx)
        .await?;
        Ok(woken.rows_affected())
    }
}

struct OtherBot(Timestamp);

impl Unit for OtherBot {
    type Output = u64;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<u64> {
        let tried = sqlx::query(
            "UPDATE destinations SET closed_reason = NULL, not_before = 0, updated_at = $1 \
             WHERE sink = 'channel' AND deleted_at IS NULL AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL)",
        )
        .bind(self.0.as_millis())
        .execute(tx)
        .await?;
        Ok(tried.rows_affected())
    }
}
