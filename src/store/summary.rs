//! Activity counts: recent events, deliveries and destination states, for operators.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{DeliveryId, DestinationCounts, EventId, Priority, Tally};
use crate::store::sql::{query, query_as, query_scalar};
use crate::store::{Result, Store};

impl Store {
    /// Counts the destinations by state at `now`.
    pub async fn destination_counts(&self, now: SteadyTime) -> Result<DestinationCounts> {
        let (cooling, closed): (i64, i64) = query_as(
            "SELECT COUNT(CASE WHEN not_before > $1 THEN 1 END), \
             COUNT(CASE WHEN closed_reason IS NOT NULL THEN 1 END) FROM destinations WHERE deleted_at IS NULL",
        )
        .bind(now.as_millis())
        .fetch_one(self.read())
        .await?;
        let count = |n| u64::try_from(n).unwrap_or(0);
        Ok(DestinationCounts { cooling: count(cooling), closed: count(closed) })
    }

    /// Counts the events accepted since `since`, and their deliveries by outcome.
    pub async fn tally(&self, since: SteadyTime) -> Result<Tally> {
        let row = query(
            "SELECT (SELECT COUNT(*) FROM events WHERE id >= $1 AND source <> 'nuncio') AS accepted, \
             (SELECT COUNT(*) FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
              WHERE d.id >= $2 AND d.status = 'delivered' AND e.source <> 'nuncio') AS delivered, \
             (SELECT COUNT(*) FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
              WHERE d.id >= $2 AND d.status = 'dead' AND e.source <> 'nuncio') AS dead",
        )
        .bind(EventId::earliest(since))
        .bind(DeliveryId::earliest(since))
        .fetch_one(self.read())
        .await?;
        let count = |name| row.try_get::<i64>(name).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(Tally { accepted: count("accepted")?, delivered: count("delivered")?, dead: count("dead")? })
    }

    /// Returns when the oldest pending delivery was created; `None` if none is pending. Background deliveries are
    /// left out: a digest already shows their content, so their delay harms nothing, and a busy lane postpones them.
    pub async fn oldest_waiting(&self) -> Result<Option<SteadyTime>> {
        // Sorted by an expression: by the column, SQLite might go through all deliveries in the order of their index.
        let id: Option<DeliveryId> = query_scalar(
            "SELECT id FROM deliveries WHERE status = 'pending' AND rank < $1 ORDER BY SUBSTR(id, 1) LIMIT 1",
        )
        .bind(Priority::Background.as_i64())
        .fetch_optional(self.read())
        .await?;
        Ok(id.map(|id| id.minted_at()))
    }

    /// Returns the kind and time of the newest event from a sender; `None` if there is none yet. nuncio's own events
    /// do not count: they would hide that a platform has gone silent.
    pub async fn newest_event(&self) -> Result<Option<(String, Timestamp)>> {
        let row: Option<(String, i64)> = query_as(
            "SELECT kind, received_at FROM \
             (SELECT id, kind, received_at, source FROM events ORDER BY id DESC LIMIT 10000) AS newest \
             WHERE source <> 'nuncio' ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(self.read())
        .await?;
        Ok(row.map(|(kind, at)| (kind, Timestamp::from_millis(at))))
    }
}
