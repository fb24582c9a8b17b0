//! The health of stored webhooks: attempts of the last hours, failures in a row, the last error.

use crate::clock::Timestamp;
use crate::model::DestinationId;
use crate::store::Result;
use crate::store::sql::{Tx, query};

const HOUR_MS: i64 = 3_600_000;
const DAY: i64 = 24;

/// The hour of a time, since the epoch.
const fn hour(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR_MS)
}

/// The last hour that is not one of the 24 up to `now`.
pub(super) const fn day_before(now: Timestamp) -> i64 {
    hour(now) - DAY
}

/// Counts one attempt.
pub(in crate::store) async fn count(
    tx: &mut Tx,
    id: DestinationId,
    arrived: bool,
    now: Timestamp,
) -> Result<()> {
    query(
        "INSERT INTO destination_hours (destination_id, hour, sent, failed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (destination_id, hour) DO UPDATE SET sent = destination_hours.sent + excluded.sent, \
         failed = destination_hours.failed + excluded.failed",
    )
    .bind(id)
    .bind(hour(now))
    .bind(i64::from(arrived))
    .bind(i64::from(!arrived))
    .execute(&mut *tx)
    .await?;
    query("DELETE FROM destination_hours WHERE destination_id = $1 AND hour < $2")
        .bind(id)
        .bind(day_before(now) - DAY)
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes the counts of a webhook that is removed.
pub(super) async fn forget(tx: &mut Tx, id: DestinationId) -> Result<()> {
    query("DELETE FROM destination_hours WHERE destination_id = $1").bind(id).execute(tx).await?;
    Ok(())
}
