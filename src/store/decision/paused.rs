//! Paused calls: while all calls to the platform wait, their cards show why, and a new API key retries them at once.

use super::announce::announce;
use super::retry::{is_newest, is_of_closed_ticket};
use super::{load_by_id, read};
use crate::clock::Moment;
use crate::model::{Actor, AuditEntry, CallState, Decision, Delivery, DeliveryId, DestinationId, Mint};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Shows the reason for the pause on the cards of all other decisions that wait for the platform.
pub(super) async fn say_why(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    but: DeliveryId,
    why: &str,
) -> Result<Vec<Delivery>> {
    let rows = query(
        "UPDATE decisions SET platform_reply = $1 WHERE platform = 'calling' AND delivery_id <> $2 \
         AND (platform_reply IS NULL OR platform_reply <> $1) RETURNING *",
    )
    .bind(why)
    .bind(but)
    .fetch_all(&mut *tx)
    .await?;
    let mut hints = Vec::new();
    for row in &rows {
        hints.extend(announce(tx, mint, now, "decision.waiting", &read(row)?, &[]).await?.1);
    }
    Ok(hints)
}

impl Store {
    /// Makes every call due that was tried before, and every held one: with another API key or address they may
    /// succeed. Adds an audit entry. Returns how many.
    pub async fn try_calls_again(&self, platform: DestinationId) -> Result<usize> {
        let (key, now, mint) = (self.audit_key()?, self.0.clock.moment(), Mint::new());
        let unit = TryAgain { key, platform, now, mint };
        let (tried, hints) = self.writer().submit(unit).await?;
        self.hint_at(hints);
        Ok(tried)
    }
}

struct TryAgain {
    key: AuditKey,
    platform: DestinationId,
    now: Moment,
    mint: Mint,
}

impl Unit for TryAgain {
    type Output = (usize, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        query("UPDATE destinations SET not_before = 0, updated_at = $1 WHERE id = $2")
            .bind(self.now.wall.as_millis())
            .bind(self.platform)
            .execute(&mut *tx)
            .await?;
        // A running grace period is not shortened.
        let waiting = query(
            "SELECT * FROM decisions \
             WHERE ((platform = 'calling' AND attempts > 0) OR platform = 'held') AND approved_upstream_at IS NULL \
             AND EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id = decisions.delivery_id AND d.destination_id = $1 \
                         AND d.status IN ('pending', 'dead'))",
        )
        .bind(self.platform)
        .fetch_all(&mut *tx)
        .await?;
        let (mut tried, mut held, mut hints) = (0, 0, Vec::new());
        for row in &waiting {
            let decision = read(row)?;
            // The same guard as for the button *Try again*.
            if is_newest(tx, &decision).await? && !is_of_closed_ticket(tx, &decision).await? {
                hints.extend(self.call_again(tx, &decision).await?);
                tried += 1;
                held += usize::from(decision.platform == CallState::Held);
            }
        }
        if tried > 0 {
            let mut entry = AuditEntry::new(Actor::Nuncio, "decision.try-again", "calls to XTSystems");
            entry.detail = format!(
                "a start with another XTSYSTEMS_API_KEY: tried again at once, {held} held and {} waiting",
                tried - held
            );
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
        }
        Ok((tried, hints))
    }
}

impl TryAgain {
    async fn call_again(&self, tx: &mut Tx, decision: &Decision) -> Result<Vec<Delivery>> {
        query(
            "UPDATE decisions SET platform = 'calling', due_at = $1, settled_at = NULL, platform_reply = NULL WHERE id = $2",
        )
        .bind(self.now.wall.as_millis())
        .bind(decision.id)
        .execute(&mut *tx)
        .await?;
        query(
            "UPDATE deliveries SET generation = generation + CASE WHEN status = 'dead' THEN 1 ELSE 0 END, \
             status = 'pending', due_at = $1, message_id = NULL, reason = NULL, finished_at = NULL \
             WHERE id = (SELECT delivery_id FROM decisions WHERE id = $2) AND status IN ('pending', 'dead')",
        )
        .bind(self.now.steady.as_millis())
        .bind(decision.id)
        .execute(&mut *tx)
        .await?;
        let after = load_by_id(tx, decision.id).await?;
        let after = after.as_ref().unwrap_or(decision);
        Ok(announce(tx, &self.mint, self.now, "decision.retried", after, &[]).await?.1)
    }
}
