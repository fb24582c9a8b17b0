//! Delivery expiry: gives up deliveries that have waited too long for a closed destination.

use crate::clock::{Moment, SteadyTime};
use crate::model::{DestinationId, Mint};
use crate::store::accept::insert_follow_up;
use crate::store::sql::{Tx, query, query_as};
use crate::store::unit::Unit;
use crate::store::{FollowUp, Result, Store};

/// Maximum number of deliveries that one unit gives up.
const UNIT: u32 = 100;
/// Reason of the dead deliveries. Programs may search for its first word.
const EXPIRED: &str = "expired: the destination has been closed for longer than RETENTION_DAYS";

impl Store {
    /// Returns the closed destinations with deliveries that have waited since before `before`, and their counts.
    pub async fn expired(&self, before: SteadyTime) -> Result<Vec<(DestinationId, u64)>> {
        let rows: Vec<(DestinationId, i64)> = query_as(
            "SELECT t.id, COUNT(*) FROM destinations AS t JOIN deliveries AS d \
             ON d.destination_id = t.id AND d.status = 'pending' \
             WHERE t.closed_reason IS NOT NULL AND d.due_at < $1 GROUP BY t.id ORDER BY t.id",
        )
        .bind(before.as_millis())
        .fetch_all(self.read())
        .await?;
        Ok(rows.into_iter().map(|(id, count)| (id, u64::try_from(count).unwrap_or(0))).collect())
    }

    /// Gives up some deliveries that have waited for `destination` since before `before`, if it is still closed:
    /// pending → dead. The event `notice` is inserted together with the first of them. Returns how many; 0 means that
    /// none are left.
    pub async fn expire(
        &self,
        destination: DestinationId,
        before: SteadyTime,
        notice: Option<FollowUp>,
    ) -> Result<u64> {
        let (now, mint) = (self.0.clock.moment(), Mint::new());
        self.writer().submit(Expire { destination, before, notice, now, mint }).await
    }
}

struct Expire {
    destination: DestinationId,
    before: SteadyTime,
    notice: Option<FollowUp>,
    now: Moment,
    mint: Mint,
}

impl Unit for Expire {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let expired = query(
            "UPDATE deliveries SET status = 'dead', reason = $1, finished_at = $2 WHERE status = 'pending' AND id IN \
             (SELECT id FROM deliveries WHERE destination_id = $3 AND status = 'pending' AND due_at < $4 \
              ORDER BY rank, id LIMIT $5) \
             AND EXISTS (SELECT 1 FROM destinations WHERE id = $3 AND closed_reason IS NOT NULL)",
        )
        .bind(EXPIRED)
        .bind(self.now.wall.as_millis())
        .bind(self.destination)
        .bind(self.before.as_millis())
        .bind(UNIT)
        .execute(&mut *tx)
        .await?;
        if let Some(FollowUp { id, incoming }) = self.notice.as_ref().filter(|_| expired > 0) {
            insert_follow_up(tx, *id, incoming, &self.mint, self.now).await?;
        }
        Ok(expired)
    }
}
