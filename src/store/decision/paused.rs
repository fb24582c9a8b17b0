//! Calls to the platform that wait for all of them to be let through again: their cards say why, and another key tries
//! them at once.

use sqlx::sqlite::SqliteConnection;

use super::announce::announce;
use super::read;
use crate::clock::Timestamp;
use crate::model::{Delivery, DeliveryId, DestinationId, Mint};
use crate::store::writer::Unit;
use crate::store::{Result, Store};

/// Says on the cards of all other decisions that wait for the platform why they do.
pub(super) async fn say_why(
    tx: &mut SqliteConnection,
    mint: &Mint,
    now: Timestamp,
    but: DeliveryId,
    why: &str,
) -> Result<Vec<Delivery>> {
    let rows = sqlx::query(
        "UPDATE decisions SET said = $1 WHERE platform = 'telling' AND delivery_id <> $2 \
         AND (said IS NULL OR said <> $1) RETURNING *",
    )
    .bind(why)
    .bind(but.to_string())
    .fetch_all(&mut *tx)
    .await?;
    let mut hints = Vec::new();
    for row in &rows {
        hints.extend(announce(tx, mint, now, "decision.waiting", &read(row)?, &[]).await?.1);
    }
    Ok(hints)
}

impl Store {
    /// Makes every call to the platform due that was tried before, and those that are held: with another key, or another
    /// address, they may come through. Answers how many.
    pub async fn try_calls_again(&self, platform: DestinationId) -> Result<usize> {
        let unit = TryAgain { platform, now: self.0.clock.now(), mint: Mint::new() };
        let (tried, hints) = self.writer().submit(unit).await?;
        self.hint_at(hints);
        Ok(tried)
    }
}

struct TryAgain {
    platform: DestinationId,
    now: Timestamp,
    mint: Mint,
}

impl Unit for TryAgain {
    type Output = (usize, Vec<Delivery>);

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<Self::Output> {
        let (now, platform) = (self.now.as_millis(), self.platform.to_string());
        sqlx::query("UPDATE destinations SET not_before = 0, updated_at = $1 WHERE id = $2")
            .bind(now)
            .bind(&platform)
            .execute(&mut *tx)
            .await?;
        // As with Try again: the newest round only. A grace that still runs is not shortened.
        let rows = sqlx::query(
            "UPDATE decisions SET platform = 'telling', due_at = $1, settled_at = NULL, said = NULL \
             WHERE ((platform = 'telling' AND attempts > 0) OR platform = 'held') AND elsewhere_at IS NULL \
             AND delivery_id IN (SELECT id FROM deliveries WHERE destination_id = $2 AND status IN ('pending', 'dead')) \
             AND NOT EXISTS (SELECT 1 FROM decisions AS newer WHERE newer.source = decisions.source \
                             AND newer.subject = decisions.subject AND newer.kind = decisions.kind \
                             AND newer.round > decisions.round) RETURNING *",
        )
        .bind(now)
        .bind(&platform)
        .fetch_all(&mut *tx)
        .await?;
        let mut hints = Vec::new();
        for row in &rows {
            let decision = read(row)?;
            sqlx::query(
                "UPDATE deliveries SET generation = generation + CASE WHEN status = 'dead' THEN 1 ELSE 0 END, \
                 status = 'pending', due_at = $1, message_id = NULL, reason = NULL, finished_at = NULL \
                 WHERE id = (SELECT delivery_id FROM decisions WHERE id = $2) AND status IN ('pending', 'dead')",
            )
            .bind(now)
            .bind(decision.id.to_string())
            .execute(&mut *tx)
            .await?;
            hints.extend(announce(tx, &self.mint, self.now, "decision.retried", &decision, &[]).await?.1);
        }
        Ok((rows.len(), hints))
    }
}
