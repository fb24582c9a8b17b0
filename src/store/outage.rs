//! Early retries: destinations after an outage, and channels after a change of the bot.

use crate::clock::{SteadyTime, Timestamp};
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Ends the wait of every destination that waits for the end of an outage. Returns how many.
    pub async fn end_outage(&self) -> Result<u64> {
        self.writer().submit(EndOutage(self.0.clock.steady())).await
    }

    /// Retries every channel at once that denied access to an earlier bot, or was closed to it: this bot may have
    /// access. Returns how many.
    pub async fn try_channels_again(&self) -> Result<u64> {
        self.writer().submit(OtherBot(self.0.clock.now())).await
    }
}

struct EndOutage(SteadyTime);

impl Unit for EndOutage {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let woken = query(
            "UPDATE destinations SET not_before = CASE WHEN retry_from > $1 THEN retry_from ELSE $1 END, \
             retry_from = NULL WHERE retry_from IS NOT NULL AND not_before > retry_from AND not_before > $1",
        )
        .bind(self.0.as_millis())
        .execute(tx)
        .await?;
        Ok(woken)
    }
}

struct OtherBot(Timestamp);

impl Unit for OtherBot {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let tried = query(
            "UPDATE destinations SET closed_reason = NULL, not_before = 0, updated_at = $1 \
             WHERE sink = 'channel' AND deleted_at IS NULL AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL)",
        )
        .bind(self.0.as_millis())
        .execute(tx)
        .await?;
        Ok(tried)
    }
}
