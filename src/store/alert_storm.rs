//! Alert storms: the urgent deliveries of a lane that no card shows yet.

use std::time::Duration;

use crate::clock::Moment;
use crate::model::{DeliveryId, DestinationId};
use crate::store::delivery::COLUMNS;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::{Result, Store, Waiting};

/// Urgent deliveries whose alert has no card that they would change. Such a card is at least as severe, and was new
/// at most `$3` milliseconds before them. A delivery that a person sent
/// again needs a message of its own.
const UNSHOWN: &str = "FROM deliveries AS d CROSS JOIN events AS e \
     WHERE e.id = d.event_id AND d.destination_id = $1 AND d.rank = 0 AND d.status = 'pending' AND d.due_at <= $2 AND d.slot = '' \
     AND d.generation = 0 AND NOT EXISTS (SELECT 1 FROM cards AS c WHERE c.destination_id = d.destination_id \
     AND c.source = e.source AND c.subject = e.subject AND NOT c.frozen AND c.since_at >= e.received_at - $3 \
     AND CASE c.state WHEN 'critical' THEN 2 WHEN 'error' THEN 1 ELSE 0 END \
         >= CASE e.severity WHEN 'critical' THEN 2 WHEN 'error' THEN 1 ELSE 0 END)";

impl Store {
    /// Returns whether more than `depth` urgent deliveries of a lane wait for which no card shows the alert. A card
    /// that the same alert changes within `folds` counts as showing it.
    pub async fn storms(
        &self,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        depth: usize,
    ) -> Result<bool> {
        let limit = i64::try_from(depth).unwrap_or(i64::MAX).saturating_add(1);
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 {UNSHOWN} LIMIT $4) AS waiting");
        let waiting: i64 = query_scalar(sql)
            .bind(destination)
            .bind(now.steady.as_millis())
            .bind(window(folds, now))
            .bind(limit)
            .fetch_one(self.read())
            .await?;
        Ok(waiting >= limit)
    }

    /// The worst of the unshown deliveries: the first one of each alert, and the oldest among equals. nuncio's own
    /// events come before all others.
    pub async fn worst_unshown(
        &self,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        limit: usize,
    ) -> Result<Waiting> {
        let chosen = format!(
            "SELECT id FROM (SELECT d.id, CASE e.source WHEN 'nuncio' THEN 0 ELSE 1 END AS sender, \
             MIN(CASE e.severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 ELSE 2 END) OVER alert AS weight, \
             ROW_NUMBER() OVER (alert ORDER BY d.id) AS nth {UNSHOWN} \
             WINDOW alert AS (PARTITION BY e.source, e.subject, CASE e.subject WHEN '' THEN d.id END)) AS alerts \
             WHERE nth = 1 ORDER BY sender, weight, id LIMIT $4"
        );
        self.chosen(&chosen, destination, folds, now, limit).await
    }

    /// The next unshown deliveries to name in a digest: worst first, then oldest first.
    pub async fn next_unshown(
        &self,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        limit: usize,
    ) -> Result<Waiting> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries JOIN (SELECT d.id AS chosen, \
             CASE e.severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 ELSE 2 END AS weight {UNSHOWN} \
             ORDER BY weight, chosen LIMIT $4) AS next ON next.chosen = deliveries.id ORDER BY weight, id"
        );
        self.waiting_by(sql, destination, folds, now, limit).await
    }

    /// The newest unshown delivery of each route, kind and severity. If one of them pings a role, all of its group
    /// do.
    pub async fn sorts_unshown(
        &self,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        limit: usize,
    ) -> Result<Waiting> {
        let chosen = format!(
            "SELECT id FROM (SELECT d.id, ROW_NUMBER() OVER \
             (PARTITION BY d.route, e.kind, e.severity ORDER BY d.id DESC) AS nth {UNSHOWN}) AS sorts \
             WHERE nth = 1 LIMIT $4"
        );
        self.chosen(&chosen, destination, folds, now, limit).await
    }

    async fn chosen(
        &self,
        chosen: &str,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        limit: usize,
    ) -> Result<Waiting> {
        let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id IN ({chosen}) ORDER BY id");
        self.waiting_by(sql, destination, folds, now, limit).await
    }

    async fn waiting_by(
        &self,
        sql: String,
        destination: DestinationId,
        folds: Duration,
        now: Moment,
        limit: usize,
    ) -> Result<Waiting> {
        let rows = query(sql)
            .bind(destination)
            .bind(now.steady.as_millis())
            .bind(window(folds, now))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.read())
            .await?;
        Waiting::of(&rows, limit)
    }
}

/// Ids of the oldest unshown deliveries, within a unit.
pub(super) async fn ids_of_unshown(
    tx: &mut Tx,
    destination: DestinationId,
    folds: Duration,
    now: Moment,
    limit: i64,
) -> Result<Vec<DeliveryId>> {
    query_scalar(format!("SELECT d.id {UNSHOWN} ORDER BY d.id LIMIT $4"))
        .bind(destination)
        .bind(now.steady.as_millis())
        .bind(window(folds, now))
        .bind(limit)
        .fetch_all(tx)
        .await
}

/// Value of `$3`: the offset from an event's wall time to the start of its fold window in steady time, in which ids
/// are minted.
fn window(folds: Duration, now: Moment) -> i64 {
    let folds = i64::try_from(folds.as_millis()).unwrap_or(i64::MAX);
    let lead = now.steady.as_millis().saturating_sub(now.wall.as_millis());
    folds.saturating_sub(lead)
}
