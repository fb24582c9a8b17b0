//! Redelivery: the only way back to pending for a finished delivery.
//!
//! One unit revives a page of deliveries and records the requester: no redelivery exists without its audit entry. A
//! call to the platform is not a message: it goes through the guard of *Try again* (`decision/retry.rs`).

use std::collections::BTreeMap;

use crate::clock::{Moment, Timestamp};
use crate::model::{AuditEntry, AuditOutcome, Delivery, DeliveryId, DestinationId, Mint, Revived, Status};
use crate::store::audit::{self, AuditKey};
use crate::store::decision::{Retried, Rights, retry_call};
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// Who requests a redelivery, and their permissions.
#[derive(Clone, Debug)]
pub struct Requester {
    /// Audit entry of the request. The unit fills in the outcome.
    pub entry: AuditEntry,
    /// Whether they may retry calls about machines.
    pub decides: bool,
    /// Whether they may retry calls about tickets.
    pub operates: bool,
}

/// How the deliveries were selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Each delivery was named.
    Named,
    /// All deliveries of a kind: calls to the platform are left to the buttons on their cards.
    Bulk,
}

impl Store {
    /// Makes finished deliveries pending again: the same rows, one generation later. Each becomes a new message. A
    /// closed destination is tried again: the requester has presumably fixed it. Returns `None`, with nothing
    /// changed, if the audit log already has the request: the gateway may deliver a command twice.
    pub async fn revive(
        &self,
        ids: Vec<DeliveryId>,
        selection: Selection,
        by: &Requester,
    ) -> Result<Option<Vec<Revived>>> {
        let unit = Revive {
            ids,
            rights: Rights {
                decisions: by.decides,
                ticket_actions: by.operates,
                is_bulk: selection == Selection::Bulk,
            },
            entry: by.entry.clone(),
            key: self.audit_key()?,
            now: self.0.clock.moment(),
            mint: Mint::new(),
        };
        let (revived, deliveries) = self.writer().submit(unit).await?;
        self.hint_at(deliveries);
        Ok(revived)
    }
}

struct Revive {
    ids: Vec<DeliveryId>,
    rights: Rights,
    entry: AuditEntry,
    key: AuditKey,
    now: Moment,
    mint: Mint,
}

impl Unit for Revive {
    type Output = (Option<Vec<Revived>>, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok((None, Vec::new()));
        }
        let (mut all, mut hints, mut entry) = (Vec::new(), Vec::new(), self.entry.clone());
        for id in &self.ids {
            all.push(match self.revive(tx, *id, &mut entry, &mut hints).await {
                // One corrupt row must not block the rest of the page.
                Err(error) if error.is_of_one_row() && self.ids.len() > 1 => Revived::Unreadable,
                revived => revived?,
            });
        }
        (entry.outcome, entry.detail) = summary(&all);
        audit::append(tx, &self.key, &entry, self.now.wall).await?;
        Ok((Some(all), hints))
    }
}

impl Revive {
    async fn revive(
        &self,
        tx: &mut Tx,
        delivery: DeliveryId,
        entry: &mut AuditEntry,
        hints: &mut Vec<Delivery>,
    ) -> Result<Revived> {
        let row = query(
            "SELECT d.status, d.destination_id, t.name, t.sink, t.deleted_at IS NOT NULL AS is_removed \
             FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id WHERE d.id = $1",
        )
        .bind(delivery)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(Revived::NotFound) };
        if row.try_get("is_removed")? {
            return Ok(Revived::Gone(row.try_get("name")?));
        }
        if row.try_get::<String>("sink")? == "xtsystems" {
            return self.call_again(tx, delivery, entry, hints).await;
        }
        let word: String = row.try_get("status")?;
        let status = Status::from_word(&word).ok_or_else(|| Error::Corrupt(format!("a status {word:?}")))?;
        let destination: DestinationId = row.try_get("destination_id")?;
        if matches!(status, Status::Pending | Status::Sending) {
            let reopened = reopen(tx, destination, self.now.wall).await?;
            return Ok(Revived::Conflict { status, reopened });
        }
        // Keep its earlier attempts findable.
        query(
            "INSERT INTO earlier_messages (delivery_id, message_id) SELECT id, message_id FROM deliveries \
             WHERE id = $1 AND message_id IS NOT NULL ON CONFLICT (delivery_id, message_id) DO NOTHING",
        )
        .bind(delivery)
        .execute(&mut *tx)
        .await?;
        query(
            "UPDATE deliveries SET status = 'pending', generation = generation + 1, due_at = $2, attempts = 0, \
             message_id = NULL, reason = NULL, muted_by = NULL, finished_at = NULL \
             WHERE id = $1 AND status IN ('dead', 'delivered', 'cancelled')",
        )
        .bind(delivery)
        .bind(self.now.steady.as_millis())
        .execute(&mut *tx)
        .await?;
        Ok(Revived::Pending { reopened: reopen(tx, destination, self.now.wall).await? })
    }

    async fn call_again(
        &self,
        tx: &mut Tx,
        delivery: DeliveryId,
        entry: &mut AuditEntry,
        hints: &mut Vec<Delivery>,
    ) -> Result<Revived> {
        let (decision, revived) = match retry_call(tx, &self.mint, self.now, delivery, self.rights).await? {
            Retried::Due(decision, deliveries) => {
                hints.extend(deliveries);
                (Some(decision), Revived::Called)
            }
            Retried::Not(decision, why) => (decision, Revived::NotCalled(why)),
        };
        if let Some(decision) = decision.filter(|_| entry.reference.is_empty() && self.ids.len() == 1) {
            entry.reference = decision.id.to_string();
        }
        Ok(revived)
    }
}

/// Audit outcome and detail of a page.
fn summary(all: &[Revived]) -> (AuditOutcome, String) {
    let mut counts: BTreeMap<(u8, &str), u64> = BTreeMap::new();
    for revived in all {
        let what = match revived {
            Revived::Pending { .. } => (0, "due again"),
            Revived::Called => (1, "call to XTSystems due again"),
            Revived::Conflict { reopened: true, .. } => {
                (2, "waiting for a closed destination, which is tried again")
            }
            Revived::Conflict { .. } => (3, "not finished"),
            Revived::Gone(_) => (4, "for a destination that was removed"),
            Revived::NotFound => (5, "not there"),
            Revived::Unreadable => (6, "unreadable"),
            Revived::NotCalled(why) => (7, why.reason()),
        };
        *counts.entry(what).or_default() += 1;
    }
    let line = |((priority, what), count): (&(u8, &str), &u64)| match priority {
        7 => format!("{count} call to XTSystems not repeated ({what})"),
        _ => format!("{count} {what}"),
    };
    let detail = counts.iter().map(line).collect::<Vec<_>>().join(", ");
    let is_done = all.iter().any(Revived::is_done);
    (if is_done { AuditOutcome::Done } else { AuditOutcome::Refused }, detail)
}

/// Reopens a destination that is closed or denies access: the next message shows whether it accepts messages again.
/// Returns whether it was. A deleted webhook stays closed: only another address, or a test that arrives, reopens it.
async fn reopen(tx: &mut Tx, destination: DestinationId, now: Timestamp) -> Result<bool> {
    let opened = query(
        "UPDATE destinations SET closed_reason = NULL, not_before = 0, updated_at = $2 \
         WHERE id = $1 AND sink <> 'discord_webhook' AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL)",
    )
    .bind(destination)
    .bind(now.as_millis())
    .execute(tx)
    .await?;
    Ok(opened == 1)
}
